import Foundation
import Testing

/// What `fx optimize` and `fx why` tell of the shipped model.
@Suite struct OptimizeCommandTests {
  private static let model = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Models/digits/model.onnx").path

  @Test func reportsExplainsAndDumps() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-dump-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let (output, status) = try Command.fx(
      ["optimize", Self.model, "--level", "aggressive", "--validate", "--report", "--explain", "--dump", folder])
    #expect(status == 0)
    #expect(output.contains("1. shape-inference") && output.contains("operation-fusion"))
    #expect(output.contains("left alone") && output.contains("outputs equal after every pass"))
    let files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    #expect(files.first == "000-input.fxt" && files.contains("001-shape-inference.fxt"))
    let last = try String(contentsOfFile: "\(folder)/\(files.last ?? "")", encoding: .utf8)
    #expect(last.contains("fused_conv("))
  }

  @Test func explainsNodes() throws {
    let listing = try Command.fx(["inspect", Self.model, "--text"]).output
    let relu = try #require(listing.firstMatch(of: /%"?([^":\s]+)"?: f32\[[^=]*\] = relu\(/)?.1)
    let (output, status) = try Command.fx(["why", Self.model, String(relu)])
    #expect(status == 0)
    #expect(output.contains("operation-fusion") && output.contains("(relu"))
    #expect(try Command.fx(["why", Self.model, "nothing is called so"]).status == 3)
  }

  @Test func asksForSomethingToDo() throws {
    #expect(try Command.fx(["optimize", Self.model]).status == 2)
    #expect(try Command.fx(["optimize", Self.model, "--report", "--inputs", "/tmp"]).status == 2)
  }
}
