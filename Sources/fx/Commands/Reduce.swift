import ArgumentParser
import FXCodegen
import FXCore
import FXPasses
import FXRuntime
import Foundation

struct Reduce: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "The smallest part of a model for which a command still fails.",
    discussion: """
      COMMAND is run by the shell for every candidate, with {model} in it standing for a file of the format that OUT has, \
      and {inputs} for a folder of its inputs. What is kept is what makes it exit as it does for the whole model, with a \
      status other than 0.

      Example:
        fx reduce model.onnx --command 'python check.py {model}' -o small.onnx
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "What fails.") var command: String
  @Option(name: .shortAndLong, help: "Where the part goes, its format told by the extension; inputs go beside it.")
  var output: String
  @Option(name: .customLong("inputs"), help: "Folder with the inputs, in place of drawn ones.") var inputFolder: String?
  @Option(help: "How often the command is run at most.") var budget = 256

  func execute() throws {
    let graph = try ModelFile.read(model)
    let inputs = try inputFolder.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    let folder = NSTemporaryDirectory() + "fx-reduce-\(ProcessInfo.processInfo.globallyUniqueString)"
    try Folder.make(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let probe = Probe(command: command, folder: folder, fileExtension: (output as NSString).pathExtension)
    let wanted = try probe.status(graph, inputs)
    guard wanted != 0 else { throw CheckFailed(message: "the command succeeds for the whole model: nothing fails") }
    let reduction = GraphReduction(executor: CPUBackend(), budget: budget)
    let small = try reduction.reduce(graph, inputs) { (try? probe.status($0, $1)) == wanted }
    try ModelFile.write(small.graph, to: output)
    let values = (output as NSString).deletingPathExtension + "-inputs"
    try ValueFiles.write(inputs: small.inputs, of: small.graph, to: values)
    Terminal.line("\(graph.nodeCount) → \(small.graph.nodeCount) nodes: \(output), inputs in \(values)")
  }

  /// Runs the command on candidates.
  private struct Probe: Sendable {
    let command: String
    let folder: String
    let fileExtension: String

    /// The command's exit status.
    func status(_ graph: Graph, _ inputs: [RuntimeValue]) throws -> Int32 {
      let (file, values) = ("\(folder)/candidate.\(fileExtension)", "\(folder)/inputs")
      try? FileManager.default.removeItem(atPath: values)
      try ModelFile.write(graph, to: file)
      try ValueFiles.write(inputs: inputs, of: graph, to: values)
      let line = command.replacingOccurrences(of: "{model}", with: file).replacingOccurrences(of: "{inputs}", with: values)
      return try Subprocess.run("/bin/sh", ["-c", line]).status
    }
  }
}
