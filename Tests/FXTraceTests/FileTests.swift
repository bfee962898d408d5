import FXCore
import FXTrace
import Foundation
import Testing

@Suite struct FileTests {
  static func tensors() throws -> [String: Tensor] {
    [
      "layer.weight": try Tensor([2, 3], [1, 2, 3, 4, 5, 6] as [Float]), "ids": Tensor(vector: [7, 8, 9]),
      "flag": Tensor(true), "empty": try Tensor(zeros: .float32, [0, 4]),
      "half": try Tensor([3], [1, 0.5, -2] as [Float]).converted(to: .float16),
      "quote \" and ä": try Tensor(zeros: .int8, [5]),
    ]
  }

  @Test func safetensorsRoundTrip() throws {
    let tensors = try FileTests.tensors()
    let bytes = try Safetensors.encode(tensors, metadata: ["format": "pt", "line\n": "\u{1}"])
    let contents = try bytes.withUnsafeBytes { try Safetensors.decode($0) }
    #expect(contents.tensors == tensors)
    #expect(contents.metadata == ["format": "pt", "line\n": "\u{1}"])
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Safetensors.write(tensors, to: path)
    let read = try Safetensors.read(path)
    #expect(read == tensors)
    #expect(read["layer.weight"]?.isBorrowed == true)
    let complex = try Tensor(zeros: .complex128, [1])
    #expect(throws: SafetensorsError.unsupported("z", "c128")) { try Safetensors.encode(["z": complex]) }
  }

