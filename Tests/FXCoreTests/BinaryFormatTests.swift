import FXTestSupport
import Testing

@testable import FXCore

@Suite struct BinaryFormatTests {
  @Test(arguments: 0..<8) func readsBackWhatItWrites(batch: Int) throws {
    for seed in batch * 250..<(batch + 1) * 250 {
      var random = RandomGraph(seed: UInt64(seed))
      let graph = try random.make()
      let copy = try Graph(binary: graph.binary(), operators: RandomGraph.operators)
      guard copy == graph, copy.text() == graph.text() else {
        Issue.record("seed \(seed) does not read back\n\(graph.text())\n\(copy.text())")
        return
      }
    }
  }

  /// The test vectors of the specification's reference implementation.
  @Test(
    arguments: [
      ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
      ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64)])
  func checksum(text: String, expected: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { XXH64.hash($0) } == expected)
  }
}
