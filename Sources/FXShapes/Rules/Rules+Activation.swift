import FXCore

extension ShapeRules {
  mutating func addActivation() {
    set(Operator.activations) { (context) throws(ShapeError) in [try context.type(0)] }
    self[.prelu] = { (context) throws(ShapeError) in
      try context.checkBroadcasts(1, to: context.shape(0))
      return [try context.type(0)]
    }
    self[.swiglu] = { (context) throws(ShapeError) in
      guard let a = try context.shape(0), let b = try context.shape(1) else { return [try context.type(0)] }
      guard a.rank == b.rank else { throw .rank(operand: 1, expected: "\(a.rank)", actual: b.rank) }
      for axis in a.indices { _ = try InferenceContext.same("a dimension of a", a[axis], "that of b", b[axis]) }
      return [try context.type(0)]
    }
    set([.softmax, .logSoftmax, .hardmax]) { (context) throws(ShapeError) in
      // A scalar counts as a vector of one element.
      if let shape = try context.shape(0) { _ = try normalizedAxis(context[Softmax.axis], rank: max(shape.rank, 1)) }
      return [try context.type(0)]
    }
  }
}
