/// Lines of source with indentation.
struct SourceText: Sendable {
  /// The lines so far, with their indentation.
  private(set) var lines: [String] = []
  /// How many steps in the next line begins; not negative.
  var depth = 0
  private let step: String

  /// No lines yet; a step is `indent` spaces.
  init(indent: Int = 4, depth: Int = 0) {
    step = String(repeating: " ", count: indent)
    self.depth = depth
  }

  /// Adds a line, or several.
  mutating func add(_ text: String = "") {
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lines.append(line.isEmpty ? "" : String(repeating: step, count: depth) + line)
    }
  }

  /// Adds lines that stand one step further in.
  mutating func block(_ body: (inout SourceText) throws -> Void) rethrows {
    depth += 1
    try body(&self)
    depth -= 1
  }

  /// Changes a line that was added before.
  mutating func replaceLine(_ index: Int, _ edit: (String) -> String) { lines[index] = edit(lines[index]) }

  /// All lines, each with a line break at its end.
  var text: String { lines.map { $0 + "\n" }.joined() }
}

extension String {
  /// Text between quotes that Python and C++ read alike; Swift reads what `quoted` gives.
  package var sourceQuoted: String {
    quoted { code in
      let digits = String(code, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }

  /// The text on one line, for comments: a name may hold line breaks.
  package var oneLine: String {
    split(whereSeparator: { $0.isNewline || $0 == "\0" }).joined(separator: " ")
  }
}
