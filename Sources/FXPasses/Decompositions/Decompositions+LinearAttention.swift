import FXCore

/// Source of the formulas: the definition of ONNX `LinearAttention`, one step of time after another.
extension Decompositions {
  mutating func addLinearAttention() {
    self[.linearAttention] = { context in try context.linearAttention() }
  }
}

extension DecompositionContext {
  fileprivate func linearAttention() throws -> [Operand] {
    let (query, rule) = (try term(0), self[LinearAttention.rule])
    let (isGated, isDelta) = (rule.hasPrefix("gated"), rule.hasSuffix("delta"))
    let heads = Extent.size(self[LinearAttention.queryHeadCount])
    let shared = Extent.size(self[LinearAttention.keyHeadCount])
    let type = try query.elementType
    let (sizes, wide) = (try query.sizes(rank: 3), type.widened)
    let (batch, length) = (sizes[0], sizes[1])
    let (size, valueSize) = (try sizes[2] / heads, try term(2).size(2) / shared)
    // [time, batch, shared heads, elements of a row, elements of a column]: products with the state are matrix products.
    func steps(_ index: Int, _ heads: [Extent], isRow: Bool) throws -> Term {
      let x = try term(index).cast(to: wide)
      let split = try x.reshaped([batch, length] + heads + [x.size(2) / heads.product()])
      let order = [1, 0] + Array(2..<heads.count + 3)
      return try split.transposed(order).unsqueezed([isRow ? heads.count + 2 : heads.count + 3])
    }
    let scale =
      self[LinearAttention.scale] == 0
      ? try builder.inverseRoot(size, wide) : try builder.scalar(Literal(self[LinearAttention.scale]), wide)
    // Queries that share a key head are rows of one matrix.
    let q = try (steps(0, [shared, heads / shared], isRow: true) * scale).squeezed([4])
    var inputs = [q, try steps(1, [shared], isRow: false), try steps(2, [shared], isRow: true)]
    if isGated { inputs.append(try exp(steps(4, [shared], isRow: false))) }
    if isDelta { inputs.append(try term(5).cast(to: wide).transposed([1, 0, 2]).unsqueezed([3, 4])) }
    let past = try optionalTerm(3)
    let state = try past?.cast(to: wide) ?? builder.zeros([batch, shared, size, valueSize], wide)
    let results = try builder.scan(states: [state], inputs) { states, elements, _ in
      let (q, k) = (elements[0], elements[1])
      var (state, value) = (states[0], elements[2])
      if isGated { state = try state * elements[3] }
      // Only what the state does not hold for this key yet is written.
      if isDelta { value = try (value - matmul(k.matrixTransposed(), state)) * elements[isGated ? 4 : 3] }
      state = try state + k * value
      return ([state], [try matmul(q, state)])
    }
    // [time, batch, shared, heads per key head, elements]
    let y = try results[1].transposed([1, 0, 2, 3, 4]).reshaped([batch, length, heads * valueSize])
    return self.results(try y.cast(to: type), try results[0].cast(to: past?.elementType ?? type))
  }
}
