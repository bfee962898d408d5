/// Lines of a language with braces: what opens a block indents what follows.
struct CodeText {
  private(set) var text = ""
  private var depth = 0

  /// Adds a line, indented by the blocks around it; lines may not hold line breaks of their own.
  mutating func line(_ line: String = "") {
    if line.hasPrefix("}") { depth = max(0, depth - 1) }
    if line.isEmpty || line.hasPrefix("#") {
      text += line + "\n"
    } else {
      text += String(repeating: "  ", count: depth) + line + "\n"
    }
    if line.hasSuffix("{") { depth += 1 }
  }

  /// Adds a line that opens or closes a block whose contents are not indented, such as a namespace.
  mutating func plain(_ line: String) { text += line + "\n" }

  mutating func lines(_ lines: some Sequence<String>) { for line in lines { self.line(line) } }

  /// Adds a comment; names from a model may hold anything.
  mutating func comment(_ text: String) { line("// " + CodeText.harmless(text)) }

  /// Text that stays within a comment or a string literal: without line breaks, quotes and backslashes.
  static func harmless(_ text: String) -> String {
    String(
      text.unicodeScalars.map { scalar in
        scalar.value < 0x20 || scalar.value == 0x7f || scalar == "\\" || scalar == "\"" || !scalar.isASCII
          ? (scalar.isASCII ? "_" : Character(scalar)) : Character(scalar)
      })
  }
}
