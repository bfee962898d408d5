internal import CImageShim
import FXCore

/// A decoded image: rows of pixels of red, green and blue.
struct DecodedImage: Equatable {
  let width: Int
  let height: Int
  var pixels: [UInt8]
}

/// The encodings of images that can be read.
public enum ImageFormat: String, Sendable, CaseIterable {
  /// Windows bitmaps; decoded without a library.
  case bmp = "BMP"
  /// By libjpeg-turbo.
  case jpeg = "JPEG"
  /// Files and bare code streams, by OpenJPEG.
  case jpeg2000 = "JPEG 2000"
  /// By libpng.
  case png = "PNG"
  /// Netpbm's `P1` to `P6`; decoded without a library.
  case pnm = "PNM"
  /// TIFF and BigTIFF in both byte orders, by libtiff.
  case tiff = "TIFF"
  /// By libwebp.
  case webp = "WebP"

  /// The format that the first bytes tell.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func starts(_ signature: [UInt8], at offset: Int = 0) -> Bool {
      bytes.count >= offset + signature.count && signature.indices.allSatisfy { bytes[offset + $0] == signature[$0] }
    }
    if starts([0xFF, 0xD8, 0xFF]) {
      self = .jpeg
    } else if starts([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
      self = .png
    } else if starts(Array("RIFF".utf8)), starts(Array("WEBP".utf8), at: 8) {
      self = .webp
    } else if starts([0x49, 0x49, 0x2A, 0]) || starts([0x4D, 0x4D, 0, 0x2A]) || starts([0x49, 0x49, 0x2B, 0])
      || starts([0x4D, 0x4D, 0, 0x2B])
    {
      self = .tiff
    } else if starts(Array("jP  ".utf8), at: 4) || starts([0xFF, 0x4F, 0xFF, 0x51]) {
      self = .jpeg2000
    } else if starts(Array("BM".utf8)) {
      self = .bmp
    } else if bytes.count > 2, bytes[0] == 0x50, (0x31...0x36).contains(bytes[1]) {
      self = .pnm
    } else {
      return nil
    }
  }

  /// The format by its number in the library shim; `nil` for those that need none.
  fileprivate var code: fximage_format? {
    switch self {
    case .bmp, .pnm: nil
    case .jpeg: FXIMAGE_JPEG
    case .jpeg2000: FXIMAGE_JPEG2000
    case .png: FXIMAGE_PNG
    case .tiff: FXIMAGE_TIFF
    case .webp: FXIMAGE_WEBP
    }
  }
}

/// Why an image cannot be decoded here, though it may be a good one.
public enum ImageError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The system's library for the format is not installed.
  case missingLibrary(ImageFormat, library: String)
  /// The headers of the format's library were not there when this package was built.
  case notBuilt(ImageFormat, library: String)
  /// The image declares more pixels than `limit`, 2²⁷, from which memory for them is not even asked for.
  case tooLarge(ImageFormat, width: Int, height: Int, limit: Int)
  /// Memory for the pixels could not be had.
  case outOfMemory(ImageFormat)

  public var description: String {
    switch self {
    case .missingLibrary(let format, let library): "\(format.rawValue) images need the library \(library), which is not installed"
    case .notBuilt(let format, let library):
      "\(format.rawValue) images need the library \(library), whose headers were missing when this package was built"
    case .tooLarge(let format, let width, let height, let limit):
      "the \(format.rawValue) image has \(width) × \(height) pixels, more than the limit of \(limit)"
    case .outOfMemory(let format): "there is no memory for the \(format.rawValue) image"
    }
  }
}

extension DecodedImage {
  /// The pixels that an image may declare to have: 384 MiB.
  static let pixelLimit = 1 << 27

  /// The image in `bytes`; `nil` if they are in no known format, damaged, or end early.
  /// - Throws: `ImageError`.
  static func decode(_ bytes: UnsafeRawBufferPointer, pixelLimit: Int = pixelLimit) throws(ImageError) -> DecodedImage? {
    guard let format = ImageFormat(bytes) else { return nil }
    switch format {
    case .bmp: return try BitmapImage(bytes)?.decoded(pixelLimit: pixelLimit)
    case .pnm: return try PortableImage(bytes)?.decoded(pixelLimit: pixelLimit)
    default: return try decode(bytes, format, pixelLimit: pixelLimit)
    }
  }

  /// By the format's library.
  private static func decode(
    _ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, pixelLimit: Int
  ) throws(ImageError) -> DecodedImage? {
    guard let code = format.code else { return nil }
    let library = String(cString: fximage_library(code))
    var image = fximage()
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    switch fximage_decode(code, start, bytes.count, max(pixelLimit, 0), &image) {
    case FXIMAGE_OK: break
    case FXIMAGE_NOT_BUILT: throw .notBuilt(format, library: library)
    case FXIMAGE_NO_LIBRARY: throw .missingLibrary(format, library: library)
    case FXIMAGE_TOO_LARGE:
      throw .tooLarge(format, width: Int(image.width), height: Int(image.height), limit: pixelLimit)
    case FXIMAGE_OUT_OF_MEMORY: throw .outOfMemory(format)
    default: return nil
    }
    defer { fximage_free(&image) }
    let count = Int(image.width) * Int(image.height) * 3
    return DecodedImage(
      width: Int(image.width), height: Int(image.height),
      pixels: Array(UnsafeBufferPointer(start: image.pixels, count: count)))
  }

  /// Black pixels.
  /// - Throws: `ImageError.tooLarge`.
  init(_ format: ImageFormat, width: Int, height: Int, pixelLimit: Int) throws(ImageError) {
    guard width <= pixelLimit / max(height, 1) else {
      throw .tooLarge(format, width: width, height: height, limit: pixelLimit)
    }
    self.init(width: width, height: height, pixels: Array(repeating: 0, count: width * height * 3))
  }

  mutating func set(_ pixel: Int, _ red: UInt8, _ green: UInt8, _ blue: UInt8) {
    pixels[3 * pixel] = red
    pixels[3 * pixel + 1] = green
    pixels[3 * pixel + 2] = blue
  }
}
