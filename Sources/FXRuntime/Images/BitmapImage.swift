/// A Windows bitmap: rows of palette indices or of colours, from the bottom up, plain or in runs.
///
/// Source: Microsoft, `BITMAPINFOHEADER` and its successors; the OS/2 header of 12 bytes is read too.
struct BitmapImage {
  private let bytes: UnsafeRawBufferPointer
  private let width: Int
  private let height: Int
  private let isTopDown: Bool
  private let bitsPerPixel: Int
  private let compression: Int
  private let pixelOffset: Int
  private let paletteOffset: Int
  private let paletteCount: Int
  /// Bytes of an entry of the palette.
  private let paletteStep: Int
  /// The bits of red, green and blue in pixels of 16 and 32 bits.
  private let masks: [UInt32]

  private enum Compression {
    static let none = 0, runs8 = 1, runs4 = 2, masks = 3, masksWithAlpha = 6
  }

  /// `nil` if the headers are cut off or describe nothing that the format has.
  init?(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    guard bytes.count >= 26 else { return nil }
    func u16(_ at: Int) -> Int { Int(bytes[at]) | Int(bytes[at + 1]) << 8 }
    func u32(_ at: Int) -> UInt32 { UInt32(u16(at)) | UInt32(u16(at + 2)) << 16 }
    let headerSize = Int(u32(14))
    pixelOffset = Int(u32(10))
    if headerSize == 12 {
      (width, height, isTopDown) = (u16(18), u16(20), false)
      (bitsPerPixel, compression, paletteStep) = (u16(24), Compression.none, 3)
      paletteOffset = 26
      paletteCount = bitsPerPixel <= 8 ? 1 << bitsPerPixel : 0
      masks = []
    } else {
      guard headerSize >= 40, headerSize <= bytes.count - 14 else { return nil }
      let signedHeight = Int(Int32(bitPattern: u32(22)))
      (width, height, isTopDown) = (Int(Int32(bitPattern: u32(18))), abs(signedHeight), signedHeight < 0)
      (bitsPerPixel, compression, paletteStep) = (u16(28), Int(u32(30)), 4)
      let usesMasks = compression == Compression.masks || compression == Compression.masksWithAlpha
      // The masks are in the header from version 2 on, and behind it before.
      let extra = usesMasks && headerSize == 40 ? (compression == Compression.masks ? 12 : 16) : 0
      guard 14 + headerSize + extra <= bytes.count else { return nil }
      masks = usesMasks ? [u32(54), u32(58), u32(62)] : bitsPerPixel == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF]
      paletteOffset = 14 + headerSize + extra
      let used = Int(u32(46))
      paletteCount = bitsPerPixel <= 8 ? (used == 0 ? 1 << bitsPerPixel : min(used, 1 << bitsPerPixel)) : 0
    }
    guard width > 0, height > 0, [1, 2, 4, 8, 16, 24, 32].contains(bitsPerPixel), pixelOffset <= bytes.count,
      paletteOffset + paletteCount * paletteStep <= bytes.count
    else { return nil }
    switch compression {
    case Compression.none: break
    case Compression.runs8: if bitsPerPixel != 8 { return nil }
    case Compression.runs4: if bitsPerPixel != 4 { return nil }
    case Compression.masks, Compression.masksWithAlpha: if bitsPerPixel != 16, bitsPerPixel != 32 { return nil }
    default: return nil
    }
  }

  /// The image; `nil` if its rows are cut off.
  /// - Throws: `ImageError.tooLarge`.
  func decoded(pixelLimit: Int) throws(ImageError) -> DecodedImage? {
    guard width <= pixelLimit / height else {
      throw .tooLarge(.bmp, width: width, height: height, limit: pixelLimit)
    }
    let isRuns = compression == Compression.runs8 || compression == Compression.runs4
    let stride = (width * bitsPerPixel + 31) / 32 * 4
    // The last row may lack the bytes that fill it up.
    guard isRuns || stride * (height - 1) + (width * bitsPerPixel + 7) / 8 <= bytes.count - pixelOffset else { return nil }
    var image = try DecodedImage(.bmp, width: width, height: height, pixelLimit: pixelLimit)
    if isRuns { return decodeRuns(into: &image) ? image : nil }
    for row in 0..<height {
      let start = pixelOffset + row * stride
      let target = (isTopDown ? row : height - 1 - row) * width
      for column in 0..<width { setPixel(target + column, row: start, column, &image) }
    }
    return image
  }

  private func setPixel(_ pixel: Int, row: Int, _ column: Int, _ image: inout DecodedImage) {
    switch bitsPerPixel {
    case 24:
      let at = row + 3 * column
      image.set(pixel, bytes[at + 2], bytes[at + 1], bytes[at])
    case 16, 32:
      let size = bitsPerPixel / 8
      var value: UInt32 = 0
      for byte in 0..<size { value |= UInt32(bytes[row + size * column + byte]) << (8 * UInt32(byte)) }
      image.set(pixel, field(value, masks[0]), field(value, masks[1]), field(value, masks[2]))
    default:
      let perByte = 8 / bitsPerPixel
      let shift = 8 - bitsPerPixel * (column % perByte + 1)
      setIndex(pixel, Int(bytes[row + column / perByte]) >> shift & (1 << bitsPerPixel - 1), &image)
    }
  }

  /// The bits under the mask, scaled to 8.
  private func field(_ value: UInt32, _ mask: UInt32) -> UInt8 {
    guard mask != 0 else { return 0 }
    let shift = UInt32(mask.trailingZeroBitCount)
    let (bits, most) = (UInt64(value & mask) >> shift, UInt64(mask) >> shift)
    return UInt8(truncatingIfNeeded: bits * 255 / most)
  }

  /// Colours beyond the palette are black.
  private func setIndex(_ pixel: Int, _ index: Int, _ image: inout DecodedImage) {
    guard index < paletteCount else { return }
    let at = paletteOffset + index * paletteStep
    image.set(pixel, bytes[at + 2], bytes[at + 1], bytes[at])
  }

  /// Pairs of a count and an index, or 0 and what to do: end the row, end the image, move on, or that many indices as they are.
  private func decodeRuns(into image: inout DecodedImage) -> Bool {
    let isNibbles = compression == Compression.runs4
    var (at, row, column) = (pixelOffset, 0, 0)
    func put(_ index: Int) {
      if column < width, row < height { setIndex((isTopDown ? row : height - 1 - row) * width + column, index, &image) }
      column += 1
    }
    while at + 1 < bytes.count {
      let (count, value) = (Int(bytes[at]), Int(bytes[at + 1]))
      at += 2
      if count > 0 {
        for step in 0..<count { put(isNibbles ? (step % 2 == 0 ? value >> 4 : value & 15) : value) }
        continue
      }
      switch value {
      case 0: (row, column) = (row + 1, 0)
      case 1: return true
      case 2:
        guard at + 1 < bytes.count else { return false }
        (column, row) = (column + Int(bytes[at]), row + Int(bytes[at + 1]))
        at += 2
      default:
        let size = isNibbles ? (value + 1) / 2 : value
        guard at + size <= bytes.count else { return false }
        for step in 0..<value {
          let byte = Int(bytes[at + (isNibbles ? step / 2 : step)])
          put(isNibbles ? (step % 2 == 0 ? byte >> 4 : byte & 15) : byte)
        }
        // Such stretches are filled up to an even number of bytes.
        at += size + size % 2
      }
      if row >= height { return true }
    }
    return false
  }
}
