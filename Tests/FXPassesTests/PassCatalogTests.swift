import FXCore
import FXPasses
import FXRuntime
import FXShapes
import Foundation
import Testing

/// Every pass of the library, found by its source: its comment is true, and documented.
@Suite struct PassCatalogTests {
  private static let entries = Result { try PassCatalog.entries() }
  static let types = (try? entries.get())?.map(\.type) ?? []

  @Test func allPassesAreFound() throws { #expect(try Self.entries.get().count >= 14) }

  /// The example of the comment is what the pass does; on it outputs stay within the contract, and twice changes nothing.
  @Test(arguments: types) func examplesAreTrue(_ type: String) throws {
    let entry = try #require(try Self.entries.get().first { $0.type == type })
    var before = try graph(entry.before)
    if !(entry.pass is ShapeInferencePass) { try ShapeInference().run(&before) }
    var after = before
    let outcome = try entry.pass.apply(to: &after)
    #expect(outcome.changes > 0)
    try after.verify(.typed)
    var expected = try graph(entry.after)
    for graph in [after, expected] {
      if let node = try graph.allNodes.first(where: { try graph[$0].location != nil }) {
        Issue.record("the example has a location, at \(graph.name(of: node))")
      }
    }
    try ShapeInference().run(&expected)
    after.removeUnusedParameters()
    expected.removeUnusedParameters()
    #expect(after == expected, "\(after.text())")
    // Operators that are known by name only cannot run.
    if entry.pass is ContribFusionPass { return }
    try before.initializeParameters(seed: 1)
    try PassTrial(executor: ReferenceExecutor()).check(entry.pass, on: before)
  }

  /// `make passes` writes it.
  @Test func documentationIsCurrent() throws {
    let path = PassCatalog.root.appendingPathComponent("docs/Passes.md").path
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let (open, close) = (
      "<!-- Written by `make passes` from the passes' comments. -->\n", "<!-- End of what `make passes` writes. -->"
    )
    let start = try #require(text.range(of: open)?.upperBound)
    let end = try #require(text.range(of: close)?.lowerBound)
    let generated = try PassCatalog.markdown()
    if ProcessInfo.processInfo.environment["FX_WRITE_DOCS"] != nil {
      try text.replacingCharacters(in: start..<end, with: generated).write(toFile: path, atomically: true, encoding: .utf8)
    } else {
      #expect(text[start..<end] == generated, "run `make passes`")
    }
  }
}
