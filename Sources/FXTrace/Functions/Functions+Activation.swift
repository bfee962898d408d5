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

/// x/5 + 1/2 limited to [0, 1], element by element.
public func hardSigmoid(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.hardSigmoid, fileID, line)
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
