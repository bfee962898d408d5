import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addRecurrent() {
    self[.lstm] = { context in
      let layer = try RecurrentLayer(context, gates: 4, states: 2)
      let isCoupled = context[LSTM.inputForget]
      let peepholes = try context.optionalTensor(7)
      return try layer.run { cell, gates, hidden, memory in
        let (size, f, g, h) = (layer.hidden, cell.activations[0], cell.activations[1], cell.activations[2])
        for unit in 0..<size {
          let input = f(cell.clip(gates[unit] + cell.peephole(0, unit) * memory[unit]))
          let forget =
            isCoupled ? 1 - input : f(cell.clip(gates[2 * size + unit] + cell.peephole(2, unit) * memory[unit]))
          memory[unit] = forget * memory[unit] + input * g(cell.clip(gates[3 * size + unit]))
          let output = f(cell.clip(gates[size + unit] + cell.peephole(1, unit) * memory[unit]))
          hidden[unit] = output * h(cell.clip(memory[unit]))
        }
      } peepholes: {
        try peepholes?.numbers().doubles
      }
    }
    self[.gru] = { context in
      let layer = try RecurrentLayer(context, gates: 3, states: 1)
      let isLinearFirst = context[GRU.linearBeforeReset]
      return try layer.run { cell, gates, hidden, _ in
        let (size, f, g) = (layer.hidden, cell.activations[0], cell.activations[1])
        let update = (0..<size).map { f(cell.clip(gates[$0])) }
        let reset = (0..<size).map { f(cell.clip(gates[size + $0])) }
        let candidates = (0..<size).map { unit in
          let row = 2 * size + unit
          let recurrent =
            isLinearFirst
            ? reset[unit] * (cell.recurrent(row, hidden) + cell.recurrentBias(row))
            : cell.recurrent(row, zip(reset, hidden).map(*)) + cell.recurrentBias(row)
          return g(cell.clip(cell.inputs[row] + cell.inputBias(row) + recurrent))
        }
        for unit in 0..<size { hidden[unit] = (1 - update[unit]) * candidates[unit] + update[unit] * hidden[unit] }
      }
    }
    self[.rnn] = { context in
      let layer = try RecurrentLayer(context, gates: 1, states: 1)
      return try layer.run { cell, gates, hidden, _ in
        for unit in 0..<layer.hidden { hidden[unit] = cell.activations[0](cell.clip(gates[unit])) }
      }
    }
  }
}

/// What recurrent layers have in common: operands, directions, lengths, and the sums before the gates' activations.
private struct RecurrentLayer {
  let context: ReferenceContext
  let gates: Int
  let states: Int
  let x: Tensor
  let w: Tensor
  let r: Tensor
  let isBatchFirst: Bool
  let directions: Int
  let (time, batch, hidden): (Int, Int, Int)

  init(_ context: ReferenceContext, gates: Int, states: Int) throws {
    self.context = context
    self.gates = gates
    self.states = states
    x = try context.tensor(0)
    w = try context.tensor(1)
    r = try context.tensor(2)
    isBatchFirst = context[Recurrent.layout] == 1
    directions = context[Recurrent.direction] == "bidirectional" ? 2 : 1
    guard x.shape.count == 3, r.shape.count == 3, w.shape.count == 3 else {
      throw KernelError.invalid("\(x.type), \(w.type) and \(r.type) must have rank 3")
    }
    for tensor in [x, w, r] { try tensor.checkAxes() }
    hidden = r.shape[2]
    time = x.shape[isBatchFirst ? 1 : 0]
    batch = x.shape[isBatchFirst ? 0 : 1]
    let rows = try Selection.product(gates, hidden)
    guard w.shape == [directions, rows, x.shape[2]], r.shape == [directions, rows, hidden],
      context[Recurrent.hiddenSize].map({ $0 == hidden }) ?? true
    else { throw KernelError.invalid("weights \(w.type) and \(r.type) do not fit \(x.type)") }
  }

