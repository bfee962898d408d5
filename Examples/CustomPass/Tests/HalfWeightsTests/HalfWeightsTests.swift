import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXTrace
import Foundation
import HalfWeights
import Testing

@Suite struct HalfWeightsTests {
  static let digits = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../Models/digits").standardized.path

  static let before = """
    fx 1
    graph @main(%x: f32[n, 4]) {
      symbol n in 1...8
      parameter @w: f32[3, 4] weight = [0.1, -0.2, 0.3, 0.4, 1.5, 2.5, -0.3, 0.7, 0.1, 0.2, 0.4, -0.6]
      parameter @b: f32[3] weight = [0.1, 0.2, 0.3]
      %y: f32[n, 3] = linear(%x, @w, @b)
      %z: f32[n, 3] = linear(%x, @w)
      return %y, %z
    }
    """

  /// One cast serves all uses; small weights stay; names stay.
  @Test func oneCastForAllUses() throws {
    var graph = try Graph(text: Self.before)
    let outcome = try HalfWeightsPass(minimumCount: 12).apply(to: &graph)
    #expect(outcome["weights halved"] == 1)
    #expect(graph.nodes(calling: .cast).count == 1)
    let (w, b) = (try #require(graph.parameter(named: "w")), try #require(graph.parameter(named: "b")))
    #expect(try graph[w].type.elementType == .float16)
    #expect(try graph[b].type.elementType == .float32)
    try graph.verify(.executable)
  }

  /// The public trial: it verifies, outputs stay within the contract at different sizes, a second run changes nothing.
  @Test func keepsItsPromises() throws {
    let trial = PassTrial(executor: ReferenceExecutor())
    try trial.check(HalfWeightsPass(minimumCount: 12), on: try Graph(text: Self.before))
    let model = Sequential(Linear(16, 32), ReLU(), Linear(32, 8))
    try model.initializeParameters(seed: 1)
    var options = TraceOptions()
    options.symbols = ["n": SymbolBounds(minimum: 1, maximum: 64)]
    try trial.check(HalfWeightsPass(), on: try trace(model, .tensor(.float32, ["n", 16]), options: options))
  }

  /// Each branch of a conditional gets a cast of its own.
  @Test func regions() throws {
    let weight = ModuleParameter(try Tensor([16, 16], (0..<256).map { Float($0 % 7) - 3 }), name: "w")
    var graph = try trace([.tensor(.float32, [2, 16], name: "x")]) { x in
      [
        cond(sum(x[0]) .> 0) {
          x[0].matmul(weight)
        } else: {
          -x[0].matmul(weight)
        }
      ]
    }
    try PassTrial(executor: ReferenceExecutor()).check(HalfWeightsPass(), on: graph)
    try HalfWeightsPass().apply(to: &graph)
    #expect(graph.nodes(calling: .cast).count == 2)
  }

  /// What does not fit is left alone, and the outcome says which and why.
  @Test(arguments: [Float(70000), .infinity, 1e38]) func declines(_ number: Float) throws {
    var graph = try trace([.tensor(.float32, [2, 2], name: "x")]) { x in
      [x[0].matmul(ModuleParameter(try Tensor([2, 2], [1, 2, 3, number]), name: "w"))]
    }
    let original = graph
    let outcome = try HalfWeightsPass(minimumCount: 1).apply(to: &graph)
    #expect(outcome.changes == 0)
    #expect(outcome.declined.first?.reason == "'w' has numbers that half precision does not")
    #expect(graph == original)
  }

  /// The shipped model: a file of little more than half the size that reads every digit as before.
  @Test func digits() throws {
    let original = try OnnxImporter().graph(path: "\(Self.digits)/model.onnx")
    var graph = original
    let outcome = try HalfWeightsPass().apply(to: &graph)
    #expect(outcome["weights halved"] > 0)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("half-weights-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let sizes = try [original, graph].enumerated().map { index, graph in
      let path = folder.appendingPathComponent("\(index).onnx").path
      try exportToOnnx(graph).saveToFile(path)
      return try Data(contentsOf: URL(fileURLWithPath: path)).count
    }
    #expect(Double(sizes[1]) < 0.6 * Double(sizes[0]))
    let images = try Npy.read("\(Self.digits)/images.npy")
    let scores = try [original, graph].map { graph in
      try #require(try CPUBackend().run(graph, images).first).elements(Float.self)
    }
    for image in 0..<images.shape[0] {
      let row = image * 10..<image * 10 + 10
      #expect(row.max { scores[0][$0] < scores[0][$1] } == row.max { scores[1][$0] < scores[1][$1] })
    }
  }
}
