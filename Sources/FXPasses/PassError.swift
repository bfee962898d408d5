import FXCore

/// Why a pipeline stopped. The graph is then as it was before the pass that is named.
public enum PassError: Error, Sendable {
  /// The graph that was handed in does not verify.
  case invalidInput(any Error)
  /// The pass threw.
  case failed(pass: String, any Error)
  /// The graph does not verify after the pass.
  case invalidResult(pass: String, any Error)
  /// Outputs differ from those before the pass by more than its contract allows. The smallest graph that shows it comes with
  /// its inputs, where one was looked for.
  case outputsDiffer(pass: String, contract: NumericContract, OutputMismatch, ReducedGraph?)
  /// The graph runs on sampled inputs before the pass, and no longer after it.
  case noLongerRuns(pass: String, any Error)
  /// The graph as handed in does not run on sampled inputs, so nothing can be compared.
  case cannotValidate(any Error)
}

extension PassError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .invalidInput(let error): "the graph is broken before any pass: \(error)"
    case .failed(let pass, let error): "pass '\(pass)': \(error)"
    case .invalidResult(let pass, let error): "pass '\(pass)' broke the graph: \(error)"
    case .outputsDiffer(let pass, let contract, let mismatch, let reduced):
      "pass '\(pass)', which is \(contract), changed the outputs: \(mismatch)"
        + (reduced.map { "; reduced to \($0.callCount) calls:\n\($0.graph.text())" } ?? "")
    case .noLongerRuns(let pass, let error): "the graph runs before pass '\(pass)' and fails after it: \(error)"
    case .cannotValidate(let error): "nothing to compare with: the graph does not run on sampled inputs: \(error)"
    }
  }
}
