import ArgumentParser
import FXCodegen
import FXCore
import Foundation

struct Visualize: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw a model: .html (one page for a browser), .dot (Graphviz) or .txt, told by the extension.",
    discussion: """
      Modules are boxes in boxes, which the page opens and closes.

      Example:
        fx visualize model.onnx -o model.html
      """)

  @Argument(help: "The model.") var model: String
  @Option(name: .shortAndLong, help: "The file to write.") var output: String

  private enum Format: String, CaseIterable {
    case text = "txt", dot, html
  }

  private var format: Format? { Format(rawValue: (output as NSString).pathExtension.lowercased()) }

  func validate() throws {
    guard format == nil else { return }
    throw ValidationError(
      "\(output): views have one of the extensions \(Format.allCases.map { "." + $0.rawValue }.joined(separator: ", "))")
  }

  func execute() throws {
    try OutputFile.check(output)
    let debugger = GraphDebugger(try ModelFile.read(model))
    let text =
      switch format {
      case .dot: debugger.generateDotVisualization()
      case .html: debugger.generateHTMLVisualization()
      case .text, nil: debugger.generateTextVisualization()
      }
    try AtomicFile.write([UInt8](text.utf8), to: output)
  }
}
