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

  /// The names that programs can use: what sources declare public, the cases and requirements of public types, and commands.
  private static func publicNames() throws -> Set<String> {
    let sources = ReadmeTests.root.appendingPathComponent("Sources")
    let files = FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
    var names: Set<String> = []
    for file in files where file.pathExtension == "swift" {
      let isCommand = file.path.contains("/Sources/fx/")
      var isInside = false
      for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
        // The members of what stands at the left edge: those of a public protocol are public without saying so, as cases are.
        if line.first?.isWhitespace == false, line != "}" {
          isInside =
            line.hasPrefix("public protocol ") || line.hasPrefix("public enum ") || line.hasPrefix("public indirect enum ")
        }
        guard isCommand || isInside || line.contains("public ") else { continue }
        let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init)
        for (keyword, name) in zip(words, words.dropFirst()) where keywords.contains(keyword) {
          // Commands are called as their types are, in lower case.
          names.insert(isCommand ? name.lowercased() : name)
        }
      }
    }
    return names
  }

  private static let keywords: Set<String> = [
    "struct", "class", "enum", "protocol", "actor", "typealias", "func", "var", "let", "case", "commandName",
  ]

  /// Every name that a table or the text gives for something of ours is one that programs can use.
  @Test(arguments: ["FromTorchFX", "FromToRShFX"]) func names(page: String) throws {
    let names = try Self.publicNames()
    #expect(names.contains("replaceAllUses") && !names.contains("ShardedProgram"))
    let text = try String(contentsOf: ReadmeTests.root.appendingPathComponent("docs/\(page).md"), encoding: .utf8)
    let prose = text.components(separatedBy: "```").enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element).joined()
    let lines = prose.split(separator: "\n")
    let rows = lines.filter { $0.hasPrefix("|") }.dropFirst(2).map { row in
      let cells = row.split(separator: "|")
      // "the same" stands for the names of the first column.
      return cells[1].contains("the same") ? cells[0] : cells[1]
    }
    #expect(rows.count > 15)
    for place in rows + lines.filter({ !$0.hasPrefix("|") }) {
      for name in place.matches(of: /`(?:fx )?(\w+)/).map({ String($0.1) }) where name.first?.isLetter ?? false {
        #expect(names.contains(name), "\(page) has \(name)")
      }
    }
  }
}
