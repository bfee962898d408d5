import ArgumentParser
import FXCore
import FXPasses

struct Convert: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model in another format, told by the extension: .onnx .json .fxt (text) .fxb (binary).",
    discussion: """
      Example:
        fx convert model.onnx model.fxb
      """)

  @Argument(help: "The model to read.") var input: String
  @Argument(help: "The file to write.") var output: String

  var model: String { input }

  func execute() throws {
    try ModelFile.checkOutput(output)
    try ModelFile.write(try ModelFile.read(input), to: output)
  }
}
