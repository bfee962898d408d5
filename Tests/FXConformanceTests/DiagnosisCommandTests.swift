import Foundation
import Testing

/// `fx reduce` and `fx doctor`.
@Suite struct DiagnosisCommandTests {
  private static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Models/digits/model.onnx").path

  @Test func doctorFindsTheKernelsSound() throws {
    let (output, status) = try Command.fx(["doctor", "--python", "/nowhere/python"])
    #expect(status == 0)
    #expect(output.contains("GFLOP/s") && output.contains("runs on the fast kernels as on the reference kernels"))
    #expect(output.contains("numpy") && output.contains("not found"))
  }

  /// A command that fails where there is a softmax: one call is left, and it runs on the inputs beside it.
  @Test func reducesToWhatFails() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-reduce-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let small = "\(folder)/small.fxt"
    let (output, status) = try Command.fx(
      ["reduce", Self.model, "--command", "! grep -q 'softmax(' {model}", "-o", small])
    #expect(status == 0, "\(output)")
    let text = try String(contentsOfFile: small, encoding: .utf8)
    #expect(text.contains("softmax(") && !text.contains("conv("))
    #expect(try Command.fx(["run", small, "--inputs", "\(folder)/small-inputs", "--outputs", folder]).status == 0)
  }

  @Test func nothingToReduce() throws {
    let (_, status) = try Command.fx(["reduce", Self.model, "--command", "true", "-o", "/tmp/never.fxt"])
    #expect(status == 1)
    #expect(!FileManager.default.fileExists(atPath: "/tmp/never.fxt"))
  }
}