  /// Headers that lie, and what is said of them.
  @Test func hostileSafetensors() {
    func file(_ header: String, body: Int = 8, length: UInt64? = nil) -> [UInt8] {
      withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) } + Array(header.utf8)
        + Array(repeating: 0, count: body)
    }
    func entry(_ name: String, _ type: String, _ shape: String, _ start: Int, _ end: Int) -> String {
      "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }
    let cases: [([UInt8], SafetensorsError)] = [
      ([1, 2, 3], .truncated),
      (file("{}", length: .max), .headerLength(.max)),
      (file("{}", length: 99), .truncated),
      (file("{"), .header("'\"' expected at byte 1")),
      (file("[]"), .header("'{' expected at byte 0")),
      (file("{} x"), .header("there is text after its end, at byte 3")),
      (file("{\(entry("a", "F32", "[2]", 0, 8)),\(entry("a", "F32", "[2]", 0, 8))}"), .duplicateName("a")),
      (file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F64\"}}"), .duplicateName("a.dtype")),
      (file("{\(entry("a", "F32", "[2]", 0, 8)),\(entry("b", "F32", "[1]", 4, 8))}"), .overlap("a", "b")),
      (file("{\(entry("a", "F32", "[1]", 4, 8))}"), .gap(0, 4)),
      (file("{\(entry("a", "F32", "[1]", 0, 4))}"), .gap(4, 8)),
      (file("{\(entry("a", "F32", "[4]", 0, 16))}"), .range("a", 0, 16, bodyCount: 8)),
      (file("{\(entry("a", "F32", "[3]", 0, 8))}"), .size("a", shape: [3], type: .float32, bytes: 8)),
      (
        file("{\(entry("a", "F32", "[4294967296,4294967296,16]", 0, 8))}"),
        .size("a", shape: [4_294_967_296, 4_294_967_296, 16], type: .float32, bytes: 8)
      ),
      (file("{\(entry("a", "F32", "[99999999999999999999]", 0, 8))}"), .header("a number at byte 29 is too large")),
      (file("{\(entry("a", "F32", "[-2]", 0, 8))}"), .header("a list of sizes is wrong at byte 29")),
      (file("{\(entry("a", "F31", "[2]", 0, 8))}"), .unsupported("a", "F31")),
      (file("{\(entry("a", "F32", "[2]", 8, 0))}"), .header("the data_offsets of 'a' are no range")),
      (file("{\"a\":{\"dtype\":\"F32\"}}"), .header("'a' lacks dtype, shape or data_offsets")),
      (file("{\"a\":{\"type\":\"F32\"}}"), .header("'a' has a field 'type', which is not known")),
      (file("{\"\\uD800\":{}}"), .header("an escape is wrong at byte 8")),
      (file("{\"a"), .header("a string does not end")),
    ]
    for (bytes, expected) in cases {
      bytes.withUnsafeBytes { raw in
        let error = #expect(throws: SafetensorsError.self) { try Safetensors.decode(raw) }
        #expect(error == expected)
      }
    }
    #expect(
      SafetensorsError.overlap("a", "b").description == "tensors 'a' and 'b' overlap"
        && SafetensorsError.gap(0, 4).description == "bytes 0..<4 after the header belong to no tensor")
  }

  @Test func npzRoundTrip() throws {
    let tensors = try FileTests.tensors().filter { $0.key != "quote \" and ä" }
    let bytes = try Npz.encode(tensors)
    #expect(try bytes.withUnsafeBytes { try Npz.decode($0) } == tensors)
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Npz.write(tensors, to: path)
    let read = try Npz.read(path)
    #expect(read == tensors)
    #expect(read["layer.weight"]?.isBorrowed == true)
    var wrong = bytes
    let data = try #require(bytes.firstRange(of: Array("NUMPY".utf8)))
    wrong[data.lowerBound] ^= 1
    #expect(throws: NpzError.self) { try wrong.withUnsafeBytes { try Npz.decode($0) } }
    #expect(throws: NpzError.notZip) { try bytes.dropLast(30).withUnsafeBytes { try Npz.decode($0) } }
    let name = String(repeating: "n", count: 0xFFFF)
    #expect(throws: NpzError.tooLarge) { try Npz.encode([name: Tensor(true)]) }
    #expect(
      NpzError.tooLarge.description
        == "npz files of 4 GiB, of 65,535 tensors or with names of 64 KiB, and more, are not written: use safetensors")
    #expect(
      NpzError.compressed("w.npy").description
        == "'w.npy' is compressed: save with numpy.savez rather than numpy.savez_compressed")
  }

  /// What NumPy wrote, and NumPy reads what is written, where `FX_PYTHON` names an interpreter that has it.
  @Test(.enabled(if: ProcessInfo.processInfo.environment["FX_PYTHON"] != nil))
  func npzOfNumPy() throws {
    let python = try #require(ProcessInfo.processInfo.environment["FX_PYTHON"])
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try Npz.write(["w": Tensor([2, 2], [1, 2, 3, 4] as [Float])], to: "\(folder)/ours.npz")
    let script = """
      import numpy as np
      w = np.load("\(folder)/ours.npz")["w"]
      assert w.dtype == np.float32 and (w == [[1, 2], [3, 4]]).all()
      np.savez("\(folder)/theirs.npz", w=w * 2, i=np.arange(3))
      np.savez_compressed("\(folder)/compressed.npz", w=w)
      """
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = ["-c", script]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let theirs = try Npz.read("\(folder)/theirs.npz")
    #expect(try theirs["w"]?.elements(Float.self) == [2, 4, 6, 8])
    #expect(try theirs["i"]?.elements(Int64.self) == [0, 1, 2])
    #expect(throws: NpzError.compressed("w.npy")) { try Npz.read("\(folder)/compressed.npz") }
  }

  /// Bytes changed at random: an error or other tensors, never a crash.
  @Test func damagedFiles() throws {
    var generator = RandomGenerator(seed: 5)
    let tensors = try FileTests.tensors()
    let npz = try Npz.encode(["a": Tensor(vector: [1, 2, 3]), "b": Tensor(Float(4))])
    for original in [try Safetensors.encode(tensors), npz] {
      for _ in 0..<2000 {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
          bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
        }
        if Bool.random(using: &generator) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator)) }
        bytes.withUnsafeBytes { raw in
          _ = try? Safetensors.decode(raw)
          _ = try? Npz.decode(raw)
        }
      }
    }
  }
}
