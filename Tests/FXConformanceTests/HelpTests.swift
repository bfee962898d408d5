import Foundation
import Testing

/// What `fx` says of itself.
@Suite struct HelpTests {
  static func commands() throws -> [String] {
    let overview = try Command.fx(["help"]).output
    let list = overview.components(separatedBy: "SUBCOMMANDS:").last ?? ""
    return list.split(separator: "\n").filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.contains("'fx help") }
      .compactMap { $0.split(separator: " ").first.map(String.init) }
  }

  /// Every command shows how it is used, with options that it has.
  @Test func everyCommandHasAnExample() throws {
    let commands = try Self.commands()
    #expect(commands.count >= 19)
    for command in commands {
      let help = try Command.fx(["help", command]).output
      let examples = help.split(separator: "\n").filter { $0.hasPrefix("  fx \(command)") }
      #expect(!examples.isEmpty, "fx help \(command) has no example")
      let options = help.components(separatedBy: "OPTIONS:").last ?? ""
      for option in examples.joined(separator: " ").matches(of: /--[a-z-]+/).map({ String($0.0) }) {
        #expect(options.contains("\(option)"), "fx \(command) has no \(option)")
      }
    }
  }

  /// Every command says what it is for in a sentence, and those that may answer no say what that is.
  @Test func everyCommandSaysWhatItIsFor() throws {
    for command in try Self.commands() {
      let text = try Command.fx(["help", command]).output.components(separatedBy: "USAGE:")[0]
      let paragraphs = text.components(separatedBy: "\n\n")
      #expect(paragraphs[0].hasPrefix("OVERVIEW: ") && paragraphs[0].hasSuffix("."), "\(command): \(paragraphs[0])")
      let says = text.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains("status 1")
      let mayAnswerNo = ["run", "conformance", "optimize", "ops", "codegen", "diff", "reduce", "doctor", "demo"]
      #expect(says == mayAnswerNo.contains(command), "fx help \(command)")
    }
    let overview = try Command.fx(["help"]).output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for status in ["0 done;", "1 the answer is no:", "2 wrong usage;", "3 a bad model or input"] {
      #expect(overview.contains(status), "fx help lacks '\(status)'")
    }
  }

  /// A line that ends early is one whose source forgot to join it with the next.
  @Test func paragraphsAreWrappedOnce() throws {
    for command in try Self.commands() {
      let text = try Command.fx(["help", command]).output.components(separatedBy: "USAGE:")[0]
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      for (line, next) in zip(lines, lines.dropFirst()) {
        guard let word = next.split(separator: " ").first, !next.hasPrefix(" "), !line.hasSuffix("."), !line.hasSuffix(":"),
          !line.isEmpty
        else { continue }
        #expect(line.count + word.count + 1 >= 80, "fx help \(command): '\(line)' ends early")
      }
    }
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completion(shell: String) throws {
    let (script, status) = try Command.fx(["--generate-completion-script", shell])
    #expect(status == 0)
    for command in try Self.commands() { #expect(script.contains(command), "\(shell) does not complete \(command)") }
    #expect(script.contains("--max-memory") || script.contains("max-memory"))
  }

  /// Whoever reads a file or a pipe gets no colours and no progress lines.
  @Test func noEscapesInPipes() throws {
    let model = ReadmeTests.root.appendingPathComponent("Models/digits/model.onnx").path
    let (output, status) = try Command.fx(["demo", model])
    #expect(status == 0)
    #expect(!output.contains("\u{1B}") && !output.contains("\r"))
  }
}
