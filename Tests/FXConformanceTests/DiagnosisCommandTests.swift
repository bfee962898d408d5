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

  /// A command is run as often as was said, the whole model included, and the smallest part found so far is given.
  @Test(arguments: [1, 6]) func reducesWithinTheBudget(budget: Int) throws {
    try CommandUseTests.withFolder { folder in
      let command = "echo >>\(folder)/count; ! grep -q relu {model}"
      let (output, status) = try Command.fx(
        ["reduce", Self.model, "--command", command, "-o", "\(folder)/small.json", "--budget", "\(budget)"])
      let nodes = try #require(output.firstMatch(of: /15 → ([0-9]+) nodes:/)?.1)
      #expect(status == 0 && (budget == 1) == (nodes == "15"), "\(output)")
      let count = try String(contentsOfFile: "\(folder)/count", encoding: .utf8).count
      #expect(count == budget)
      // The format is that of the extension.
      #expect(try String(contentsOfFile: "\(folder)/small.json", encoding: .utf8).hasPrefix("{"))
    }
  }

  @Test func reducesWithinSeconds() throws {
    try CommandUseTests.withFolder { folder in
      // The first run ends at once, those of candidates would not.
      let command = "test -e \(folder)/again && sleep 600; touch \(folder)/again; exit 3"
      let start = ContinuousClock.now
      let (output, status) = try Command.fx(
        ["reduce", Self.model, "--command", command, "-o", "\(folder)/small.fxt", "--seconds", "2"])
      #expect(status == 0 && output.hasPrefix("15 → 15 nodes"), "\(output)")
      #expect(ContinuousClock.now - start < .seconds(60))
    }
  }

  /// No pass makes inputs and parameters: it is said who uses them.
  @Test func explainsInputsAndParameters() throws {
    let input = try Command.fx(["why", Self.model, "images"])
    #expect(input.status == 0)
    #expect(
      input.output == """
        'images' is an input of the model, f32[batch, 1, 8, 8]: used by scale_pixels (div)
        optimized: used by scale_pixels (div)

        """)
    let parameter = try Command.fx(["why", Self.model, "norm1.scale"]).output
    #expect(parameter.contains("used by norm1 (batch_normalization)\noptimized: gone: folded into what used it"))
  }
}