  /// One direction's weights and functions, and the sums of one step.
  struct Cell {
    let activations: [(Double) -> Double]
    let hidden: Int
    let limit: Double?
    let weights: [Double]
    let recurrentStart: Int
    let biases: [Double]?
    let biasStart: Int
    let rows: Int
    let peepholes: [Double]?
    let peepholeStart: Int
    /// W x for each row, without bias.
    var inputs: [Double] = []

    func clip(_ x: Double) -> Double { limit.map { min(max(x, -$0), $0) } ?? x }
    func peephole(_ gate: Int, _ unit: Int) -> Double { peepholes?[peepholeStart + gate * hidden + unit] ?? 0 }
    func inputBias(_ row: Int) -> Double { biases?[biasStart + row] ?? 0 }
    func recurrentBias(_ row: Int) -> Double { biases?[biasStart + rows + row] ?? 0 }
    func recurrent(_ row: Int, _ state: [Double]) -> Double { dot(weights, recurrentStart + row * hidden, state, 0, hidden) }
  }

  /// Runs the layer.
  /// - Parameters:
  ///   - step: changes the hidden state and the cell state, given the sums W x + R h + biases of all gates.
  func run(
    _ step: (Cell, _ gates: [Double], _ hidden: inout [Double], _ memory: inout [Double]) -> Void,
    peepholes: () throws -> [Double]? = { nil }
  ) throws -> [RuntimeValue] {
    let (inputs, weights, recurrent) = (try x.numbers().doubles, try w.numbers().doubles, try r.numbers().doubles)
    let rows = gates * hidden
    let biases = try operand(3, shape: [directions, 2 * rows])
    let lengths = try context.optionalTensor(4)?.integers() ?? Array(repeating: time, count: batch)
    guard lengths.count == batch, lengths.allSatisfy({ $0 >= 0 && $0 <= time }) else {
      throw KernelError.invalid("sequence lengths \(lengths) do not fit \(x.type)")
    }
    let stateShape = isBatchFirst ? [batch, directions, hidden] : [directions, batch, hidden]
    var initial: [[Double]] = []
    for index in 0..<2 {
      let zeros = Array(repeating: 0.0, count: try Selection.count(stateShape))
      initial.append(index < states ? try operand(5 + index, shape: stateShape) ?? zeros : zeros)
    }
    let peepholes = try peepholes()
    guard peepholes == nil || peepholes?.count == directions * 3 * hidden else {
      throw KernelError.invalid("peepholes of \(peepholes?.count ?? 0) elements do not fit \(hidden) units")
    }
    let shape = isBatchFirst ? [batch, time, directions, hidden] : [time, directions, batch, hidden]
    var y = Array(repeating: 0.0, count: try Selection.count(shape))
    var last = initial
    let functions = try activations()
    for direction in 0..<directions {
      var cell = Cell(
        activations: functions[direction], hidden: hidden, limit: context[Recurrent.clip].map { Double($0) },
        weights: recurrent, recurrentStart: direction * rows * hidden, biases: biases, biasStart: direction * 2 * rows,
        rows: rows, peepholes: peepholes, peepholeStart: direction * 3 * hidden)
      let isReverse = direction == 1 || context[Recurrent.direction] == "reverse"
      for sequence in 0..<batch {
        let base = (isBatchFirst ? sequence * directions + direction : direction * batch + sequence) * hidden
        var (state, memory) = (Array(initial[0][base..<base + hidden]), Array(initial[1][base..<base + hidden]))
        for turn in 0..<lengths[sequence] {
          let t = isReverse ? lengths[sequence] - 1 - turn : turn
          let row = (isBatchFirst ? sequence * time + t : t * batch + sequence) * x.shape[2]
          cell.inputs = (0..<rows).map { dot(weights, (direction * rows + $0) * x.shape[2], inputs, row, x.shape[2]) }
          let sums = (0..<rows).map {
            cell.inputs[$0] + cell.inputBias($0) + cell.recurrent($0, state) + cell.recurrentBias($0)
          }
          step(cell, sums, &state, &memory)
          let place =
            isBatchFirst
            ? ((sequence * time + t) * directions + direction) * hidden
            : ((t * directions + direction) * batch + sequence) * hidden
          for unit in 0..<hidden { y[place + unit] = state[unit] }
        }
        for unit in 0..<hidden { (last[0][base + unit], last[1][base + unit]) = (state[unit], memory[unit]) }
      }
    }
    var results = [try Tensor(x.elementType, shape, numbers: .floats(y), saturating: false)]
    for index in 0..<states {
      results.append(try Tensor(x.elementType, stateShape, numbers: .floats(last[index]), saturating: false))
    }
    return results.prefix(context.resultCount).map(RuntimeValue.tensor)
  }

