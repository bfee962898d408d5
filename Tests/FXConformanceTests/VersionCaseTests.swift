import FXCore
import FXOnnx
import FXRuntime
import Foundation
import Testing

/// Operators of earlier operator sets, as `scripts/make-version-cases.py` wrote them.
@Suite struct VersionCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases/versions").path
  static let cases = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).sorted()

  private struct Tolerances: Decodable {
    let rtol: Double
    let atol: Double
  }

  @Test func casesAreThere() { #expect(Self.cases.count > 300) }

  @Test(arguments: cases) func agrees(_ name: String) throws {
    let folder = "\(Self.root)/\(name)"
    let data = "\(folder)/test_data_set_0"
    let graph = try OnnxImporter().graph(path: "\(folder)/model.onnx")
    let about = try JSONDecoder().decode(Tolerances.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/data.json")))
    let inputs = try graph.inputs.enumerated().map { index, input in
      try OnnxValues.read(path: "\(data)/input_\(index).pb", as: graph.type(of: .value(input)))
    }
    let again = try OnnxImporter().graph(from: OnnxDocument(bytes: exportToOnnx(graph).serialized()))
    let runs = [
      ("reference", try ReferenceExecutor().run(graph, inputs: inputs)),
      ("compiled", try CPUBackend().compiled(graph).run(inputs)),
      ("written in the newest operator set", try ReferenceExecutor().run(again, inputs: inputs)),
    ]
    for (executor, results) in runs {
      for (index, result) in results.enumerated() {
        let expected = try #require(try OnnxValues.read(path: "\(data)/output_\(index).pb", as: .unknown).tensor)
        let actual = try #require(result.tensor)
        #expect(actual.type == expected.type, "\(executor), output \(index)")
        guard actual.type == expected.type else { continue }
        let pairs = zip(try actual.numbers().doubles, try expected.numbers().doubles)
        let wrong = pairs.enumerated().first { !(abs($1.0 - $1.1) <= about.atol + about.rtol * abs($1.1)) && $1.0 != $1.1 }
        #expect(wrong == nil, "\(executor), output \(index): element \(wrong?.offset ?? 0) is \(wrong?.element ?? (0, 0))")
      }
    }
  }
}
