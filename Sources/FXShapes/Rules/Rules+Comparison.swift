import FXCore

extension ShapeRules {
  mutating func addComparison() {
    set([.and, .or, .xor, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .bitShift]) { (context) throws(ShapeError) in
      [try context.broadcast()]
    }
    setLogic(.and) { a, b in a == 0 || b == 0 ? 0 : a == 1 ? b : b == 1 ? a : .unknown }
    setLogic(.or) { a, b in a == 1 || b == 1 ? 1 : a == 0 ? b : b == 0 ? a : .unknown }
    setLogic(.xor) { a, b in a.size.flatMap { x in b.size.map { Dimension(x == $0 ? 0 : 1) } } ?? .unknown }
    setComparison(.equal) { $0 == 0 }
    setComparison(.notEqual) { $0 != 0 }
    setComparison(.greater) { $0 > 0 }
    setComparison(.greaterOrEqual) { $0 >= 0 }
    setComparison(.less) { $0 < 0 }
    setComparison(.lessOrEqual) { $0 <= 0 }
    self[.bitwiseNot] = { (context) throws(ShapeError) in [try context.type(0)] }
    self[.not] = { (context) throws(ShapeError) in
      if let contents = context.contents(0) { context.setContents(contents.map { Dimension(1) - $0 }) }
      return [try context.type(0, holding: .bool)]
    }
    set([.isNaN, .isInf]) { (context) throws(ShapeError) in [try context.type(0, holding: .bool)] }
  }

  /// A function of truth values, also carried out on those its operands hold.
  private mutating func setLogic(_ op: Operator, _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension) {
    self[op] = { (context) throws(ShapeError) in
      let type = try context.broadcast()
      if let contents = context.combinedContents(combine) { context.setContents(contents) }
      return [type]
    }
  }

  /// A comparison, also carried out on the integers its operands hold, as 1 and 0.
  private mutating func setComparison(_ op: Operator, _ holds: @escaping @Sendable (_ difference: Int) -> Bool) {
    self[op] = { (context) throws(ShapeError) in
      let type = try context.broadcast()
      if type.elementType?.isInteger == true,
        let contents = context.combinedContents({ a, b in
          guard let difference = signedDifference(a, b) else { return .unknown }
          return Dimension(holds(difference) ? 1 : 0)
        })
      {
        context.setContents(contents)
      }
      return [.tensor(.bool, type.shape)]
    }
  }
}

/// A number of the sign of a − b where that is sure: the difference does not depend on symbols, or one is negative and
/// the other a size.
private func signedDifference(_ a: Dimension, _ b: Dimension) -> Int? {
  if let difference = (a - b).size { return difference }
  if let x = a.size, x < 0, b.symbol != nil { return -1 }
  if let y = b.size, y < 0, a.symbol != nil { return 1 }
  return nil
}
