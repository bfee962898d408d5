import Foundation
import Testing

/// Expects every Swift block of a page, line after line, in one of the test files, which runs it. Indentation and empty lines
/// may differ. A block that is a package's manifest is for `make consumer`.
func expectProgramsOfPage(
  _ page: String, in files: [String], sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let text = try String(contentsOf: ReadmeTests.root.appendingPathComponent(page), encoding: .utf8)
  // Lines are found whole: each begins and ends with a line feed.
  let code = try files.map { "\n" + lines(try String(contentsOfFile: $0, encoding: .utf8)).joined(separator: "\n") + "\n" }
  let blocks = text.components(separatedBy: "```swift\n").dropFirst().map { lines($0.components(separatedBy: "```")[0]) }
  #expect(!blocks.isEmpty, sourceLocation: sourceLocation)
  for block in blocks where block.first?.hasPrefix("// swift-tools-version") != true {
    let program = "\n" + block.joined(separator: "\n") + "\n"
    #expect(
      code.contains { $0.contains(program) }, "\(page) has a block that no test runs: \(block.first ?? "") …",
      sourceLocation: sourceLocation)
  }
}

private func lines(_ text: String) -> [String] {
  text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
}
