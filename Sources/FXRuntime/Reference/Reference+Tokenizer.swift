import FXCore

/// Texts to tokens.
extension ReferenceKernels {
  mutating func addTokenizer() {
    self[.tokenizer] = { context in
      let x = try context.tensor(0)
      guard let texts = x.strings else { throw KernelError.elementType(x.elementType) }
      let least = context[Tokenizer.leastCharacters]
      let rows = try tokens(context, texts).map { $0.filter { !$0.isEmpty && $0.unicodeScalars.count >= least } }
      let longest = rows.map(\.count).max() ?? 0
      // A batch without tokens has no columns, not even for marks.
      let isMarked = context[Tokenizer.mark] && longest > 0
      let width = longest + (isMarked ? 2 : 0)
      let shape = x.shape + [width]
      _ = try Selection.count(shape)
      let filled = rows.flatMap { row in
        (isMarked ? ["\u{2}"] + row + ["\u{3}"] : row)
          + Array(repeating: context[Tokenizer.padValue], count: longest - row.count)
      }
      return [.tensor(try Tensor(shape, strings: filled))]
    }
  }
}

/// What a tokenizer looks for, made once per compiled graph: reading a pattern takes longer than most texts.
///
/// `@unchecked Sendable`: a `Regex` read from a string holds no closures, and matching leaves it as it is.
private struct Patterns: @unchecked Sendable {
  let regexes: [Regex<AnyRegexOutput>]

  init(_ patterns: [String]) throws {
    regexes = try patterns.map { pattern in
      guard let regex = try? Regex(pattern) else { throw KernelError.invalid("\(pattern.quoted) is no regular expression") }
      // As RE2 has it: characters are code points, and words are runs of word characters.
      return regex.matchingSemantics(.unicodeScalar).wordBoundaryKind(.simple)
    }
  }
}

/// The tokens of each text, empty ones included.
private func tokens(_ context: ReferenceContext, _ texts: [String]) throws -> [[String]] {
  let (expression, separators) = (context[Tokenizer.expression], context[Tokenizer.separators] ?? [])
  switch (expression, separators.isEmpty) {
  case (let expression?, true):
    if let letters = LetterRuns(expression) { return texts.map(letters.tokens) }
    let pattern = try context.prepared { try Patterns([expression]) }.regexes[0]
    return texts.map { text in text.matches(of: pattern).map { String(text[$0.range]) } }
  case (nil, false) where separators == [""]:
    return texts.map { text in text.unicodeScalars.map { String(Character($0)) } }
  case (nil, false):
    guard !separators.contains("") else { throw KernelError.invalid("one of several separators is empty") }
    let patterns = try context.prepared { try Patterns(separators) }.regexes
    return texts.map { text in
      patterns.reduce([text]) { pieces, pattern in
        pieces.flatMap { $0.split(separator: pattern, omittingEmptySubsequences: true).map(String.init) }
      }
    }
  default: throw KernelError.invalid("either tokenexp or separators says what a token is")
  }
}

/// The pattern `[…]+` of ASCII letters and ranges of them, which most models have, without a regular expression.
struct LetterRuns {
  private var contains = Array(repeating: false, count: 256)

  /// `nil` for any other pattern.
  init?(_ pattern: String) {
    let bytes = Array(pattern.utf8)
    guard bytes.count > 3, bytes.first == UInt8(ascii: "["), bytes.suffix(2) == [UInt8(ascii: "]"), UInt8(ascii: "+")] else {
      return nil
    }
    var rest = bytes[1..<bytes.count - 2]
    func isPlain(_ byte: UInt8) -> Bool {
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "_")
    }
    while let first = rest.popFirst() {
      guard isPlain(first) else { return nil }
      var last = first
      if rest.first == UInt8(ascii: "-") {
        rest.removeFirst()
        guard let end = rest.popFirst(), isPlain(end), end >= first else { return nil }
        last = end
      }
      for byte in first...last { contains[Int(byte)] = true }
    }
  }

  /// The longest runs of the letters.
  func tokens(_ text: String) -> [String] {
    text.utf8.split { !contains[Int($0)] }.map { String(Substring($0)) }
  }
}
