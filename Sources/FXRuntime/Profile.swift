import FXCore

/// Where the time of runs went, node by node.
public struct Profile: Sendable {
  /// One step of the plan.
  public struct Entry: Sendable {
    /// What the node is called in the graph as it is executed, fused and simplified.
    public let node: String
    /// The node's operator; `(reorder)` for a change of layout that the plan added.
    public let op: String
    /// How the node was executed: the kernel's name, or `evaluated` for a node without a fast kernel.
    public let kernel: String
    /// How long it took, waiting for threads included.
    public let duration: Duration
    /// When it began, after the run's start.
    public let start: Duration
    /// Bytes of operands and results whose sizes the plan knows.
    public let bytes: Int
    /// Multiplications and additions of products and convolutions by definition, 0 for other operators.
    public let operations: Int
  }
  /// The steps in the order in which they ran.
  public internal(set) var entries: [Entry] = []
  /// How long the run took from its call to its results; the plan was made before.
  public internal(set) var total: Duration = .zero
}

extension CompiledGraph {
  /// Runs once and tells how long each step took. Steps inside regions count for the node that owns them.
  /// - Throws: `ExecutionError`.
  public func profile(_ values: [RuntimeValue]) throws -> (results: [RuntimeValue], profile: Profile) {
    let plan = try program.plan(for: values, check: inputs.check).plan
    let recorder = StepRecorder(plan, graph)
    var results: [RuntimeValue] = []
    try run(values, into: &results, observer: recorder)
    return (results, recorder.finish())
  }
}

/// Takes the time of each step.
private final class StepRecorder: StepObserver {
  private let plan: Plan
  private let graph: Graph
  private var profile = Profile()
  private let clock = ContinuousClock()
  private let begin: ContinuousClock.Instant
  private var start: ContinuousClock.Instant

  init(_ plan: Plan, _ graph: Graph) {
    self.plan = plan
    self.graph = graph
    begin = clock.now
    start = begin
  }

  func willRun(_ step: Plan.Step) { start = clock.now }

  func didRun(_ step: Plan.Step) {
    let duration = start.duration(to: clock.now)
    var op = step.node.op.description
    let kernel: String
    switch step.work {
    case .kernel(let chosen, _):
      kernel = String(describing: type(of: chosen))
      if chosen is ReorderKernel { op = "(reorder)" }
    case .evaluate: kernel = "evaluated"
    }
    let bytes = (step.operands + step.results).reduce(0) { sum, slot in
      sum + (slot < 0 ? 0 : plan.slots[Int(slot)].facts?.byteCount ?? 0)
    }
    profile.entries.append(
      .init(
        node: graph.name(of: step.node.id), op: op, kernel: kernel, duration: duration,
        start: begin.duration(to: start), bytes: bytes, operations: step.operations(plan, graph)))
  }

  func finish() -> Profile {
    profile.total = begin.duration(to: clock.now)
    return profile
  }
}
