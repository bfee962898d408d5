import FXCore
import FXPasses
import FXTrace

/// Training in progress on several ranks: every rank has its parts of the parameters and the memory that its stage uses.
public struct DistributedTrainer: Sendable {
  /// How the training step is divided.
  public let plan: ExecutionPlan
  /// How many steps were done.
  public private(set) var stepCount = 0
  /// What talking to the other ranks took in all steps.
  public private(set) var clock = CommunicationClock()
  private let step: TrainingStep
  private let executable: DistributedExecutable
  private let communicator: any Communicator
  /// This rank's parts.
  private var state: [Tensor]
  private let dataCount: Int

  /// The plan of a training step: the batch, the weights or the program are divided, and gradients are summed where they must
  /// be. A pipeline takes micro-batches forward and backward as `config.schedule` says.
  /// - Throws: what `ExecutionPlan.init` throws.
  public static func plan(_ step: TrainingStep, _ config: DistributedConfig) throws -> ExecutionPlan {
    var config = config
    config.weights = Set(step.state.map(\.name))
    config.gathersOutputs = false
    config.wholeOutputs = [step.loss]
    return try ExecutionPlan(step.graph, config)
  }

  /// - Parameters:
  ///   - checkpoint: what an earlier training left in `checkpoint()`, to go on from.
  /// - Throws: as `DistributedExecutor.prepare`; `GraphError.unknownName` for a checkpoint that lacks a tensor.
  public init(
    _ step: TrainingStep, plan: ExecutionPlan, on executor: DistributedExecutor,
    from checkpoint: (tensors: [String: Tensor], stepCount: Int)? = nil
  ) throws {
    try self.init(step, plan: plan, on: executor, stepCount: checkpoint?.stepCount ?? 0) { about in
      checkpoint.map { $0.tensors[about.name] } ?? about.tensor
    }
  }

  /// Goes on from what an earlier training, on whatever mesh, left with `write(to:)`: the rank maps its parts only.
  /// - Throws: as `init(_:plan:on:from:)`; errors of the files.
  public init(_ step: TrainingStep, plan: ExecutionPlan, on executor: DistributedExecutor, from shards: WeightShards) throws {
    let first = shards.files.values.min()
    let steps = try first.flatMap { try shards.metadata(of: $0)["steps"] }.flatMap { Int($0) }
    guard let steps else { throw PlanError.file("\(shards.folder) does not say how many steps were done") }
    try self.init(step, plan: plan, on: executor, stepCount: steps) { try shards.tensor(named: $0.name) }
  }

  private init(
    _ step: TrainingStep, plan: ExecutionPlan, on executor: DistributedExecutor, stepCount: Int,
    tensor: ((name: String, tensor: Tensor)) throws -> Tensor?
  ) throws {
    (self.step, self.plan, self.stepCount, communicator) = (step, plan, stepCount, executor.communicator)
    executable = try executor.prepare(plan)
    dataCount = step.graph.inputs.count - step.state.count - 2
    let (rank, mesh) = (communicator.rank, plan.mesh)
    state = try zip(step.state, plan.inputs.suffix(step.state.count)).map { about, input in
      // A stage that does not use a weight has a number in its place.
      guard try plan.holders(of: about.name).contains(plan.stage(of: rank)) else { return Tensor(Float(0)) }
      guard let tensor = try tensor(about) else { throw GraphError.unknownName(about.name, suggestions: []) }
      guard tensor.type == about.tensor.type else {
        throw GraphError.bindingType(about.name, expected: about.tensor.type, actual: tensor.type)
      }
      return try tensor.sliced(input.sharding.box(tensor.shape, of: rank, on: mesh))
    }
  }

