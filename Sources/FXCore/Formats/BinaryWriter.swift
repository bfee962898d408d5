/// Bytes of the binary format that grow at their end. Integers are little-endian base 128 (LEB128), signed ones with
/// the sign in the lowest bit.
struct BinaryWriter {
  private(set) var bytes: [UInt8] = []
  private var strings: [ExactString: UInt64] = [:]
  private var types: [ValueType: UInt64] = [:]
  /// Types repeat: most are found here.
  private var last: (type: ValueType, reference: UInt64) = (.unknown, 0)

  /// A string that equals others of the same bytes only, unlike `String`, for which é has two spellings.
  private struct ExactString: Hashable {
    let string: String
    static func == (a: ExactString, b: ExactString) -> Bool { a.string.utf8.elementsEqual(b.string.utf8) }
    func hash(into hasher: inout Hasher) {
      var string = string
      string.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
  }

  mutating func write(byte: UInt8) { bytes.append(byte) }

  mutating func write(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func write(count: Int) { write(UInt64(truncatingIfNeeded: count)) }

  mutating func write(signed value: Int) {
    write(BinaryWriter.zigzag(value))
  }

  /// 0, −1, 1, −2, … as 0, 1, 2, 3, …
  static func zigzag(_ value: Int) -> UInt64 { UInt64(bitPattern: Int64(value << 1 ^ value >> 63)) }

  mutating func write(fixed32 value: UInt32) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(fixed64 value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func write(raw data: UnsafeRawBufferPointer) { bytes.append(contentsOf: data) }

  // MARK: Strings

  mutating func write(_ string: String) {
    write(count: string.utf8.count)
    bytes.append(contentsOf: string.utf8)
  }

  /// The length plus one, so that 0 says that there is none.
  mutating func write(optional string: String?) {
    guard let string else { return write(byte: 0) }
    write(count: string.utf8.count + 1)
    bytes.append(contentsOf: string.utf8)
  }

  /// A string that occurs often: 0 and the string the first time, then its number.
  mutating func write(shared string: String) {
    let key = ExactString(string: string)
    if let reference = strings[key] { return write(reference) }
    strings[key] = UInt64(strings.count) + 1
    write(byte: 0)
    write(string)
  }

  // MARK: Types

  /// A type: 0 and the type the first time, then its number.
  mutating func write(_ type: ValueType) {
    if last.reference > 0, last.type == type { return write(last.reference) }
    if let reference = types[type] {
      last = (type, reference)
      return write(reference)
    }
    let reference = UInt64(types.count) + 1
    types[type] = reference
    last = (type, reference)
    write(byte: 0)
    write(spelled: type)
  }

  private mutating func write(spelled type: ValueType) {
    switch type {
    case .unknown: write(byte: 0)
    case .tensor(let type):
      write(byte: type.shape == nil ? 1 : 2)
      write(type.elementType)
      guard let shape = type.shape else { return }
      write(count: shape.rank)
      for dimension in shape.dimensions { write(dimension) }
    case .sequence(let element):
      write(byte: 3)
      write(spelled: element)
    case .optional(let wrapped):
      write(byte: 4)
      write(spelled: wrapped)
    case .map(let key, let value):
      write(byte: 5)
      write(key)
      write(spelled: value)
    }
  }

  mutating func write(_ type: ElementType) {
    write(byte: UInt8(truncatingIfNeeded: BinaryFormat.elementTypes.firstIndex(of: type) ?? 0))
  }

  /// A size plus one, or 0 and the text of the expression.
  mutating func write(_ dimension: Dimension) {
    if let size = dimension.size, size >= 0 { return write(UInt64(size) + 1) }
    write(byte: 0)
    write(shared: dimension.description)
  }
}

/// The constants of the binary format; `docs/BinaryFormat.md` specifies it.
enum BinaryFormat {
  /// Not ASCII at the start, and both line ends inside, so that what damages binary files by taking them for text shows.
  static let magic: [UInt8] = [0x89, 0x46, 0x58, 0x42, 0x0D, 0x0A, 0x1A, 0x0A]
  static let version = 1
  static let headerLength = 64
  /// Weights begin at multiples of this, so that mapped ones suit every kernel.
  static let alignment = 64
  /// Tensors of at most so many bytes stand in the structure rather than among the weights.
  static let inlineLimit = 64

  static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

  // The positions in these lists are what files contain: append, never reorder.
  static let elementTypes: [ElementType] = [
    .float64, .float32, .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
    .float4e2m1, .int64, .int32, .int16, .int8, .int4, .int2, .uint64, .uint32, .uint16, .uint8, .uint4, .uint2, .bool,
    .string, .complex64, .complex128,
  ]
  static let attributeKinds: [AttributeValue.Kind] = [
    .bool, .int, .float, .string, .ints, .floats, .strings, .elementType, .type, .types, .tensor, .tensors,
  ]
  static let roles: [Parameter.Role] = [.weight, .buffer, .constant]
  static let relations: [DimensionConstraint.Relation] = [.equal, .lessOrEqual, .multiple, .broadcastable]

  /// What is there of a node besides operator, operands and results.
  struct NodeParts: OptionSet {
    let rawValue: UInt8
    static let labels = NodeParts(rawValue: 1 << 0)
    static let serial = NodeParts(rawValue: 1 << 1)
    static let attributes = NodeParts(rawValue: 1 << 2)
    static let name = NodeParts(rawValue: 1 << 3)
    static let location = NodeParts(rawValue: 1 << 4)
    static let regions = NodeParts(rawValue: 1 << 5)
    static let all: NodeParts = [.labels, .serial, .attributes, .name, .location, .regions]
  }
}
