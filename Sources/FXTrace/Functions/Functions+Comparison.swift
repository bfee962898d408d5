import FXCore

/// Whether a = b, element by element, with broadcasting.
public func eq(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.equal, [b], fileID, line)
}

/// Whether a ≠ b, element by element, with broadcasting.
public func ne(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.notEqual, [b], fileID, line)
}

/// Whether a > b, element by element, with broadcasting.
public func gt(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.greater, [b], fileID, line)
}

/// Whether a ≥ b, element by element, with broadcasting.
public func ge(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.greaterOrEqual, [b], fileID, line)
}

/// Whether a < b, element by element, with broadcasting.
public func lt(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.less, [b], fileID, line)
}

/// Whether a ≤ b, element by element, with broadcasting.
public func le(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.lessOrEqual, [b], fileID, line)
}

/// Whether both hold, element by element, with broadcasting.
public func logicalAnd(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.and, [b], fileID, line)
}

/// Whether one of both holds, element by element, with broadcasting.
public func logicalOr(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.or, [b], fileID, line)
}

/// Whether exactly one of both holds, element by element, with broadcasting.
public func logicalXor(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.xor, [b], fileID, line)
}

/// Whether x does not hold, element by element.
public func logicalNot(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.not, fileID, line)
}

/// Whether x is not a number, element by element.
public func isNaN(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.isNaN, fileID, line)
}

/// Whether x is infinite, element by element.
public func isInf(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.isInf, fileID, line)
}

/// Whether x is a number and not infinite, element by element.
public func isFinite(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (.!x.apply(.isNaN)).apply(.and, [.!x.apply(.isInf)], at: nil)
}

/// Whether a and b differ by at most `absolute` + `relative` × |b|, element by element.
public func isClose(
  _ x: SymbolicTensor, _ b: SymbolicTensor, relative: Double = 1e-5, absolute: Double = 1e-8,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (x - b).apply(.abs) .<= b.apply(.abs) * relative + absolute
}

/// The bits set in both, of integers, with broadcasting.
public func bitwiseAnd(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.bitwiseAnd, [b], fileID, line)
}

/// The bits set in either, of integers, with broadcasting.
public func bitwiseOr(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.bitwiseOr, [b], fileID, line)
}

/// The bits set in one of both, of integers, with broadcasting.
public func bitwiseXor(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.bitwiseXor, [b], fileID, line)
}

/// The bits not set, of integers.
public func bitwiseNot(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.bitwiseNot, fileID, line)
}
