import Foundation
import Testing

/// Classical models, optimizers and what scikit-learn exports, against the results that `scripts/make-ml-cases.py` wrote.
@Suite struct MlCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases/ml").path
  static let modes = ["run", "reference", "optimized", "roundtrip", "decomposed", "constant", "symbolic", "shapes"]

  @Test(arguments: modes) func agrees(_ mode: String) throws {
    let count = try FileManager.default.contentsOfDirectory(atPath: Self.root).count
    #expect(count > 250)
    let (output, status) = try Command.fx(["conformance", Self.root, "--mode", mode])
    #expect(status == 0 && output.hasSuffix("\(count) passed, 0 failed, 0 skipped\n"), "\(output)")
  }
}
