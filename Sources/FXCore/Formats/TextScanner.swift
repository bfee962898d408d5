/// Reads tokens of the text format from UTF-8 bytes.
///
/// Which token is expected follows from the grammar, so that there is no token stream: a name after `%` and a
/// dimension in a shape have different letters.
struct TextScanner {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ text: String) {
    // The zero at the end spares every look at the next byte a comparison with the length.
    var bytes = Array(text.utf8)
    bytes.append(0)
    self.bytes = bytes
    skipSpace()
  }

  // MARK: Looking

  /// The next byte; 0 at the end.
  var peek: UInt8 { bytes[position] }
  var isAtEnd: Bool { position == bytes.count - 1 }

  private func byte(_ offset: Int) -> UInt8 {
    let index = position + offset
    return index < bytes.count ? bytes[index] : 0
  }

  /// Whether the text goes on with `text`, whatever follows it.
  private func isNext(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count < bytes.count else { return false }
    return text.withUTF8Buffer { expected in
      for index in 0..<count where bytes[position + index] != expected[index] { return false }
      return true
    }
  }

  /// Whether the text goes on with the word `keyword`.
  func isNext(keyword: StaticString) -> Bool { isNext(keyword) && !byte(keyword.utf8CodeUnitCount).isNameByte }

  // MARK: Moving

  private mutating func skipSpace() {
    while true {
      switch bytes[position] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\t"), UInt8(ascii: "\r"): position += 1
      case UInt8(ascii: "/") where byte(1) == UInt8(ascii: "/"):
        while !isAtEnd, bytes[position] != UInt8(ascii: "\n") { position += 1 }
      default: return
      }
    }
  }

  private mutating func advance(_ count: Int) {
    position += count
    skipSpace()
  }

  /// Skips `text` if it is next. For marks; words need `accept(keyword:)`.
  mutating func skip(_ text: StaticString) -> Bool {
    guard isNext(text) else { return false }
    advance(text.utf8CodeUnitCount)
    return true
  }

  mutating func accept(_ mark: Unicode.Scalar) -> Bool {
    guard peek == UInt8(truncatingIfNeeded: mark.value) else { return false }
    advance(1)
    return true
  }

  mutating func accept(keyword: StaticString) -> Bool {
    guard isNext(keyword: keyword) else { return false }
    advance(keyword.utf8CodeUnitCount)
    return true
  }

  mutating func expect(_ mark: Unicode.Scalar) throws(TextError) {
    guard accept(mark) else { throw expected("'\(mark)'") }
  }

  mutating func expect(keyword: StaticString, or what: String? = nil) throws(TextError) {
    guard accept(keyword: keyword) else { throw expected(what ?? "'\(keyword)'") }
  }

  // MARK: Names and strings

  private func text(_ start: Int, _ end: Int) -> String {
    bytes.withUnsafeBufferPointer { String(decoding: UnsafeBufferPointer(rebasing: $0[start..<end]), as: UTF8.self) }
  }

  /// The name after `mark`, which is `%` or `@`: plain or in quotes.
  mutating func name(after mark: Unicode.Scalar, _ what: String) throws(TextError) -> String {
    guard peek == UInt8(truncatingIfNeeded: mark.value) else { throw expected(what) }
    position += 1
    if peek == UInt8(ascii: "\"") { return try string() }
    guard peek.isNameStart else { throw expected("a name after '\(mark)'") }
    return plainName()
  }

  /// A name without a mark before it: plain or in quotes.
  mutating func word(_ what: String) throws(TextError) -> String {
    if peek == UInt8(ascii: "\"") { return try string() }
    guard peek.isNameStart, peek != UInt8(ascii: "/") else { throw expected(what) }
    return plainName()
  }

  private mutating func plainName() -> String {
    let start = position
    while bytes[position].isNameByte { position += 1 }
    let name = text(start, position)
    skipSpace()
    return name
  }

  /// An element type, read if one is next. The error of `elementType()` would count the lines before it.
  mutating func acceptElementType() -> ElementType? {
    var end = position
    while bytes[end].isLetter || bytes[end].isDigit || bytes[end] == UInt8(ascii: "_") { end += 1 }
    guard let type = ElementType(rawValue: text(position, end)) else { return nil }
    advance(end - position)
    return type
  }

  /// A word of letters, digits and `_`.
  mutating func identifier(_ what: String) throws(TextError) -> String {
    let start = position
    while peek.isLetter || peek.isDigit || peek == UInt8(ascii: "_") { position += 1 }
    guard position > start, !bytes[start].isDigit else {
      position = start
      throw expected(what)
    }
    let name = text(start, position)
    skipSpace()
    return name
  }

  /// A string in quotes.
  mutating func string() throws(TextError) -> String {
    guard peek == UInt8(ascii: "\"") else { throw expected("a string in quotes") }
    position += 1
    let start = position
    while !isAtEnd, peek != UInt8(ascii: "\""), peek != UInt8(ascii: "\\"), peek >= 0x20 { position += 1 }
    if peek == UInt8(ascii: "\"") {
      let string = text(start, position)
      advance(1)
      return string
    }
    var content = Array(bytes[start..<position])
    while peek != UInt8(ascii: "\"") {
      guard !isAtEnd, peek >= 0x20 else { throw expected("'\"' at the end of the string") }
      if peek == UInt8(ascii: "\\") {
        try appendEscape(to: &content)
      } else {
        content.append(peek)
        position += 1
      }
    }
    advance(1)
    return String(decoding: content, as: UTF8.self)
  }

  private mutating func appendEscape(to content: inout [UInt8]) throws(TextError) {
    switch byte(1) {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): content.append(byte(1))
    case UInt8(ascii: "n"): content.append(UInt8(ascii: "\n"))
    case UInt8(ascii: "t"): content.append(UInt8(ascii: "\t"))
    case UInt8(ascii: "r"): content.append(UInt8(ascii: "\r"))
    case UInt8(ascii: "u") where byte(2) == UInt8(ascii: "{"):
      var digits = 0
      while digits < 8, Character(Unicode.Scalar(byte(3 + digits))).isHexDigit { digits += 1 }
      let value = UInt32(text(position + 3, position + 3 + digits), radix: 16)
      guard byte(3 + digits) == UInt8(ascii: "}"), let scalar = value.flatMap(Unicode.Scalar.init) else {
        throw expected("a Unicode scalar such as \\u{7f}")
      }
      content.append(contentsOf: String(Character(scalar)).utf8)
      position += digits + 2
    default: throw expected("one of \\\" \\\\ \\n \\t \\r \\u{…}")
    }
    position += 2
  }

  // MARK: Numbers

  /// A number as it is written: what it is depends on where it stands.
  mutating func number() throws(TextError) -> NumberToken {
    let start = position
    if peek == UInt8(ascii: "-") { position += 1 }
    if isNext(keyword: "inf") {
      position += 3
      return token(.infinity, start)
    }
    if isNext(keyword: "nan") {
      position += 3
      guard skip("(") else { return token(.nan, start) }
      guard isNext("0x") else { throw expected("the bits of a NaN, such as 0x7fc00001") }
      position += 2
      let digits = position
      while position < digits + 17, Character(Unicode.Scalar(peek)).isHexDigit { position += 1 }
      guard let bits = UInt64(text(digits, position), radix: 16) else { throw expected("hexadecimal digits") }
      skipSpace()
      try expect(")")
      return NumberToken(kind: .nanBits(bits), text: text(start, position), position: start)
    }
    guard peek.isDigit else {
      position = start
      throw expected("a number")
    }
    while peek.isDigit { position += 1 }
    var isFloat = false
    if peek == UInt8(ascii: "."), byte(1).isDigit {
      isFloat = true
      position += 1
      while peek.isDigit { position += 1 }
    }
    if peek | 0x20 == UInt8(ascii: "e") {
      let sign = byte(1) == UInt8(ascii: "-") || byte(1) == UInt8(ascii: "+") ? 1 : 0
      if byte(1 + sign).isDigit {
        isFloat = true
        position += 1 + sign
        while peek.isDigit { position += 1 }
      }
    }
    return token(isFloat ? .float : .integer, start)
  }

  private mutating func token(_ kind: NumberToken.Kind, _ start: Int) -> NumberToken {
    let token = NumberToken(kind: kind, text: text(start, position), position: start)
    skipSpace()
    return token
  }

  /// A whole number.
  mutating func integer() throws(TextError) -> Int { try number().integer(Int.self, in: &self) }

  mutating func bool() throws(TextError) -> Bool {
    if accept(keyword: "true") { return true }
    try expect(keyword: "false", or: "'true' or 'false'")
    return false
  }

  // MARK: Errors

  /// An error that says what should be next.
  func expected(_ what: String) -> TextError { error(.expected(what, found: token(at: position)), at: position) }

  /// An error at a position. O(position): errors are rare.
  func error(_ fault: TextError.Fault, at position: Int) -> TextError {
    var line = 1
    var lineStart = 0
    for index in 0..<min(position, bytes.count) where bytes[index] == UInt8(ascii: "\n") {
      line += 1
      lineStart = index + 1
    }
    let column = String(decoding: bytes[lineStart..<max(lineStart, position)], as: UTF8.self).unicodeScalars.count + 1
    return TextError(line: line, column: column, fault: fault)
  }

  /// What stands at a position, to show to people: a word, a number or a single character; empty at the end.
  private func token(at start: Int) -> String {
    var end = start
    while end < bytes.count - 1, bytes[end].isNameByte, end - start < 40 { end += 1 }
    if end > start { return text(start, end) }
    guard start < bytes.count - 1 else { return "" }
    return String(decoding: bytes[start..<min(start + 4, bytes.count - 1)], as: UTF8.self).unicodeScalars.first.map {
      String(Character($0))
    } ?? ""
  }
}

