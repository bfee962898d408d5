/// Reads the binary format. Every length is checked against the bytes that are left before anything is allocated for it.
struct BinaryReader {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position: Int
  private let end: Int
  private var strings: [String] = []
  private var types: [ValueType] = []

  /// Reads `range` of `bytes`; the caller keeps them alive.
  init(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - position }
  var isAtEnd: Bool { position == end }

  func error(_ fault: FormatError.Fault) -> FormatError { FormatError(.binary, at: "byte \(position)", fault) }

  /// The body's result, its error placed.
  func attempt<Value>(_ body: () throws(GraphError) -> Value) throws(FormatError) -> Value {
    do {
      return try body()
    } catch {
      throw self.error(.graph(error))
    }
  }

  // MARK: Numbers

  mutating func byte() throws(FormatError) -> UInt8 {
    guard position < end else { throw error(.truncated) }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func unsigned() throws(FormatError) -> UInt64 {
    let first = try byte()
    if first < 0x80 { return UInt64(first) }
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while true {
      let next = try byte()
      // The tenth byte has one bit to give.
      guard shift < 63 || next <= 1 else { throw error(.expected("a number of at most 64 bits")) }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
    }
  }

  mutating func signed() throws(FormatError) -> Int { BinaryReader.signed(try unsigned()) }

  static func signed(_ zigzag: UInt64) -> Int { Int(truncatingIfNeeded: zigzag >> 1) ^ -Int(truncatingIfNeeded: zigzag & 1) }

  /// A number of elements of at least `size` bytes each, of which there must be enough left.
  mutating func count(size: Int = 1) throws(FormatError) -> Int {
    let value = try unsigned()
    guard value <= UInt64(remaining / size) else { throw error(.truncated) }
    return Int(value)
  }

  mutating func fixed32() throws(FormatError) -> UInt32 {
    guard remaining >= 4 else { throw error(.truncated) }
    defer { position += 4 }
    return UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self))
  }

  mutating func fixed64() throws(FormatError) -> UInt64 {
    guard remaining >= 8 else { throw error(.truncated) }
    defer { position += 8 }
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
  }

  mutating func raw(_ count: Int) throws(FormatError) -> UnsafeRawBufferPointer {
    guard count >= 0, remaining >= count else { throw error(.truncated) }
    defer { position += count }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
  }

  /// One of `choices` by its position.
  mutating func choice<Value>(_ choices: [Value], _ kind: String) throws(FormatError) -> Value {
    let index = Int(try byte())
    guard index < choices.count else { throw error(.index(kind, index, count: choices.count)) }
    return choices[index]
  }

  // MARK: Strings

  mutating func string() throws(FormatError) -> String { try string(try count()) }

  mutating func optionalString() throws(FormatError) -> String? {
    let length = try unsigned()
    if length == 0 { return nil }
    guard length - 1 <= UInt64(remaining) else { throw error(.truncated) }
    return try string(Int(length - 1))
  }

  private mutating func string(_ count: Int) throws(FormatError) -> String {
    guard let string = String(validating: try raw(count), as: UTF8.self) else { throw error(.expected("UTF-8")) }
    return string
  }

  mutating func sharedString() throws(FormatError) -> String {
    let reference = try unsigned()
    if reference == 0 {
      strings.append(try string())
      return strings[strings.count - 1]
    }
    guard reference <= UInt64(strings.count) else { throw noSuch("string", reference, strings.count) }
    return strings[Int(reference) - 1]
  }

  func noSuch(_ kind: String, _ reference: UInt64, _ count: Int) -> FormatError {
    error(.index(kind, Int(clamping: reference) - 1, count: count))
  }

  // MARK: Types

  mutating func type() throws(FormatError) -> ValueType {
    let reference = try unsigned()
    if reference == 0 {
      types.append(try spelledType(depth: 0))
      return types[types.count - 1]
    }
    guard reference <= UInt64(types.count) else { throw noSuch("type", reference, types.count) }
    return types[Int(reference) - 1]
  }

  private mutating func spelledType(depth: Int) throws(FormatError) -> ValueType {
    guard depth < TextScanner.depthLimit else { throw error(.tooDeep(limit: TextScanner.depthLimit)) }
    switch try byte() {
    case 0: return .unknown
    case 1: return .tensor(try elementType(), nil)
    case 2:
      let elementType = try elementType()
      var dimensions: [Dimension] = []
      for _ in 0..<(try count()) { dimensions.append(try dimension()) }
      return .tensor(elementType, Shape(dimensions))
    case 3: return .sequence(try spelledType(depth: depth + 1))
    case 4: return .optional(try spelledType(depth: depth + 1))
    case 5:
      let key = try elementType()
      return .map(key, try spelledType(depth: depth + 1))
    case let other: throw error(.index("kind of type", Int(other), count: 6))
    }
  }

  mutating func elementType() throws(FormatError) -> ElementType {
    try choice(BinaryFormat.elementTypes, "element type")
  }

  mutating func dimension() throws(FormatError) -> Dimension {
    let size = try unsigned()
    if size > 0 {
      guard size - 1 <= UInt64(Int.max) else { throw error(.expected("a size of at most 63 bits")) }
      return Dimension(Int(size - 1))
    }
    let text = try sharedString()
    do {
      return try TextScanner.dimension(text)
    } catch {
      throw self.error(.text(error))
    }
  }
}
