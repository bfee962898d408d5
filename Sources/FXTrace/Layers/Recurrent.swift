import FXCore

/// What a recurrent layer carries from step to step: [layers × directions, batch, hidden] each.
public struct LSTMState: TensorGroup {
  /// What the layers gave at the latest step.
  public var hidden: SymbolicTensor
  /// What the gates keep from step to step, which is no output.
  public var cell: SymbolicTensor

  /// A state of two tensors of one shape, [layers × directions, batch, hidden] even where sequences have the batch first.
  public init(hidden: SymbolicTensor, cell: SymbolicTensor) {
    self.hidden = hidden
    self.cell = cell
  }

  public var tensors: [SymbolicTensor] { [hidden, cell] }
  public static var tensorCount: Int? { 2 }
  public init?(tensors: [SymbolicTensor]) {
    guard tensors.count == 2 else { return nil }
    self.init(hidden: tensors[0], cell: tensors[1])
  }
}

/// What a recurrent layer takes: a sequence, and the state to start from; zeros if none is given.
public struct RecurrentInput<State: TensorGroup>: TensorGroup {
  /// [time, batch, input], or the batch first.
  public var sequence: SymbolicTensor
  /// What the first step starts from; `nil` for zeros.
  public var state: State?

  /// A sequence, to be gone through from a state or from zeros.
  public init(_ sequence: SymbolicTensor, state: State? = nil) {
    self.sequence = sequence
    self.state = state
  }

  public var tensors: [SymbolicTensor] { [sequence] + (state?.tensors ?? []) }
  public init?(tensors: [SymbolicTensor]) {
    guard let first = tensors.first else { return nil }
    let rest = Array(tensors.dropFirst())
    self.init(first, state: rest.isEmpty ? nil : State(tensors: rest))
    if !rest.isEmpty, state == nil { return nil }
  }
}

/// What a recurrent layer gives: the last layer's hidden states of all steps, and the state after the last step.
public struct RecurrentOutput<State: TensorGroup>: TensorGroup {
  /// [time, batch, directions × hidden], or the batch first.
  public var output: SymbolicTensor
  /// Of every layer and direction after its last step, [layers × directions, batch, hidden] for each tensor.
  public var state: State

  /// A layer's result of its two parts.
  public init(output: SymbolicTensor, state: State) {
    self.output = output
    self.state = state
  }

  public var tensors: [SymbolicTensor] { [output] + state.tensors }
  public init?(tensors: [SymbolicTensor]) {
    guard let first = tensors.first, let state = State(tensors: Array(tensors.dropFirst())) else { return nil }
    self.init(output: first, state: state)
  }
}

/// Long short-term memory, as `torch.nn.LSTM`: sequences [time, batch, input], or the batch first.
/// (`LSTM` names the operator's attributes.)
public final class LSTMLayer: Module, Sendable {
  private let core: RecurrentCore

  /// Weights and biases under PyTorch's names, which start uniform within ±1/√`hiddenSize`.
  /// - Parameters:
  ///   - inputSize: how many features a step has.
  ///   - hiddenSize: how many elements each layer gives per direction.
  ///   - layers: how many, each going through what the one before gives; at least 1, which is checked when it is called.
  ///   - batchFirst: whether sequences and outputs are [batch, time, …]; states are not concerned.
  ///   - bidirectional: whether each layer also goes from the last step to the first, its results behind the others.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    bidirectional: Bool = false, elementType: ElementType = .float32
  ) {
    // PyTorch stacks the gates i, f, g, o; the operator takes i, o, f, g.
    core = RecurrentCore(
      .lstm, gateOrder: [0, 3, 1, 2], stateCount: 2, inputSize, hiddenSize, layers: layers, bias: bias,
      batchFirst: batchFirst, bidirectional: bidirectional, elementType)
  }

  public var parts: [ModulePart] { core.parts }
  /// [time, batch, input] → [time, batch, directions × hidden] and the last states. Another number of features is a mistake.
  public func forward(_ input: RecurrentInput<LSTMState>) -> RecurrentOutput<LSTMState> {
    core.run(input) { LSTMState(hidden: $0[0], cell: $0[1]) }
  }

  /// Runs over a sequence from a state, by default zeros.
  public func callAsFunction(
    _ sequence: SymbolicTensor, _ state: LSTMState? = nil, fileID: String = #fileID, line: Int = #line
  ) -> RecurrentOutput<LSTMState> {
    callAsFunction(RecurrentInput(sequence, state: state), fileID: fileID, line: line)
  }
}

/// Gated recurrent unit, as `torch.nn.GRU`: sequences [time, batch, input], or the batch first.
/// (`GRU` names the operator's attributes.)
public final class GRULayer: Module, Sendable {
  private let core: RecurrentCore