/// A number before it is known what type it has.
struct NumberToken {
  enum Kind: Equatable {
    case integer, float, infinity, nan
    case nanBits(UInt64)
  }
  let kind: Kind
  let text: String
  let position: Int

  private var isNegative: Bool { text.utf8.first == UInt8(ascii: "-") }

  func integer<Integer: FixedWidthInteger>(_: Integer.Type, in scanner: inout TextScanner) throws(TextError) -> Integer {
    guard kind == .integer else { throw scanner.error(.expected("a whole number", found: text), at: position) }
    guard let value = Integer(text) else { throw scanner.error(.outOfRange(text), at: position) }
    return value
  }

  /// The nearest `Float`; a NaN's bits are 32.
  func float(in scanner: inout TextScanner) throws(TextError) -> Float {
    switch kind {
    case .nan: return .nan
    case .infinity: return isNegative ? -.infinity : .infinity
    case .nanBits(let bits):
      guard bits <= UInt32.max else { throw scanner.error(.outOfRange(text), at: position) }
      return Float(bitPattern: UInt32(bits))
    case .integer, .float:
      guard let value = Float(text), value.isFinite else { throw scanner.error(.outOfRange(text), at: position) }
      return value
    }
  }

  /// The nearest `Double`; a NaN's bits are 64.
  func double(in scanner: inout TextScanner) throws(TextError) -> Double {
    switch kind {
    case .nan: return .nan
    case .infinity: return isNegative ? -.infinity : .infinity
    case .nanBits(let bits): return Double(bitPattern: bits)
    case .integer, .float:
      guard let value = Double(text), value.isFinite else { throw scanner.error(.outOfRange(text), at: position) }
      return value
    }
  }
}
