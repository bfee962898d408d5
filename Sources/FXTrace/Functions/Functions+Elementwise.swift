import FXCore

/// |x|, element by element.
public func abs(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.abs, fileID, line)
}

/// √x, element by element.
public func sqrt(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.sqrt, fileID, line)
}

/// eˣ, element by element.
public func exp(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.exp, fileID, line)
}

/// ln x, element by element.
public func log(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.log, fileID, line)
}

/// 1 ÷ x, element by element.
public func reciprocal(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.reciprocal, fileID, line)
}

/// ⌊x⌋, element by element.
public func floor(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.floor, fileID, line)
}

/// ⌈x⌉, element by element.
public func ceil(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.ceil, fileID, line)
}

/// The nearest integer, ties to even.
public func round(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.round, fileID, line)
}

/// −1, 0 or 1.
public func sign(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.sign, fileID, line)
}

/// The Gauss error function.
public func erf(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.erf, fileID, line)
}

/// sin x, element by element.
public func sin(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.sin, fileID, line)
}

/// cos x, element by element.
public func cos(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.cos, fileID, line)
}

/// x to the power of the exponent, with broadcasting.
public func pow(
  _ x: SymbolicTensor, _ exponent: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.pow, [exponent], fileID, line)
}

/// x limited to [lower, upper]; a bound that is left out does not limit.
public func clip(
  _ x: SymbolicTensor, _ lower: (any SymbolicOperand)? = nil, _ upper: (any SymbolicOperand)? = nil,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.clip, [lower, upper], fileID, line)
}

/// The smaller element of two, with broadcasting; NaN if one is.
public func minimum(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.minimum, [b], fileID, line)
}

/// The larger element of two, with broadcasting; NaN if one is.
public func maximum(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.maximum, [b], fileID, line)
}

/// a where the condition holds, else b; element by element, with broadcasting.
public func `where`(
  _ condition: SymbolicTensor, _ a: any SymbolicOperand, _ b: any SymbolicOperand, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  condition.apply(.where_, [a, b], fileID, line)
}

extension SymbolicTensor {
  /// The elements in another type: see `Tensor.converted(to:saturating:)`.
  public func cast(to type: ElementType, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Cast.to] = type
    return apply(.cast, attributes: attributes, fileID, line)
  }
}
