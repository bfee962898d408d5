/// Protobuf wire bytes, written by hand: what the tests of the reader feed it, good and bad.
struct Wire {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  func int(_ field: UInt64, _ value: Int64) -> Wire {
    var copy = self
    copy.varint(field << 3)
    copy.varint(UInt64(bitPattern: value))
    return copy
  }

  func data(_ field: UInt64, _ content: [UInt8]) -> Wire {
    var copy = self
    copy.varint(field << 3 | 2)
    copy.varint(UInt64(content.count))
    copy.bytes += content
    return copy
  }

  func text(_ field: UInt64, _ content: String) -> Wire { data(field, Array(content.utf8)) }

  func message(_ field: UInt64, _ content: Wire) -> Wire { data(field, content.bytes) }
}
