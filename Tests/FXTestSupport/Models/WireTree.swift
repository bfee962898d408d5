/// A protobuf message as the fields that stand on the wire, in their order.
public struct WireMessage: Sendable, Hashable {
  public var kind: MessageKind
  public var fields: [WireField]

  public init(_ kind: MessageKind, _ fields: [WireField] = []) {
    self.kind = kind
    self.fields = fields
  }
}

public struct WireField: Sendable, Hashable {
  public var number: Int
  public var content: WireContent

  public init(_ number: Int, _ content: WireContent) {
    self.number = number
    self.content = content
  }
}

public enum WireContent: Sendable, Hashable {
  case varint(UInt64)
  case fixed32(UInt32)
  case fixed64(UInt64)
  case bytes([UInt8])
  case packed([UInt64])
  case message(WireMessage)

  public static func integer(_ value: Int64) -> WireContent { .varint(UInt64(bitPattern: value)) }
  public static func text(_ value: String) -> WireContent { .bytes(Array(value.utf8)) }
}

// MARK: Reading

extension WireMessage {
  /// The tree of a well-formed message; `nil` for bytes that are none.
  public init?(_ kind: MessageKind, _ bytes: ArraySlice<UInt8>, depth: Int = 0) {
    self.init(kind)
    guard depth < 100 else { return nil }
    let known = kind.fields
    var rest = bytes
    while !rest.isEmpty {
      guard let tag = rest.takeVarint() else { return nil }
      let number = Int(truncatingIfNeeded: tag >> 3)
      switch tag & 7 {
      case 0:
        guard let value = rest.takeVarint() else { return nil }
        fields.append(WireField(number, .varint(value)))
      case 1:
        guard let value = rest.takeFixed(8) else { return nil }
        fields.append(WireField(number, .fixed64(value)))
      case 5:
        guard let value = rest.takeFixed(4) else { return nil }
        fields.append(WireField(number, .fixed32(UInt32(truncatingIfNeeded: value))))
      case 2:
        guard let length = rest.takeVarint(), length <= UInt64(rest.count) else { return nil }
        let content = rest.prefix(Int(length))
        rest.removeFirst(Int(length))
        fields.append(WireField(number, WireContent(known[number], content, depth: depth)))
      default: return nil
      }
    }
  }
}

extension WireContent {
  /// Bytes that do not hold what the field should stay bytes.
  fileprivate init(_ kind: FieldKind?, _ bytes: ArraySlice<UInt8>, depth: Int) {
    switch kind {
    case .message(let inner):
      if let message = WireMessage(inner, bytes, depth: depth + 1) {
        self = .message(message)
        return
      }
    case .packedIntegers:
      var rest = bytes
      var values: [UInt64] = []
      while let value = rest.takeVarint() { values.append(value) }
      if rest.isEmpty {
        self = .packed(values)
        return
      }
    default: break
    }
    self = .bytes(Array(bytes))
  }
}

extension ArraySlice<UInt8> {
  fileprivate mutating func takeVarint() -> UInt64? {
    var value: UInt64 = 0
    for (index, byte) in prefix(10).enumerated() {
      value |= UInt64(byte & 0x7f) << UInt64(7 * index)
      if byte < 0x80 {
        removeFirst(index + 1)
        return value
      }
    }
    return nil
  }

  fileprivate mutating func takeFixed(_ size: Int) -> UInt64? {
    guard count >= size else { return nil }
    let value = prefix(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    removeFirst(size)
    return value
  }
}

// MARK: Writing

extension WireMessage {
  public var bytes: [UInt8] {
    var encoder = WireEncoder()
    encoder.write(self)
    return encoder.bytes
  }

  /// The bytes with the length of piece `index` (counted from the innermost of the first) off by `error`.
  public func bytes(lengthError error: Int, atPiece index: Int) -> [UInt8] {
    var encoder = WireEncoder(errorPiece: index, error: error)
    encoder.write(self)
    return encoder.bytes
  }
}

private struct WireEncoder {
  var bytes: [UInt8] = []
  var errorPiece = -1
  var error = 0
  private var piece = 0

  init(errorPiece: Int = -1, error: Int = 0) {
    self.errorPiece = errorPiece
    self.error = error
  }

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  mutating func write(_ message: WireMessage) {
    for field in message.fields { write(field) }
  }

  private mutating func write(_ field: WireField) {
    let tag = UInt64(truncatingIfNeeded: field.number) << 3
    switch field.content {
    case .varint(let value):
      varint(tag)
      varint(value)
    case .fixed32(let value):
      varint(tag | 5)
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
    case .fixed64(let value):
      varint(tag | 1)
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    case .bytes(let content):
      varint(tag | 2)
      length(content.count)
      bytes += content
    case .packed(let values):
      nested(tag) { encoder in for value in values { encoder.varint(value) } }
    case .message(let message):
      nested(tag) { $0.write(message) }
    }
  }

  /// The content is written first: its length is not known before.
  private mutating func nested(_ tag: UInt64, _ body: (inout WireEncoder) -> Void) {
    var content: [UInt8] = []
    swap(&content, &bytes)
    body(&self)
    swap(&content, &bytes)
    varint(tag | 2)
    length(content.count)
    bytes += content
  }

  private mutating func length(_ count: Int) {
    varint(UInt64(max(0, piece == errorPiece ? count + error : count)))
    piece += 1
  }
}
