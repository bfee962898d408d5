/// The parts of a binary file, with the header and the structure's checksum verified.
struct BinaryFile {
  struct Weight {
    let offset: Int
    let byteCount: Int
    let checksum: UInt64
  }
  private let bytes: UnsafeRawBufferPointer
  let weights: [Weight]
  /// Positioned behind the table of weights.
  let structure: BinaryReader

  /// - Parameter bytes: alive as long as the result is used.
  init(_ bytes: UnsafeRawBufferPointer) throws(FormatError) {
    self.bytes = bytes
    let magic = UnsafeRawBufferPointer(rebasing: bytes.prefix(BinaryFormat.magic.count))
    guard magic.elementsEqual(BinaryFormat.magic) else { throw FormatError(.binary, .notThisFormat) }
    guard bytes.count >= BinaryFormat.headerLength else { throw FormatError(.binary, .truncated) }
    var header = BinaryReader(bytes, BinaryFormat.magic.count..<BinaryFormat.headerLength)
    let version = try header.fixed32()
    guard version >= 1, version <= UInt32(BinaryFormat.version) else {
      throw FormatError(.binary, .version(found: Int(version), supported: BinaryFormat.version))
    }
    let flags = try header.fixed32()
    let structureCount = try header.fixed64()
    let weightCount = try header.fixed64()
    let structureHash = try header.fixed64()
    let reserved = (try header.fixed64(), try header.fixed64())
    let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<BinaryFormat.headerLength - 8])
    guard try header.fixed64() == XXH64.hash(covered) else { throw FormatError(.binary, .checksum("header's bytes")) }
    guard flags == 0, reserved == (0, 0) else { throw FormatError(.binary, .expected("zeros in the reserved fields")) }
    let rest = bytes.count - BinaryFormat.headerLength
    guard structureCount <= UInt64(rest) else { throw FormatError(.binary, .truncated) }
    let end = BinaryFormat.headerLength + Int(structureCount)
    let section = UnsafeRawBufferPointer(rebasing: bytes[BinaryFormat.headerLength..<end])
    guard XXH64.hash(section) == structureHash else { throw FormatError(.binary, .checksum("structure's bytes")) }

    var reader = BinaryReader(bytes, BinaryFormat.headerLength..<end)
    var weights: [Weight] = []
    var offset = end
    for _ in 0..<(try reader.count(size: 9)) {
      let byteCount = try reader.unsigned()
      let checksum = try reader.fixed64()
      offset = BinaryFormat.aligned(offset)
      guard offset <= bytes.count, byteCount <= UInt64(bytes.count - offset) else { throw FormatError(.binary, .truncated) }
      weights.append(Weight(offset: offset, byteCount: Int(byteCount), checksum: checksum))
      offset += Int(byteCount)
    }
    guard offset == bytes.count else { throw FormatError(.binary, .trailing) }
    let first = weights.first?.offset ?? offset
    guard weightCount == UInt64(offset - first) else {
      throw FormatError(.binary, .expected("the weights' length in the header"))
    }
    self.weights = weights
    structure = reader
  }

  func bytes(of weight: Weight) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[weight.offset..<weight.offset + weight.byteCount])
  }

  /// Reads all weights and compares their checksums. O(bytes).
  func checkWeights() throws(FormatError) {
    for (index, weight) in weights.enumerated() where XXH64.hash(bytes(of: weight)) != weight.checksum {
      throw FormatError(.binary, at: "byte \(weight.offset)", .checksum("bytes of weight \(index)"))
    }
  }
}
