import FXCore
import FXShapes
import Synchronization

/// A region made ready to run at any shapes: plans are made when shapes first appear and kept.
final class Program: Sendable {
  let graph: Graph
  let region: RegionID
  let kernels: KernelTable
  let inference: ShapeInference
  let weights: WeightCache
  let pool: ThreadPool
  let evaluator: NodeEvaluator
  /// The programs of nested regions, of all depths.
  private let nested: [RegionID: Program]
  private let plans = Mutex<[CachedPlan]>([])
  let decisions = NodeDecisions()

  /// The most recently used plans are kept, up to this many.
  private static let planLimit = 16

  init(
    _ graph: Graph, region: RegionID, kernels: KernelTable, reference: ReferenceKernels, inference: ShapeInference,
    weights: WeightCache, pool: ThreadPool, seed: UInt64
  ) throws {
    self.graph = graph
    self.region = region
    self.kernels = kernels
    self.inference = inference
    self.weights = weights
    self.pool = pool
    evaluator = NodeEvaluator(
      kernels: kernels, reference: reference, inference: inference, weights: weights, pool: pool, seed: seed)
    var nested: [RegionID: Program] = [:]
    for id in try graph.nodes(in: region) {
      for inner in try graph[id].regions {
        nested[inner] = try Program(
          graph, region: inner, kernels: kernels, reference: reference, inference: inference, weights: weights, pool: pool,
          seed: seed)
      }
    }
    self.nested = nested
  }

  /// A plan with the run states that wait for their next run.
  final class CachedPlan: Sendable {
    let plan: Plan
    private let idle = Mutex<[RunState]>([])

    init(_ plan: Plan) { self.plan = plan }

    func takeState() -> RunState { idle.withLock { $0.popLast() } ?? RunState(plan) }
    func putBack(_ state: RunState) { idle.withLock { $0.append(state) } }

    func fits(_ inputs: [RuntimeValue]) -> Bool {
      guard inputs.count == plan.inputs.count else { return false }
      return zip(inputs, plan.inputs).allSatisfy { input, expected in
        if case .tensor(let tensor) = input { expected?.fits(tensor) ?? false } else { expected == nil }
      }
    }
  }

  /// The plan for inputs like these.
  /// - Parameter check: called before a new plan is made; inputs that fit an old plan have been checked.
  func plan(for inputs: [RuntimeValue], check: ([RuntimeValue]) throws -> Void = { _ in }) throws -> CachedPlan {
    let found = plans.withLock { plans -> CachedPlan? in
      guard let index = plans.lastIndex(where: { $0.fits(inputs) }) else { return nil }
      let plan = plans[index]
      if index != plans.count - 1 {
        plans.remove(at: index)
        plans.append(plan)
      }
      return plan
    }
    if let found { return found }
    try check(inputs)
    var planner = Planner(self)
    let plan = CachedPlan(try planner.plan(inputs.map(\.type)))
    plans.withLock { plans in
      plans.append(plan)
      if plans.count > Program.planLimit { plans.removeFirst() }
    }
    return plan
  }

  /// Runs once.
  func run(_ inputs: [RuntimeValue], limits: RunLimits) throws -> [RuntimeValue] {
    var results: [RuntimeValue] = []
    try run(inputs, into: &results, limits: limits)
    return results
  }

  /// Runs once, with memory of results of before.
  func run(
    _ inputs: [RuntimeValue], into results: inout [RuntimeValue], limits: RunLimits,
    check: ([RuntimeValue]) throws -> Void = { _ in }, observer: (any StepObserver)? = nil
  ) throws {
    try limits.check()
    let cached = try plan(for: inputs, check: check)
    let before = limits.memory?.used ?? 0
    try limits.memory?.take(cached.plan.peakBytes)
    defer { limits.memory?.restore(before) }
    let state = cached.takeState()
    // A run that fails leaves its state behind half done; the next takes a new one.
    try PlanRun(self, cached.plan, state, limits).run(inputs, into: &results, observer: observer)
    cached.putBack(state)
  }

  /// The program of a region nested in this one's.
  func program(of region: RegionID) throws -> Program {
    guard let program = nested[region] else { throw GraphError.stale(region) }
    return program
  }

  /// An error of a node, with its name, operator and place.
  func failure(at node: Node, _ reason: any Error) -> any Error {
    if reason is ExecutionError { return reason }
    return ExecutionError.node(
      graph.name(of: node.id), op: node.op.description, location: node.location, reason: String(describing: reason))
  }
}

/// Told of every step of a run: what a profiler or debugger hooks into.
protocol StepObserver: AnyObject {
  func willRun(_ step: Plan.Step)
  func didRun(_ step: Plan.Step)
}
