import FXCore
import FXRuntime
import FXShapes
import Testing

/// Decision trees: hostile attributes are errors, and threads do not change results.
@Suite struct DecisionTreeTests {
  /// Two trees of one comparison each.
  static let nodes: Attributes = [
    "nodes_treeids": .ints([0, 0, 0, 1, 1, 1]), "nodes_nodeids": .ints([0, 1, 2, 0, 1, 2]),
    "nodes_featureids": .ints([0, 0, 0, 1, 0, 0]),
    "nodes_modes": .strings(["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_GT", "LEAF", "LEAF"]),
    "nodes_values": .floats([0.5, 0, 0, -1, 0, 0]), "nodes_truenodeids": .ints([1, 0, 0, 1, 0, 0]),
    "nodes_falsenodeids": .ints([2, 0, 0, 2, 0, 0]),
  ]
  static let votes: Attributes = [
    "target_treeids": .ints([0, 0, 1, 1]), "target_nodeids": .ints([1, 2, 1, 2]), "target_ids": .ints([0, 1, 0, 1]),
    "target_weights": .floats([1, 2, 10, 20]), "n_targets": .int(2),
  ]
  static let classes: Attributes = [
    "class_treeids": .ints([0, 0, 1, 1]), "class_nodeids": .ints([1, 2, 1, 2]), "class_ids": .ints([0, 1, 0, 1]),
    "class_weights": .floats([1, 2, 10, 20]), "classlabels_int64s": .ints([7, 8]),
  ]
  static let ensemble: Attributes = [
    "tree_roots": .ints([0, 1]), "nodes_modes": .tensor(Tensor(vector: [UInt8(0), 3])), "nodes_featureids": .ints([0, 1]),
    "nodes_splits": .tensor(Tensor(vector: [Float(0.5), -1])), "nodes_truenodeids": .ints([0, 2]),
    "nodes_falsenodeids": .ints([1, 3]), "nodes_trueleafs": .ints([1, 1]), "nodes_falseleafs": .ints([1, 1]),
    "leaf_targetids": .ints([0, 1, 0, 1]), "leaf_weights": .tensor(Tensor(vector: [Float(1), 2, 10, 20])),
    "n_targets": .int(2),
  ]
  static let rows = [[0.0, 0.0], [1, -2], [0.5, -1]].flatMap(\.self).map(Float.init)

  private static func with(_ attributes: Attributes, _ changes: Attributes) -> Attributes {
    var result = attributes
    for entry in changes { result[entry.name] = entry.value }
    return result
  }

