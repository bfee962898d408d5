import Foundation
import Testing

/// Cases with others' results, by the command that users have, in every mode.
@Suite struct StoredCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases").path

  enum Family: String, CaseIterable {
    /// Classical models, optimizers and what scikit-learn exports, which `scripts/make-ml-cases.py` wrote.
    case ml
    /// Operators of earlier operator sets, which `scripts/make-version-cases.py` wrote.
    case versions

    var leastCount: Int {
      switch self {
      case .ml: 250
      case .versions: 360
      }
    }
  }

  @Test(arguments: Family.allCases, OfficialCaseTests.modes) func agrees(_ family: Family, _ mode: String) throws {
    let folder = "\(Self.root)/\(family)"
    let count = try FileManager.default.contentsOfDirectory(atPath: folder).count
    #expect(count >= family.leastCount)
    let (output, status) = try Command.fx(["conformance", folder, "--mode", mode])
    #expect(status == 0 && output.hasSuffix("\(count) passed, 0 failed, 0 skipped\n"), "\(output)")
  }
}
