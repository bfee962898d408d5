/// Why operands' element types do not fit a schema.
public enum ElementTypeMismatch: Sendable, Hashable {
  /// Operand number `operand`, from 0, holds `actual`, which is none of those its type variable may stand for.
  case notAllowed(operand: Int, allowed: ElementTypes, actual: ElementType)
  /// Two operands whose schema names the same type variable.
  case differ(operand: Int, expected: ElementType, actual: ElementType)
}

extension OperatorSchema {
  /// The first operand whose element type the schema does not allow; `nil` if all fit.
  ///
  /// Operands with the same type variable must have the same type, except those of a variadic specification whose
  /// variable the schema says nothing of. Unknown types (`nil`) fit. O(operands).
  public func mismatch(of elementTypes: [ElementType?]) -> ElementTypeMismatch? {
    // Few variables per operator: a list beats a dictionary.
    var bound: [(variable: String, type: ElementType)] = []
    for (index, type) in elementTypes.enumerated() {
      guard let type, let specification = operand(index) else { continue }
      let allowed = typeVariables[specification.typeVariable]
      if let allowed, !allowed.contains(type) { return .notAllowed(operand: index, allowed: allowed, actual: type) }
      guard specification.arity != .variadic || allowed != nil else { continue }
      if let known = bound.first(where: { $0.variable == specification.typeVariable }) {
        guard known.type == type else { return .differ(operand: index, expected: known.type, actual: type) }
      } else {
        bound.append((specification.typeVariable, type))
      }
    }
    return nil
  }
}
