import FXCore

/// Runs plans: this rank's part of them, together with the other ranks.
public struct DistributedExecutor: Sendable {
  /// This rank's end of the engine.
  public let communicator: any Communicator
  /// Computes what lies between calls to other ranks.
  public let backend: any Backend

  /// Joins the configuration's engine.
  /// - Parameters:
  ///   - backend: computes what lies between calls to other ranks.
  ///   - timeout: how long a call may take before it is an error.
  /// - Throws: `CommunicationError.unavailable` listing the engines that are there; `PlanError.worldSize` if the job has
  ///   another number of ranks than the configuration.
  public init(_ config: DistributedConfig, backend: any Backend, timeout: Duration = .seconds(60)) throws {
    let communicator = try config.backend.communicator(timeout: timeout)
    guard communicator.worldSize == config.worldSize else {
      throw PlanError.worldSize(mesh: "of \(communicator.worldSize)", worldSize: config.worldSize)
    }
    self.init(communicator: communicator, backend: backend)
  }

  /// An executor on an engine that was joined already, such as a `LocalWorld`.
  public init(communicator: any Communicator, backend: any Backend) {
    (self.communicator, self.backend) = (communicator, backend)
  }

  /// Makes this rank's part ready. Every rank calls it with the same plan.
  /// - Throws: `CommunicationError.mismatch` if a rank has another plan or model; `PlanError.worldSize`; what the backend throws.
  public func prepare(_ plan: ExecutionPlan) throws -> DistributedExecutable {
    try prepare(PreparedPlan(plan), plan.rankProgram(communicator.rank))
  }

  /// Runs a plan once.
  /// - Parameter inputs: the whole graph's inputs, in order, the same on every rank: each takes its part.
  /// - Returns: the whole graph's outputs; if the plan does not gather them, the rank's parts of those it has.
  /// - Throws: as `prepare`, and `CommunicationError`.
  public func execute(_ plan: ExecutionPlan, inputs: [RuntimeValue] = []) throws -> [RuntimeValue] {
    try prepare(plan).run(inputs)
  }

  func prepare(_ plan: PreparedPlan, _ program: @autoclosure () throws -> RankProgram) throws -> DistributedExecutable {
    guard communicator.worldSize == plan.mesh.size else {
      throw PlanError.worldSize(mesh: plan.mesh.description, worldSize: communicator.worldSize)
    }
    try agree(on: plan.digest)
    let program = try program()
    // Every rank knows all groups, so that those that make one do so in the same order.
    try communicator.prepare(groups: plan.groups)
    let graph = try CollectiveGraph(program, backend: backend, communicator: communicator)
    let sum = try MicroBatchSum(graph, microBatches: plan.microBatches, backend: backend)
    return DistributedExecutable(plan: plan, program: program, graph: graph, sum: sum, communicator: communicator)
  }

  /// - Throws: `CommunicationError.mismatch` unless all ranks say the same.
  private func agree(on digest: UInt64) throws {
    let (rank, world) = (communicator.rank, Array(0..<communicator.worldSize))
    let all = try communicator.perform(
      Exchange(.allGather, group: world, Tensor(vector: [digest]), label: "plan"))
    let others = zip(world, try all.elements(UInt64.self)).filter { $0.1 != digest }.map(\.0)
    guard others.isEmpty else {
      throw CommunicationError.mismatch(
        rank: rank, operation: "all_gather 'plan'",
        reason: "rank \(others.map(String.init).joined(separator: ", ")) has another plan or model than rank \(rank)")
    }
  }
}

/// This rank's part of a plan, ready to run again and again.
public struct DistributedExecutable: Sendable {
  let plan: PreparedPlan
  let program: RankProgram
  let graph: CollectiveGraph
  let sum: MicroBatchSum
  let communicator: any Communicator

  /// Runs once, together with the other ranks.
  /// - Parameters:
  ///   - inputs: the whole graph's inputs, in order; those in `local` are the rank's own parts.
  ///   - local: positions of inputs that are parts already.
  /// - Returns: as `DistributedExecutor.execute`.
  /// - Throws: `CommunicationError`, `ExecutionError`.
  public func run(_ inputs: [RuntimeValue], local: Set<Int> = []) throws -> [RuntimeValue] {
    var clock = CommunicationClock()
    return try run(inputs, local: local, clock: &clock)
  }

  /// As `run`, adding what communication took to `clock`.
  public func run(
    _ inputs: [RuntimeValue], local: Set<Int> = [], clock: inout CommunicationClock
  ) throws -> [RuntimeValue] {
    try outputs(of: inputs, local: local, clock: &clock).sorted { $0.key < $1.key }.map(\.value)
  }

