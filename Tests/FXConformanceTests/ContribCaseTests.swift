import FXCore
import FXOnnx
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Operators of ONNX Runtime's domain against its results, which `scripts/make-contrib-cases.py` wrote.
@Suite struct ContribCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases/contrib").path
  static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()

  private struct Tolerances: Decodable {
    let rtol: Double
    let atol: Double
  }

  @Test func casesAreThere() { #expect(Self.cases.count > 60) }

  @Test(arguments: cases) func agreesWithOnnxRuntime(_ name: String) throws {
    let folder = "\(Self.root)/\(name)"
    let data = "\(folder)/test_data_set_0"
    let graph = try OnnxImporter().graph(path: "\(folder)/model.onnx")
    let about = try JSONDecoder().decode(Tolerances.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/data.json")))
    let inputs = try graph.inputs.enumerated().map { index, input in
      try OnnxValues.read(path: "\(data)/input_\(index).pb", as: graph.type(of: input))
    }
    var decomposed = graph
    try ShapeInference().run(&decomposed)
    try DecompositionPass().apply(to: &decomposed)
    #expect(decomposed.operatorCounts.allSatisfy { !$0.op.has(.composite) })
    let runs = [
      ("reference", try ReferenceExecutor().run(graph, inputs: inputs)),
      ("compiled", try CPUBackend().compiled(graph).run(inputs)),
      ("decomposed", try CPUBackend(.init(optimizes: false)).compiled(decomposed).run(inputs)),
    ]
    for (executor, results) in runs {
      for (index, result) in results.enumerated() {
        let expected = try #require(try OnnxValues.read(path: "\(data)/output_\(index).pb", as: .unknown).tensor)
        let actual = try #require(result.tensor)
        #expect(actual.type == expected.type, "\(executor), output \(index)")
        guard actual.type == expected.type else { continue }
        let pairs = zip(try actual.numbers().doubles, try expected.numbers().doubles)
        // ONNX Runtime requantizes in float32, in an order that depends on the processor: results may be a quantum apart.
        let quantum = actual.elementType.isInteger && actual.elementType.bitWidth <= 8 ? 1.0 : 0
        let wrong = pairs.enumerated().first { !(abs($1.0 - $1.1) <= max(quantum, about.atol + about.rtol * abs($1.1))) }
        #expect(wrong == nil, "\(executor), output \(index): element \(wrong?.offset ?? 0) is \(wrong?.element ?? (0, 0))")
      }
    }
  }
}
