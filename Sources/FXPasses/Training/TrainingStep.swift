import FXCore
import FXTrace

/// One step of training as a graph: from data, parameters and the optimizer's memory to the loss, the next parameters and
/// the next memory.
///
/// Inputs: those of the model, then `step` (1 for the first) and `learning_rate`, both `f32` scalars, then every trained
/// parameter, every running statistic, and the memory. Outputs: those of the model, then the next value of each of these
/// in the same order.
public struct TrainingStep: Sendable {
  /// Forward run, gradients and update in one graph.
  public let graph: Graph
  /// What the update follows, and whose learning rate `Trainer` takes where it is given none.
  public let optimizer: any Optimizer
  /// The output that is minimized.
  public let loss: String
  /// What goes from step to step, in the order of inputs and outputs: names and first values.
  public let state: [(name: String, tensor: Tensor)]
  let dataCount: Int
  let outputNames: [String]

  /// - Parameters:
  ///   - model: a graph of which one output is the loss, in training mode where that makes a difference.
  ///   - loss: the name of that output, one number.
  ///   - names: the weights that are trained; all of them by default.
  ///   - recomputesActivations: whether activations are computed again for the gradients (`RecomputationPass`): less memory
  ///     for a second forward run.
  /// - Throws: `DifferentiationError` naming what has no gradient; `ExecutionError.unboundParameters`;
  ///   `GraphError.duplicateName` for a parameter in `names` twice or that is a running statistic too, and for an input of the
  ///   model called `step` or `learning_rate`.
  public init(
    _ model: Graph, loss: String, parameters names: [String]? = nil, optimizer: any Optimizer,
    differentiation: Differentiation = Differentiation(), recomputesActivations: Bool = false
  ) throws {
    var graph = model
    try differentiation.prepare(&graph)
    guard let lossIndex = graph.outputNames.firstIndex(of: loss) else { throw DifferentiationError(.unknownName(loss)) }
    (self.loss, self.optimizer, dataCount, outputNames) = (loss, optimizer, graph.inputs.count, graph.outputNames)

    let trained = try TrainingStep.trained(names, in: graph)
    let statistics = try TrainingStep.chainStatistics(of: &graph)
    let step = try graph.addInput("step", .tensor(.float32, []))
    let rate = try graph.addInput("learning_rate", .tensor(.float32, []))
    var state: [(String, Tensor)] = []
    var inputs: [ValueID] = []
    for id in trained + statistics.map(\.parameter) {
      let parameter = try graph[id]
      guard let tensor = parameter.tensor else { throw ExecutionError.unboundParameters([parameter.name]) }
      state.append((parameter.name, tensor))
      inputs.append(try graph.makeInput(of: id))
    }
    var memory: [[ValueID]] = []
    for (name, tensor) in state.prefix(trained.count) {
      memory.append(
        try optimizer.memory.map { kind in
          let zeros = try Tensor(zeros: tensor.elementType, tensor.shape)
          state.append(("\(name).\(kind)", zeros))
          return try graph.addInput("\(name).\(kind)", .tensor(zeros.type))
        })
    }
    graph.removeUnusedParameters()

    let parameters = inputs.prefix(trained.count)
    let gradients = try differentiation.gradients(
      of: [(graph.outputs[lossIndex], nil)], wrt: parameters.map(Operand.value), in: &graph)
    let writer = GraphWriter(graph)
    graph = Graph()
    var next: [Operand] = []
    var nextMemory: [Operand] = []
    for (index, (parameter, gradient)) in zip(parameters, gradients).enumerated() {
      let tensor = writer.tensor(.value(parameter))
      let element = tensor.elementType ?? .float32
      let updated = optimizer.update(
        tensor, gradient: writer.tensor(gradient), memory: memory[index].map { writer.tensor(.value($0)) },
        step: writer.tensor(.value(step)).cast(to: element), learningRate: writer.tensor(.value(rate)).cast(to: element))
      next.append(try writer.operand(updated.parameter))
      nextMemory += try updated.memory.map(writer.operand)
    }
    graph = try writer.finish()
    next += statistics.map { .value($0.result) } + nextMemory
    for (operand, (name, _)) in zip(next, state) { try graph.addOutput(operand, name: "next.\(name)") }
    if recomputesActivations { try RecomputationPass(loss: loss).apply(to: &graph) }
    (self.graph, self.state) = (graph, state)
  }