  /// Those outputs of the whole graph that the rank has, by position.
  func outputs(
    of inputs: [RuntimeValue], local: Set<Int>, clock: inout CommunicationClock
  ) throws -> [Int: RuntimeValue] {
    guard inputs.count == plan.inputs.count else {
      throw ExecutionError.inputCount(expected: plan.inputs.map(\.name), actual: inputs.count)
    }
    var runs: [Int: CollectiveRun] = [:]
    var totals: [RuntimeValue] = []
    let stages = plan.mesh.size(of: Mesh.pipeline)
    for pass in plan.schedule.passes(stage: program.stage, of: stages, microBatches: plan.microBatches) {
      if pass.isForward {
        let parts = try zip(inputs, plan.inputs).enumerated().map { index, pair in
          local.contains(index) ? pair.0 : try part(of: pair.0, pair.1, batch: pass.microBatch)
        }
        runs[pass.microBatch] = try CollectiveRun(graph, parts)
        try runs[pass.microBatch]?.run(.forward, clock: &clock)
        clock.heldBytes = max(clock.heldBytes, runs.values.reduce(0) { $0 + $1.heldBytes })
      } else {
        try runs[pass.microBatch]?.run(.backward, clock: &clock)
        try runs[pass.microBatch]?.retire(clock: &clock)
        if plan.microBatches > 1, let run = runs[pass.microBatch] { try sum.add(run, to: &totals) }
        for value in graph.combined.keys where plan.microBatches > 1 { runs[pass.microBatch]?[value] = nil }
      }
    }
    // The update begins with what is the same for all micro-batches, and what they came to.
    guard var update = runs[plan.microBatches - 1] else { throw PlanError.file("no micro-batch") }
    if plan.microBatches > 1 { for (value, total) in try sum.finish(totals) { update[value] = total } }
    try update.run(.update, clock: &clock)
    var own: [Int: RuntimeValue] = [:]
    for (operand, index) in zip(program.graph.outputs, program.outputs) {
      let last = try update.take(operand, clock: &clock)
      guard let value = operand.value, plan.outputs[index].spec.axes.contains(Mesh.micro) else {
        own[index] = last
        continue
      }
      let parts = (0..<plan.microBatches).compactMap { $0 + 1 == plan.microBatches ? last : runs[$0]?[value] }
      own[index] = try joined(parts, plan.outputs[index])
    }
    for batch in runs.keys.sorted() where batch + 1 < plan.microBatches { try runs[batch]?.finish(clock: &clock) }
    try update.finish(clock: &clock)
    return try deliver(own, clock: &clock)
  }

  /// The rank's part of an input.
  private func part(of value: RuntimeValue, _ input: PreparedPlan.Value, batch: Int) throws -> RuntimeValue {
    guard let sizes = input.sizes, let type = input.elementType else { return value }
    guard let tensor = value.tensor, tensor.shape == sizes, tensor.elementType == type else {
      throw ExecutionError.inputType(input.name, expected: .tensor(type, Shape(sizes)), actual: value.type)
    }
    guard !input.spec.isReplicated else { return value }
    // Micro-batches are the slowest digit of the mesh.
    let place = communicator.rank + batch * plan.mesh.size
    return .tensor(try tensor.sliced(input.spec.box(sizes, of: place, on: plan.fullMesh)))
  }

  /// One output from those of the micro-batches.
  private func joined(_ values: [RuntimeValue], _ output: PreparedPlan.Value) throws -> RuntimeValue {
    let axis = output.spec.dimensions.firstIndex { $0.contains(Mesh.micro) } ?? 0
    return .tensor(try Tensor.joined(values.compactMap(\.tensor), axis: axis))
  }

  /// All outputs from those of this rank's stage and the others'.
  private func deliver(_ own: [Int: RuntimeValue], clock: inout CommunicationClock) throws -> [Int: RuntimeValue] {
    guard plan.mesh.size(of: Mesh.pipeline) > 1 else { return own }
    let group = plan.mesh.group(of: communicator.rank, along: [Mesh.pipeline])
    var results = own
    for (index, output) in plan.outputs.enumerated() where output.isComputed && output.isDelivered {
      guard let sizes = output.sizes, let type = output.elementType else {
        throw PlanError.unsendable(output.name)
      }
      let root = group[output.stage]
      let tensor = try own[index]?.tensor?.reshaped([sizes.reduce(1, *)]) ?? Tensor(zeros: type, [sizes.reduce(1, *)])
      let exchange = Exchange(.broadcast(root: root), group: group, tensor, label: output.name)
      clock.count(exchange)
      let row = try clock.measure { try communicator.perform(exchange) }
      results[index] = .tensor(try row.reshaped(sizes))
    }
    return results
  }
}
