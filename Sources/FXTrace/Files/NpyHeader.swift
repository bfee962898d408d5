import FXCore

/// The header of an npy file: a Python dictionary literal with `descr`, `fortran_order` and `shape`.
struct NpyHeader {
  enum Element: Equatable {
    case number(ElementType, isSwapped: Bool)
    /// Fixed-width UCS-4 strings.
    case unicode(Int)
    case other
  }
  var descriptor = ""
  var element = Element.other
  var isFortranOrder = false
  var shape: [Int] = []

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  static let descriptors: [(code: String, type: ElementType)] = [
    ("f8", .float64), ("f4", .float32), ("f2", .float16), ("i8", .int64), ("i4", .int32), ("i2", .int16), ("i1", .int8),
    ("u8", .uint64), ("u4", .uint32), ("u2", .uint16), ("u1", .uint8), ("b1", .bool), ("c8", .complex64),
    ("c16", .complex128),
  ]

  /// The header and where the data starts.
  static func parse(_ bytes: UnsafeRawBufferPointer) throws(NpyError) -> (NpyHeader, Int) {
    guard bytes.count >= 10, magic.indices.allSatisfy({ bytes[$0] == magic[$0] }) else { throw .notNpy }
    let start = bytes[6] == 1 ? 10 : 12
    guard bytes[6] >= 1, bytes[6] <= 3, bytes.count >= start else { throw .badHeader("version \(bytes[6])") }
    let length =
      start == 10
      ? Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt16.self)))
      : Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)))
    guard length <= bytes.count - start else { throw .truncated }
    guard length <= 1 << 20 else { throw .badHeader("its length is \(length)") }
    var parser = Parser(text: Array(bytes[start..<(start + length)]))
    return (try parser.dictionary(), start + length)
  }

  private static func element(of descriptor: String) -> Element {
    guard let order = descriptor.first, "<>|=".contains(order) else { return .other }
    let code = String(descriptor.dropFirst())
    if let known = descriptors.first(where: { $0.code == code }) {
      return .number(known.type, isSwapped: order == ">" && known.type.bitWidth > 8)
    }
    guard code.hasPrefix("U"), order != ">", let width = Int(code.dropFirst()), width >= 0, width <= 1 << 24 else {
      return .other
    }
    return .unicode(width)
  }

  /// Reads the subset of Python's literals that the header uses.
  private struct Parser {
    let text: [UInt8]
    var position = 0

    mutating func dictionary() throws(NpyError) -> NpyHeader {
      var header = NpyHeader()
      var seen: Set<String> = []
      try expect("{")
      while !accept("}") {
        let key = try string()
        try expect(":")
        switch key {
        case "descr":
          skipSpace()
          // A list describes a structured type, which no tensor is.
          guard peek == UInt8(ascii: "'") || peek == UInt8(ascii: "\"") else { throw .unsupported("structured") }
          header.descriptor = try string()
          header.element = NpyHeader.element(of: header.descriptor)
        case "fortran_order":
          if accept("True") {
            header.isFortranOrder = true
          } else if !accept("False") {
            throw .badHeader("fortran_order")
          }
        case "shape": header.shape = try tuple()
        default: throw .badHeader("unknown key '\(key)'")
        }
        seen.insert(key)
        if !accept(",") {
          try expect("}")
          break
        }
      }
      guard seen.count == 3 else { throw .badHeader("a key is missing") }
      return header
    }

    private var peek: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
      while let byte = peek, byte == 32 || byte == 10 || byte == 9 { position += 1 }
    }

    private mutating func accept(_ token: String) -> Bool {
      skipSpace()
      guard text[position...].starts(with: token.utf8) else { return false }
      position += token.utf8.count
      return true
    }

    private mutating func expect(_ token: String) throws(NpyError) {
      guard accept(token) else { throw .badHeader("'\(token)' expected at byte \(position)") }
    }

    private mutating func string() throws(NpyError) -> String {
      skipSpace()
      guard let quote = peek, quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") else {
        throw .badHeader("a string expected at byte \(position)")
      }
      let start = position + 1
      guard let end = text[start...].firstIndex(of: quote) else { throw .badHeader("a string does not end") }
      position = end + 1
      return String(decoding: text[start..<end], as: UTF8.self)
    }

    private mutating func tuple() throws(NpyError) -> [Int] {
      try expect("(")
      var sizes: [Int] = []
      while !accept(")") {
        skipSpace()
        let digits = text[position...].prefix(while: \.isDigit)
        guard let size = Int(String(decoding: digits, as: UTF8.self)), sizes.count < 64 else { throw .badHeader("shape") }
        position += digits.count
        _ = accept("L")
        sizes.append(size)
        if !accept(",") {
          try expect(")")
          break
        }
      }
      return sizes
    }
  }
}
