import FXCore

extension ShapeRules {
  mutating func addControlFlow() {
    self[.cond] = ShapeRules.cond
    self[.whileLoop] = ShapeRules.whileLoop
    self[.loop] = ShapeRules.loop
    self[.scan] = ShapeRules.scan
    self[.gradient] = { (context) throws(ShapeError) in
      let types = try context.types(from: 0)
      let count = context[Gradient.withRespectTo]
      guard (0...types.count).contains(count), count == context.node.results.count else {
        throw .attribute("with_respect_to", reason: "\(count) does not fit \(types.count) operands")
      }
      let results = try context.results(ofRegion: 0, arguments: types, contents: context.contents(from: 0)).types
      guard results.count == 1 else { throw .resultCount(expected: 1, actual: results.count) }
      return Array(types[..<count])
    }
    self[.call] = { (context) throws(ShapeError) in
      let results = try context.results(ofRegion: 0, arguments: context.types(from: 0), contents: context.contents(from: 0))
      for (index, contents) in results.contents.enumerated() { context.setContents(contents, limited: index) }
      return try context.counted(results.types)
    }
  }

  /// A branch per value of the predicate: what both agree on is known.
  @Sendable private static func cond(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    try context.checkPredicate(try context.type(0), operand: 0)
    let (types, contents) = (try context.types(from: 1), context.contents(from: 1))
    let a = try context.results(ofRegion: 0, arguments: types, contents: contents)
    let b = try context.results(ofRegion: 1, arguments: types, contents: contents)
    guard a.types.count == b.types.count else { throw .resultCount(expected: a.types.count, actual: b.types.count) }
    for index in a.contents.indices where a.contents[index] == b.contents[index] {
      context.setContents(a.contents[index], limited: index)
    }
    return try context.counted(try unite(a.types, b.types))
  }

  @Sendable private static func whileLoop(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (count, operands, contents) = (context.node.results.count, try context.types(from: 0), context.contents(from: 0))
    guard count <= operands.count else { throw .missingOperand(operands.count) }
    let captured = Array(repeating: nil, count: count) + contents[count...]
    let states = try settle(Array(operands[..<count]), context.mayRepeat) { (states) throws(ShapeError) in
      let results = try context.results(ofRegion: 1, arguments: states + operands[count...], contents: captured).types
      guard results.count == count else { throw .resultCount(expected: count, actual: results.count) }
      return (results, [])
    }
    let condition = try context.results(ofRegion: 0, arguments: states.types + operands[count...], contents: captured).types
    guard condition.count == 1 else { throw .resultCount(expected: 1, actual: condition.count) }
    try context.checkPredicate(condition[0], operand: 0)
    return states.types
  }

  @Sendable private static func loop(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let count = context[Loop.stateCount]
    guard count >= 0, count <= context.operandCount - 2, count <= context.node.results.count else {
      throw .attribute("state_count", reason: "\(count) does not fit \(context.operandCount) operands")
    }
    if context.has(1) { try context.checkPredicate(try context.type(1), operand: 1) }
    let (operands, contents) = (try context.types(from: 2), context.contents(from: 2))
    let condition = context.contents(1)
    let beginsTrue = condition.map { $0.count == 1 && ($0[0].size ?? 0) != 0 } ?? false
    let captured = [nil, beginsTrue ? condition : nil] + Array(repeating: nil, count: count) + contents[count...]
    let elements = context.node.results.count - count
    var staysTrue = false
    let settled = try settle(Array(operands[..<count]), context.mayRepeat) { (states) throws(ShapeError) in
      let arguments = [.tensor(.int64, []), .tensor(.bool, [])] + states + operands[count...]
      let (results, contents) = try context.results(ofRegion: 0, arguments: arguments, contents: captured)
      guard results.count == 1 + count + elements else {
        throw .resultCount(expected: 1 + count + elements, actual: results.count)
      }
      try context.checkPredicate(results[0], operand: 1)
      staysTrue = beginsTrue && contents[0] == condition
      return (Array(results[1..<1 + count]), Array(results[(count + 1)...]))
    }
    // The trip count is the number of turns where nothing ends the loop before: without a condition the body's is ignored, and
    // one that begins true may be passed on as it came.
    let turns = context.has(1) && !staysTrue ? nil : context.contents(0)?.first
    if let turns = turns?.size, turns < 0 { return settled.types + stacked(settled.others, 0) }
    return settled.types + stacked(settled.others, turns ?? context.dataDependentDimension())
  }

