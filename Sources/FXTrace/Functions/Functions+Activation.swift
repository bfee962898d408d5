import FXCore

/// max(x, 0), element by element.
public func relu(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.relu, fileID, line)
}

/// 1 ÷ (1 + e⁻ˣ), element by element.
public func sigmoid(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.sigmoid, fileID, line)
}

/// tanh x, element by element.
public func tanh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.tanh, fileID, line)
}

/// ln(1 + eˣ), element by element.
public func softplus(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.softplus, fileID, line)
}

/// x sigmoid(x), element by element.
public func silu(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.silu, fileID, line)
}

/// x tanh(ln(1 + eˣ)), element by element.
public func mish(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.mish, fileID, line)
}

/// x × (x/6 + 1/2 limited to [0, 1]), element by element.
public func hardSwish(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.hardSwish, fileID, line)
}

/// αx + β limited to [0, 1], element by element; α is 1/6 as in PyTorch (ONNX's default is 1/5).
public func hardSigmoid(
  _ x: SymbolicTensor, alpha: Float = 1 / 6, beta: Float = 0.5, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[HardSigmoid.alpha] = alpha
  attributes[HardSigmoid.beta] = beta
  return x.apply(.hardSigmoid, attributes: attributes, fileID, line)
}

/// γ(x < 0 ? α(eˣ − 1) : x), element by element.
public func selu(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.selu, fileID, line)
}

/// x < 0 ? αx : x, element by element.
public func leakyRelu(
  _ x: SymbolicTensor, alpha: Float = 0.01, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[LeakyRelu.alpha] = alpha
  return x.apply(.leakyRelu, attributes: attributes, fileID, line)
}

/// x < 0 ? α(eˣ − 1) : x, element by element.
public func elu(_ x: SymbolicTensor, alpha: Float = 1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Elu.alpha] = alpha
  return x.apply(.elu, attributes: attributes, fileID, line)
}

/// How `gelu` is computed.
public enum GeluApproximation: String, Sendable {
  /// Exactly, by the error function: x/2 × (1 + erf(x/√2)).
  case none
  /// x/2 × (1 + tanh(√(2/π)(x + 0.044715x³)))
  case tanh
}

/// x Φ(x), Φ being the normal distribution; element by element.
public func gelu(
  _ x: SymbolicTensor, approximate: GeluApproximation = .none, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Gelu.approximate] = approximate.rawValue
  return x.apply(.gelu, attributes: attributes, fileID, line)
}

/// eˣ ÷ Σ eˣ along an axis.
public func softmax(
  _ x: SymbolicTensor, axis: Int = -1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Softmax.axis] = axis
  return x.apply(.softmax, attributes: attributes, fileID, line)
}

/// x − ln Σ eˣ along an axis.
public func logSoftmax(
  _ x: SymbolicTensor, axis: Int = -1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Softmax.axis] = axis
  return x.apply(.logSoftmax, attributes: attributes, fileID, line)
}

/// x ÷ (1 + |x|), element by element.
public func softsign(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.softsign, fileID, line)
}

/// ln sigmoid(x), element by element.
public func logSigmoid(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return -(-x).apply(.softplus)
}

/// max(0, x) + min(0, α(e^(x/α) − 1)), element by element.
public func celu(_ x: SymbolicTensor, alpha: Float = 1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  var attributes = Attributes()
  attributes[Celu.alpha] = alpha
  return x.apply(.celu, attributes: attributes, at: nil)
}

/// x limited to [0, 6].
public func relu6(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.clip, [0, 6], at: nil)
}

/// x limited to [lower, upper].
public func hardTanh(
  _ x: SymbolicTensor, _ lower: Double = -1, _ upper: Double = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.clip, [lower, upper], at: nil)
}

/// x < 0 ? weight × x : x.
/// - Parameter weight: one element, or one for each channel of x [n, c, ...], whose rank must be known then.
public func prelu(
  _ x: SymbolicTensor, weight: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let slope = x.lift(weight)
  guard slope.rank == 1, slope.dimension(0) != 1 else { return x.apply(.prelu, [slope], at: nil) }
  guard let rank = x.rank else {
    return x.mistake("prelu", "the rank must be known for a weight of each channel", operands: [slope])
  }
  guard rank > 2 else { return x.apply(.prelu, [slope], at: nil) }
  return x.apply(.prelu, [slope.apply(.unsqueeze, [Tensor(vector: Array(1..<rank - 1))], at: nil)], at: nil)
}

/// x > threshold ? x : value, element by element.
public func threshold(
  _ x: SymbolicTensor, _ threshold: Double, _ value: Double, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (x .> threshold).choose(x, value)
}

/// x moved toward zero by λ; zero where |x| ≤ λ.
public func softShrink(_ x: SymbolicTensor, lambda: Float = 0.5, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  var attributes = Attributes()
  attributes[Shrink.lambda] = lambda
  attributes[Shrink.bias] = lambda
  return x.apply(.shrink, attributes: attributes, at: nil)
}

/// x where |x| > λ, else 0.
public func hardShrink(_ x: SymbolicTensor, lambda: Float = 0.5, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  var attributes = Attributes()
  attributes[Shrink.lambda] = lambda
  return x.apply(.shrink, attributes: attributes, at: nil)
}

/// x − tanh x, element by element.
public func tanhShrink(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x - x.apply(.tanh)
}

/// x sigmoid(1.702x), element by element.
public func quickGelu(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.quickGelu, fileID, line)
}

/// softmax(−x) along an axis.
public func softmin(_ x: SymbolicTensor, axis: Int = -1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  var attributes = Attributes()
  attributes[Softmax.axis] = axis
  return (-x).apply(.softmax, attributes: attributes, at: nil)
}

/// a × sigmoid(b), a and b being the halves of x along an axis, whose size must be even.
public func glu(_ x: SymbolicTensor, axis: Int = -1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  if let size = x.dimension(axis).size, size % 2 != 0 {
    return x.mistake("glu", "axis \(axis) has size \(size), which must be even")
  }
  var attributes = Attributes()
  attributes[Split.axis] = axis
  attributes[Split.outputCount] = 2
  let halves = x.session.call(.split, [x.symbolicOperand], attributes: attributes, resultCount: 2, at: nil)
  return halves[0] * halves[1].apply(.sigmoid)
}
