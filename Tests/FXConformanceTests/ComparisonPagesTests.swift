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

  /// Every name that a table gives for something of ours is one that the sources declare.
  @Test(arguments: ["FromTorchFX", "FromToRShFX"]) func names(page: String) throws {
    let sources = ReadmeTests.root.appendingPathComponent("Sources")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    let text = try files.filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }
      .joined(separator: "\n")
    let table = try String(contentsOf: ReadmeTests.root.appendingPathComponent("docs/\(page).md"), encoding: .utf8)
    let rows = table.split(separator: "\n").filter { $0.hasPrefix("|") }.dropFirst(2)
    #expect(rows.count > 15)
    for row in rows {
      let cells = row.split(separator: "|")
      // "the same" stands for the names of the first column.
      let cell = cells[1].contains("the same") ? cells[0] : cells[1]
      for name in cell.matches(of: /`(?:fx )?(\w+)/).map({ String($0.1) }) where name.first?.isLetter ?? false {
        let declared = try Regex(
          "(struct|class|enum|protocol|actor|typealias|func|var|let|case) \(name)\\b|commandName: \"\(name)\"")
        #expect(text.contains(declared) || text.lowercased().contains("struct \(name)"), "\(page) has \(name)")
      }
    }
  }
}
