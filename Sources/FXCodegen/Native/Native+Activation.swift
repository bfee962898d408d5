import FXCore

extension NativeOperators {
  mutating func addActivation() {
    self[.relu] = .expression { call, x in
      let zero = NativeType.literal(0 as Int64, call.elementType(0))
      // Written so that NaN stays.
      return "(\(x[0]) < \(zero) ? \(zero) : \(x[0]))"
    }
    self[.sigmoid] = .expression { _, x in "fx::sigmoid(\(x[0]))" }
    self[.tanh] = .expression { _, x in "fx::tanh(\(x[0]))" }
    self[.softmax] = .kernel { call in
      let shape = try call.shape(0)
      let axis = try call.axis(call[Softmax.axis], rank: max(shape.count, 1))
      let (outer, inner) = (IndexText.count(shape.prefix(axis)), IndexText.count(shape.dropFirst(axis + 1)))
      let length = shape.isEmpty ? 1 : shape[axis]
      guard IndexText.count(shape) > 0 else { return }
      call.library(
        "softmax", types: [NativeType.name(call.elementType(0))], reads: [try call.operandBuffer(0)],
        writes: [try call.resultBuffer()], [outer, length, inner])
    }
  }
}
