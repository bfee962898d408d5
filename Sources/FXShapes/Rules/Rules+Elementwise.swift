import FXCore

extension ShapeRules {
  mutating func addElementwise() {
    set(Operator.elementwise) { (context) throws(ShapeError) in [try context.broadcast()] }
    setArithmetic(.add) { $0 + $1 }
    setArithmetic(.sub) { $0 - $1 }
    setArithmetic(.mul) { $0 * $1 }
    // Sizes are not negative, so for symbolic ones rounding toward zero is floor division.
    setArithmetic(.div) { a, b in
      guard let x = a.size, let y = b.size else { return b.size.map { $0 < 0 } ?? false ? .unknown : a / b }
      return y == 0 ? Dimension(0) : y == -1 ? Dimension(0) - a : Dimension(x / y)
    }
    self[.mod] = { (context) throws(ShapeError) in
      let type = try context.broadcast()
      // A dimension's remainder is the floor's.
      if !context[Mod.fmod], let element = type.elementType, let contents = context.combinedContents({ $0 % $1 }) {
        context.setContents(contents, fitting: element)
      }
      return [type]
    }
    setArithmetic(.minimum) { Dimension.minimum($0, $1) }
    setArithmetic(.maximum) { Dimension.maximum($0, $1) }
    self[.neg] = { (context) throws(ShapeError) in
      if let element = try context.elementType(0), let contents = context.contents(0) {
        context.setContents(contents.map { Dimension(0) - $0 }, fitting: element)
      }
      return [try context.type(0)]
    }
    self[.pow] = { (context) throws(ShapeError) in
      let shape = try Broadcasting.shape([context.shape(0), context.shape(1)])
      guard let element = try context.elementType(0) else { return [.unknown] }
      return [.tensor(element, shape)]
    }
    self[.clip] = { (context) throws(ShapeError) in [try context.type(0)] }
    self[.identity] = { (context) throws(ShapeError) in
      if let contents = context.contents(0) { context.setContents(contents) }
      return [try context.type(0)]
    }
    self[.cast] = { (context) throws(ShapeError) in
      if let contents = context.contents(0) { context.setContents(contents, fitting: context[Cast.to]) }
      return [try context.type(0, holding: context[Cast.to])]
    }
    self[.castLike] = { (context) throws(ShapeError) in
      guard let element = try context.elementType(1) else { return [.unknown] }
      if let contents = context.contents(0) { context.setContents(contents, fitting: element) }
      return [try context.type(0, holding: element)]
    }
    self[.bitCast] = { (context) throws(ShapeError) in
      let to = context[BitCast.to]
      if let from = try context.elementType(0), from.bitWidth != to.bitWidth || to == .string {
        throw .attribute("to", reason: "is \(to.rawValue), whose width is not that of \(from.rawValue)")
      }
      return [try context.type(0, holding: to)]
    }
    self[.where_] = { (context) throws(ShapeError) in
      let shape = try Broadcasting.shape([context.shape(0), context.shape(1), context.shape(2)])
      guard let element = try context.elementType(firstOf: [1, 2]) else { return [.unknown] }
      if element.isInteger, let contents = context.selectedContents() { context.setContents(contents) }
      return [.tensor(element, shape)]
    }
  }

  /// Broadcasting arithmetic that is also carried out on the integers its operands hold.
  private mutating func setArithmetic(_ op: Operator, _ combine: @escaping @Sendable (Dimension, Dimension) -> Dimension) {
    self[op] = { (context) throws(ShapeError) in
      let type = try context.broadcast()
      if let element = type.elementType, let contents = context.combinedContents(combine) {
        context.setContents(contents, fitting: element)
      }
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

  /// Says what a result of an integer type holds. Numbers beyond the type wrap in the run, and are not followed.
  mutating func setContents(_ contents: [Dimension], fitting element: ElementType) {
    guard let range = element.integerRange else { return }
    // A symbol is a size, which fits the types that hold sizes.
    let holdsSizes = element == .int64 || element == .int32
    setContents(contents.map { $0.size.map(range.contains) ?? holdsSizes ? $0 : .unknown })
  }

  /// The integers that a function of two operands of rank 0 or 1 gives.
  func combinedContents(_ combine: (Dimension, Dimension) -> Dimension) -> [Dimension]? {
    guard operandCount == 2, let a = contents(0), let b = contents(1), a.count == b.count || a.count == 1 || b.count == 1
    else { return nil }
    let count = a.count == 1 ? b.count : a.count
    return (0..<count).map { combine(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) }
  }

  /// What `where` selects from integers that are known, by a condition that is.
  fileprivate func selectedContents() -> [Dimension]? {
    guard let mask = contents(0), let a = contents(1), let b = contents(2) else { return nil }
    let count = [mask.count, a.count, b.count].contains(0) ? 0 : max(mask.count, a.count, b.count)
    guard [mask, a, b].allSatisfy({ $0.count == 1 || $0.count == count }) else { return nil }
    return (0..<count).map { index in
      let x = a[a.count == 1 ? 0 : index]
      let y = b[b.count == 1 ? 0 : index]
      switch mask[mask.count == 1 ? 0 : index].size {
      case 0?: return y
      case _?: return x
      case nil: return x == y ? x : .unknown
      }
    }
  }
}
