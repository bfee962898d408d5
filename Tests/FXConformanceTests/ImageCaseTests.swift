import FXCore
import FXTestSupport
import Foundation
import Testing

@testable import FXRuntime

/// Images in all encodings beside their pixels by Pillow, which `scripts/make-image-cases.py` wrote.
@Suite struct ImageCaseTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Cases/images")
  static let names = ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? [])
    .filter { !$0.hasSuffix(".rgb") }.sorted()

  private func bytes(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: Self.root.appendingPathComponent(name))) }

  private func decoded(_ bytes: [UInt8], pixelLimit: Int = DecodedImage.pixelLimit) throws -> DecodedImage? {
    try bytes.withUnsafeBytes { try DecodedImage.decode($0, pixelLimit: pixelLimit) }
  }

  @Test func casesAreThere() { #expect(Self.names.count > 40) }

  @Test(arguments: names) func pixelsArePillows(_ name: String) throws {
    let expected = try bytes((name as NSString).deletingPathExtension + ".rgb")
    let image = try #require(try decoded(bytes(name)))
    let size = expected.withUnsafeBytes { bytes in
      [0, 4].map { Int(bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self)) }
    }
    #expect([image.width, image.height] == size)
    // libjpeg-turbo and libwebp have exact rules for rounding; versions of other libraries may be one apart.
    let difference = zip(image.pixels, expected.dropFirst(8)).map { abs(Int($0) - Int($1)) }.max() ?? 0
    #expect(difference <= (name.hasPrefix("jpeg2000_lossy") ? 1 : 0))
  }

  /// Damage of every kind gives an image or none, and never one of more pixels than allowed.
  @Test(arguments: names) func damagedImagesAreNoTrouble(_ name: String) throws {
    let original = try bytes(name)
    var random = RandomSource(seed: 11)
    for turn in 0..<150 {
      var copy = original
      if turn % 4 == 0 { copy.removeLast(random.below(copy.count)) }
      for _ in 0..<1 + random.below(4) where !copy.isEmpty {
        let place = random.below(turn % 2 == 0 ? min(copy.count, 64) : copy.count)
        copy[place] = turn % 3 == 0 ? 0xFF : UInt8(random.below(256))
      }
      do {
        if let image = try decoded(copy, pixelLimit: 1 << 16) {
          #expect(image.width * image.height <= 1 << 16)
          #expect(image.pixels.count == image.width * image.height * 3)
        }
      } catch let error as ImageError {
        guard case .tooLarge = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  /// Up to where the pixels end there is nothing to be read; what follows them may be left out in some formats.
  @Test(arguments: names) func halfAnImageIsNone(_ name: String) throws {
    let original = try bytes(name)
    // Runs may end anywhere, and bytes behind the last pixel of a small JPEG 2000 stream do not count.
    #expect(try decoded(Array(original.prefix(original.count / 2))) == nil)
  }

  @Test(arguments: names) func sizesAreCheckedFirst(_ name: String) throws {
    let error = #expect(throws: ImageError.self) { try decoded(bytes(name), pixelLimit: 1) }
    guard case .tooLarge(_, _, _, limit: 1) = try #require(error) else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func whatCannotBeDecodedIsEmpty() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.uint8, ["n"]))
    for format in ["RGB", "BGR", "Grayscale"] {
      try graph.addOutput(try graph.call(.imageDecoder, [.value(x)], attributes: ["pixel_format": .string(format)]))
    }
    let noise = Tensor(vector: [UInt8]("no image".utf8))
    let shapes = try CPUBackend().run(graph, noise).map(\.shape)
    #expect(shapes == [[0, 0, 3], [0, 0, 3], [0, 0, 1]])
    let red = Tensor(vector: [UInt8]("P3 1 1 255 200 100 50".utf8))
    let pixels = try CPUBackend().run(graph, red).map { try $0.numbers().doubles }
    #expect(pixels == [[200, 100, 50], [50, 100, 200], [124]])
  }

  @Test func errorsNameFormatAndLibrary() {
    #expect(
      ImageError.missingLibrary(.webp, library: "libwebp.so.7").description
        == "WebP images need the library libwebp.so.7, which is not installed")
    #expect(
      ImageError.tooLarge(.png, width: 3, height: 4, limit: 5).description
        == "the PNG image has 3 × 4 pixels, more than the limit of 5")
  }
}
