import FXCore
import FXShapes

/// A graph compiled for the CPU. Runs at any shapes its input types allow; concurrent runs need no locks.
public final class CompiledGraph: Executable {
  /// The graph as it is executed.
  public let graph: Graph
  let program: Program
  let inputs: InputCheck
  private let memoryLimit: Int?
  private let timeLimit: Duration?

  init(_ graph: Graph, inputs: InputCheck, _ options: CPUBackend.Options, _ pool: ThreadPool) throws {
    self.graph = graph
    self.inputs = inputs
    memoryLimit = options.memoryLimit
    timeLimit = options.timeLimit
    var rules = options.rules
    rules.addIntegers()
    program = try Program(
      graph, region: graph.body, kernels: options.kernels, reference: options.reference,
      inference: ShapeInference(rules: rules), weights: WeightCache(), pool: pool, seed: options.seed)
  }

  /// Runs once. Cancelling the task that calls ends the run before its next step.
  /// - Throws: `ExecutionError`.
  public func run(_ values: [RuntimeValue]) throws -> [RuntimeValue] {
    var results: [RuntimeValue] = []
    try run(values, into: &results)
    return results
  }

  /// Runs once and replaces `results` by what comes out. Tensors in it that have the type of the result in their place, and
  /// whose elements nobody else holds, are written over, so that runs at the same sizes allocate nothing. An error leaves
  /// `results` without what it held.
  /// - Throws: `ExecutionError`.
  public func run(_ values: [RuntimeValue], into results: inout [RuntimeValue]) throws {
    try run(values, into: &results, observer: nil)
  }

  func run(_ values: [RuntimeValue], into results: inout [RuntimeValue], observer: (any StepObserver)?) throws {
    try program.pool.whileStepsFollow {
      try program.run(
        values, into: &results, limits: RunLimits(time: timeLimit, memory: memoryLimit),
        check: { values in try inputs.check(values) }, observer: observer)
    }
  }
}

/// What a plan needs, known before a run.
public struct PlanSummary: Sendable, Equatable {
  /// Kernels to run and nodes to evaluate; views and what is known when the plan is made take no step.
  public let steps: Int
  /// Steps that find their sizes in the run, and allocate then.
  public let evaluatedSteps: Int
  /// The block that holds all intermediate values whose sizes are known.
  public let arenaBytes: Int
  /// Bytes of the results whose sizes are known; each run allocates them unless it is handed ones to write over.
  public let outputBytes: Int
  /// Bytes that a run needs beyond weights, inputs and values whose sizes only the run tells.
  public var peakBytes: Int { arenaBytes + outputBytes }
}

extension CompiledGraph {
  /// What a run on inputs of these types needs.
  /// - Throws: `ExecutionError` if the types do not fit.
  public func planSummary(for values: [RuntimeValue]) throws -> PlanSummary {
    let plan = try program.plan(for: values, check: inputs.check).plan
    let evaluated = plan.steps.count {
      if case .evaluate = $0.work { true } else { false }
    }
    return PlanSummary(
      steps: plan.steps.count, evaluatedSteps: evaluated, arenaBytes: plan.arenaBytes,
      outputBytes: plan.peakBytes - plan.arenaBytes)
  }
}