  /// Weights and biases under PyTorch's names, which start uniform within ±1/√`hiddenSize`.
  ///
  /// The reset gate is applied after the product with the weights, as in PyTorch.
  /// - Parameters:
  ///   - inputSize: how many features a step has.
  ///   - hiddenSize: how many elements each layer gives per direction.
  ///   - layers: how many, each going through what the one before gives; at least 1, which is checked when it is called.
  ///   - batchFirst: whether sequences and outputs are [batch, time, …]; states are not concerned.
  ///   - bidirectional: whether each layer also goes from the last step to the first, its results behind the others.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
    bidirectional: Bool = false, elementType: ElementType = .float32
  ) {
    var attributes = Attributes()
    attributes[GRU.linearBeforeReset] = true
    // PyTorch stacks the gates r, z, n; the operator takes z, r, n.
    core = RecurrentCore(
      .gru, gateOrder: [1, 0, 2], stateCount: 1, inputSize, hiddenSize, layers: layers, bias: bias,
      batchFirst: batchFirst, bidirectional: bidirectional, attributes: attributes, elementType)
  }

  public var parts: [ModulePart] { core.parts }
  /// [time, batch, input] → [time, batch, directions × hidden] and the last state. Another number of features is a mistake.
  public func forward(_ input: RecurrentInput<SymbolicTensor>) -> RecurrentOutput<SymbolicTensor> {
    core.run(input) { $0[0] }
  }

  /// Runs over a sequence from a state, by default zeros.
  public func callAsFunction(
    _ sequence: SymbolicTensor, _ state: SymbolicTensor? = nil, fileID: String = #fileID, line: Int = #line
  ) -> RecurrentOutput<SymbolicTensor> {
    callAsFunction(RecurrentInput(sequence, state: state), fileID: fileID, line: line)
  }
}

/// h ← tanh(W x + b + R h + c), or relu in place of tanh, as `torch.nn.RNN`.
public final class RNNLayer: Module, Sendable {
  /// What the sum of each step goes through, by ONNX's names.
  public enum Nonlinearity: String, Sendable {
    /// The default: states stay within (−1, 1).
    case tanh = "Tanh"
    /// max(x, 0): states may grow from step to step.
    case relu = "Relu"
  }
  private let core: RecurrentCore

  /// Weights and biases under PyTorch's names, which start uniform within ±1/√`hiddenSize`.
  /// - Parameters:
  ///   - inputSize: how many features a step has.
  ///   - hiddenSize: how many elements each layer gives per direction.
  ///   - layers: how many, each going through what the one before gives; at least 1, which is checked when it is called.
  ///   - batchFirst: whether sequences and outputs are [batch, time, …]; states are not concerned.
  ///   - bidirectional: whether each layer also goes from the last step to the first, its results behind the others.
  public init(
    _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, nonlinearity: Nonlinearity = .tanh, bias: Bool = true,
    batchFirst: Bool = false, bidirectional: Bool = false, elementType: ElementType = .float32
  ) {
    var attributes = Attributes()
    attributes[Recurrent.activations] = Array(repeating: nonlinearity.rawValue, count: bidirectional ? 2 : 1)
    core = RecurrentCore(
      .rnn, gateOrder: [0], stateCount: 1, inputSize, hiddenSize, layers: layers, bias: bias, batchFirst: batchFirst,
      bidirectional: bidirectional, attributes: attributes, elementType)
  }

  public var parts: [ModulePart] { core.parts }
  /// [time, batch, input] → [time, batch, directions × hidden] and the last state. Another number of features is a mistake.
  public func forward(_ input: RecurrentInput<SymbolicTensor>) -> RecurrentOutput<SymbolicTensor> {
    core.run(input) { $0[0] }
  }

  /// Runs over a sequence from a state, by default zeros.
  public func callAsFunction(
    _ sequence: SymbolicTensor, _ state: SymbolicTensor? = nil, fileID: String = #fileID, line: Int = #line
  ) -> RecurrentOutput<SymbolicTensor> {
    callAsFunction(RecurrentInput(sequence, state: state), fileID: fileID, line: line)
  }
}

/// The weights of a stack of recurrent layers under PyTorch's names (`weight_ih_l0`, `bias_hh_l1_reverse`), and its run.
private struct RecurrentCore: Sendable {
  let op: Operator
  /// For each gate of the operator which of PyTorch's it is.
  let gateOrder: [Int]
  let stateCount: Int
  let hiddenSize: Int
  let isBatchFirst: Bool
  let attributes: Attributes
  /// As many as were asked for.
  let layerCount: Int
  /// By layer and direction; of one layer if none was asked for.
  let weights: [[Weights]]

  struct Weights: Sendable {
    let suffix: String
    let input: ModuleParameter
    let hidden: ModuleParameter
    let inputBias: ModuleParameter?
    let hiddenBias: ModuleParameter?
  }

