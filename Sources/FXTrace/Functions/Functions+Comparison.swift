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
