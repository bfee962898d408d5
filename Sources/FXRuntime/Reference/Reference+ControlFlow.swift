import FXCore

extension ReferenceKernels {
  mutating func addControlFlow() {
    self[.cond] = { context in
      let captures = try context.values(from: 1)
      return try context.run(region: isTrue(context.value(0)) ? 0 : 1, captures)
    }
    self[.whileLoop] = { context in
      let operands = try context.values(from: 0)
      let count = context.resultCount
      guard count <= operands.count else { throw KernelError.missingOperand(operands.count) }
      var states = Array(operands[..<count])
      let captures = operands[count...]
      while try isTrue(context.run(region: 0, states + captures).first) {
        states = try context.run(region: 1, states + captures)
        guard states.count == count else { throw KernelError.invalid("the body gives \(states.count) states, not \(count)") }
      }
      return states
    }
    self[.loop] = { context in try loop(context) }
    self[.scan] = { context in try scan(context) }
    self[.call] = { context in try context.run(region: 0, context.values(from: 0)) }
  }
}

extension ReferenceKernels {
  /// The kernels with a guard against loops that do not end: one that has made `count` turns and goes on is an error.
  ///
  /// ```swift
  /// let backend = CPUBackend(.init(reference: .standard.limitingTurns(to: 10_000)))
  /// ```
  public func limitingTurns(to count: Int) -> ReferenceKernels {
    var limited = self
    for op in [Operator.whileLoop, .loop] {
      guard let kernel = self[op] else { continue }
      limited[op] = { context in
        var (context, turns) = (context, 0)
        let (run, body) = (context.runRegion, context.node.regions.last)
        context.runRegion = { region, arguments in
          if region == body {
            guard turns < count else { throw KernelError.invalid("the loop goes on after \(count) turns, the most allowed") }
            turns += 1
          }
          return try run(region, arguments)
        }
        return try kernel(context)
      }
    }
    return limited
  }
}

extension ReferenceContext {
  /// The operands from `first` on, all of which must be there.
  func values(from first: Int) throws -> [RuntimeValue] {
    try (first..<max(first, operands.count)).map { try value($0) }
  }

  /// Results of a region that never ran, stacked: empty, with the sizes that the region's types tell.
  /// - Parameter arguments: of the turn that did not come.
  private func emptyStack(ofResult index: Int, axis: Int, _ arguments: [ValueType]) throws -> RuntimeValue {
    let types = node.regions.first.map { regionTypes($0, arguments) } ?? []
    guard index < types.count, case .tensor(let type) = types[index] else {
      throw KernelError.invalid("no turn ran, so that the type of result \(index) is not known")
    }
    var shape = (type.shape ?? []).map { $0.size ?? 0 }
    shape.insert(0, at: try Selection.axis(axis, rank: shape.count + 1))
    return .tensor(try Tensor(zeros: type.elementType, shape))
  }

  /// The results of all turns along a new axis.
  fileprivate func stacked(
    _ elements: [RuntimeValue], ofResult index: Int, axis: Int, arguments: () -> [ValueType]
  ) throws -> RuntimeValue {
    guard let first = elements.first else { return try emptyStack(ofResult: index, axis: axis, arguments()) }
    guard let rank = first.tensor?.shape.count else { throw KernelError.notATensor(index) }
    let axis = try Selection.axis(axis, rank: rank + 1)
    return .tensor(try Tensor.concatenated(elements.map { try $0.with(newAxis: axis) }, axis: axis))
  }
}

extension RuntimeValue {
  /// A tensor with a new axis of size 1.
  func with(newAxis axis: Int) throws -> Tensor {
    guard let tensor, axis <= tensor.shape.count else {
      throw KernelError.invalid("\(type) cannot be stacked along axis \(axis)")
    }
    var shape = tensor.shape
    shape.insert(1, at: axis)
    return try tensor.reshaped(shape)
  }
}

private func isTrue(_ value: RuntimeValue?) throws -> Bool {
  guard let tensor = value?.tensor, tensor.elementType == .bool, tensor.elementCount == 1 else {
    throw KernelError.invalid("a condition is \(value.map { "\($0.type)" } ?? "missing"), not one bool")
  }
  return try tensor.numbers().bits[0] != 0
}