  /// Does one step, together with the other ranks.
  /// - Parameters:
  ///   - inputs: the model's inputs, whole and the same on every rank.
  ///   - learningRate: the optimizer's by default.
  /// - Returns: the loss before the step.
  /// - Throws: `CommunicationError`, `ExecutionError`; the state is then as before.
  @discardableResult
  public mutating func train(_ inputs: [Tensor], learningRate: Double? = nil) throws -> Double {
    guard inputs.count == dataCount else {
      let names = plan.inputs.prefix(dataCount).map(\.name)
      throw ExecutionError.inputCount(expected: names, actual: inputs.count)
    }
    let rate = Float(learningRate ?? step.optimizer.learningRate)
    let all = inputs + [Tensor(Float(stepCount + 1)), Tensor(rate)] + state
    let results = try executable.outputs(
      of: all.map(RuntimeValue.tensor), local: Set(all.count - state.count..<all.count), clock: &clock)
    guard let index = plan.outputs.firstIndex(where: { $0.name == step.loss }), let loss = results[index]?.tensor else {
      throw GraphError.unknownName(step.loss, suggestions: [])
    }
    let first = plan.outputs.count - state.count
    for index in state.indices { if let next = results[first + index]?.tensor { state[index] = next } }
    stepCount += 1
    return try loss.converted(to: .float64).elements(Double.self).first ?? .nan
  }

  /// Parameters and memory, whole, on every rank: what one of them writes so that a training can go on.
  /// - Throws: `CommunicationError`.
  public func checkpoint() throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (index, (about, input)) in zip(step.state, plan.inputs.suffix(state.count)).enumerated() {
      let root = try plan.holders(of: about.name).first ?? 0
      let group = plan.mesh.group(of: communicator.rank, along: [Mesh.pipeline])
      var tensor: Tensor
      if plan.stage(of: communicator.rank) == root {
        tensor = try whole(state[index], input.sharding, about.name)
      } else {
        tensor = try Tensor(zeros: about.tensor.elementType, about.tensor.shape)
      }
      if group.count > 1 {
        let flat = try tensor.reshaped([tensor.elementCount])
        tensor = try communicator.perform(Exchange(.broadcast(root: group[root]), group: group, flat, label: about.name))
          .reshaped(about.tensor.shape)
      }
      tensors[about.name] = tensor
    }
    return tensors
  }

  /// Writes parameters and memory as sharded safetensors: tensors are made whole one after the other, and each rank writes those
  /// that fall to it, so that none holds all. Every rank calls it; the index comes last, when all files are there.
  /// - Throws: `CommunicationError`; errors of the file system.
  public func write(to folder: String) throws {
    try Folder.make(folder)
    let (rank, world) = (communicator.rank, communicator.worldSize)
    let stageCount = plan.mesh.size(of: Mesh.pipeline)
    var files: [String: String] = [:]
    var own: [String: Tensor] = [:]
    for (index, (about, input)) in zip(step.state, plan.inputs.suffix(state.count)).enumerated() {
      let stage = try plan.holders(of: about.name).first ?? 0
      let ranks = (0..<world).filter { plan.stage(of: $0) == stage }
      let writer = ranks[index / stageCount % ranks.count]
      files[about.name] = WeightShards.fileName(writer, of: world)
      guard plan.stage(of: rank) == stage else { continue }
      let tensor = try whole(state[index], input.sharding, about.name)
      if rank == writer { own[about.name] = tensor }
    }
    if !own.isEmpty {
      let path = "\(folder)/\(WeightShards.fileName(rank, of: world))"
      try Safetensors.write(own, metadata: ["format": "pt", "steps": "\(stepCount)"], to: path)
    }
    let empty = try Tensor(zeros: .uint8, [0])
    _ = try communicator.perform(Exchange(.barrier, group: Array(0..<world), empty, label: "files"))
    guard rank == 0 else { return }
    try WeightShards.writeIndex(files, totalBytes: step.state.reduce(0) { $0 + $1.tensor.byteCount }, to: folder)
  }

  private func whole(_ part: Tensor, _ spec: ShardingSpec, _ name: String) throws -> Tensor {
    var tensor = part
    for (axis, cuts) in spec.dimensions.enumerated() where !cuts.isEmpty {
      let group = plan.mesh.group(of: communicator.rank, along: cuts)
      guard group.count > 1 else { continue }
      let flat = try tensor.reshaped([tensor.elementCount])
      let row = try communicator.perform(Exchange(.allGather, group: group, flat, label: name))
      tensor = try Tensor.joined(row.flatParts(group.count).map { try $0.reshaped(tensor.shape) }, axis: axis)
    }
    return tensor
  }
}
