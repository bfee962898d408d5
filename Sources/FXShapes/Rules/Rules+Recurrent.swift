import FXCore

extension ShapeRules {
  mutating func addRecurrent() {
    self[.lstm] = { (context) throws(ShapeError) in try ShapeRules.recurrent(&context, gates: 4, states: 2) }
    self[.gru] = { (context) throws(ShapeError) in try ShapeRules.recurrent(&context, gates: 3, states: 1) }
    self[.rnn] = { (context) throws(ShapeError) in try ShapeRules.recurrent(&context, gates: 1, states: 1) }
  }

  private static func recurrent(
    _ context: inout InferenceContext, gates: Int, states: Int
  ) throws(ShapeError) -> [ValueType] {
    let isBatchFirst = context[Recurrent.layout] == 1
    guard (0...1).contains(context[Recurrent.layout]) else { throw .attribute("layout", reason: "must be 0 or 1") }
    let directions: Dimension = context[Recurrent.direction] == "bidirectional" ? 2 : 1
    let (x, w, r) = (try context.shape(0, rank: 3), try context.shape(1, rank: 3), try context.shape(2, rank: 3))
    var hidden = r?[2]
    if let size = context[Recurrent.hiddenSize] {
      guard size > 0 else { throw .attribute("hidden_size", reason: "must be positive") }
      guard let unified = (hidden ?? Dimension(size)).unified(with: Dimension(size)) else {
        throw .dimensionsDiffer("the hidden size", Dimension(size), "what the weights have", hidden ?? .unknown)
      }
      hidden = unified
    }
    if let w {
      let expected = [directions, (hidden ?? .unknown) * Dimension(gates), x?[2] ?? .unknown] as Shape
      try context.require(w, toBe: expected)
    }
    if let r { try context.require(r, toBe: [directions, r[2] * Dimension(gates), r[2]]) }
    let (time, batch) = (x?[isBatchFirst ? 1 : 0] ?? context.dataDependentDimension(), x?[isBatchFirst ? 0 : 1])
    let sequences = batch ?? context.dataDependentDimension()
    let size = hidden ?? context.dataDependentDimension()
    if context.has(3), let bias = try context.shape(3, rank: 2) {
      try context.require(bias, toBe: [directions, size * Dimension(2 * gates)])
    }
    if context.has(4), let lengths = try context.shape(4, rank: 1) { try context.require(lengths, toBe: [sequences]) }
    let state: Shape = isBatchFirst ? [sequences, directions, size] : [directions, sequences, size]
    for operand in 5..<5 + states where context.has(operand) {
      if let initial = try context.shape(operand, rank: 3) { try context.require(initial, toBe: state) }
    }
    if states == 2, context.has(7), let peepholes = try context.shape(7, rank: 2) {
      try context.require(peepholes, toBe: [directions, size * 3])
    }
    let y: Shape = isBatchFirst ? [sequences, time, directions, size] : [time, directions, sequences, size]
    return [try context.tensor(y, like: 0)] + Array(repeating: try context.tensor(state, like: 0), count: states)
  }
}
