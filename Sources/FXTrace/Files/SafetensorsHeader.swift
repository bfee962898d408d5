import FXCore

/// Reads the header of a safetensors file: the JSON that the format allows, and no other.
struct SafetensorsHeader {
  struct Entry {
    let name: String
    let type: ElementType
    let shape: [Int]
    let start: Int
    let end: Int
  }

  private let text: UnsafeRawBufferPointer
  private var position = 0
  private(set) var metadata: [String: String] = [:]

  /// - Parameter text: must live as long as the header is parsed.
  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  /// The entries in the header's order.
  mutating func parse() throws(SafetensorsError) -> [Entry] {
    var entries: [Entry] = []
    var names: Set<String> = []
    try object { (header, name) throws(SafetensorsError) in
      guard names.insert(name).inserted else { throw .duplicateName(name) }
      if name == "__metadata__" {
        try header.parseMetadata()
      } else {
        entries.append(try header.entry(name))
      }
    }
    skipSpace()
    guard position == text.count else { throw .header("there is text after its end, at byte \(position)") }
    return entries
  }

  private mutating func parseMetadata() throws(SafetensorsError) {
    var found: [String: String] = [:]
    try object { (header, key) throws(SafetensorsError) in
      guard found.updateValue(try header.string(), forKey: key) == nil else { throw .duplicateName(key) }
    }
    metadata = found
  }

  private mutating func entry(_ name: String) throws(SafetensorsError) -> Entry {
    var (type, shape, range): (ElementType?, [Int]?, [Int]?) = (nil, nil, nil)
    try object { (header, key) throws(SafetensorsError) in
      switch key {
      case "dtype" where type == nil:
        let code = try header.string()
        guard let known = Safetensors.types.first(where: { $0.name == code })?.type else { throw .unsupported(name, code) }
        type = known
      case "shape" where shape == nil: shape = try header.sizes()
      case "data_offsets" where range == nil: range = try header.sizes()
      case "dtype", "shape", "data_offsets": throw .duplicateName("\(name).\(key)")
      default: throw .header("'\(name)' has a field '\(key)', which is not known")
      }
    }
    guard let type, let shape, let range else { throw .header("'\(name)' lacks dtype, shape or data_offsets") }
    guard range.count == 2, range[0] <= range[1] else { throw .header("the data_offsets of '\(name)' are no range") }
    return Entry(name: name, type: type, shape: shape, start: range[0], end: range[1])
  }

  // MARK: JSON

  /// - Parameter member: reads the value of a member, given its key.
  private mutating func object(
    _ member: (inout SafetensorsHeader, String) throws(SafetensorsError) -> Void
  ) throws(SafetensorsError) {
    try expect(UInt8(ascii: "{"))
    if accept(UInt8(ascii: "}")) { return }
    repeat {
      let key = try string()
      try expect(UInt8(ascii: ":"))
      try member(&self, key)
    } while accept(UInt8(ascii: ","))
    try expect(UInt8(ascii: "}"))
  }

  private mutating func sizes() throws(SafetensorsError) -> [Int] {
    var sizes: [Int] = []
    try expect(UInt8(ascii: "["))
    if accept(UInt8(ascii: "]")) { return sizes }
    repeat {
      skipSpace()
      let start = position
      var size = 0
      while let byte = peek, (48...57).contains(byte) {
        let (tens, overflow) = size.multipliedReportingOverflow(by: 10)
        let (sum, carry) = tens.addingReportingOverflow(Int(byte - 48))
        guard !overflow, !carry else { throw .header("a number at byte \(start) is too large") }
        size = sum
        position += 1
      }
      guard position > start, sizes.count < 64 else { throw .header("a list of sizes is wrong at byte \(start)") }
      sizes.append(size)
    } while accept(UInt8(ascii: ","))
    try expect(UInt8(ascii: "]"))
    return sizes
  }

  private mutating func string() throws(SafetensorsError) -> String {
    try expect(UInt8(ascii: "\""))
    var bytes: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: bytes, as: UTF8.self) else { throw .header("a string is not UTF-8") }
        return string
      case UInt8(ascii: "\\"): bytes += Array(String(try escape()).utf8)
      case 0..<0x20: throw .header("a control character stands in a string, at byte \(position - 1)")
      default: bytes.append(byte)
      }
    }
    throw .header("a string does not end")
  }

  private mutating func escape() throws(SafetensorsError) -> Unicode.Scalar {
    guard let byte = peek else { throw .header("a string does not end") }
    position += 1
    switch byte {
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{c}"
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
    case UInt8(ascii: "u"):
      let high = try codeUnit()
      if let scalar = Unicode.Scalar(high) { return scalar }
      // A character beyond 16 bits is written as two surrogates.
      guard (0xD800..<0xDC00).contains(high), peek == UInt8(ascii: "\\") else { break }
      position += 1
      guard peek == UInt8(ascii: "u") else { break }
      position += 1
      let low = try codeUnit()
      guard (0xDC00..<0xE000).contains(low) else { break }
      if let scalar = Unicode.Scalar(0x10000 + (UInt32(high - 0xD800) << 10 | UInt32(low - 0xDC00))) { return scalar }
    default: break
    }
    throw .header("an escape is wrong at byte \(position)")
  }

  private mutating func codeUnit() throws(SafetensorsError) -> UInt16 {
    guard text.count - position >= 4 else { throw .header("a string does not end") }
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let digit = Character(Unicode.Scalar(text[position])).hexDigitValue else {
        throw .header("an escape is wrong at byte \(position)")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  private var peek: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func accept(_ byte: UInt8) -> Bool {
    skipSpace()
    guard peek == byte else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ byte: UInt8) throws(SafetensorsError) {
    guard accept(byte) else { throw .header("'\(Character(Unicode.Scalar(byte)))' expected at byte \(position)") }
  }
}

extension String {
  /// The string as a JSON literal.
  var asJSON: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"", "\\": text += "\\\(scalar)"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }
}
