import FXCore
import FXOnnx
import Foundation
import Testing

/// A graph of the operators that need nothing but numbers: relu(x + w) through unregistered and registered calls.
private func sampleGraph() throws -> Graph {
  var graph = Graph(name: "sample")
  let x = try graph.addInput("x", .tensor(.float32, ["batch", 4]))
  let w = try graph.addParameter("w", Tensor([4], [Float]([1, 2, 3, 4])))
  let sum = try graph.call(.add, [.value(x), .parameter(w)], type: .tensor(.float32, ["batch", 4]), name: "sum")
  let vendor = Operator(unregistered: "Fancy", domain: "com.vendor")
  let fancy = try graph.append(
    vendor, [.value(sum), .none, .literal(2.5)],
    attributes: ["alpha": 0.5, "names": .strings(["a", "é"]), "table": .tensor(Tensor([2], [Int64]([7, 8])))],
    results: [.tensor(.float32, nil), .unknown], name: "fancy node",
    location: Location(file: "Model.swift", line: 12, modulePath: "layers.0"))
  try graph.addOutput(try graph[fancy].results[0], name: "y")
  graph.metadata["author"] = "someone"
  graph.metadata["onnx.doc_string"] = "A sample"
  try graph.setName("plus", of: graph.bodyNodes[0])
  graph.metadata["onnx.node.doc_string.plus"] = "Adds"
  return graph
}

private func roundTrip(_ graph: Graph) throws -> Graph {
  try OnnxImporter().graph(from: OnnxDocument(bytes: exportToOnnx(graph).serialized()))
}

@Suite struct OnnxRoundTripTests {
  let folder = NSTemporaryDirectory() + "onnx-\(UUID().uuidString)"

  @Test func namesTypesAttributesMetadataSurvive() throws {
    let graph = try sampleGraph()
    let again = try roundTrip(graph)
    #expect(again.name == "sample")
    #expect(again.inputs.map { again.type(of: .value($0)) } == [.tensor(.float32, ["batch", 4])])
    #expect(again.outputNames == ["y"])
    #expect(again.value(named: "sum").map { again.type(of: .value($0)) } == .tensor(.float32, ["batch", 4]))
    let w = try #require(again.parameter(named: "w"))
    #expect(try again[w].tensor == Tensor([4], [Float]([1, 2, 3, 4])))
    let fancy = try again[#require(again.bodyNodes.last)]
    #expect(fancy.op.description == "com.vendor::Fancy")
    #expect(fancy.name == "fancy node")
    #expect(fancy.attributes["alpha"] == 0.5)
    #expect(fancy.attributes["names"] == .strings(["a", "é"]))
    #expect(fancy.attributes["table"] == .tensor(try Tensor([2], [Int64]([7, 8]))))
    #expect(fancy.operands[1] == .none)
    #expect(again.tensor(of: fancy.operands[2]) == Tensor(Float(2.5)))
    #expect(fancy.location == Location(file: "Model.swift", line: 12, modulePath: "layers.0"))
    #expect(again.metadata["author"] == "someone")
    #expect(again.metadata["onnx.doc_string"] == "A sample")
    #expect(again.metadata["onnx.node.doc_string.plus"] == "Adds")
  }

  /// What a graph has no place for stays with the model: notes on nodes, devices, training, quantization.
  @Test func notesSurvive() throws {
    let entry = Wire().text(1, "who=").text(2, "a\nb\\n=c")
    let node = OnnxErrorTests.node("Abs", ["x"], ["y"]) {
      $0.text(3, "first").message(9, entry).message(9, Wire().text(1, "pkg.torch.onnx.fx_node").text(2, "long"))
        .message(10, Wire().text(1, "gpus").int(3, 2))
    }
    let annotation = Wire().text(1, "y").message(2, Wire().text(1, "SCALE_TENSOR").text(2, "x"))
    let graph = OnnxErrorTests.graph([node], outputs: ["y"]).message(14, annotation)
    let training = Wire().message(2, Wire().text(2, "step")).message(4, Wire().text(1, "w").text(2, "w_new"))
    let model = Wire().int(1, 10).message(7, graph).message(8, Wire().text(1, "").int(2, 21)).message(20, training)
      .message(26, Wire().text(1, "gpus").int(2, 4))
    let read = try OnnxImporter().graph(from: OnnxDocument(bytes: model.bytes))
    #expect(read.metadata["onnx.node.metadata.first"] == "who\\==a\\nb\\\\n=c")
    let json = try exportToOnnx(read).json()
    for part in ["\"who=\"", "\"a\\nb\\\\n=c\"", "SCALE_TENSOR", "w_new", "pipelineStage", "\"numDevices\": 4"] {
      #expect(json.contains(part), "\(part) in \(json)")
    }
    #expect(!json.contains("fx_node"))
    let again = try roundTrip(read).metadata
    for (key, value) in read.metadata { #expect(again[key] == value, "\(key)") }
  }

  /// Bounds, constraints and sizes that are expressions come back, and again; what is spoilt is an error.
  @Test func symbolsAndConstraintsSurvive() throws {
    let graph = try Graph(
      text: """
        fx 1
        graph @main(%x: f32["batch size", 2*seq + 1], %y: seq<f32[min(n, seq), "2*seq"]>) {
          symbol "batch size" in 1...64 multiple_of 2
          symbol seq in 1...
          constraint seq <= 3*"batch size"
          constraint n broadcasts_with seq
          %a: f32["batch size", 2*seq + 1] = relu(%x)
          %b: i64[] = sequence_length(%y)
          return %a, %b
        }
        """)
    let once = try roundTrip(graph)
    #expect(once.symbols == graph.symbols && once.constraints == graph.constraints)
    #expect(once.inputs.map { once.type(of: .value($0)) } == graph.inputs.map { graph.type(of: .value($0)) })
    #expect(once.outputs.map { once.type(of: $0) } == graph.outputs.map { graph.type(of: $0) })
    #expect(once.metadata.keys.allSatisfy { !$0.hasPrefix("fx.") })
    let twice = try roundTrip(once)
    #expect(twice.text() == once.text())
    var spoilt = Graph()
    try spoilt.addOutput(.value(spoilt.addInput("x", .tensor(.float32, ["n"]))))
    spoilt.symbols["n"] = SymbolBounds(minimum: 1, maximum: 2)
    var bytes = try exportToOnnx(spoilt).serialized()
    let place = try #require(bytes.firstRange(of: Array("1...2".utf8)))
    bytes[place.lowerBound] = UInt8(ascii: "?")
    #expect {
      try OnnxImporter().graph(from: OnnxDocument(bytes: bytes))
    } throws: { "\($0)".hasPrefix("the metadata \"fx.shapes\" cannot be read: ") }
  }

  @Test func everyElementTypeSurvives() throws {
    var graph = Graph()
    for type in ElementType.allCases {
      let tensor: Tensor
      if type == .string {
        tensor = try Tensor([3], strings: ["", "é", "three"])
      } else {
        let count = try #require(type.byteCount(elements: 5))
        let bytes = (0..<count).map { UInt8($0 % 2) }
        tensor = try bytes.withUnsafeBytes { try Tensor(type, [5], bytes: $0) }
      }
      let parameter = try graph.addParameter(type.rawValue, tensor)
      try graph.addOutput(.parameter(parameter), name: "out_\(type.rawValue)")
    }
    let again = try roundTrip(graph)
    #expect(again.outputs.map { again.tensor(of: $0) } == graph.outputs.map { graph.tensor(of: $0) })
    #expect(again.outputNames == graph.outputNames)
  }

  @Test func unboundParametersStayParameters() throws {
    var graph = Graph()
    let x = try graph.addInput("x")
    let w = try graph.addParameter("w", unbound: TensorType(.float32, nil))
    try graph.addOutput(try graph.call(.mul, [.value(x), .parameter(w)]))
    let again = try roundTrip(graph)
    #expect(again.inputs.count == 1)
    #expect(try again.parameter(named: "w").map { try again[$0].isBound } == false)
  }

  @Test(arguments: [OnnxDocument.WeightPlacement.inline, .external])
  func savedModelsReadBack(weights: OnnxDocument.WeightPlacement) throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var graph = try sampleGraph()
    let big = try Tensor([1000, 4], (0..<4000).map { Float($0) })
    let id = try graph.addParameter("big", big)
    try graph.addOutput(try graph.call(.add, [.value(graph.inputs[0]), .parameter(id)]), name: "big_out")
    let path = folder + "/model.onnx"
    try exportToOnnx(graph).saveToFile(path, weights: weights)
    #expect(FileManager.default.fileExists(atPath: path + ".data") == (weights == .external))
    let again = try OnnxImporter().graph(path: path)
    let tensor = try #require(again.parameter(named: "big").flatMap { try again[$0].tensor })
    #expect(tensor == big)
    #expect(tensor.isBorrowed)
    // Over the file that it is mapped from.
    try exportToOnnx(again).saveToFile(path, weights: .inline)
    #expect(try OnnxImporter().graph(path: path).parameter(named: "big") != nil)
    #expect(tensor == big)
  }

