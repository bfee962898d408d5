import FXCore
import FXOnnx
import FXTrace
import Foundation
import Testing

/// `fx quantize` and `fx diff` on the shipped digits.
@Suite struct QuantizeCommandTests {
  static let digits = ReadmeTests.root.appendingPathComponent("Models/digits").path
  static let model = "\(digits)/model.onnx"

  /// A folder that is removed after the test, with the digits' images as samples: one file with many rows.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-quantize-\(UUID())").path
    try FileManager.default.createDirectory(atPath: "\(folder)/samples", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let images = try Npy.read("\(Self.digits)/images.npy")
    let some = try images.elements(Float.self).prefix(64 * 64)
    try Npy.write(Tensor([64, 1, 8, 8], Array(some)), to: "\(folder)/samples/input_0.npy")
    try body(folder)
  }

  @Test func staticModelAndReport() throws {
    try withFolder { folder in
      let run = try Command.fx([
        "quantize", Self.model, "--calibration", "\(folder)/samples", "-o", "\(folder)/q.onnx", "--report",
      ])
      #expect(run.status == 0)
      #expect(run.output.contains("own dB") && run.output.contains("nodes quantized"))
      let graph = try OnnxImporter().graph(path: "\(folder)/q.onnx")
      #expect(!graph.nodes(calling: .quantizeLinear).isEmpty)
      let diff = try Command.fx([
        "diff", Self.model, "\(folder)/q.onnx", "--inputs", "\(folder)/samples", "--min-db", "20",
      ])
      #expect(diff.status == 0 && diff.output.contains("operator quantize_linear: 0 | "))
      #expect(diff.output.contains("largest loss at '"))
      let strict = try Command.fx([
        "diff", Self.model, "\(folder)/q.onnx", "--inputs", "\(folder)/samples", "--min-db", "200",
      ])
      #expect(strict.status == 1)
      let same = try Command.fx(["diff", Self.model, Self.model])
      #expect(same.status == 0 && same.output == "no difference\n")
      #expect(try Command.fx(["diff", Self.model, "\(folder)/q.onnx"]).status == 1)
    }
  }

  @Test(arguments: [
    ["--scheme", "dynamic", "--report"], ["--scheme", "weights-int4", "--report"],
    ["--scheme", "weights-int8", "--gptq", "--asymmetric"],
    ["--format", "qoperator", "--max-drop", "5"], ["--keep-below", "30"],
    ["--activations", "i16", "--per-tensor", "--equalize", "--correct-bias", "--smooth", "0.5"],
  ])
  func schemes(options: [String]) throws {
    try withFolder { folder in
      let run = try Command.fx(
        ["quantize", Self.model, "--calibration", "\(folder)/samples", "-o", "\(folder)/q.fxt"] + options)
      #expect(run.status == 0, "\(run.output)")
      let diff = try Command.fx([
        "diff", Self.model, "\(folder)/q.fxt", "--inputs", "\(folder)/samples", "--min-db", "12",
      ])
      #expect(diff.status == 0, "\(diff.output)")
    }
  }

  /// Two graphs, the second with another function in its middle.
  @Test func diffTellsTheFirstDifference() throws {
    try withFolder { folder in
      func write(_ name: String, _ middle: String) throws -> String {
        let text = """
          fx 1
          graph @chain(%x: f32[4]) {
            %a = neg(%x)
            %b = \(middle)(%a)
            %c = sin(%b)
            %y = mul(%c, %a)
            return %y
          }
          """
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name).fxt"))
        return "\(folder)/\(name).fxt"
      }
      let (plain, other) = (try write("plain", "tanh"), try write("other", "sigmoid"))
      try FileManager.default.createDirectory(atPath: "\(folder)/x", withIntermediateDirectories: true)
      try Npy.write(Tensor([4], [0.5, -1, 2, 0.25] as [Float]), to: "\(folder)/x/input_0.npy")
      let differs = try Command.run(["diff", plain, other, "--inputs", "\(folder)/x"])
      #expect(differs.status == 1)
      #expect(differs.output.contains("first difference at 'b' (tanh): "), "\(differs.output)")
      #expect(differs.errors == "fx: output 'y' of \(plain) and \(other) differs\n")
      let same = try Command.run(["diff", plain, plain, "--inputs", "\(folder)/x"])
      #expect(same.status == 0 && same.output == "output y: inf dB\n")
      // Structure is one question, numbers are another.
      let longer = try write("longer", "tanh(%a)\n  %spare = neg")
      #expect(try Command.fx(["diff", plain, longer]).status == 1)
    }
  }

  @Test func wrongUse() throws {
    #expect(try Command.fx(["quantize", Self.model, "-o", "x.onnx"]).status == 2)
    #expect(try Command.fx(["quantize", Self.model, "--calibration", "nowhere", "-o", "x.onnx"]).status == 3)
    #expect(try Command.fx(["quantize", Self.model, "--calibration", ".", "-o", "x.onnx", "--activations", "f32"]).status == 2)
  }
}
