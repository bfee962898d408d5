import DigitReader
import FXCore
import FXTrace
import Foundation
import Testing

@Suite struct DigitReaderTests {
  static let digits = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../Models/digits").standardized.path

  /// A portable graymap of one of the shipped images, each pixel `scale` wide and high.
  static func file(_ image: ArraySlice<Float>, scale: Int = 1) -> [UInt8] {
    let pixels = image.map { UInt8(($0 * 255 / 16).rounded()) }
    let rows = (0..<8 * scale).flatMap { y in (0..<8 * scale).map { x in pixels[y / scale * 8 + x / scale] } }
    return Array("P5 \(8 * scale) \(8 * scale) 255\n".utf8) + rows
  }

  /// As files, the shipped images are read as well as the model reads them, larger ones too.
  @Test(arguments: [1, 4]) func images(scale: Int) throws {
    let reader = try DigitReader(model: "\(Self.digits)/model.onnx")
    let images = try Npy.read("\(Self.digits)/images.npy").elements(Float.self)
    let labels = try Npy.read("\(Self.digits)/labels.npy").converted(to: .int64).elements(Int64.self)
    let right = try labels.indices.count { index in
      try reader.read(Self.file(images[index * 64..<index * 64 + 64], scale: scale)).digit == Int(labels[index])
    }
    #expect(Double(right) >= 0.98 * Double(labels.count), "\(right) of \(labels.count)")
  }

  @Test(arguments: ["", "P5 8 8 255\n", "no image", "P5 100000 100000 255\n1234"]) func whatIsNoImage(file: String) throws {
    let reader = try DigitReader(model: "\(Self.digits)/model.onnx")
    #expect(throws: ExecutionError.self) { try reader.read(Array(file.utf8)) }
  }
}

@Suite struct GateTests {
  /// Never more at once than may, nobody is forgotten, and who comes when the queue is full is turned away.
  @Test func limits() async throws {
    let gate = Gate(width: 2, queueLimit: 3)
    let most = Peak()
    let served = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<40 {
        group.addTask {
          do {
            try await gate.pass { most.during { Thread.sleep(forTimeInterval: 0.01) } }
            return true
          } catch { return false }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(served >= 5)
    #expect(most.highest <= 2)
    #expect(await gate.count == Gate.Count(working: 0, waiting: 0, served: served))
  }

  @Test func errorsLeaveTheGateOpen() async throws {
    let gate = Gate(width: 1, queueLimit: 0)
    for _ in 0..<3 { await #expect(throws: CancellationError.self) { try await gate.pass { throw CancellationError() } } }
    #expect(try await gate.pass { 7 } == 7)
  }
}

/// The greatest number of pieces of work under way together.
final class Peak: @unchecked Sendable {
  private let lock = NSLock()
  private var now = 0
  private(set) var highest = 0

  func during(_ work: () -> Void) {
    lock.withLock {
      now += 1
      highest = max(highest, now)
    }
    work()
    lock.withLock { now -= 1 }
  }
}
