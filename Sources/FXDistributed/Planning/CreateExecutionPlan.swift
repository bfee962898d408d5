import FXCore
import FXPasses

/// Divides a graph among ranks, and checks the plan.
///
/// The plan is for the sizes that the graph and the configuration give. What the strategy cannot divide every rank computes
/// whole, and the plan's notes say so. No engine is needed: a plan for a cluster can be made elsewhere.
/// - Throws: `PlanError`; `ShapeInferenceError`.
public func createExecutionPlan(_ graph: Graph, _ config: DistributedConfig) throws -> ExecutionPlan {
  let plan = try ExecutionPlan(graph, config)
  try plan.check()
  return plan
}

extension ExecutionPlan {
  /// As `createExecutionPlan`, unchecked.
  public init(_ graph: Graph, _ config: DistributedConfig) throws {
    if let count = config.microBatches, count < 1 { throw PlanError.microBatchCount(count) }
    if config.strategy == .automatic, config.mesh == nil {
      self = try ExecutionPlan.fastest(graph, config)
      return
    }
    let mesh = try config.resolvedMesh()
    let stageCount = mesh.size(of: Mesh.pipeline)
    if let count = config.microBatches, count > 1, stageCount == 1 || config.strategy == .model {
      throw PlanError.noPipeline(count)
    }
    let bound = try graph.bound(to: config.sizes).separatingUniformValues().separatingProducts(if: config.strategy != .data)
    var notes: [String] = []
    var wanted = 1
    if stageCount > 1, config.strategy != .model {
      wanted = config.microBatches ?? ExecutionPlan.batch(of: bound).map { greatestCommonDivisor($0, stageCount) } ?? 1
    }
    var program: ShardedProgram
    do {
      program = try ExecutionPlan.propagate(bound, mesh, microBatches: wanted, config)
    } catch let error as PlanError where wanted > 1 && config.microBatches == nil {
      notes.append("one micro-batch: \(error)")
      wanted = 1
      program = try ExecutionPlan.propagate(bound, mesh, microBatches: 1, config)
    }
    let stages = try ExecutionPlan.cut(program, stageCount, config)
    let delivered = Set(
      program.graph.outputs.indices.filter { index in
        config.gathersOutputs || config.wholeOutputs.contains(program.graph.outputNames[index])
      })
    if stageCount > 1 {
      for (index, operand) in program.graph.outputs.enumerated()
      where delivered.contains(index) && stages.stage(ofOutput: index, in: program.graph) != nil {
        let element = program.graph.sizedType(of: operand)?.elementType
        guard element.map(ElementTypes.exchangeable.contains) == true else {
          throw PlanError.unsendable(program.graph.outputNames[index])
        }
      }
    }
    for (op, count) in program.wholeCounts.sorted(by: { $0.key < $1.key }) {
      notes.append("\(count) × \(op) on what is divided: every rank computes all of it")
    }
    for axis in mesh.axes where axis.size > 1 && axis.name != Mesh.pipeline {
      let isUsed =
        program.specs.values.contains { $0.axes.contains(axis.name) }
        || program.steps.values.contains { step in
          step.factorAxes.contains { $0.contains(axis.name) }
        }
      if !isUsed { notes.append("nothing is divided along \(axis.name): its ranks do the same") }
    }
    try self.init(program, mesh, stages, wanted, delivered, notes, config)
  }

  private init(
    _ program: ShardedProgram, _ mesh: Mesh, _ stages: StageCut, _ microBatches: Int, _ delivered: Set<Int>, _ notes: [String],
    _ config: DistributedConfig
  ) throws {
    (self.program, self.mesh, self.stages, self.microBatches) = (program, mesh, stages, microBatches)
    (schedule, bucketBytes, deliveredOutputs) = (config.schedule, config.bucketBytes, delivered)
    (self.notes, strategy, gathersOutputs) = (notes, config.strategy, config.gathersOutputs)
    let graph = program.graph
    outputSpecs = graph.outputs.indices.map { index in
      guard let spec = program.spec(of: graph.outputs[index]) else { return nil }
      // Micro-batches are joined when all are there.
      if delivered.contains(index) { return ShardingSpec(spec.dimensions.map { $0.filter { $0 == Mesh.micro } }) }
      // The next value of a weight lies as the weight does.
      return program.weights[index].flatMap { program.specs[$0] } ?? spec
    }
    inputs = graph.inputs.map { (graph.name(of: $0), program.specs[$0] ?? ShardingSpec([])) }
    outputs = zip(graph.outputNames, outputSpecs).enumerated().map { index, output in
      (output.0, output.1 ?? ShardingSpec([]), stages.stage(ofOutput: index, in: graph) ?? 0)
    }
    var patterns: [[ExchangePattern]] = []
    var loads: [RankLoad] = []
    for stage in 0..<stages.count {
      let first = stages.axis.map { mesh.rank(0, at: stage, along: $0) } ?? 0
      var builder = RankGraphBuilder(program, stages, rank: first, bucketBytes: config.bucketBytes, weights: { _ in nil })
      let built = try builder.build(outputSpecs: outputSpecs)
      patterns.append(builder.patterns)
      loads.append(RankLoad(built, microBatches: microBatches, state: config.weights, config.cost))
    }
    self.patterns = patterns
    var lists: Set<[String]> = stages.axis.map { [[$0]] } ?? []
    for case .along(let axes) in patterns.flatMap(\.self).map(\.partners) { lists.insert(axes) }
    groupTable = GroupTable(mesh, along: lists)
    let draft = self
    partitions = try (0..<mesh.size).map { try draft.partition($0, loads, config.cost) }
    let longest = partitions.map { $0.computeSeconds + $0.communicationSeconds }.max() ?? 0
    estimatedSeconds = longest * Double(microBatches + stages.count - 1) / Double(microBatches)
  }

