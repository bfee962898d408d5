import FXCore

/// Source of the formulas: the definitions of ONNX `LSTM`, `GRU` and `RNN`. The products with the input are made for all of
/// time at once; a scan goes over time with what depends on the state.
extension Decompositions {
  mutating func addRecurrent() {
    self[.lstm] = { context in
      let layer = try RecurrentLayer(context, gates: 4)
      let isCoupled = context[LSTM.inputForget]
      let peepholes = try context.optionalTerm(7)
      return try layer.results(stateCount: 2) { direction in
        let (f, g, h) = (direction.activations[0], direction.activations[1], direction.activations[2])
        let captures = try [direction.recurrentWeights] + (peepholes.map { try layer.parts($0, direction, count: 3) } ?? [])
        return RecurrentLayer.Step(captures: captures) { x, states, captures in
          let (hidden, memory) = (states[0], states[1])
          let gates = try (x + matmul(hidden, captures[0])).split(4)
          func peeped(_ gate: Int, _ cell: Term) throws -> Term {
            try layer.clip(captures.count > 1 ? gates[gate] + captures[1 + gate] * cell : gates[gate])
          }
          let input = try f(peeped(0, memory))
          let forget = try isCoupled ? 1 - input : f(peeped(2, memory))
          let cell = try forget * memory + input * g(layer.clip(gates[3]))
          return [try f(peeped(1, cell)) * h(layer.clip(cell)), cell]
        }
      }
    }
    self[.gru] = { context in
      let layer = try RecurrentLayer(context, gates: 3)
      let isLinearFirst = context[GRU.linearBeforeReset]
      return try layer.results(stateCount: 1) { direction in
        let (f, g) = (direction.activations[0], direction.activations[1])
        let weights = try direction.recurrentWeights.split(3)
        var captures = [try concat(Array(weights[..<2]), axis: 1), weights[2]]
        if isLinearFirst, let bias = direction.recurrentBias { captures.append(try bias.split(3)[2]) }
        return RecurrentLayer.Step(captures: captures, addsLastBias: isLinearFirst) { x, states, captures in
          let hidden = states[0]
          let sums = try x.split(3)
          let recurrent = try matmul(hidden, captures[0]).split(2)
          let update = try f(layer.clip(sums[0] + recurrent[0]))
          let reset = try f(layer.clip(sums[1] + recurrent[1]))
          var candidate = try matmul(isLinearFirst ? hidden : reset * hidden, captures[1])
          if captures.count > 2 { candidate = try candidate + captures[2] }
          if isLinearFirst { candidate = try reset * candidate }
          candidate = try g(layer.clip(sums[2] + candidate))
          return [try (1 - update) * candidate + update * hidden]
        }
      }
    }
    self[.rnn] = { context in
      let layer = try RecurrentLayer(context, gates: 1)
      return try layer.results(stateCount: 1) { direction in
        RecurrentLayer.Step(captures: [direction.recurrentWeights]) { x, states, captures in
          [try direction.activations[0](layer.clip(x + matmul(states[0], captures[0])))]
        }
      }
    }
  }
}

extension Term {
  /// Equal parts of the last axis.
  fileprivate func split(_ count: Int) throws -> [Term] {
    if count == 1 { return [self] }
    return try calls(.split, [], [Split.axis.name: -1, Split.outputCount.name: .int(count)], resultCount: count)
  }
}

/// What recurrent layers have in common: operands, directions, lengths, and the products with the input.
private struct RecurrentLayer {
  typealias Activation = (Term) throws -> Term

  /// One turn of the scan over time.
  struct Step {
    let captures: [Term]
    /// Whether the body adds the recurrent bias of the last gate.
    var addsLastBias = false
    /// From the products with the input, states and captures to the next states.
    let body: (_ x: Term, _ states: [Term], _ captures: [Term]) throws -> [Term]
  }

  struct Direction {
    let index: Int
    let activations: [Activation]
    /// [hidden, gates × hidden]
    let recurrentWeights: Term
    /// [gates × hidden]
    let recurrentBias: Term?
  }

  private let context: DecompositionContext
  private let gates: Int
  /// Time first.
  private let x: Term
  private let type: ElementType
  private let wide: ElementType
  private let isBatchFirst: Bool
  private let names: [String]

  init(_ context: DecompositionContext, gates: Int) throws {
    self.context = context
    self.gates = gates
    let operand = try context.term(0)
    guard try operand.rank == 3 else { throw DecompositionDeclined(reason: "x has not three axes") }
    type = try operand.elementType
    wide = type.widened
    isBatchFirst = context[Recurrent.layout] == 1
    let x = try operand.cast(to: wide)
    self.x = try isBatchFirst ? x.transposed([1, 0, 2]) : x
    let directions = context[Recurrent.direction] == "bidirectional" ? 2 : 1
    let defaults = gates == 4 ? ["Sigmoid", "Tanh", "Tanh"] : gates == 3 ? ["Sigmoid", "Tanh"] : ["Tanh"]
    let given = context[Recurrent.activations] ?? []
    names = given.isEmpty ? Array(repeating: defaults, count: directions).flatMap(\.self) : given
    guard names.count >= directions * defaults.count else {
      throw DecompositionDeclined(reason: "\(names.count) activations are too few")
    }
  }

  func clip(_ x: Term) throws -> Term {
    guard let limit = context[Recurrent.clip] else { return x }
    return try FXPasses.clip(x, Literal(-limit), Literal(limit))
  }

  /// A direction's part of an operand, cut along its last axis.
  func parts(_ operand: Term, _ direction: Direction, count: Int) throws -> [Term] {
    // Peepholes stand in the order of the gates: input, output, forget.
    try operand.cast(to: wide).gathered(direction.index, axis: 0).split(count)
  }

