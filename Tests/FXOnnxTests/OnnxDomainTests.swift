import FXCore
import FXOnnx
import Testing

/// Operator sets of other domains than ONNX's own follow from the calls.
@Suite struct OnnxDomainTests {
  private static let ml = "ai.onnx.ml"

  private static func graph(_ calls: [(Operator, Attributes, ElementType)]) throws -> Graph {
    var graph = Graph()
    for (index, (op, attributes, type)) in calls.enumerated() {
      let x = try graph.addInput("x\(index)", .tensor(type, [2, 2]))
      let node = try graph.append(op, [.value(x)], attributes: attributes, results: [.unknown])
      try graph.addOutput(graph[node].results[0], name: "y\(index)")
    }
    return graph
  }

  private static func written(_ graph: Graph) throws -> Graph {
    try OnnxImporter().graph(from: OnnxDocument(bytes: exportToOnnx(graph).serialized()))
  }

  private static let ensemble: Attributes = [
    "tree_roots": .ints([0]), "nodes_modes": .tensor(Tensor(vector: [UInt8(0)])), "nodes_featureids": .ints([0]),
    "nodes_splits": .tensor(Tensor(vector: [Float(0)])), "nodes_truenodeids": .ints([0]), "nodes_falsenodeids": .ints([0]),
    "nodes_trueleafs": .ints([1]), "nodes_falseleafs": .ints([1]), "leaf_targetids": .ints([0]),
    "leaf_weights": .tensor(Tensor(vector: [Float(1)])),
  ]

  @Test func newestThatHasTheOperator() throws {
    let older = try Self.written(Self.graph([(.treeEnsembleRegressor, ["n_targets": 1], .float32)]))
    #expect(older.operatorSets[Self.ml] == 4)
    let newer = try Self.written(Self.graph([(.treeEnsemble, Self.ensemble, .float32)]))
    #expect(newer.operatorSets[Self.ml] == 5)
  }

  @Test func newerWhereAnAttributeNeedsIt() throws {
    let tensor = AttributeValue.tensor(Tensor(vector: [1.0, 2]))
    var graph = try Self.graph([(.labelEncoder, ["keys_tensor": tensor, "values_tensor": tensor], .float64)])
    graph.operatorSets[Self.ml] = 1
    #expect(try Self.written(graph).operatorSets[Self.ml] == 4)
  }

  @Test func tableOfVersionOne() throws {
    var graph = try Self.graph([
      (.labelEncoder, ["classes_strings": .strings(["a", "b"])], .string),
      (.labelEncoder, ["classes_strings": .strings(["a", "b"])], .int64),
    ])
    let spelled = try Self.written(graph)
    let tables = try spelled.nodes(calling: .labelEncoder).map { try spelled[$0].attributes }
    #expect(tables[0]["keys_strings"] == .strings(["a", "b"]) && tables[0]["values_int64s"] == .ints([0, 1]))
    #expect(tables[1]["keys_int64s"] == .ints([0, 1]) && tables[1]["values_strings"] == .strings(["a", "b"]))
    graph.operatorSets[Self.ml] = 1
    let kept = try Self.written(graph)
    #expect(try kept.nodes(calling: .labelEncoder).allSatisfy { try kept[$0].attributes["classes_strings"] != nil })
  }

  @Test func defaultDomainHasTwoNames() throws {
    let row = OnnxOperator(.abs, OnnxForm("Magnitude", domain: "ai.onnx"))
    var (exporter, importer) = (OnnxExporter(), OnnxImporter())
    exporter.operators.register(row)
    importer.operators.register(row)
    for domain in ["", "ai.onnx"] { #expect(importer.operators.row("Magnitude", domain: domain)?.op == .abs) }
    let document = try exporter.export(Self.graph([(.abs, [:], .float32)]))
    let read = try importer.graph(from: OnnxDocument(bytes: document.serialized()))
    #expect(read.nodes(calling: .abs).count == 1)
  }

  @Test func noSetHasBoth() throws {
    let graph = try Self.graph([
      (.treeEnsembleRegressor, ["n_targets": 1], .float32), (.treeEnsemble, Self.ensemble, .float32),
    ])
    #expect { try exportToOnnx(graph) } throws: { "\($0)".contains("TreeEnsemble needs operator set 5 of ai.onnx.ml") }
  }
}