  @Test func offendersAreNamedAtOnce() throws {
    var graph = Graph()
    let x = try graph.addInput("x")
    let ours = Operator("unmapped_one", .elementwise, "", operands: ["x"])
    let other = Operator("unmapped_two", .elementwise, "", operands: ["x"])
    let first = try graph.call(ours, [.value(x)], name: "first")
    try graph.addOutput(try graph.call(other, [.value(first)], name: "second"))
    let error = try #require(throws: OnnxError.self) { try exportToOnnx(graph) }
    guard case .unmapped(let offenders) = error.problem else {
      Issue.record("\(error)")
      return
    }
    #expect(offenders.map(\.node) == ["first", "second"])
    #expect(error.description.contains("unmapped_one") && error.description.contains("unmapped_two"))
  }

  @Test func jsonHasNumbersAsProtobufWritesThem() throws {
    let json = try sampleGraph().toOnnxJSON()
    #expect(json.contains("\"irVersion\": \"10\""))
    #expect(json.contains("\"opType\": \"Add\""))
    #expect(json.contains("\"rawData\": \"AACAPwAAAEAAAEBAAACAQA==\""))
    #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
  }

  @Test func valuesOfEveryKindSurvive() throws {
    let tensor = RuntimeValue.tensor(try Tensor([2], [Float]([1, 2])))
    let values: [RuntimeValue] = [
      tensor, .sequence([tensor, tensor], element: .tensor(.float32, nil)),
      .sequence([], element: .tensor(.int64, nil)), .optional(tensor, wrapped: .tensor(.float32, nil)),
      .optional(nil, wrapped: .tensor(.float32, nil)),
      .map(keys: try Tensor([1], strings: ["k"]), values: [tensor]),
    ]
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for value in values {
      let path = folder + "/value.pb"
      try AtomicFile.write(OnnxValues.serialized(value, name: "v"), to: path)
      #expect(try OnnxValues.read(path: path, as: value.type) == value)
    }
  }
}
