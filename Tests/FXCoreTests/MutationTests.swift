import FXTestSupport
import Foundation
import Testing

@testable import FXCore

/// Damaged and hostile files give an error or a sound graph; nothing traps, hangs or allocates what it was told to.
///
/// `FX_MUTATIONS=100000` makes more of them than the ordinary run.
@Suite struct MutationTests {
  private static let count = ProcessInfo.processInfo.environment["FX_MUTATIONS"].flatMap(Int.init) ?? 20_000

  /// What a mutation writes over or between the bytes of a file.
  private static let fragments = [
    "%x", "@p", "{", "}", "(", ")", "[", "]", "<", ">", "=", ":", ",", "\"", "\\u{", "return", "region() {", "none", "…",
    "9999999999999999999", "-1", "0x", "1e999", "nan(0x", "f32[", "seq<seq<seq<", "base64 \"", "shared @", "min(min(",
    "null", "true", "\"regions\":[0]", "\"id\":0", "\u{0}", "\u{FF}", "\u{FEFF}",
  ].map { Array($0.utf8) }

  private static func mutate(_ bytes: [UInt8], _ random: inout RandomSource) -> [UInt8] {
    var bytes = bytes
    for _ in 0...random.below(3) {
      guard !bytes.isEmpty else { return bytes }
      let position = random.below(bytes.count)
      switch random.below(7) {
      case 0: bytes[position] ^= 1 << UInt8(random.below(8))
      case 1: bytes[position] = UInt8(truncatingIfNeeded: random.next())
      case 2: bytes.removeSubrange(position..<min(bytes.count, position + 1 + random.below(8)))
      case 3: bytes.insert(contentsOf: random.pick(fragments), at: position)
      case 4: bytes.removeLast(random.below(bytes.count))
      case 5:
        let end = min(bytes.count, position + random.below(40))
        bytes.insert(contentsOf: bytes[position..<end], at: random.below(bytes.count))
      default:
        for offset in position..<min(bytes.count, position + 9) { bytes[offset] = random.oneIn(2) ? 0xFF : 0x7F }
      }
    }
    return bytes
  }

  /// Makes the checksums of a mutated binary file right again, so that what they protect is reached.
  private static func seal(_ bytes: [UInt8], structureCount: Int) -> [UInt8] {
    guard bytes.count > BinaryFormat.headerLength else { return bytes }
    var bytes = bytes
    func write(_ value: UInt64, at offset: Int) {
      for index in 0..<8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }
    let structure = bytes[BinaryFormat.headerLength..<min(bytes.count, BinaryFormat.headerLength + structureCount)]
    write(UInt64(structure.count), at: 16)
    write(Array(structure).withUnsafeBytes { XXH64.hash($0) }, at: 32)
    write(Array(bytes[0..<56]).withUnsafeBytes { XXH64.hash($0) }, at: 56)
    return bytes
  }

  @Test(arguments: GraphFormat.allCases) func damagedFiles(format: GraphFormat) throws {
    var random = RandomSource(seed: 7)
    var survivors = 0
    // JSON goes through Foundation and is slower; its structure is checked by the same code as the others'.
    for round in 0..<MutationTests.count / (format == .json ? 4 : 2) / 100 {
      var source = RandomGraph(seed: UInt64(round), size: 3)
      let graph = try source.make()
      let bytes: [UInt8] =
        switch format {
        case .text: Array(graph.text().utf8)
        case .binary: graph.binary()
        case .json: Array(try graph.json().utf8)
        }
      for _ in 0..<100 {
        let mutated = MutationTests.mutate(bytes, &random)
        let copy: Graph?
        switch format {
        case .text: copy = try? Graph(text: String(decoding: mutated, as: UTF8.self), operators: RandomGraph.operators)
        case .json: copy = try? Graph(json: String(decoding: mutated, as: UTF8.self), operators: RandomGraph.operators)
        case .binary:
          let length = mutated.count - (bytes.count - BinaryFormat.headerLength - Int(bytes[16]) - Int(bytes[17]) << 8) - 64
          let sealed = MutationTests.seal(mutated, structureCount: random.oneIn(4) ? mutated.count : max(0, length))
          copy = try? Graph(binary: sealed, operators: RandomGraph.operators, checkWeights: false)
        }
        guard let copy else { continue }
        survivors += 1
        let again = try Graph(binary: copy.binary(), operators: RandomGraph.operators)
        if copy.brokenInvariants != [] || again != copy {
          Issue.record("round \(round): \(copy.brokenInvariants)\n\(String(decoding: mutated, as: UTF8.self))")
          return
        }
      }
    }
    // A mutation that is always refused would test the first check only.
    #expect(survivors > 0)
  }
}
