import FXPasses
import FXTrace
import Foundation
import Testing

/// The pages for those who come from elsewhere.
@Suite struct ComparisonPagesTests {
  @Test func programs() throws {
    var graph = try createSimpleGraph()
    let rule = RewriteRule("leaky", replace: { x in relu(x) }, with: { x in maximum(x, x * 0.01) })
    let outcome = try RewritePass([rule]).apply(to: &graph)
    #expect(outcome.changes == 1)
    try expectProgramsOfPage("docs/FromTorchFX.md", in: [#filePath])
  }

  private static let keywords: Set<String> = [
    "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let", "case", "commandName",
  ]

  /// Every name that a table gives for something of ours is one that the sources declare.
  @Test(arguments: ["FromTorchFX", "FromToRShFX"]) func names(page: String) throws {
    let sources = ReadmeTests.root.appendingPathComponent("Sources")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    var declared: Set<String> = []
    var lowercased: Set<String> = []
    for file in files where file.pathExtension == "swift" {
      let words = try String(contentsOf: file, encoding: .utf8).split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(
        String.init)
      for (keyword, name) in zip(words, words.dropFirst()) {
        if Self.keywords.contains(keyword) { declared.insert(name) }
        // Commands are called as their types are, in lower case.
        if keyword == "struct" { lowercased.insert(name.lowercased()) }
      }
    }
    let table = try String(contentsOf: ReadmeTests.root.appendingPathComponent("docs/\(page).md"), encoding: .utf8)
    let rows = table.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
    #expect(rows.count > 15)
    for row in rows {
      let cells = row.split(separator: "|")
      // "the same" stands for the names of the first column.
      let cell = cells[1].contains("the same") ? cells[0] : cells[1]
      for name in cell.matches(of: /`(?:fx )?(\w+)/).map({ String($0.1) }) where name.first?.isLetter ?? false {
        #expect(declared.contains(name) || lowercased.contains(name), "\(page) has \(name)")
      }
    }
  }
}
