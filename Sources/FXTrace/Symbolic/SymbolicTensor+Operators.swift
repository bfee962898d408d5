import FXCore

// Infix operators are not told where they stand: the line of one that fails is that of the nearest call before it.

extension SymbolicTensor {
  /// a + b, element by element, with broadcasting.
  public static func + (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.add, [b], at: nil) }
  /// a + b of a number, constant or parameter a, element by element, with broadcasting.
  public static func + (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.add, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// a − b, element by element, with broadcasting.
  public static func - (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.sub, [b], at: nil) }
  /// a − b of a number, constant or parameter a, element by element, with broadcasting.
  public static func - (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.sub, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// a × b, element by element, with broadcasting.
  public static func * (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.mul, [b], at: nil) }
  /// a × b of a number, constant or parameter a, element by element, with broadcasting.
  public static func * (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.mul, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// a ÷ b; integers divide toward zero, element by element, with broadcasting.
  public static func / (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.div, [b], at: nil) }
  /// a ÷ b of a number, constant or parameter a; integers divide toward zero, element by element, with broadcasting.
  public static func / (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.div, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a > b, element by element, with broadcasting.
  public static func .> (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.greater, [b], at: nil) }
  /// Whether a > b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .> (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.greater, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a ≥ b, element by element, with broadcasting.
  public static func .>= (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.greaterOrEqual, [b], at: nil) }
  /// Whether a ≥ b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .>= (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.greaterOrEqual, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a < b, element by element, with broadcasting.
  public static func .< (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.less, [b], at: nil) }
  /// Whether a < b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .< (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.less, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a ≤ b, element by element, with broadcasting.
  public static func .<= (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.lessOrEqual, [b], at: nil) }
  /// Whether a ≤ b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .<= (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.lessOrEqual, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a = b, element by element, with broadcasting.
  public static func .== (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.equal, [b], at: nil) }
  /// Whether a = b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .== (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.equal, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// Whether a ≠ b, element by element, with broadcasting.
  public static func .!= (a: SymbolicTensor, b: some SymbolicOperand) -> SymbolicTensor { a.apply(.notEqual, [b], at: nil) }
  /// Whether a ≠ b of a number, constant or parameter a, element by element, with broadcasting.
  public static func .!= (a: some ConstantOperand, b: SymbolicTensor) -> SymbolicTensor {
    b.lift(a).apply(.notEqual, [b], at: nil)
  }
}

extension SymbolicTensor {
  /// −x, element by element.
  public static prefix func - (x: SymbolicTensor) -> SymbolicTensor { x.apply(.neg, at: nil) }
  /// Whether x does not hold, element by element.
  public static prefix func .! (x: SymbolicTensor) -> SymbolicTensor { x.apply(.not, at: nil) }

  /// a becomes a + b. Only the variable changes: the value that it held stays in the graph.
  public static func += (a: inout SymbolicTensor, b: some SymbolicOperand) { a = a + b }
  /// a becomes a − b. Only the variable changes: the value that it held stays in the graph.
  public static func -= (a: inout SymbolicTensor, b: some SymbolicOperand) { a = a - b }
  /// a becomes a × b. Only the variable changes: the value that it held stays in the graph.
  public static func *= (a: inout SymbolicTensor, b: some SymbolicOperand) { a = a * b }
  /// a becomes a ÷ b. Only the variable changes: the value that it held stays in the graph.
  public static func /= (a: inout SymbolicTensor, b: some SymbolicOperand) { a = a / b }
}
