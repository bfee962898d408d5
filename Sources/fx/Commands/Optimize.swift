import ArgumentParser
import FXCore
import FXPasses
import FXRuntime
import Foundation

/// How much a model is optimized.
enum OptimizationLevel: String, ExpressibleByArgument, CaseIterable {
  case `default`, aggressive

  func passes() -> PassManager {
    switch self {
    case .default: .defaultOptimizationPasses(executor: CPUBackend())
    case .aggressive: .aggressiveOptimizationPasses(executor: CPUBackend())
    }
  }

  static let help = ArgumentHelp("How much: \(allCases.map(\.rawValue).joined(separator: ", ")).")
}

struct Optimize: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Simplify and fuse a model.",
    discussion: """
      Exit status 1 if --validate finds a pass that changes what the model gives.

      Examples:
        fx optimize model.onnx -o small.onnx --validate --report
        fx optimize model.onnx --level aggressive --explain
      """)

  @Argument(help: "The model to read.") var input: String
  @Option(name: .shortAndLong, help: "The file to write, its format told by the extension; none if left out.") var output: String?
  @Option(help: OptimizationLevel.help) var level = OptimizationLevel.default
  @Flag(name: .customLong("validate"), help: "Run the graph before and after each pass and compare the outputs.")
  var isValidated = false
  @Option(name: .customLong("inputs"), help: "Folder with the inputs to validate with, in place of drawn ones.")
  var inputFolder: String?
  @Flag(help: "Say what each pass did.") var report = false
  @Flag(help: "Say what passes left alone although it looked right, and why.") var explain = false
  @Flag(help: "Write ONNX's own operators only. At the aggressive level files may hold ONNX Runtime's, of com.microsoft.")
  var portable = false
  @Option(help: "Folder for the graph in the text format after each pass.") var dump: String?

  var model: String { input }

  func validate() throws {
    if output == nil, !isValidated, !report, !explain, dump == nil {
      throw ValidationError("nothing to do: give --output, --validate, --report, --explain or --dump")
    }
    if portable, level == .default || output == nil {
      throw ValidationError("--portable is about the ONNX file that --level aggressive writes")
    }
    if inputFolder != nil, !isValidated { throw ValidationError("--inputs are what --validate runs the model on") }
  }

  func execute() throws {
    if let output { try ModelFile.checkOutput(output) }
    var graph = try ModelFile.read(input)
    var manager = level.passes()
    if isValidated { manager.validation = try validation(of: graph) }
    if let dump { manager.onStep = try dumping(to: dump, graph) }
    let outcome: PassReport
    do {
      outcome = try manager.run(&graph)
    } catch let error as PassError {
      // A pass that is wrong is a check that failed, not a bad model.
      switch error {
      case .outputsDiffer, .noLongerRuns, .invalidResult: throw CheckFailed(message: "\(input): \(error)")
      default: throw error
      }
    }
    if let output {
      var written = graph
      if level == .aggressive, !portable, try ModelFormat(path: output) == .onnx { try ContribFusionPass().apply(to: &written) }
      try ModelFile.write(written, to: output)
    }
    if report { Terminal.line(outcome.description) }
    if explain { Terminal.line(outcome.explanation.isEmpty ? "nothing was left alone" : outcome.explanation) }
    Terminal.line("\(outcome.nodesBefore) → \(graph.nodeCount) nodes\(isValidated ? ", outputs equal after every pass" : "")")
  }

  private func validation(of graph: Graph) throws -> PassValidation {
    // Compiling must not apply the passes that are to be checked.
    var validation = PassValidation(executor: CPUBackend(.init(optimizes: false)))
    if let inputFolder {
      let values = try ValueFiles.inputs(of: graph, in: inputFolder)
      for (input, value) in zip(graph.inputs, values) { validation.sampler.values[graph.name(of: input)] = value }
    }
    return validation
  }

  /// Writes the graph as it was, then after each step.
  private func dumping(to folder: String, _ graph: Graph) throws -> @Sendable (PassStep) throws -> Void {
    try Folder.make(folder)
    try AtomicFile.write([UInt8](graph.text(.readable).utf8), to: "\(folder)/000-input.fxt")
    let steps = StepCounter()
    return { step in
      let number = String(steps.next()).right(3).replacingOccurrences(of: " ", with: "0")
      try AtomicFile.write([UInt8](step.after.text(.readable).utf8), to: "\(folder)/\(number)-\(step.entry.pass).fxt")
    }
  }
}

/// Numbers the files of a dump.
private final class StepCounter: Sendable {
  private let count = Locked(0)
  func next() -> Int {
    count.withLock {
      $0 += 1; return $0
    }
  }
}
