import ArgumentParser
import FXRuntime

/// How many threads a command runs a model on.
struct ThreadOptions: ParsableArguments {
  @Option(help: "Threads; by default one per core.") var threads: Int?

  /// The number to use.
  var count: Int { threads ?? CPUBackend.coreCount }

  func validate() throws {
    if let threads, !(1...1024).contains(threads) { throw ValidationError("--threads must be 1 to 1024") }
  }
}
