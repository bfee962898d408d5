import FXCore

extension XLARows {
  mutating func addActivation() {
    define(.relu) { try $0.builder.binary("maximum", $0.operand(0), $0.builder.constant(0, $0.operand(0).type)) }
    define(.softmax) { call in
      let x = try call.operand(0)
      let axis = call.axis(call[Softmax.axis], of: x)
      let wide = call.wide(x)
      var kept = x.sizes
      kept[axis] = 1
      let largest = call.builder.reshape(try call.builder.reduce("maximum", wide, initial: -.infinity, axes: [axis]), kept)
      let e = call.builder.unary("exponential", try call.builder.binary("subtract", wide, largest))
      let sum = call.builder.reshape(try call.builder.reduce("add", e, initial: 0, axes: [axis]), kept)
      return call.builder.convert(try call.builder.binary("divide", e, sum), x.type)
    }
    // Outside training nothing is dropped.
    self[.dropout] = { call in
      if call.has(2), (try? call.site.constant(2)?.elements(Bool.self)) != [false] {
        throw NotExpressible("elements are dropped at random in training")
      }
      let x = try call.operand(0)
      guard call.site.node.results.count > 1 else { return [x] }
      return [x, call.builder.constant(1, .bool, x.sizes)]
    }
  }
}