  private static func graph(_ op: Operator, _ attributes: Attributes, _ type: TensorType) throws -> Graph {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(type))
    let count = op == .treeEnsembleClassifier ? 2 : 1
    let node = try graph.append(
      op, [.value(x)], attributes: attributes, results: Array(repeating: .unknown, count: count))
    for (index, result) in try graph[node].results.enumerated() { try graph.addOutput(result, name: "y\(index)") }
    return graph
  }

  private static func run(_ op: Operator, _ attributes: Attributes, compiled: Bool) throws -> [Tensor] {
    let x = try Tensor([3, 2], rows)
    let graph = try graph(op, attributes, x.type)
    let inputs = [RuntimeValue.tensor(x)]
    let results = try compiled ? CPUBackend().compiled(graph).run(inputs) : ReferenceExecutor().run(graph, inputs: inputs)
    return results.compactMap(\.tensor)
  }

  @Test(arguments: [false, true]) func threeFormsOfOneEnsemble(_ compiled: Bool) throws {
    let expected: [Float] = [11, 0, 0, 22, 1, 20]
    let regressor = try Self.run(.treeEnsembleRegressor, Self.with(Self.nodes, Self.votes), compiled: compiled)
    #expect(try regressor[0].elements(Float.self) == expected)
    let five = try Self.run(.treeEnsemble, Self.ensemble, compiled: compiled)
    #expect(try five[0].elements(Float.self) == expected)
    let classifier = try Self.run(.treeEnsembleClassifier, Self.with(Self.nodes, Self.classes), compiled: compiled)
    #expect(try classifier[0].elements(Int64.self) == [7, 8, 8])
    #expect(try classifier[1].elements(Float.self) == expected)
  }

  static let faults: [(String, Operator, Attributes)] = [
    ("a node that is its own child", .treeEnsembleRegressor, ["nodes_truenodeids": .ints([0, 0, 0, 1, 0, 0])]),
    ("a child that is not there", .treeEnsembleRegressor, ["nodes_falsenodeids": .ints([9, 0, 0, 2, 0, 0])]),
    ("a child before all", .treeEnsembleRegressor, ["nodes_falsenodeids": .ints([.min, 0, 0, 2, 0, 0])]),
    ("a short list", .treeEnsembleRegressor, ["nodes_values": .floats([1])]),
    ("a list that is missing", .treeEnsembleRegressor, ["nodes_modes": .strings([])]),
    ("an unknown mode", .treeEnsembleRegressor, ["nodes_modes": .strings(Array(repeating: "BRANCH", count: 6))]),
    ("two nodes of one id", .treeEnsembleRegressor, ["nodes_nodeids": .ints([0, 1, 1, 0, 1, 2])]),
    ("a feature beyond the row", .treeEnsembleRegressor, ["nodes_featureids": .ints([2, 0, 0, 1, 0, 0])]),
    ("a negative feature", .treeEnsembleRegressor, ["nodes_featureids": .ints([-1, 0, 0, 1, 0, 0])]),
    ("a target beyond the last", .treeEnsembleRegressor, ["target_ids": .ints([0, 2, 0, 1])]),
    ("a negative target", .treeEnsembleRegressor, ["target_ids": .ints([0, -1, 0, 1])]),
    ("targets without number", .treeEnsembleRegressor, ["n_targets": .int(.max)]),
    ("no targets", .treeEnsembleRegressor, ["n_targets": .int(0)]),
    ("votes of no leaf", .treeEnsembleRegressor, ["target_nodeids": .ints([1, 9, 1, 2])]),
    ("values twice", .treeEnsembleRegressor, ["nodes_values_as_tensor": .tensor(Tensor(vector: [Float(1), 2]))]),
    ("base values of others", .treeEnsembleRegressor, ["base_values": .floats([1, 2, 3])]),
    ("labels of two kinds", .treeEnsembleClassifier, ["classlabels_strings": .strings(["a", "b"])]),
    ("a class beyond the last", .treeEnsembleClassifier, ["class_ids": .ints([0, 2, 0, 1])]),
    ("a cycle", .treeEnsemble, ["nodes_truenodeids": .ints([1, 0]), "nodes_trueleafs": .ints([0, 0])]),
    ("a root beyond the nodes", .treeEnsemble, ["tree_roots": .ints([2])]),
    ("a leaf beyond the leaves", .treeEnsemble, ["nodes_truenodeids": .ints([4, 2])]),
    ("a mode beyond the last", .treeEnsemble, ["nodes_modes": .tensor(Tensor(vector: [UInt8(7), 0]))]),
    ("a set that is not there", .treeEnsemble, ["nodes_modes": .tensor(Tensor(vector: [UInt8(6), 0]))]),
    ("a set without end", .treeEnsemble, ["membership_values": .tensor(Tensor(vector: [Float(1)]))]),
    ("a set of no node", .treeEnsemble, ["membership_values": .tensor(Tensor(vector: [Float.nan]))]),
    ("an unknown function", .treeEnsemble, ["aggregate_function": .int(4)]),
    ("an unknown transform", .treeEnsemble, ["post_transform": .int(-1)]),
  ]

  @Test(arguments: faults.indices) func hostileAttributesThrow(_ index: Int) throws {
    let (fault, op, changes) = Self.faults[index]
    let older = Self.with(Self.nodes, op == .treeEnsembleRegressor ? Self.votes : Self.classes)
    let sound = op == .treeEnsemble ? Self.ensemble : older
    for compiled in [false, true] {
      #expect(throws: (any Error).self, "\(fault)") {
        try Self.run(op, Self.with(sound, changes), compiled: compiled)
      }
    }
  }

  /// Random changes of sound attributes: every run ends, with results or an error.
  @Test func mutationsEnd() throws {
    var random = SystemRandomNumberGenerator()
    let hostile = [0, 1, 2, 3, 5, -1, .max, .min, 1 << 31, 1 << 40]
    for _ in 0..<1500 {
      let (op, sound) =
        [
          (Operator.treeEnsemble, Self.ensemble), (.treeEnsembleRegressor, Self.with(Self.nodes, Self.votes)),
          (.treeEnsembleClassifier, Self.with(Self.nodes, Self.classes)),
        ].randomElement(using: &random) ?? (.treeEnsemble, Self.ensemble)
      var attributes = sound
      for _ in 0..<Int.random(in: 1...2, using: &random) {
        guard let entry = attributes.randomElement(using: &random) else { continue }
        switch entry.value {
        case .ints(var list):
          if Bool.random(using: &random) { list.removeLast(min(1, list.count)) }
          if let at = list.indices.randomElement(using: &random) { list[at] = hostile.randomElement(using: &random) ?? 0 }
          attributes[entry.name] = .ints(list)
        case .floats(let list): attributes[entry.name] = .floats(list.dropLast() + [.nan])
        case .strings(let list): attributes[entry.name] = .strings(list.reversed())
        case .int: attributes[entry.name] = .int(hostile.randomElement(using: &random) ?? 0)
        case .tensor(let tensor):
          let type = [ElementType.int8, .float64, .string].randomElement(using: &random) ?? .int8
          attributes[entry.name] = .tensor(try tensor.converted(to: type))
        default: break
        }
      }
      _ = try? Self.run(op, attributes, compiled: Bool.random(using: &random))
    }
  }

  /// Many rows of each type that trees take: the reference's bits at any number of threads.
  @Test(arguments: [ElementType.float32, .float64, .int64, .int32]) func threadsGiveTheReferencesBits(_ type: ElementType) throws
  {
    let numbers = (0..<2000).map { Double(($0 * 37) % 11) - 5 }
    let x = try Tensor(type, [1000, 2], numbers: .floats(numbers))
    for (op, votes) in [(Operator.treeEnsembleRegressor, Self.votes), (.treeEnsembleClassifier, Self.classes)] {
      let graph = try Self.graph(op, Self.with(Self.nodes, votes), x.type)
      let expected = try ReferenceExecutor().run(graph, inputs: [.tensor(x)])
      for threads in [1, 3] {
        let compiled = try CPUBackend(.init(threads: threads)).compiled(graph)
        for _ in 0..<2 { #expect(try compiled.run([.tensor(x)]) == expected) }
      }
    }
  }
}
