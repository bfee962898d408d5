import FXCore

extension ShapeRules {
  mutating func addSequence() {
    self[.sequenceConstruct] = { (context) throws(ShapeError) in
      var element = try context.type(0)
      for index in 0..<context.operandCount {
        guard let united = element.united(with: try context.type(index)) else {
          throw .branchTypes(index: index, element, try context.type(index))
        }
        element = united
      }
      return [.sequence(element)]
    }
    self[.sequenceEmpty] = { (context) throws(ShapeError) in [.sequence(.tensor(context[SequenceEmpty.dtype], nil))] }
    self[.sequenceInsert] = { (context) throws(ShapeError) in
      let (element, inserted) = (try context.element(0), try context.type(1))
      guard let united = element.united(with: inserted) else { throw .branchTypes(index: 0, element, inserted) }
      return [.sequence(united)]
    }
    self[.sequenceErase] = { (context) throws(ShapeError) in [.sequence(try context.element(0))] }
    self[.sequenceAt] = { (context) throws(ShapeError) in [try context.element(0)] }
    self[.sequenceLength] = { (context) throws(ShapeError) in
      _ = try context.element(0)
      return [.tensor(.int64, [])]
    }
    self[.splitToSequence] = ShapeRules.splitToSequence
    self[.concatFromSequence] = ShapeRules.concatFromSequence
    self[.sequenceMap] = ShapeRules.sequenceMap
    self[.optional] = { (context) throws(ShapeError) in
      if let type = context[OptionalOperator.type] { return [.optional(type)] }
      guard context.has(0) else { throw .attribute("type", reason: "must be given where the operand is not") }
      return [.optional(try context.type(0))]
    }
    self[.optionalGetElement] = { (context) throws(ShapeError) in
      if case .optional(let wrapped) = try context.type(0) { return [wrapped] }
      return [try context.type(0)]
    }
    self[.optionalHasElement] = { (context) throws(ShapeError) in [.tensor(.bool, [])] }
  }

  @Sendable private static func splitToSequence(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0, minimumRank: 1) else { return [.sequence(try context.tensor(nil, like: 0))] }
    let axis = try normalizedAxis(context[SplitToSequence.axis], rank: shape.rank)
    if !context.has(1) {
      shape[axis] = 1
      if !context[SplitToSequence.keepDims] { shape.dimensions.remove(at: axis) }
    } else {
      // The parts have one size only if all are as large as each other.
      let sizes = context.contents(1) ?? []
      let isEven = sizes.count == 1 && (shape[axis] % sizes[0]).size == 0
      shape[axis] = Set(sizes).count == 1 && (sizes.count > 1 || isEven) ? sizes[0] : .unknown
    }
    return [.sequence(try context.tensor(shape, like: 0))]
  }

  @Sendable private static func concatFromSequence(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard case .tensor(let type) = try context.element(0) else { return [.unknown] }
    guard var shape = type.shape else { return [.tensor(type.elementType, nil)] }
    let isNew = context[ConcatFromSequence.newAxis]
    let axis = try normalizedAxis(context[ConcatFromSequence.axis], rank: shape.rank + (isNew ? 1 : 0))
    if isNew { shape.dimensions.insert(1, at: axis) }
    shape[axis] = context.dataDependentDimension()
    return [.tensor(type.elementType, shape)]
  }

  @Sendable private static func sequenceMap(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let count = context[SequenceMap.inputCount] ?? context.operandCount
    guard count > 0, count <= context.operandCount else {
      throw .attribute("input_count", reason: "\(count) does not fit \(context.operandCount) operands")
    }
    var arguments: [ValueType] = []
    for index in 0..<context.operandCount {
      if index < count, case .sequence(let element) = try context.type(index) {
        arguments.append(element)
      } else {
        arguments.append(try context.type(index))
      }
    }
    let results = try context.results(ofRegion: 0, arguments: arguments).types
    guard results.count == context.node.results.count else {
      throw .resultCount(expected: results.count, actual: context.node.results.count)
    }
    // A size that is the run's own differs from element to element.
    let known = Set(arguments.flatMap { $0.shape?.dimensions ?? [] })
    return results.map { .sequence($0.forgettingSizes { !known.contains($0) && $0.size == nil }) }
  }
}

extension InferenceContext {
  /// The type of a sequence's elements; unknown if nothing is known of the operand.
  /// - Throws: `ShapeError.kind` if it is no sequence.
  fileprivate func element(_ index: Int) throws(ShapeError) -> ValueType {
    switch try type(index) {
    case .sequence(let element): return element
    case .unknown: return .unknown
    case let other: throw .kind(operand: index, expected: "a sequence", actual: other)
    }
  }
}

extension ValueType {
  fileprivate func forgettingSizes(_ isForgotten: (Dimension) -> Bool) -> ValueType {
    guard case .tensor(let type) = self, let shape = type.shape else { return self }
    return .tensor(type.elementType, Shape(shape.map { isForgotten($0) ? .unknown : $0 }))
  }
}
