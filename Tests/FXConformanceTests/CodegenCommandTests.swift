import Foundation
import Testing

/// `fx codegen` on the shipped digits: what is written, what is verified, and the exit status.
@Suite struct CodegenCommandTests {
  private static let model = CommandUseTests.model

  private static func files(_ folder: String) throws -> [String] {
    (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter { $0.contains(".") }.sorted()
  }

  /// The program is where it was asked for, and nothing of the verification is.
  @Test func verifiesAndWrites() throws {
    try CommandUseTests.withFolder { folder in
      let (output, errors, status) = try Command.run([
        "codegen", Self.model, "--target", "std_cpp", "--size", "batch=2", "-o", "\(folder)/p", "--verify",
      ])
      #expect(status == 0, "\(errors)")
      #expect(output.contains("std_cpp  digits  executed, largest error "), "\(output)")
      let verified = try Self.files("\(folder)/p")
      #expect(verified.contains("digits.cpp") && !verified.contains { $0.contains("case_") }, "\(verified)")
      _ = try Command.fx(["codegen", Self.model, "--target", "std_cpp", "--size", "batch=2", "-o", "\(folder)/q"])
      #expect(try verified == Self.files("\(folder)/q"))
    }
  }

  @Test func nothingVerifiedIsNoSuccess() throws {
    let (output, errors, status) = try Command.run([
      "codegen", Self.model, "--target", "numpy", "--verify", "--python", "/nowhere/python",
    ])
    #expect(status == 1)
    #expect(output == "numpy  digits  skipped: '/nowhere/python' does not start\n")
    #expect(errors == "fx: \(Self.model): nothing was verified: every program was refused or skipped\n")
  }

  /// One target's refusal is no other's: the rest is written, and the refusals are listed.
  @Test func allGoesOnAfterARefusal() throws {
    try CommandUseTests.withFolder { folder in
      let (output, errors, status) = try Command.run(["codegen", Self.model, "--target", "all", "-o", folder])
      #expect(status == 1)
      #expect(errors == "fx: \(Self.model): not written: cuda, std_cpp, std_cpp_cblas, tensorrt, xla\n")
      for target in ["cuda", "std_cpp", "std_cpp_cblas", "tensorrt", "xla"] {
        #expect(output.contains("refused: \(target) cannot express "), "\(output)")
      }
      #expect(
        Set(try Self.files(folder).map { $0.components(separatedBy: "/")[0] }) == ["libtorch", "numpy", "pytorch", "swift"])
      #expect(try Command.fx(["codegen", Self.model, "--target", "all", "-o", folder, "--size", "batch=2"]).status == 0)
    }
  }

  /// Open sizes go into TensorRT's profile; what computes with one is refused by the name of the size.
  @Test func openSizesForTensorRT() throws {
    try CommandUseTests.withFolder { folder in
      let refused = try Command.run(["codegen", Self.model, "--target", "tensorrt", "-o", folder])
      #expect(refused.status == 3)
      #expect(
        refused.errors.hasSuffix(
          "it computes with the size of batch, which is open: TensorRT's profile has bounds of it, not a number; give one, as "
            + "--size batch=8 does\n"), "\(refused.errors)")
      let text = "fx 1\ngraph @open(%x: f32[batch, seq, 16]) {\n  symbol batch in 2...8\n  %y = relu(%x)\n  return %y\n}\n"
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/open.fxt"))
      let (output, status) = try Command.fx(["codegen", "\(folder)/open.fxt", "--target", "tensorrt", "-o", folder])
      #expect(status == 0)
      #expect(
        output.contains(
          "profile of 'x': sizes from [2, 1, 16] to [8, 1024, 16], fastest at [2, 1, 16]; a symbol without bounds is"),
        "\(output)")
    }
  }
}
