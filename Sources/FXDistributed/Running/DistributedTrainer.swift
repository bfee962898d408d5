import FXCore
import FXPasses

/// Training in progress on several ranks: every rank has its parts of parameters and memory.
public struct DistributedTrainer: Sendable {
  public let plan: ExecutionPlan
  /// How many steps were done.
  public private(set) var stepCount = 0
  private let step: TrainingStep
  private let executable: DistributedExecutable
  private let communicator: any Communicator
  /// This rank's parts.
  private var state: [Tensor]
  private let dataCount: Int

  /// The plan of a training step: the batch or the weights are divided, and gradients are summed where they must be.
  /// - Throws: `PlanError.stages` for a mesh with a pipeline, which this trainer does not run; what `ExecutionPlan.init` throws.
  public static func plan(_ step: TrainingStep, _ config: DistributedConfig) throws -> ExecutionPlan {
    var config = config
    config.weights = Set(step.state.map(\.name))
    config.gathersOutputs = false
    let plan = try ExecutionPlan(step.graph, config)
    guard plan.mesh.size(of: Mesh.pipeline) == 1 else {
      throw PlanError.mesh(plan.mesh.description, "a training step is divided along data and tensor only")
    }
    return plan
  }

  /// - Parameters:
  ///   - checkpoint: what an earlier training left in `checkpoint()`, to go on from.
  /// - Throws: as `DistributedExecutor.prepare`; `GraphError.unknownName` for a checkpoint that lacks a tensor.
  public init(
    _ step: TrainingStep, plan: ExecutionPlan, on executor: DistributedExecutor,
    from checkpoint: (tensors: [String: Tensor], stepCount: Int)? = nil
  ) throws {
    (self.step, self.plan, communicator) = (step, plan, executor.communicator)
    executable = try executor.prepare(plan)
    dataCount = step.graph.inputs.count - step.state.count - 2
    stepCount = checkpoint?.stepCount ?? 0
    let (rank, mesh) = (communicator.rank, plan.mesh)
    state = try zip(step.state, plan.inputs.suffix(step.state.count)).map { about, input in
      guard let tensor = checkpoint.map({ $0.tensors[about.name] }) ?? about.tensor else {
        throw GraphError.unknownName(about.name, suggestions: [])
      }
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
    let results = try executable.run(
      all.map(RuntimeValue.tensor), local: Set(all.count - state.count..<all.count))
    let next = results.suffix(state.count).compactMap(\.tensor)
    let index = plan.outputs.firstIndex { $0.name == step.loss } ?? 0
    guard next.count == state.count, let loss = results[index].tensor else {
      throw ExecutionError.notATensor(results[index].type)
    }
    state = next
    stepCount += 1
    return try loss.converted(to: .float64).elements(Double.self).first ?? .nan
  }

  /// Parameters and memory, whole, on every rank: what one of them writes so that a training can go on.
  /// - Throws: `CommunicationError`.
  public func checkpoint() throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for (index, (about, input)) in zip(step.state, plan.inputs.suffix(state.count)).enumerated() {
      tensors[about.name] = try whole(state[index], input.sharding, about.name)
    }
    return tensors
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
