import Foundation
import Testing

/// ONNX's backend cases by the command that users have, in every mode. The nine whole models among them take an optimized
/// build: `make conformance` runs all.
@Suite struct OfficialCaseTests {
  static let kinds = ["node", "simple", "pytorch-converted", "pytorch-operator"]
  static let modes = [
    "run", "reference", "optimized", "roundtrip", "decomposed", "symbolic-decomposed", "constant", "symbolic", "shapes",
  ]

  private struct Entry: Decodable {
    let name, result: String
    let reason: String?
  }

  @Test(arguments: modes) func allPass(mode: String) throws {
    let root = try #require(ProcessInfo.processInfo.environment["FX_CASES"], "`make test` writes the cases and says where")
    let json = FileManager.default.temporaryDirectory.appendingPathComponent("cases-\(mode)-\(UUID().uuidString).json")
    defer { try? FileManager.default.removeItem(at: json) }
    let folders = Self.kinds.map { "\(root)/\($0)" }
    let result = try Command.fx(["conformance", "--mode", mode, "--json", json.path] + folders)
    let entries = try JSONDecoder().decode([Entry].self, from: Data(contentsOf: json))
    #expect(entries.count == 2024)
    let failures = entries.filter { $0.result == "failed" }.map { "\($0.name): \($0.reason ?? "")" }
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
    #expect(result.status == 0)
    #expect(entries.count { $0.result == "passed" } >= 2000)
  }

  @Test func modesAreThoseOfTheCommand() throws {
    let help = try Command.fx(["conformance", "--help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(help.contains(Self.modes.joined(separator: ", ")))
  }
}
/// The table of operators in the documentation is what `fx ops` says.
@Suite struct OperatorTableTests {
  @Test func documentIsCurrent() throws {
    let file = ReadmeTests.root.appendingPathComponent("docs/Operators.md")
    let document = try String(contentsOf: file, encoding: .utf8)
    #expect(try Command.fx(["ops", "--markdown"]).output == document, "`make tables` writes docs/Operators.md anew")
  }
}
