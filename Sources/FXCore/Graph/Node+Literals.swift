extension Node {
  /// The element type that a literal operand has: that of the first other operand whose schema names the same type
  /// variable, else the attribute-free default of the literal. A float beside integers stays a float.
  public func elementType(
    ofLiteral literal: Literal, at index: Int, _ elementType: (Operand) -> ElementType?
  ) -> ElementType {
    let variable = op.schema?.operand(index)?.typeVariable
    for (other, operand) in operands.enumerated() where other != index {
      guard op.schema?.operand(other)?.typeVariable == variable, let type = elementType(operand) else { continue }
      if case .float = literal, !type.isFloatingPoint, !type.isComplex { continue }
      return type
    }
    return literal.defaultElementType
  }
}
