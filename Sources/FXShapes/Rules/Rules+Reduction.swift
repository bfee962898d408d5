import FXCore

extension ShapeRules {
  mutating func addReduction() {
    set(Operator.axisReductions) { (context) throws(ShapeError) in [try context.reduced()] }
    setReduction(.reduceSum) { $0.reduce(Dimension(0), +) }
    setReduction(.reduceProd) { $0.reduce(Dimension(1), *) }
    setReduction(.reduceMax) { $0.dropFirst().reduce($0.first ?? .unknown, Dimension.maximum) }
    setReduction(.reduceMin) { $0.dropFirst().reduce($0.first ?? .unknown, Dimension.minimum) }
    set([.argmax, .argmin]) { (context) throws(ShapeError) in
      guard let shape = try context.shape(0) else { return [.tensor(.int64, nil)] }
      let axis = try normalizedAxis(context[ArgReduce.axis], rank: shape.rank)
      return [.tensor(.int64, shape.reducing([axis], keeping: context[ArgReduce.keepDims]))]
    }
    set([.cumsum, .cumprod]) { (context) throws(ShapeError) in
      if let shape = try context.shape(0), let axis = context.integers(1)?.first {
        _ = try normalizedAxis(axis, rank: shape.rank)
      }
      return [try context.type(0)]
    }
  }

  /// A reduction that is also carried out on integers that are known.
  private mutating func setReduction(_ op: Operator, _ combine: @escaping @Sendable ([Dimension]) -> Dimension) {
    self[op] = { (context) throws(ShapeError) in
      let type = try context.reduced()
      if type.elementType?.isInteger == true, let contents = context.contents(0), try context.shape(0)?.rank == 1,
        context.reducesAllAxes
      {
        context.setContents([combine(contents)])
      }
      return [type]
    }
  }
}

extension InferenceContext {
  /// Whether a `reduce_…` of a vector reduces its axis.
  fileprivate var reducesAllAxes: Bool {
    guard has(1) else { return !self[Reduce.noopWithEmptyAxes] }
    guard let axes = integers(1) else { return false }
    return !axes.isEmpty || !self[Reduce.noopWithEmptyAxes]
  }

  /// The type of a `reduce_…` result.
  fileprivate func reduced() throws(ShapeError) -> ValueType {
    guard let type = try tensorType(0) else { return .unknown }
    guard let shape = type.shape else { return .tensor(type.elementType, nil) }
    let keeping = self[Reduce.keepDims]
    guard !has(1) || integers(1) != nil else {
      // Which axes go is not known, but how many may be.
      if keeping { return .tensor(type.elementType, Shape(shape.map { $0.size == 1 ? $0 : .unknown })) }
      guard let count = try self.shape(1, rank: 1)?[0].size, count > 0, count <= shape.rank else {
        return .tensor(type.elementType, nil)
      }
      return .tensor(type.elementType, Shape(Array(repeating: Dimension.unknown, count: shape.rank - count)))
    }
    let named = integers(1) ?? []
    if named.isEmpty, self[Reduce.noopWithEmptyAxes] { return .tensor(type) }
    let axes = named.isEmpty ? Array(0..<shape.rank) : try normalizedAxes(named, rank: shape.rank)
    return .tensor(type.elementType, shape.reducing(axes, keeping: keeping))
  }
}

extension Shape {
  /// The shape with axes gone, or of size 1.
  func reducing(_ axes: [Int], keeping: Bool) -> Shape {
    var result: [Dimension] = []
    for (axis, dimension) in enumerated() {
      if !axes.contains(axis) { result.append(dimension) } else if keeping { result.append(1) }
    }
    return Shape(result)
  }
}
