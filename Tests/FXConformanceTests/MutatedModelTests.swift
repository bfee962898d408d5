import FXCore
import FXOnnx
import FXRuntime
import FXShapes
import FXTestSupport
import Foundation
import Testing

/// Models with structural damage are refused, or compile. `make fuzz` does the same with two hundred thousand files, and
/// measures time and memory; this slice is the same in every run.
@Suite struct MutatedModelTests {
  static let vocabulary: ModelVocabulary = {
    let cached = (ProcessInfo.processInfo.environment["FX_CASES"] ?? ".cache/cases") + "/node"
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: cached)) ?? []).sorted()
    let folders =
      ContribCaseTests.cases.map { "\(ContribCaseTests.root)/\($0)" }
      + names.enumerated().filter { $0.offset % 6 == 0 }.map { "\(cached)/\($0.element)" }
    return ModelVocabulary(
      folders.compactMap { FileManager.default.contents(atPath: "\($0)/model.onnx").map { Array($0) } })
  }()

  @Test func areRefusedOrCompile() throws {
    let backend = CPUBackend(CPUBackend.Options(threads: 1))
    var compiled = 0
    for index in 0..<1000 {
      let file = ModelMutation.make(of: MutatedModelTests.vocabulary, seed: 7, index: index)
      let start = Self.threadSeconds
      if let graph = try? OnnxImporter().graph(from: OnnxDocument(bytes: file.bytes)) {
        #expect(throws: Never.self, "file \(index): \(file.steps)") { try graph.verify(.structural) }
        var typed = graph
        if (try? graph.verify(.typed)) != nil, (try? ShapeInference().run(&typed)) != nil, (try? backend.compiled(graph)) != nil {
          compiled += 1
        }
      }
      // A second is the promise of optimized code; this may be neither optimized nor without sanitizer.
      let elapsed = Self.threadSeconds - start
      if elapsed > 30 { Issue.record("file \(index) takes \(elapsed) s: \(file.steps)") }
    }
    #expect(compiled > 100)
  }

  /// Processor time of this thread: what else the machine does is not counted.
  private static var threadSeconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
