import FXCore

/// Source of the formulas: the function bodies of the ONNX operators of the same names. The axes are handed on: they may be
/// known to the run only.
extension Decompositions {
  mutating func addReduction() {
    define(.reduceL1) { context in try context.reduce(.reduceSum, abs(context.term(0))) }
    define(.reduceSumSquare) { context in
      let x = try context.term(0)
      return try context.reduce(.reduceSum, x * x)
    }
    define(.reduceL2) { context in
      let x = try context.term(0).asFloat()
      return try sqrt(context.reduce(.reduceSum, x * x)).cast(to: context.term(0).elementType)
    }
    define(.reduceLogSum) { context in
      let x = try context.term(0).asFloat()
      return try log(context.reduce(.reduceSum, x)).cast(to: context.term(0).elementType)
    }
    define(.reduceLogSumExp) { context in
      let x = try context.term(0)
      let wide = try x.widened()
      // Shifted by the largest element, so that no power overflows; an infinite one must not become NaN.
      let shift = try finite(context.reduce(.reduceMax, wide, keepDims: true))
      let sum = try log(context.reduce(.reduceSum, exp(wide - shift)))
      return try (sum + finite(context.reduce(.reduceMax, wide))).cast(to: x.elementType)
    }
  }
}

private func finite(_ x: Term) throws -> Term { try select(x.call(.isInf), 0, x) }

extension Term {
  /// Integers as `float64`, numbers of half precision as `float32`.
  fileprivate func asFloat() throws -> Term {
    try elementType.isFloatingPoint ? widened() : cast(to: .float64)
  }
}

extension DecompositionContext {
  /// Reduces a term as the node reduces its operand.
  fileprivate func reduce(_ op: Operator, _ x: Term, keepDims: Bool? = nil) throws -> Term {
    try x.call(
      op, [operand(1)],
      [
        Reduce.keepDims.name: .bool(keepDims ?? self[Reduce.keepDims]),
        Reduce.noopWithEmptyAxes.name: .bool(self[Reduce.noopWithEmptyAxes]),
      ])
  }
}