  @Sendable private static func scan(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (count, scanned) = (context[Loop.stateCount], context[Scan.inputCount])
    guard count >= 0, scanned > 0, count <= context.operandCount, scanned <= context.operandCount - count,
      count <= context.node.results.count
    else { throw .attribute("num_scan_inputs", reason: "\(scanned) does not fit \(context.operandCount) operands") }
    let outputs = context.node.results.count - count
    let inputAxes = try context.scanList(Scan.inputAxes, scanned)
    let outputAxes = try context.scanList(Scan.outputAxes, outputs)
    for (key, number) in [(Scan.inputDirections, scanned), (Scan.outputDirections, outputs)] {
      guard try context.scanList(key, number).allSatisfy({ (0...1).contains($0) }) else {
        throw .attribute(key.name, reason: "must hold 0 and 1")
      }
    }
    let operands = try context.types(from: 0)
    var turns = Dimension.unknown
    var slices: [ValueType] = []
    for (index, axis) in inputAxes.enumerated() {
      guard let type = try context.tensorType(count + index), var dimensions = type.shape?.dimensions else {
        slices.append(try context.tensor(nil, like: count + index))
        continue
      }
      let axis = try normalizedAxis(axis, rank: dimensions.count)
      guard let unified = turns.unified(with: dimensions[axis]) else {
        throw .dimensionsDiffer("the number of turns", turns, "dimension \(axis) of operand \(count + index)", dimensions[axis])
      }
      turns = unified
      dimensions.remove(at: axis)
      slices.append(.tensor(type.elementType, Shape(dimensions)))
    }
    let captured = Array(repeating: nil, count: count + scanned) + context.contents(from: count + scanned)
    let settled = try settle(Array(operands[..<count]), context.mayRepeat) { (states) throws(ShapeError) in
      let arguments = states + slices + operands[(count + scanned)...]
      let results = try context.results(ofRegion: 0, arguments: arguments, contents: captured).types
      guard results.count == count + outputs else { throw .resultCount(expected: count + outputs, actual: results.count) }
      return (Array(results[..<count]), Array(results[count...]))
    }
    let length = turns.isUnknown ? context.dataDependentDimension() : turns
    var results = settled.types
    for (type, axis) in zip(settled.others, outputAxes) { results.append(try stacked(type, length, axis: axis)) }
    return results
  }

  /// Runs a body on the types of its states until they no longer change: what differs from turn to turn becomes unknown.
  private static func settle(
    _ initial: [ValueType], _ mayRepeat: () -> Bool,
    _ body: ([ValueType]) throws(ShapeError) -> (states: [ValueType], others: [ValueType])
  ) throws(ShapeError) -> (types: [ValueType], others: [ValueType]) {
    var states = initial
    var turn = 0
    while true {
      let results = try body(states)
      let united = try unite(states, results.states)
      // Each change forgets a dimension or a rank, so that this ends; nested types get no more patience than this.
      if united == states { return (states, results.others) }
      guard turn < 256, mayRepeat() else {
        let widest = try unite(initial.map(withoutShape), united)
        return (widest, try body(widest).others)
      }
      states = united
      turn += 1
    }
  }

  /// The type with nothing said of sizes, as every turn of a loop has it.
  private static func withoutShape(_ type: ValueType) -> ValueType {
    type.tensorType.map { .tensor($0.elementType, nil) } ?? .unknown
  }

  private static func unite(_ a: [ValueType], _ b: [ValueType]) throws(ShapeError) -> [ValueType] {
    var result: [ValueType] = []
    for (index, pair) in zip(a, b).enumerated() {
      guard let type = pair.0.united(with: pair.1) ?? optional(pair.0, pair.1) ?? optional(pair.1, pair.0) else {
        throw .branchTypes(index: index, pair.0, pair.1)
      }
      result.append(type)
    }
    return result
  }

  /// A value that is there on one path and optional on the other is optional.
  private static func optional(_ a: ValueType, _ b: ValueType) -> ValueType? {
    guard case .optional(let wrapped) = a else { return nil }
    return wrapped.united(with: b).map(ValueType.optional)
  }

  private static func stacked(_ types: [ValueType], _ count: Dimension) -> [ValueType] {
    types.map { type in
      guard case .tensor(let type) = type else { return .unknown }
      return .tensor(type.elementType, type.shape.map { Shape([count] + $0.dimensions) })
    }
  }

  private static func stacked(_ type: ValueType, _ count: Dimension, axis: Int) throws(ShapeError) -> ValueType {
    guard case .tensor(let type) = type else { return .unknown }
    guard var dimensions = type.shape?.dimensions else { return .tensor(type.elementType, nil) }
    dimensions.insert(count, at: try normalizedAxis(axis, rank: dimensions.count + 1))
    return .tensor(type.elementType, Shape(dimensions))
  }
}

extension InferenceContext {
  /// The types of the operands from `first` on.
  /// - Throws: `ShapeError.missingOperand` if one is left out.
  fileprivate func types(from first: Int) throws(ShapeError) -> [ValueType] {
    var types: [ValueType] = []
    for index in first..<max(first, operandCount) { types.append(try type(index)) }
    return types
  }

  fileprivate func contents(from first: Int) -> [[Dimension]?] { (first..<max(first, operandCount)).map(contents) }

  fileprivate func counted(_ types: [ValueType]) throws(ShapeError) -> [ValueType] {
    guard types.count == node.results.count else { throw .resultCount(expected: types.count, actual: node.results.count) }
    return types
  }

  /// A predicate is one `bool`.
  fileprivate func checkPredicate(_ type: ValueType, operand: Int) throws(ShapeError) {
    switch type {
    case .unknown: return
    case .tensor(let tensor):
      guard tensor.elementType == .bool else { throw .elementType(operand: operand, allowed: .bool, actual: tensor.elementType) }
      if let count = tensor.shape?.elementCount.size, count != 1 {
        throw .invalid("a condition has \(count) elements")
      }
    default: throw .kind(operand: operand, expected: "a tensor", actual: type)
    }
  }

  fileprivate func scanList(_ key: AttributeKey<[Int]?>, _ count: Int) throws(ShapeError) -> [Int] {
    guard let list = self[key] else { return Array(repeating: 0, count: count) }
    guard list.count == count else { throw .attribute(key.name, reason: "has \(list.count) elements, not \(count)") }
    return list
  }
}
