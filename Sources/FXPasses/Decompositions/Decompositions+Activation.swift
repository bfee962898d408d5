import FXCore

/// Source of the formulas: the function bodies of the ONNX operators of the same names, and the papers that their
/// declarations name.
extension Decompositions {
  mutating func addActivation() {
    unary(.leakyRelu) { x, context in try select(x .< 0, x * Literal(context[LeakyRelu.alpha]), x) }
    define(.prelu) { context in
      let x = try context.term(0)
      return try select(x .< 0, x * context.term(1), x)
    }
    unary(.thresholdedRelu) { x, context in try select(x .<= Literal(context[ThresholdedRelu.alpha]), 0, x) }
    unary(.gelu) { x, context in
      let half = try x * 0.5
      guard context[Gelu.approximate] == "tanh" else { return try half * (1 + erf(x * .float(0.5.squareRoot()))) }
      let cubic = try x + x * x * x * 0.044715
      return try half * (1 + tanh(cubic * .float((2 / Double.pi).squareRoot())))
    }
    unary(.elu) { x, context in try elu(x, alpha: context[Elu.alpha]) }
    unary(.selu) { x, context in try elu(x, alpha: context[Selu.alpha]) * Literal(context[Selu.gamma]) }
    unary(.celu) { x, context in
      let alpha = Literal(context[Celu.alpha])
      return try select(x .< 0, (exp(x / alpha) - 1) * alpha, x)
    }
    unary(.softplus) { x, _ in try softplus(x) }
    unary(.softsign) { x, _ in try x / (1 + abs(x)) }
    unary(.hardSigmoid) { x, context in
      try hardSigmoid(x, alpha: context[HardSigmoid.alpha], beta: context[HardSigmoid.beta])
    }
    unary(.hardSwish) { x, _ in try x * clip(x / 6 + 0.5, 0, 1) }
    unary(.mish) { x, _ in try x * tanh(softplus(x)) }
    unary(.silu) { x, context in try silu(x, alpha: context[Silu.alpha]) }
    unary(.quickGelu) { x, context in try silu(x, alpha: context[QuickGelu.alpha]) }
    define(.swiglu) { context in try silu(context.term(0), alpha: context[Silu.alpha]) * context.term(1) }
    unary(.shrink) { x, context in try shrink(x, bias: context[Shrink.bias], lambda: context[Shrink.lambda]) }
    unary(.logSoftmax) { x, context in
      // A scalar counts as a vector of one element.
      guard try x.rank > 0 else { return try x - x }
      return try logSoftmax(x, axis: x.axis(context[Softmax.axis]))
    }
    unary(.hardmax) { x, context in
      let axis = try x.axis(context[Softmax.axis])
      let largest = try x.call(.argmax, [], ["axis": .int(axis)])
      let places = try x.builder.range(x.size(axis)).alongAxis(axis, of: x.rank)
      return try (places .== largest).cast(to: x.elementType)
    }
  }
}

/// x < 0 ? α(eˣ − 1) : x
func elu(_ x: Term, alpha: Float) throws -> Term {
  try select(x .< 0, (exp(x) - 1) * Literal(alpha), x)
}

/// x sigmoid(αx)
func silu(_ x: Term, alpha: Float = 1) throws -> Term {
  try x * sigmoid(alpha == 1 ? x : x * Literal(alpha))
}

/// αx + β limited to [0, 1]
func hardSigmoid(_ x: Term, alpha: Float, beta: Float) throws -> Term {
  try clip(x * Literal(alpha) + Literal(beta), 0, 1)
}

/// x − ln Σ eˣ along an axis, with powers that do not overflow.
func logSoftmax(_ x: Term, axis: Int) throws -> Term {
  let shifted = try x - x.max([axis])
  return try shifted - log(exp(shifted).sum([axis]))
}

private func shrink(_ x: Term, bias: Float, lambda: Float) throws -> Term {
  let type = try x.elementType
  // Of integers the limits are numbers between them.
  let y = type.isFloatingPoint ? x : try x.cast(to: .float64)
  let inner = try select(y .> Literal(lambda), y - Literal(bias), y * 0)
  return try select(y .< Literal(-lambda), y + Literal(bias), inner).cast(to: type)
}