private func loop(_ context: ReferenceContext) throws -> [RuntimeValue] {
  let (operands, count) = (try context.values(from: 2), context[Loop.stateCount])
  let elements = context.resultCount - count
  guard count >= 0, count <= operands.count, elements >= 0 else {
    throw KernelError.invalid("\(count) states do not fit \(operands.count) operands")
  }
  let limit = try context.has(0) ? context.integers(0).first : nil
  let isConditional = context.has(1)
  var condition = try !isConditional || isTrue(context.value(1))
  var states = Array(operands[..<count])
  var stacks = Array(repeating: [RuntimeValue](), count: elements)
  var turn = 0
  while condition, limit.map({ turn < $0 }) ?? true {
    let arguments = [.tensor(Tensor(turn)), .tensor(Tensor(condition))] + states + operands[count...]
    let results = try context.run(region: 0, arguments)
    guard results.count == 1 + count + elements else {
      throw KernelError.invalid("the body gives \(results.count) results, not \(1 + count + elements)")
    }
    if isConditional { condition = try isTrue(results[0]) }
    states = Array(results[1..<1 + count])
    for index in 0..<elements { stacks[index].append(results[1 + count + index]) }
    turn += 1
  }
  return try states
    + stacks.enumerated().map {
      try context.stacked($1, ofResult: 1 + count + $0, axis: 0) {
        [.tensor(.int64, []), .tensor(.bool, [])] + operands.map(\.type)
      }
    }
}

private func scan(_ context: ReferenceContext) throws -> [RuntimeValue] {
  let (operands, count, scanned) = (try context.values(from: 0), context[Loop.stateCount], context[Scan.inputCount])
  let outputs = context.resultCount - count
  guard count >= 0, count <= operands.count, scanned > 0, scanned <= operands.count - count, outputs >= 0 else {
    throw KernelError.invalid("\(count) states and \(scanned) scanned operands do not fit \(operands.count) operands")
  }
  func list(_ key: AttributeKey<[Int]?>, _ count: Int) throws -> [Int] {
    let list = context[key] ?? Array(repeating: 0, count: count)
    guard list.count == count else { throw KernelError.invalid("\(key.name) has \(list.count) elements, not \(count)") }
    return list
  }
  let inputs = try (0..<scanned).map { try context.tensor(count + $0) }
  let axes = try zip(list(Scan.inputAxes, scanned), inputs).map { try Selection.axis($0, rank: $1.shape.count) }
  let (inputDirections, outputDirections) = (try list(Scan.inputDirections, scanned), try list(Scan.outputDirections, outputs))
  let outputAxes = try list(Scan.outputAxes, outputs)
  let turns = inputs[0].shape[axes[0]]
  guard zip(inputs, axes).allSatisfy({ $0.shape[$1] == turns }) else {
    throw KernelError.invalid("the scanned operands differ in length: \(inputs.map { "\($0.type)" }.joined(separator: ", "))")
  }
  var states = Array(operands[..<count])
  var stacks = Array(repeating: [RuntimeValue](), count: outputs)
  for turn in 0..<turns {
    let slices = try inputs.indices.map { index in
      let place = inputDirections[index] == 0 ? turn : turns - 1 - turn
      if axes[index] == 0, let row = inputs[index].row(place) { return RuntimeValue.tensor(row) }
      let slice = try inputs[index].slice(axis: axes[index], start: place, count: 1)
      var shape = slice.shape
      shape.remove(at: axes[index])
      return RuntimeValue.tensor(try slice.reshaped(shape))
    }
    let results = try context.run(region: 0, states + slices + operands[(count + scanned)...])
    guard results.count == count + outputs else {
      throw KernelError.invalid("the body gives \(results.count) results, not \(count + outputs)")
    }
    states = Array(results[..<count])
    for index in 0..<outputs { stacks[index].append(results[count + index]) }
  }
  func types() -> [ValueType] {
    var types = operands.map(\.type)
    for (index, (input, axis)) in zip(inputs, axes).enumerated() {
      var shape = input.shape
      shape.remove(at: axis)
      types[count + index] = .tensor(input.elementType, Shape(shape.map { Dimension($0) }))
    }
    return types
  }
  for index in 0..<outputs {
    let elements = outputDirections[index] == 0 ? stacks[index] : stacks[index].reversed()
    states.append(try context.stacked(elements, ofResult: count + index, axis: outputAxes[index], arguments: types))
  }
  return states
}
