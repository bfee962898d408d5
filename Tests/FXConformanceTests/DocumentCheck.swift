import Foundation
import Testing

/// Expects every line of a page's Swift blocks in a test file, which runs them.
func expectProgramsOfPage(
  _ page: String, in file: String = #filePath, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let text = try String(contentsOf: ReadmeTests.root.appendingPathComponent(page), encoding: .utf8)
  let code = try Set(String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map { $0.trimmed })
  let blocks = text.components(separatedBy: "```swift\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  #expect(!blocks.isEmpty, sourceLocation: sourceLocation)
  for line in blocks.flatMap({ $0.split(separator: "\n") }).map(\.trimmed) where !line.isEmpty {
    #expect(code.contains(line), "\(page) has a line that no test runs: \(line)", sourceLocation: sourceLocation)
  }
}

extension Substring {
  fileprivate var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