  init(
    _ op: Operator, gateOrder: [Int], stateCount: Int, _ inputSize: Int, _ hiddenSize: Int, layers: Int, bias: Bool,
    batchFirst: Bool, bidirectional: Bool, attributes: Attributes = [:], _ elementType: ElementType
  ) {
    self.op = op
    self.gateOrder = gateOrder
    self.stateCount = stateCount
    self.hiddenSize = hiddenSize
    isBatchFirst = batchFirst
    layerCount = layers
    var attributes = attributes
    attributes[Recurrent.hiddenSize] = hiddenSize
    attributes[Recurrent.direction] = bidirectional ? "bidirectional" : "forward"
    self.attributes = attributes
    let initializer = Initializer.kaimingUniform(fanIn: hiddenSize)
    let (directions, rows) = (bidirectional ? 2 : 1, gateOrder.count * hiddenSize)
    weights = (0..<Swift.max(1, layers)).map { layer in
      (0..<directions).map { direction in
        func parameter(_ shape: [Int]) -> ModuleParameter {
          ModuleParameter(elementType, shape, initializer: initializer)
        }
        return Weights(
          suffix: "l\(layer)" + (direction == 1 ? "_reverse" : ""),
          input: parameter([rows, layer == 0 ? inputSize : directions * hiddenSize]), hidden: parameter([rows, hiddenSize]),
          inputBias: bias ? parameter([rows]) : nil, hiddenBias: bias ? parameter([rows]) : nil)
      }
    }
  }

  var parts: [ModulePart] {
    weights.flatMap(\.self).flatMap { weights in
      [
        ("weight_ih", weights.input), ("weight_hh", weights.hidden), ("bias_ih", weights.inputBias),
        ("bias_hh", weights.hiddenBias),
      ]
      .compactMap { name, parameter in parameter.map { ModulePart("\(name)_\(weights.suffix)", $0) } }
    }
  }

  /// - Parameter state: what `stateCount` tensors are together.
  func run<State: TensorGroup>(
    _ input: RecurrentInput<State>, state: ([SymbolicTensor]) -> State
  ) -> RecurrentOutput<State> {
    let states = input.state?.tensors ?? []
    let name = "\(op.description.uppercased())Layer"
    if layerCount < 1 { _ = input.sequence.mistake(name, "the number of layers is \(layerCount), it must be positive") }
    let features = weights[0][0].input.shape[1]
    if input.sequence.rank == 3, let size = input.sequence.dimension(2).size, size != features {
      _ = input.sequence.mistake(name, "the sequence has \(size) features, the layer takes \(features)")
    }
    let directions = weights[0].count
    var x = isBatchFirst ? input.sequence.exchanging(0, 1) : input.sequence
    var last = Array(repeating: [SymbolicTensor](), count: stateCount)
    for (layer, weights) in weights.enumerated() {
      let initial = states.map { rows($0, layer * directions, (layer + 1) * directions) }
      let biases: (any SymbolicOperand)? =
        weights[0].inputBias == nil
        ? nil
        : joined(
          weights.map { [ordered($0.inputBias, x), ordered($0.hiddenBias, x)].compactMap(\.self) }.map { concatenated($0) })
      let operands: [(any SymbolicOperand)?] = [
        joined(weights.compactMap { ordered($0.input, x) }), joined(weights.compactMap { ordered($0.hidden, x) }), biases,
      ]
      let results = x.applyAll(
        op, operands + (initial.isEmpty ? [] : [nil] + initial), attributes: attributes, resultCount: stateCount + 1,
        at: x.session.here)
      // [time, directions, batch, hidden]
      if directions == 1 {
        x = results[0].apply(.squeeze, [Tensor(vector: [1])])
      } else {
        let merged = results[0].apply(.transpose, attributes: .permutation([0, 2, 1, 3]))
        x = merged.apply(.reshape, [Tensor(vector: [0, 0, directions * hiddenSize])])
      }
      for state in 0..<stateCount { last[state].append(results[state + 1]) }
    }
    let output = isBatchFirst ? x.exchanging(0, 1) : x
    return RecurrentOutput(output: output, state: state(last.map { concatenated($0) }))
  }

  private func rows(_ x: SymbolicTensor, _ start: Int, _ end: Int) -> SymbolicTensor {
    weights.count == 1 ? x : x.apply(.slice, [Tensor(vector: [start]), Tensor(vector: [end]), Tensor(vector: [0])])
  }

  private func concatenated(_ parts: [SymbolicTensor]) -> SymbolicTensor {
    guard parts.count > 1 else { return parts[0] }
    var attributes = Attributes()
    attributes[Concat.axis] = 0
    return parts[0].apply(.concat, Array(parts.dropFirst()), attributes: attributes)
  }

  /// One of each direction, under a new first axis.
  private func joined(_ parts: [SymbolicTensor]) -> SymbolicTensor {
    concatenated(parts.map { $0.apply(.unsqueeze, [Tensor(vector: [0])]) })
  }

  /// The rows of a weight or bias in the operator's order of gates.
  private func ordered(_ parameter: ModuleParameter?, _ x: SymbolicTensor) -> SymbolicTensor? {
    guard let parameter else { return nil }
    let weight = x.lift(parameter)
    guard gateOrder.count > 1 else { return weight }
    var attributes = Attributes()
    attributes[Split.outputCount] = gateOrder.count
    let gates = weight.applyAll(.split, attributes: attributes, resultCount: gateOrder.count)
    return concatenated(gateOrder.map { gates[$0] })
  }
}