  /// Runs all directions with the steps that `makeStep` gives.
  func results(stateCount: Int, _ makeStep: (Direction) throws -> Step) throws -> [Operand] {
    let functions = try activations()
    let isBidirectional = context[Recurrent.direction] == "bidirectional"
    let count = gates == 4 ? 3 : gates == 3 ? 2 : 1
    var outputs: [[Term]] = []
    for index in 0..<(isBidirectional ? 2 : 1) {
      let biases = try context.optionalTerm(3)?.cast(to: wide).gathered(index, axis: 0).split(2)
      let direction = Direction(
        index: index, activations: Array(functions[index * count..<(index + 1) * count]),
        recurrentWeights: try context.term(2).cast(to: wide).gathered(index, axis: 0).transposed([1, 0]),
        recurrentBias: biases?[1])
      let isReverse = index == 1 || context[Recurrent.direction] == "reverse"
      outputs.append(try run(direction, isReverse: isReverse, stateCount, biases, makeStep(direction)))
    }
    // [time, direction, batch, hidden], and for the states [direction, batch, hidden].
    let y = try stack(outputs.map { $0[stateCount] }, axis: 1)
    let states = try (0..<stateCount).map { state in try stack(outputs.map { $0[state] }, axis: 0) }
    let all =
      try [
        isBatchFirst ? y.transposed([2, 0, 1, 3]) : y
      ] + states.map { try isBatchFirst ? $0.transposed([1, 0, 2]) : $0 }
    return try all.prefix(context.node.results.count).map { try $0.cast(to: type).operand }
  }

  /// One direction: the last states [batch, hidden], then the hidden states of all of time.
  private func run(
    _ direction: Direction, isReverse: Bool, _ stateCount: Int, _ biases: [Term]?, _ step: Step
  ) throws -> [Term] {
    let builder = context.builder
    let lengths = try context.optionalTerm(4)
    // Sequences of their own lengths are reversed by themselves, and then run forward.
    let input = try isReverse && lengths != nil ? reversed(x, lengths) : x
    let weights = try context.term(1).cast(to: wide).gathered(direction.index, axis: 0).transposed([1, 0])
    var sums = try matmul(input, weights)
    if let biases {
      var recurrent = biases[1]
      if step.addsLastBias {
        let parts = try recurrent.split(gates)
        recurrent = try concat(parts.dropLast() + [parts[gates - 1] * 0], axis: 0)
      }
      sums = try sums + (biases[0] + recurrent)
    }
    let stateSizes = try [x.size(1), direction.recurrentWeights.size(0)]
    let states = try (0..<stateCount).map { index in
      guard let initial = try context.optionalTerm(5 + index) else { return try builder.zeros(stateSizes, wide) }
      return try initial.cast(to: wide).gathered(direction.index, axis: isBatchFirst ? 1 : 0)
    }
    var inputs = [sums]
    if let lengths {
      let places = try builder.range(x.size(0)).unsqueezed([1])
      inputs.append(try (places .< lengths.cast(to: .int64)).unsqueezed([2]))
    }
    var results = try builder.scan(
      states: states, inputs, captures: step.captures, isReverse: isReverse && lengths == nil
    ) { states, elements, captures in
      var next = try step.body(elements[0], states, captures)
      var output = next[0]
      if elements.count > 1 {
        output = try select(elements[1], output, 0)
        next = try zip(next, states).map { try select(elements[1], $0, $1) }
      }
      // A result stands for one value: a state is not handed out twice.
      if elements.count == 1 { output = try output.call(.identity) }
      return (next, [output])
    }
    if isReverse, lengths != nil { results[stateCount] = try reversed(results[stateCount], lengths) }
    return results
  }

  private func reversed(_ x: Term, _ lengths: Term?) throws -> Term {
    try lengths.map { try x.sequencesReversed(lengths: $0, timeAxis: 0, batchAxis: 1) } ?? x
  }

  /// The activations of all directions, with parameters in the order of those that have one.
  private func activations() throws -> [Activation] {
    var alphas = (context[Recurrent.activationAlpha] ?? [])[...]
    var betas = (context[Recurrent.activationBeta] ?? [])[...]
    return try names.map { name in
      func alpha(_ standard: Float) -> Float { alphas.popFirst() ?? standard }
      func beta(_ standard: Float) -> Float { betas.popFirst() ?? standard }
      switch name.lowercased() {
      case "relu": return { try $0.call(.relu) }
      case "tanh": return { try tanh($0) }
      case "sigmoid": return { try sigmoid($0) }
      case "softsign": return { try $0 / (1 + abs($0)) }
      case "softplus": return { try softplus($0) }
      case "affine":
        let (a, b) = (Literal(alpha(1)), Literal(beta(0)))
        return { try $0 * a + b }
      case "leakyrelu":
        let a = Literal(alpha(0.01))
        return { try select($0 .< 0, $0 * a, $0) }
      case "thresholdedrelu":
        let a = Literal(alpha(1))
        return { try select($0 .<= a, 0, $0) }
      case "scaledtanh":
        let (a, b) = (Literal(alpha(1)), Literal(beta(1)))
        return { try tanh($0 * b) * a }
      case "hardsigmoid":
        let (a, b) = (alpha(0.2), beta(0.5))
        return { try hardSigmoid($0, alpha: a, beta: b) }
      case "elu":
        let a = alpha(1)
        return { try elu($0, alpha: a) }
      default: throw DecompositionDeclined(reason: "there is no activation '\(name)'")
      }
    }
  }
}