  /// The elements of an optional operand, which must have this shape.
  private func operand(_ index: Int, shape: [Int]) throws -> [Double]? {
    guard let tensor = try context.optionalTensor(index) else { return nil }
    guard tensor.shape == shape else { throw KernelError.invalid("operand \(index) is \(tensor.type), not of shape \(shape)") }
    return try tensor.numbers().doubles
  }

  /// The activations of each direction.
  private func activations() throws -> [[(Double) -> Double]] {
    let count = gates == 4 ? 3 : gates == 3 ? 2 : 1
    let defaults = gates == 1 ? ["Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
    var names = context[Recurrent.activations] ?? []
    if names.isEmpty { names = Array(repeating: Array(defaults[..<count]), count: directions).flatMap(\.self) }
    guard names.count >= count * directions else {
      throw KernelError.invalid("\(names.count) activations for \(directions) directions of \(count)")
    }
    var alphas = (context[Recurrent.activationAlpha] ?? []).map(Double.init)[...]
    var betas = (context[Recurrent.activationBeta] ?? []).map(Double.init)[...]
    let functions = try names.map { name in
      try activation(name, { alphas.popFirst() ?? $0 }, { betas.popFirst() ?? $0 })
    }
    return (0..<directions).map { Array(functions[$0 * count..<($0 + 1) * count]) }
  }
}

/// An activation by ONNX's name, with parameters α and β that take a default where none is given.
private func activation(
  _ name: String, _ alpha: (Double) -> Double, _ beta: (Double) -> Double
) throws -> (Double) -> Double {
  switch name.lowercased() {
  case "relu": return ActivationFunctions.relu
  case "tanh": return ActivationFunctions.tanh
  case "sigmoid": return ActivationFunctions.sigmoid
  case "softsign": return ActivationFunctions.softsign
  case "softplus": return ActivationFunctions.softplus
  case "affine":
    let (a, b) = (alpha(1), beta(0))
    return { a * $0 + b }
  case "leakyrelu":
    let a = alpha(0.01)
    return { ActivationFunctions.leakyRelu($0, alpha: a) }
  case "thresholdedrelu":
    let a = alpha(1)
    return { ActivationFunctions.thresholdedRelu($0, alpha: a) }
  case "scaledtanh":
    let (a, b) = (alpha(1), beta(1))
    return { a * ActivationFunctions.tanh(b * $0) }
  case "hardsigmoid":
    let (a, b) = (alpha(0.2), beta(0.5))
    return { ActivationFunctions.hardSigmoid($0, alpha: a, beta: b) }
  case "elu":
    let a = alpha(1)
    return { ActivationFunctions.elu($0, alpha: a) }
  default: throw KernelError.invalid("there is no activation '\(name)'")
  }
}

/// Σ a[i + k] b[j + k]
private func dot(_ a: [Double], _ i: Int, _ b: [Double], _ j: Int, _ count: Int) -> Double {
  a.withUnsafeBufferPointer { a in
    b.withUnsafeBufferPointer { b in
      var sum = 0.0
      for index in 0..<count { sum += a[i + index] * b[j + index] }
      return sum
    }
  }
}
