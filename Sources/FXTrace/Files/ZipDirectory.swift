/// The members of a zip file and where their bytes are.
struct ZipDirectory {
  struct Member {
    let name: String
    /// 0 for bytes as they are.
    let method: UInt16
    let checksum: UInt32
    let start: Int
    let end: Int
  }

  let members: [Member]

  /// Reads the directory at the file's end.
  /// - Throws: `NpzError` where anything lies outside the file or another member.
  init(_ bytes: UnsafeRawBufferPointer) throws(NpzError) {
    let file = ZipBytes(bytes: bytes)
    let (count, start) = try ZipDirectory.directory(file)
    var members: [Member] = []
    var position = start
    for _ in 0..<count {
      guard try file.number(UInt32.self, position) == 0x0201_4B50 else { throw .badDirectory("an entry at byte \(position)") }
      let nameLength = Int(try file.number(UInt16.self, position + 28))
      let extraLength = Int(try file.number(UInt16.self, position + 30))
      let commentLength = Int(try file.number(UInt16.self, position + 32))
      guard let name = String(validating: try file.slice(position + 46, nameLength), as: UTF8.self) else {
        throw .badDirectory("a name is not UTF-8")
      }
      var size = UInt64(try file.number(UInt32.self, position + 20))
      var offset = UInt64(try file.number(UInt32.self, position + 42))
      let isLong = try file.number(UInt32.self, position + 24) == .max
      try ZipDirectory.extend(
        &size, &offset, hasFullSize: isLong, extra: try file.slice(position + 46 + nameLength, extraLength))
      let method = try file.number(UInt16.self, position + 10)
      guard try file.number(UInt16.self, position + 8) & 1 == 0 else { throw .badDirectory("'\(name)' is encrypted") }
      let checksum = try file.number(UInt32.self, position + 16)
      guard let header = Int(exactly: offset), let length = Int(exactly: size), header <= bytes.count else { throw .truncated }
      guard try file.number(UInt32.self, header) == 0x0403_4B50 else {
        throw .badDirectory("'\(name)' is not where it should be")
      }
      let data =
        header + 30 + Int(try file.number(UInt16.self, header + 26)) + Int(try file.number(UInt16.self, header + 28))
      guard data <= bytes.count, length <= bytes.count - data else { throw .truncated }
      members.append(Member(name: name, method: method, checksum: checksum, start: data, end: data + length))
      position += 46 + nameLength + extraLength + commentLength
    }
    var end = 0
    for member in members.sorted(by: { $0.start < $1.start }) {
      guard member.start >= end else { throw .badDirectory("'\(member.name)' overlaps another member") }
      end = member.end
    }
    self.members = members
  }

  /// How many entries there are, and where the first is.
  private static func directory(_ file: ZipBytes) throws(NpzError) -> (count: Int, start: Int) {
    let count = file.bytes.count
    // A comment of up to 64 KiB may follow the record.
    guard count >= 22,
      let end = ((max(0, count - 22 - 0xFFFF))...(count - 22)).reversed().first(where: {
        file.bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self).littleEndian == 0x0605_4B50
      })
    else { throw .notZip }
    var entries = UInt64(try file.number(UInt16.self, end + 10))
    var start = UInt64(try file.number(UInt32.self, end + 16))
    if entries == 0xFFFF || start == UInt64(UInt32.max), end >= 20,
      try file.number(UInt32.self, end - 20) == 0x0706_4B50
    {
      guard let record = Int(exactly: try file.number(UInt64.self, end - 12)),
        try file.number(UInt32.self, record) == 0x0606_4B50
      else { throw .badDirectory("the 64-bit record is missing") }
      entries = try file.number(UInt64.self, record + 32)
      start = try file.number(UInt64.self, record + 48)
    }
    // An entry has at least 46 bytes, so that a hostile count cannot make the loop long.
    guard start <= UInt64(count), entries <= (UInt64(count) - start) / 46 else {
      throw .badDirectory("\(entries) entries at byte \(start) do not fit")
    }
    return (Int(entries), Int(start))
  }

  /// Numbers that do not fit 32 bits stand in the extra field 1, in this order, only those that do not fit.
  private static func extend(
    _ size: inout UInt64, _ offset: inout UInt64, hasFullSize: Bool, extra: UnsafeRawBufferPointer
  ) throws(NpzError) {
    guard size == UInt64(UInt32.max) || offset == UInt64(UInt32.max) else { return }
    let fields = ZipBytes(bytes: extra)
    var position = 0
    while position + 4 <= extra.count {
      let (id, length) = (try fields.number(UInt16.self, position), Int(try fields.number(UInt16.self, position + 2)))
      position += 4
      if id == 1 {
        if hasFullSize { position += 8 }
        if size == UInt64(UInt32.max) {
          size = try fields.number(UInt64.self, position)
          position += 8
        }
        if offset == UInt64(UInt32.max) { offset = try fields.number(UInt64.self, position) }
        return
      }
      position += length
    }
    throw .badDirectory("a 64-bit size is missing")
  }
}

/// Bytes whose bounds are checked.
private struct ZipBytes {
  let bytes: UnsafeRawBufferPointer

  func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type, _ position: Int) throws(NpzError) -> Number {
    guard position >= 0, position <= bytes.count, bytes.count - position >= MemoryLayout<Number>.size else { throw .truncated }
    return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
  }

  func slice(_ position: Int, _ count: Int) throws(NpzError) -> UnsafeRawBufferPointer {
    guard position >= 0, position <= bytes.count, bytes.count - position >= count else { throw .truncated }
    return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
  }
}

/// The checksum of zip files. Source: ISO 3309, reflected polynomial 0xEDB88320; eight bytes at a time.
enum CRC32 {
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
      tables[index] = value
    }
    for index in 256..<tables.count {
      let previous = tables[index - 256]
      tables[index] = tables[Int(previous & 0xFF)] ^ (previous >> 8)
    }
    return tables
  }()

  static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      var value: UInt32 = 0xFFFF_FFFF
      var position = 0
      while bytes.count - position >= 8 {
        let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)) ^ UInt64(value)
        value = 0
        for byte in 0..<8 { value ^= tables[(7 - byte) * 256 + Int(truncatingIfNeeded: word >> (8 * byte)) & 0xFF] }
        position += 8
      }
      while position < bytes.count {
        value = tables[Int((value ^ UInt32(bytes[position])) & 0xFF)] ^ (value >> 8)
        position += 1
      }
      return ~value
    }
  }
}
