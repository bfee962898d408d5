import FXCore

extension NumpyRows {
  mutating func addActivation() {
    define(.relu) { "np.maximum(\($0[0]), 0)" }
    define(.sigmoid) { "1 / (1 + np.exp(-\($0.primary(0))))" }
    define(.tanh) { "np.tanh(\($0[0]))" }
    define(.softmax) { call in
      if call.isHalf {
        return "\(call.use(.softmax))(\(call.primary(0)).astype(np.float32), axis=\(call[Softmax.axis])).astype(np.float16)"
      }
      return "\(call.use(.softmax))(\(call[0]), axis=\(call[Softmax.axis]))"
    }
    // Outside training nothing is dropped.
    self[.dropout] = { call in
      if call.has(2), (try? call.site.constant(2)?.elements(Bool.self)) != [false] {
        throw NotExpressible("elements are dropped at random in training")
      }
      let mask = "np.ones_like(\(call[0]), dtype=np.bool_)"
      return .expressions(Array([call[0], mask].prefix(call.site.node.results.count)))
    }
  }
}