  /// The parameters called `names`, or all floating weights.
  private static func trained(_ names: [String]?, in graph: Graph) throws -> [ParameterID] {
    guard let names else {
      return try graph.parameterIDs.filter { id in
        let parameter = try graph[id]
        return parameter.role == .weight && parameter.type.elementType.isFloatingPoint
      }
    }
    return try names.map { name in
      guard let id = graph.parameter(named: name) else { throw DifferentiationError(.unknownName(name)) }
      return id
    }
  }

  /// The running statistics of batch normalizations in training, and what they become. Calls that share statistics move them
  /// one after the other, as PyTorch's modules do.
  private static func chainStatistics(of graph: inout Graph) throws -> [(parameter: ParameterID, result: ValueID)] {
    var found: [(parameter: ParameterID, result: ValueID)] = []
    var places: [ParameterID: Int] = [:]
    for id in graph.bodyNodes {
      let node = try graph[id]
      guard node.op == .batchNormalization, node.attributes[BatchNormalization.trainingMode] else { continue }
      for (index, result) in zip(node.operands.indices.dropFirst(3), node.results.dropFirst()) {
        guard let parameter = node.operands[index].parameter else { continue }
        if let place = places[parameter] {
          try graph.setOperand(index, of: id, to: .value(found[place].result))
          found[place].result = result
        } else {
          places[parameter] = found.count
          found.append((parameter, result))
        }
      }
    }
    return found
  }
}

/// Training in progress: runs a step again and again, and keeps what goes from one to the next.
public struct Trainer: Sendable {
  /// What `train` runs, with the names of what goes from step to step.
  public let step: TrainingStep
  /// How many steps were done.
  public private(set) var stepCount = 0
  /// Parameters, running statistics and the optimizer's memory.
  public private(set) var state: [Tensor]
  private let executable: any Executable
  private let lossIndex: Int

  /// - Throws: what `Backend.compile` throws.
  public init(_ step: TrainingStep, on backend: any Backend) throws {
    self.step = step
    state = step.state.map(\.tensor)
    executable = try backend.compile(step.graph)
    lossIndex = step.outputNames.firstIndex(of: step.loss) ?? 0
  }

  /// Does one step.
  /// - Parameters:
  ///   - inputs: the model's inputs, in order.
  ///   - learningRate: the optimizer's by default.
  /// - Returns: the loss before the step.
  /// - Throws: `ExecutionError`; the state is then as before.
  @discardableResult
  public mutating func train(_ inputs: Tensor..., learningRate: Double? = nil) throws -> Double {
    try train(inputs, learningRate: learningRate)
  }

  /// As `train(_:learningRate:)`, for inputs in a list.
  @discardableResult
  public mutating func train(_ inputs: [Tensor], learningRate: Double? = nil) throws -> Double {
    guard inputs.count == step.dataCount else {
      let names = step.graph.inputs.prefix(step.dataCount).map { step.graph.name(of: $0) }
      throw ExecutionError.inputCount(expected: names, actual: inputs.count)
    }
    let rate = Float(learningRate ?? step.optimizer.learningRate)
    let all = inputs + [Tensor(Float(stepCount + 1)), Tensor(rate)] + state
    let results = try executable.run(all.map(RuntimeValue.tensor))
    let next = results.dropFirst(step.outputNames.count).compactMap(\.tensor)
    guard next.count == state.count, let loss = results[lossIndex].tensor else {
      throw ExecutionError.notATensor(results[lossIndex].type)
    }
    state = next
    stepCount += 1
    return try loss.numbers().doubles.first ?? .nan
  }

  /// Parameters, running statistics and memory by name: what a checkpoint holds beside `stepCount`.
  public var tensors: [String: Tensor] {
    Dictionary(zip(step.state.map(\.name), state), uniquingKeysWith: { first, _ in first })
  }

  /// Binds the parameters that a graph shares with the training, such as the same model in evaluation.
  /// - Throws: `GraphError` if one has another type there.
  public func apply(to graph: inout Graph) throws {
    for (about, tensor) in zip(step.state, state) {
      if let parameter = graph.parameter(named: about.name) { try graph.setTensor(tensor, of: parameter) }
    }
  }
}
