import FXCore
import FXRuntime
import FXTrace
import Foundation
import Testing

/// The programs of `docs/Tracing.md`.
@Suite struct TracingPageTests {
  @Test func everyBlockStandsInThisFile() throws { try expectProgramsOfPage("docs/Tracing.md", in: [#filePath]) }

  @Test func callByCall() throws {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["batch", 784]))
    try tracer.addCall("linear", ["x"], attributes: ["out_features": 10])
    try tracer.addCall("relu", ["node_0"])
    try tracer.addOutput("node_1")
    var graph = try tracer.finalize()  // 4 nodes, 3 edges
    try graph.initializeParameters(seed: 42)  // node_0.weight f32[10, 784], node_0.bias f32[10]

    #expect((graph.nodeCount, graph.edgeCount) == (4, 3))
    #expect(
      try graph.parameterIDs.map { try "\(graph[$0].name) \(graph[$0].type)" }
        == ["node_0.weight f32[10, 784]", "node_0.bias f32[10]"])
  }

  @Test func loopsOverSlices() throws {
    let inputs = [
      TraceInput("rows", .tensor(.float32, ["n", 2])), TraceInput("queries", .tensor(.float32, ["m", 2])),
      TraceInput("keys", .tensor(.float32, ["m", 2])),
    ]
    let graph = try trace(inputs) { tensors in
      let (rows, queries, keys) = (tensors[0], tensors[1], tensors[2])
      let zero = rows[0] * 0
      let (total, sums) = scan(zero, over: rows) { total, row in (total + row, total + row) }
      let scores = map(over: Tuple(queries, keys)) { pair in dot(pair.members.0, pair.members.1) }
      return [total, sums, scores]
    }
    let (rows, pairs) = (try Tensor([2, 2], [1, 2, 3, 4] as [Float]), try Tensor([1, 2], [5, 6] as [Float]))
    let results = try CPUBackend().run(graph, rows, pairs, pairs).map { try $0.elements(Float.self) }
    #expect(results == [[4, 6], [1, 2, 4, 6], [61]])
  }

  @Test func structures() throws {
    let graph = try trace(.tensor(.float32, ["n", 4], name: "x")) { (x: SymbolicTensor) in
      ["twice": x * 2, "root": sqrt(x)]  // outputs root, twice
    }
    #expect(graph.outputNames == ["root", "twice"])
  }

  struct Classifier: Module {
    let layers = Sequential(Linear(784, 128), ReLU(), Linear(128, 10))
    func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmax(layers(x)) }
  }

  @Test func modules() throws {
    let x = try Tensor([2, 784], (0..<(2 * 784)).map { Float($0 % 17) / 17 - 0.5 })
    let model = Classifier()
    try model.initializeParameters(seed: 1)  // or load(_: [String: Tensor])
    let graph = try trace(model, .tensor(.float32, ["batch", 784]))  // parameters layers.0.weight, …
    let eager = try model.callEagerly(x, executor: ReferenceExecutor())  // call by call, at once

    #expect(try graph.parameterIDs.first.map { try graph[$0].name } == "layers.0.weight")
    #expect(try areNear(CPUBackend().run(graph, x)[0].elements(), eager[0].elements()))
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-weights-\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Safetensors.write(model.stateDictionary(), to: "\(folder)/weights.safetensors")
    let other = Classifier()
    try files(other, folder)
    #expect(try other.stateDictionary() == model.stateDictionary())
    #expect(try Safetensors.read("\(folder)/model.safetensors") == Npz.read("\(folder)/model.npz"))
  }

  private func files(_ model: Classifier, _ folder: String) throws {
    try model.load(Safetensors.read("\(folder)/weights.safetensors"))  // mapped: nothing is copied
    try Safetensors.write(model.stateDictionary(), to: "\(folder)/model.safetensors")
    try Npz.write(model.stateDictionary(), to: "\(folder)/model.npz")
  }
}
