import FXCore
import FXShapes

/// A graph compiled for the CPU. Runs at any shapes its input types allow; concurrent runs need no locks.
public final class CompiledGraph: Executable {
  /// The graph as it is executed.
  public let graph: Graph
  private let program: Program
  private let inputs: InputCheck

  init(_ graph: Graph, _ options: CPUBackend.Options, _ pool: ThreadPool) throws {
    self.graph = graph
    inputs = InputCheck(graph)
    program = try Program(
      graph, region: graph.body, kernels: options.kernels, reference: options.reference,
      inference: ShapeInference(rules: options.rules), weights: WeightCache(), pool: pool, seed: options.seed,
      memoryLimit: options.memoryLimit)
  }

  /// Runs once.
  /// - Throws: `ExecutionError`.
  public func run(_ values: [RuntimeValue]) throws -> [RuntimeValue] {
    try program.run(values, check: inputs.check)
  }

  /// The memory that a run on inputs of these types needs: arena and outputs, in bytes.
  /// - Throws: `ExecutionError` if the types do not fit.
  public func peakBytes(for inputs: [RuntimeValue]) throws -> Int {
    try program.plan(for: inputs, check: self.inputs.check).plan.peakBytes
  }
}
