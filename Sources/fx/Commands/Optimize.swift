import ArgumentParser
import FXCore
import FXPasses
import FXRuntime
import Foundation

struct Optimize: ModelCommand {
  enum Level: String, ExpressibleByArgument, CaseIterable {
    case `default`, aggressive

    func passes() -> PassManager {
      switch self {
      case .default: .defaultOptimizationPasses(executor: CPUBackend())
      case .aggressive: .aggressiveOptimizationPasses(executor: CPUBackend())
      }
    }
  }

  static let configuration = CommandConfiguration(abstract: "Simplify and fuse a model.")

  @Argument(help: "The model to read.") var input: String
  @Option(name: .shortAndLong, help: "The file to write, its format told by the extension.") var output: String
  @Option(help: "How much: \(Level.allCases.map(\.rawValue).joined(separator: ", ")).") var level = Level.default
  @Flag(help: "Run the graph before and after each pass and compare the outputs.") var validate = false
  @Flag(help: "Say what each pass did and what it declined.") var report = false
  @Option(help: "Folder for the graph in the text format after each pass.") var dump: String?

  var model: String { input }

  func execute() throws {
    var graph = try ModelFile.read(input)
    var manager = level.passes()
    // Compiling must not apply the passes that are to be checked.
    if validate { manager.validation = PassValidation(executor: CPUBackend(.init(optimizes: false))) }
    if let dump {
      try FileManager.default.createDirectory(atPath: dump, withIntermediateDirectories: true)
      let steps = StepCounter()
      manager.onStep = { step in
        let number = String(steps.next()).right(3).replacingOccurrences(of: " ", with: "0")
        try AtomicFile.write([UInt8](step.after.text(.readable).utf8), to: "\(dump)/\(number)-\(step.entry.pass).fxt")
      }
    }
    let outcome = try manager.run(&graph)
    try ModelFile.write(graph, to: output)
    if report { Terminal.line(outcome.description) }
    Terminal.line("\(outcome.nodesBefore) → \(graph.nodeCount) nodes\(validate ? ", outputs equal after every pass" : "")")
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
