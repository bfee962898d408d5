import FXCore

extension ShapeRules {
  mutating func addElementwise() {
    set(
      Operator.elementwise.filter {
        ![Operator.cast, .where_, .clip, .identity, .add, .sub, .mul, .div, .mod, .minimum, .maximum].contains($0)
      }
    ) { (context) throws(ShapeError) in
      [try context.broadcast()]
    }
    setArithmetic(.add) { $0 + $1 }
    setArithmetic(.sub) { $0 - $1 }
    setArithmetic(.mul) { $0 * $1 }
    // Sizes are not negative, so rounding toward zero is floor division.
    setArithmetic(.div) { $0 / $1 }
    setArithmetic(.mod) { $0 % $1 }
    setArithmetic(.minimum) { Dimension.minimum($0, $1) }
    setArithmetic(.maximum) { Dimension.maximum($0, $1) }
    self[.clip] = { (context) throws(ShapeError) in [try context.type(0)] }
    self[.identity] = { (context) throws(ShapeError) in
      if let contents = context.contents(0) { context.setContents(contents) }
      return [try context.type(0)]
    }
    self[.cast] = { (context) throws(ShapeError) in
      if context[Cast.to].isInteger, let contents = context.contents(0) { context.setContents(contents) }
      guard let type = try context.tensorType(0) else { return [.tensor(context[Cast.to], nil)] }
      return [.tensor(context[Cast.to], type.shape)]
    }
    self[.where_] = { (context) throws(ShapeError) in
      let shape = try Broadcasting.shape([context.shape(0), context.shape(1), context.shape(2)])
      guard let element = try context.elementType(firstOf: [1, 2]) else { return [.unknown] }
      return [.tensor(element, shape)]
    }
  }

  /// Broadcasting arithmetic that is also carried out on the integers its operands hold.
  private mutating func setArithmetic(_ op: Operator, _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension) {
    self[op] = { (context) throws(ShapeError) in
      let type = try context.broadcast()
      if type.elementType?.isInteger == true, let contents = context.combinedContents(combine) { context.setContents(contents) }
      return [type]
    }
  }
}

extension InferenceContext {
  /// The type of an elementwise result: all operands broadcast, the element type of the first that has one.
  func broadcast() throws(ShapeError) -> ValueType {
    var shapes: [Shape?] = []
    var element: ElementType?
    for index in 0..<operandCount where has(index) {
      let type = try tensorType(index)
      shapes.append(type?.shape)
      element = element ?? type?.elementType
    }
    let shape = try Broadcasting.shape(shapes)
    guard let element else { return .unknown }
    return .tensor(element, shape)
  }

  /// The integers that arithmetic on two operands of rank 0 or 1 gives.
  fileprivate func combinedContents(_ combine: (Dimension, Dimension) -> Dimension) -> [Dimension]? {
    guard operandCount == 2, let a = contents(0), let b = contents(1), a.count == b.count || a.count == 1 || b.count == 1
    else { return nil }
    let count = a.count == 1 ? b.count : a.count
    return (0..<count).map { combine(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) }
  }
}
