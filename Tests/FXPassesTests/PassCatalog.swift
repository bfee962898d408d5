import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Foundation

/// The passes of the library as their sources have them: what the comment says, and an instance.
struct PassCatalog {
  struct Entry: Sendable {
    let type: String
    let pass: any Pass
    /// What it does, in Markdown.
    let summary: String
    /// The graphs of the comment's example.
    let before: String
    let after: String
    /// What the example was made with, such as a rule; empty if nothing special.
    let setting: String
    /// What the pass leaves alone.
    let declines: String

    var firstSentence: String {
      summary.split(separator: "\n\n").first.map { $0.prefix { $0 != ":" && $0 != "." } }.map(String.init) ?? ""
    }
  }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Passes that take more than an executor, as their comments' examples have them, and the one whose graphs only files hold.
  private static let special: [any Pass] = [
    RewritePass([RewriteRule("double", replace: { x in x + x }, with: { x in x * 2.0 })]),
    RecomputationPass(loss: "loss", stretches: 2), ContribFusionPass(),
  ]

  /// Every type below `Sources/FXPasses` that is a pass, in the order of the pipelines, others after them.
  static func entries() throws -> [Entry] {
    let folder = root.appendingPathComponent("Sources/FXPasses").path
    let instances = StandardPasses.all(executor: ReferenceExecutor()) + special
    var found: [(position: Int, entry: Entry)] = []
    let files = (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
    for file in files where file.hasSuffix(".swift") {
      let lines = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).split(
        separator: "\n", omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        guard let match = line.wholeMatch(of: /public struct (\w+): Pass \{/) else { continue }
        let type = String(match.1)
        guard let position = instances.firstIndex(where: { "\(Swift.type(of: $0))" == type }) else {
          throw PassCatalogError(description: "\(type) is in no list: add it to StandardPasses")
        }
        let comment = lines[..<index].reversed().prefix { $0.hasPrefix("///") }.reversed()
        found.append(
          (
            position,
            try Entry(type, instances[position], comment.map { String($0.dropFirst(3).drop { $0 == " " }) }, raw: Array(comment))
          ))
      }
    }
    return found.sorted { $0.position < $1.position }.map(\.entry)
  }

  /// The part of docs/Passes.md that the comments make.
  static func markdown() throws -> String {
    let entries = try entries()
    var text = "| pass | does | numbers |\n|---|---|---|\n"
    for entry in entries {
      text +=
        "| [`\(entry.type)`](#\(entry.pass.name)) | \(entry.firstSentence.replacingOccurrences(of: "\n", with: " ")) | \(numbers(entry)) |\n"
    }
    for entry in entries {
      text += "\n### \(entry.pass.name)\n\n\(entry.summary)\n\nNumbers: \(numbers(entry)). \(entry.declines)\n\n"
      text += "Before\(entry.setting):\n\n```\n\(entry.before)\n```\n\nAfter:\n\n```\n\(entry.after)\n```\n"
    }
    return text
  }

  private static func numbers(_ entry: Entry) -> String {
    // What rules say differs from rule to rule.
    entry.pass is RewritePass ? "as its rules say" : entry.pass.contract.description
  }
}

extension PassCatalog.Entry {
  /// - Parameter lines: of the comment, without slashes and indentation.
  fileprivate init(_ type: String, _ pass: any Pass, _ lines: [String], raw: [Substring]) throws {
    (self.type, self.pass) = (type, pass)
    func mistake(_ what: String) -> PassCatalogError { PassCatalogError(description: "\(type): its comment has no \(what)") }
    guard let before = lines.firstIndex(where: { $0.hasPrefix("Before") }) else { throw mistake("Before") }
    guard let after = lines.firstIndex(where: { $0.hasPrefix("After") }), after > before else { throw mistake("After") }
    guard let declines = lines.firstIndex(where: { $0.hasPrefix("Declines: ") }) else { throw mistake("Declines") }
    summary = lines[..<before].joined(separator: "\n").trimmingCharacters(in: .whitespacesAndNewlines)
    setting = String(lines[before].dropFirst("Before".count).dropLast())
    func block(_ start: Int) throws -> String {
      let fences = raw.indices.filter { $0 > start && raw[$0].hasPrefix("/// ```") }.prefix(2)
      guard fences.count == 2 else { throw mistake("graph after '\(lines[start])'") }
      return raw[fences[0] + 1..<fences[1]].map { String($0.dropFirst(4)) }.joined(separator: "\n")
    }
    self.before = try block(before)
    self.after = try block(after)
    self.declines = lines[declines...].prefix { !$0.isEmpty }.joined(separator: " ")
  }
}

struct PassCatalogError: Error, CustomStringConvertible {
  let description: String
}
