import ArgumentParser
import FXCore
import FXPasses

struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model in another format, told by the extension: .onnx .json .fxt (text) .fxb (binary).")

  @Argument(help: "The model to read.") var input: String
  @Argument(help: "The file to write.") var output: String

  func run() throws {
    try ModelFile.write(try ModelFile.read(input), to: output)
  }
}
