import FXTestSupport
import Foundation
import Testing

@testable import FXCore

@Suite struct BinaryFormatTests {
  private static func example() throws -> Graph {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [1000]))
    let weight = try Tensor([1000], (0..<1000).map { Float($0) })
    let a = try graph.addParameter("a", weight)
    let b = try graph.addParameter("b", weight.reshaped([10, 100]))
    let c = try graph.addParameter("c", Tensor([77], (0..<77).map { Int8($0) }))
    let y = try graph.call(.add, [.value(x), .parameter(a)])
    let z = try graph.call(.mul, [.value(y), .parameter(b)])
    try graph.addOutput(z)
    try graph.addOutput(.parameter(c))
    return graph
  }

  private static func withFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("fx-\(UUID().uuidString).fxb").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  /// The test vectors of the reference implementation.
  @Test(
    arguments: [
      ("", 0xEF46_DB37_51D8_E999), ("a", 0xD24E_C4F1_A98C_6E5B), ("abc", 0x44BC_2CF5_AD77_0999),
      ("Nobody inspects the spammish repetition", 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64)])
  func checksum(text: String, expected: UInt64) {
    #expect(Array(text.utf8).withUnsafeBytes { XXH64.hash($0) } == expected)
  }

  @Test func mapsWeights() throws {
    let graph = try BinaryFormatTests.example()
    try BinaryFormatTests.withFile { path in
      try graph.writeBinary(to: path)
      #expect(try Array(Data(contentsOf: URL(fileURLWithPath: path))) == graph.binary())
      let mapped = try Graph(mapping: path)
      #expect(mapped == graph)
      for id in mapped.parameterIDs {
        let tensor = try #require(try mapped[id].tensor)
        #expect(tensor.isBorrowed)
        #expect(tensor.withUnsafeBytes { Int(bitPattern: $0.baseAddress) % 64 } == 0)
      }
      try Graph.verifyWeights(ofBinary: path)
      // Writing over a file whose weights are mapped leaves the old ones where they are.
      try mapped.writeBinary(to: path)
      #expect(try Graph(mapping: path, checkWeights: true) == mapped)
    }
  }

  @Test(arguments: [false, true]) func tiedWeightsAreWrittenOnce(isMapped: Bool) throws {
    let graph = try BinaryFormatTests.example()
    #expect(graph.binary().count < 5000)
    try BinaryFormatTests.withFile { path in
      try graph.writeBinary(to: path)
      let copy = isMapped ? try Graph(mapping: path) : try Graph(binary: graph.binary())
      let ids = copy.parameterIDs
      let (a, b) = try (#require(copy[ids[0]].tensor), #require(copy[ids[1]].tensor))
      #expect(a.sharesStorage(with: b))
      #expect(b.shape == [10, 100])
    }
  }

  @Test func damageIsNamed() throws {
    let bytes = try BinaryFormatTests.example().binary()
    func error(_ change: (inout [UInt8]) -> Void) -> String? {
      var damaged = bytes
      change(&damaged)
      do throws(FormatError) {
        _ = try Graph(binary: damaged)
        return nil
      } catch {
        return error.description
      }
    }
    #expect(error { $0[0] = 0 } == "binary graph: this is something else, it does not begin as such a graph does")
    #expect(error { $0[8] = 9 } == "binary graph: this is version 9; versions up to 1 can be read")
    #expect(error { $0[8] = 0 } == "binary graph: there is no version 0")
    #expect(
      error { $0[20] ^= 1 }
        == "binary graph: the header's bytes do not have the checksum that was stored with them: the file was damaged")
    #expect(
      error { $0[70] ^= 1 }
        == "binary graph: the structure's bytes do not have the checksum that was stored with them: the file was damaged")
    #expect(error { $0[$0.count - 1] ^= 1 }?.contains("bytes of weight 1 do not have the checksum") == true)
    #expect(error { $0.removeLast() } == "binary graph: it ends too early: the file was cut or damaged")
    #expect(error { $0.append(0) } == "binary graph: more follows than it announces: the file was damaged")
    #expect(error { $0 = Array($0.prefix(30)) } == "binary graph: it ends too early: the file was cut or damaged")
    #expect(error { $0 = [] } == "binary graph: this is something else, it does not begin as such a graph does")
  }

  @Test func damagedWeightsAreFoundOnRequest() throws {
    try BinaryFormatTests.withFile { path in
      var bytes = try BinaryFormatTests.example().binary()
      bytes[bytes.count - 1] ^= 1
      try AtomicFile.write(bytes, to: path)
      _ = try Graph(mapping: path)
      #expect(throws: FormatError.self) { try Graph.verifyWeights(ofBinary: path) }
      #expect(throws: FormatError.self) { try Graph(mapping: path, checkWeights: true) }
    }
  }
}
