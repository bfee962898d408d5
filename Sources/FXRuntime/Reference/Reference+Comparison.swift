import FXCore

extension ReferenceKernels {
  mutating func addComparison() {
    for relation in Relation.allCases {
      self[relation.op] = { context in [.tensor(try relation.compare(try context.tensor(0), try context.tensor(1)))] }
    }
    setBinary(.and, .logic { $0 & $1 })
    setBinary(.or, .logic { $0 | $1 })
    setBinary(.xor, .logic { $0 ^ $1 })
    setUnary(.not, { $0 }, integer: { 1 - $0 })
    setBinary(.bitwiseAnd, .logic { $0 & $1 })
    setBinary(.bitwiseOr, .logic { $0 | $1 })
    setBinary(.bitwiseXor, .logic { $0 ^ $1 })
    setUnary(.bitwiseNot, { $0 }, integer: { ~$0 })
    self[.isNaN] = { context in [.tensor(try context.tensor(0).test(\.isNaN))] }
    self[.isInf] = { context in
      let (negative, positive) = (context[IsInf.detectNegative], context[IsInf.detectPositive])
      return [.tensor(try context.tensor(0).test { $0.isInfinite && ($0 < 0 ? negative : positive) })]
    }
    self[.bitShift] = { context in
      let a = try context.tensor(0)
      let width = Int64(a.elementType.bitWidth)
      let function =
        context[BitShift.direction] == "LEFT"
        ? BinaryFunction({ x, _ in x }) { x, n in n < 0 || n >= width ? 0 : x << n }
        : BinaryFunction({ x, _ in x }, unsigned: { x, n in x >> n }) { x, n in n < 0 || n >= width ? (x < 0 ? -1 : 0) : x >> n }
      return [.tensor(try a.combined(with: try context.tensor(1), function))]
    }
  }
}

extension BinaryFunction {
  /// A function of bits.
  fileprivate static func logic(_ function: @escaping @Sendable (Int64, Int64) -> Int64) -> BinaryFunction {
    BinaryFunction({ x, _ in x }, function)
  }
}

/// How two elements are compared.
private enum Relation: CaseIterable {
  case equal, notEqual, greater, greaterOrEqual, less, lessOrEqual

  var op: Operator {
    switch self {
    case .equal: .equal
    case .notEqual: .notEqual
    case .greater: .greater
    case .greaterOrEqual: .greaterOrEqual
    case .less: .less
    case .lessOrEqual: .lessOrEqual
    }
  }

  private func holds<T: Comparable>(_ a: T, _ b: T) -> Bool {
    switch self {
    case .equal: a == b
    case .notEqual: a != b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    case .less: a < b
    case .lessOrEqual: a <= b
    }
  }

  /// Whether the relation holds, for each pair of broadcast elements.
  func compare(_ a: Tensor, _ b: Tensor) throws -> Tensor {
    guard a.elementType == b.elementType else { throw KernelError.elementType(b.elementType) }
    let shape = try Broadcast.shape([a.shape, b.shape])
    let (i, j) = (Broadcast.indices(a.shape, to: shape), Broadcast.indices(b.shape, to: shape))
    func holds<T: Comparable>(_ x: [T], _ y: [T]) -> [Bool] { i.indices.map { self.holds(x[i[$0]], y[j[$0]]) } }
    if let x = a.strings, let y = b.strings { return try Tensor(shape, holds(x, y)) }
    switch (try a.numbers(), try b.numbers()) {
    case (.floats(let x), .floats(let y)): return try Tensor(shape, holds(x, y))
    case (.unsigned(let x), .unsigned(let y)): return try Tensor(shape, holds(x, y))
    case (let x, let y): return try Tensor(shape, holds(x.bits, y.bits))
    }
  }
}

extension Tensor {
  /// A property of each number.
  fileprivate func test(_ property: (Double) -> Bool) throws -> Tensor {
    try Tensor(shape, try numbers().doubles.map(property))
  }
}