  private func partition(_ rank: Int, _ loads: [RankLoad], _ cost: CostModel) throws -> Partition {
    let stage = stages.axis.map { mesh.coordinate(of: rank, along: $0) } ?? 0
    let load = loads[stage]
    var (sent, seconds) = (0, 0.0)
    for action in try actions(of: rank) {
      sent = sent.saturating(plus: CostModel.bytesSent(action.op, operandBytes: action.bytes, ranks: action.group.count))
      seconds += cost.seconds(action.op, operandBytes: action.bytes, ranks: action.group.count)
    }
    let held = load.heldBytes.saturating(times: schedule.mostHeld(stage: stage, of: stages.count, microBatches: microBatches))
    return Partition(
      rank: rank, stage: stage, nodes: load.nodes, weightBytes: load.weightBytes,
      peakBytes: load.peakBytes.saturating(plus: max(0, held - load.heldBytes)), heldBytes: held, operations: load.operations,
      bytesSent: sent,
      computeSeconds: load.seconds, communicationSeconds: seconds)
  }

  // MARK: Steps

  /// The first size of the first input.
  private static func batch(of graph: Graph) -> Int? { graph.inputs.first.flatMap { graph.sizes(of: .value($0))?.first } }

  private static func propagate(
    _ graph: Graph, _ mesh: Mesh, microBatches: Int, _ config: DistributedConfig
  ) throws -> ShardedProgram {
    let cutting = (microBatches > 1 ? [Mesh.micro] : []) + (mesh.size(of: Mesh.data) > 1 ? [Mesh.data] : [])
    let batch = batch(of: graph)
    if microBatches > 1, let batch, let first = graph.inputs.first, !batch.isMultiple(of: microBatches) {
      throw PlanError.microBatches(
        microBatches, node: graph.name(of: first), reason: "has \(batch) rows, no multiple of \(microBatches)")
    }
    var inputs: [ValueID: ShardingSpec] = [:]
    var weights: Set<ValueID> = []
    let full = try microBatches > 1 ? Mesh([(Mesh.micro, microBatches)] + mesh.axes.map { ($0.name, $0.size) }) : mesh
    for input in graph.inputs {
      let name = graph.name(of: input)
      guard let sizes = graph.sizes(of: .value(input)) else { continue }
      if config.weights.contains(name) { weights.insert(input) }
      var spec = ShardingSpec.replicated(rank: sizes.count)
      if let given = config.shardings[name] {
        for axis in given.axes where mesh.axes.first(where: { $0.name == axis }) == nil {
          throw PlanError.sharding(value: name, spec: given.description, reason: "the mesh \(mesh) has no axis \(axis)")
        }
        guard given.divides(sizes, on: mesh), Set(given.axes).count == given.axes.count else {
          throw PlanError.sharding(
            value: name, spec: given.description, reason: "its sizes \(sizes) do not fall into equal parts")
        }
        spec = given
      } else if let first = sizes.first, first == batch, !config.weights.contains(name) {
        spec.dimensions[0] = cutting
        while !spec.divides(sizes, on: full), !spec.dimensions[0].isEmpty { spec.dimensions[0].removeLast() }
        if microBatches > 1, !spec.dimensions[0].contains(Mesh.micro) {
          throw PlanError.microBatches(
            microBatches, node: name, reason: "has \(first) rows, which do not fall into as many parts on \(mesh)")
        }
      }
      inputs[input] = spec
    }
    var propagation = ShardingPropagation(graph, full, without: [Mesh.pipeline], config.rules)
    return try propagation.run(inputs: inputs, weights: weights)
  }

  private static func cut(_ program: ShardedProgram, _ count: Int, _ config: DistributedConfig) throws -> StageCut {
    let graph = program.graph
    func local(_ operand: Operand, _ spec: ShardingSpec?) -> TensorType? {
      guard var type = graph.sizedType(of: operand) else { return nil }
      if let sizes = type.shape?.sizes, let spec { type.shape = Shape(spec.local(sizes, on: program.mesh)) }
      return type
    }
    func seconds(_ id: NodeID) throws -> Double {
      let node = try graph[id]
      let step = program.steps[id]
      let operands = node.operands.indices.map { local(node.operands[$0], step?.operands[$0]) }
      return config.cost.seconds(node, operands: operands, results: node.results.map { local(.value($0), program.specs[$0]) })
    }
    return try StageCut(program, count: count, axis: count > 1 ? Mesh.pipeline : nil, seconds: seconds) { value in
      local(.value(value), program.specs[value]).flatMap {
        ElementTypes.exchangeable.contains($0.elementType) ? $0.byteCount : nil
      }
    }
  }
}
