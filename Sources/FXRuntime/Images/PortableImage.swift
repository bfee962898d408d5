/// An image of the portable formats: `P1` to `P6`, bits, grey values or colours as text or as bytes.
///
/// Source: Netpbm, `pbm(5)`, `pgm(5)` and `ppm(5)`.
struct PortableImage {
  private let bytes: UnsafeRawBufferPointer
  private let kind: UInt8
  private let width: Int
  private let height: Int
  private let largest: Int
  /// Where the samples begin.
  private let start: Int

  private var hasBits: Bool { kind == 1 || kind == 4 }
  private var channels: Int { kind == 3 || kind == 6 ? 3 : 1 }
  private var isText: Bool { kind <= 3 }

  /// `nil` if the header is cut off or no header.
  init?(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    guard bytes.count > 2, bytes[0] == 0x50, (0x31...0x36).contains(bytes[1]) else { return nil }
    kind = bytes[1] - 0x30
    var at = 2
    guard let width = PortableImage.number(bytes, &at), let height = PortableImage.number(bytes, &at) else { return nil }
    (self.width, self.height) = (width, height)
    if kind == 1 || kind == 4 {
      largest = 1
    } else {
      guard let largest = PortableImage.number(bytes, &at), (1...65535).contains(largest) else { return nil }
      self.largest = largest
    }
    guard width > 0, height > 0 else { return nil }
    // One white space ends the header.
    start = at + 1
  }

  /// The next decimal number, after white space and comments; `nil` if there is none, or one above 2³¹.
  private static func number(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> Int? {
    while at < bytes.count, isSpace(bytes[at]) || bytes[at] == 0x23 {
      if bytes[at] == 0x23 {
        while at < bytes.count, bytes[at] != 0x0A, bytes[at] != 0x0D { at += 1 }
      } else {
        at += 1
      }
    }
    let first = at
    var value = 0
    while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
      value = value * 10 + Int(bytes[at] - 0x30)
      if value > Int(Int32.max) { return nil }
      at += 1
    }
    return at > first ? value : nil
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

  /// The image; `nil` if its samples are cut off or out of range.
  /// - Throws: `ImageError.tooLarge`.
  func decoded(pixelLimit: Int) throws(ImageError) -> DecodedImage? {
    guard width <= pixelLimit / height else {
      throw .tooLarge(.pnm, width: width, height: height, limit: pixelLimit)
    }
    let sampleSize = largest > 255 ? 2 : 1
    let rowSize = kind == 4 ? (width + 7) / 8 : width * channels * sampleSize
    // Text has a character for each sample at least.
    let needed = isText ? width * height * channels : rowSize * height
    guard start <= bytes.count, needed <= bytes.count - start else { return nil }
    var image = try DecodedImage(.pnm, width: width, height: height, pixelLimit: pixelLimit)
    var at = start
    for pixel in 0..<width * height {
      for channel in 0..<channels {
        let value: Int
        if kind == 4 {
          let byte = bytes[start + pixel / width * rowSize + pixel % width / 8]
          value = Int(byte) >> (7 - pixel % width % 8) & 1
        } else if isText {
          guard let number = kind == 1 ? nextBit(&at) : PortableImage.number(bytes, &at) else { return nil }
          value = number
        } else {
          value = sampleSize == 2 ? Int(bytes[at]) << 8 | Int(bytes[at + 1]) : Int(bytes[at])
          at += sampleSize
        }
        guard value <= largest else { return nil }
        // A bit that is set is black.
        image.pixels[3 * pixel + channel] = hasBits ? (value == 0 ? 255 : 0) : UInt8((value * 255 + largest / 2) / largest)
      }
      if channels == 1 {
        let grey = image.pixels[3 * pixel]
        image.set(pixel, grey, grey, grey)
      }
    }
    return image
  }

  /// Bits as text need no space between them.
  private func nextBit(_ at: inout Int) -> Int? {
    while at < bytes.count, PortableImage.isSpace(bytes[at]) { at += 1 }
    guard at < bytes.count, bytes[at] == 0x30 || bytes[at] == 0x31 else { return nil }
    defer { at += 1 }
    return Int(bytes[at] - 0x30)
  }
}
