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
      status other than 0. The statuses 126 and 127, by which the shell says that it cannot execute a command or does not find \
      it, are errors. Exit status 1 if the command succeeds for the whole model.

      Examples:
        fx reduce model.onnx --command 'python check.py {model}' -o small.onnx
        fx reduce model.onnx --command './check {model}' -o a.fxt --seconds 600
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "What fails.") var command: String
  @Option(name: .shortAndLong, help: "Where the part goes, its format told by the extension; inputs go beside it.")
  var output: String
  @Option(name: .customLong("inputs"), help: "Folder with the inputs, in place of drawn ones.") var inputFolder: String?
  @Option(help: "How often the command is run at most, the run on the whole model included.") var budget = 256
  @Option(help: "No further candidate is tried after so many seconds, and a command that runs longer is ended.")
  var seconds: Double?

  func validate() throws {
    if budget < 1 { throw ValidationError("--budget must be at least 1: the command is run on the whole model") }
    if let seconds, !(seconds > 0 && seconds < 1e9) { throw ValidationError("--seconds must be above 0, and below 10⁹") }
    do { _ = try ModelFormat(path: output) } catch { throw ValidationError("-o \(error)") }
  }

  func execute() throws {
    try ModelFile.checkOutput(output)
    let graph = try ModelFile.read(model)
    let inputs = try inputFolder.map { try ValueFiles.inputs(of: graph, in: $0) } ?? InputSampler().inputs(of: graph)
    let folder = NSTemporaryDirectory() + "fx-reduce-\(ProcessInfo.processInfo.globallyUniqueString)"
    try Folder.make(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let probe = Probe(
      command: command, folder: folder, fileExtension: (output as NSString).pathExtension,
      deadline: seconds.map { Date().addingTimeInterval($0) } ?? .distantFuture)
    let whole = try probe.run(graph, inputs)
    switch whole.status {
    case 0: throw CheckFailed(message: "the command succeeds for the whole model: nothing fails")
    case 126: throw ReduceError.notExecutable(command, whole.lastLine)
    case 127: throw ReduceError.notFound(command, whole.lastLine)
    default: break
    }
    let reduction = GraphReduction(executor: CPUBackend(), budget: budget - 1)
    let small = try reduction.reduce(graph, inputs) { (try? probe.run($0, $1).status) == whole.status }
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

    let deadline: Date

    /// What the command says, and its exit status. One that does not end in time has none that a candidate is kept for.
    func run(_ graph: Graph, _ inputs: [RuntimeValue]) throws -> Subprocess.Output {
      let left = deadline.timeIntervalSinceNow
      guard left > 0 else { throw ReduceError.late }
      let (file, values) = ("\(folder)/candidate.\(fileExtension)", "\(folder)/inputs")
      try? FileManager.default.removeItem(atPath: values)
      try ModelFile.write(graph, to: file)
      try ValueFiles.write(inputs: inputs, of: graph, to: values)
      let line = command.replacingOccurrences(of: "{model}", with: file).replacingOccurrences(of: "{inputs}", with: values)
      let output = try Subprocess.run("/bin/sh", ["-c", line], timeout: left)
      guard deadline.timeIntervalSinceNow > 0 else { throw ReduceError.late }
      return output
    }
  }
}

/// Why a command says nothing of a model.
enum ReduceError: Error, CustomStringConvertible {
  case notExecutable(String, String)
  case notFound(String, String)
  case late

  var description: String {
    switch self {
    case .notExecutable(let command, let reason): "'\(command)' cannot be executed (exit status 126): \(reason)"
    case .notFound(let command, let reason): "'\(command)' was not found (exit status 127): \(reason)"
    case .late: "the command did not end within --seconds"
    }
  }
}
