import FXCore

extension ReferenceKernels {
  mutating func addSequence() {
    self[.sequenceConstruct] = { context in
      let elements = try context.operands.indices.map { try context.tensor($0) }
      guard let first = elements.first, elements.allSatisfy({ $0.elementType == first.elementType }) else {
        throw KernelError.invalid("a sequence needs tensors of one element type")
      }
      return [.sequence(elements.map(RuntimeValue.tensor), element: .tensor(first.elementType, nil))]
    }
    self[.sequenceEmpty] = { context in [.sequence([], element: .tensor(context[SequenceEmpty.dtype], nil))] }
    self[.sequenceInsert] = { context in
      var (elements, type) = try context.sequence(0)
      let value = try context.value(1)
      if let expected = type.elementType, value.type.elementType != expected {
        throw KernelError.invalid("\(value.type) does not fit a sequence of \(type)")
      }
      elements.insert(value, at: try context.position(2, count: elements.count, isInsertion: true) ?? elements.count)
      return [.sequence(elements, element: type)]
    }
    self[.sequenceErase] = { context in
      var (elements, type) = try context.sequence(0)
      guard !elements.isEmpty else { throw KernelError.invalid("an empty sequence has nothing to erase") }
      elements.remove(at: try context.position(1, count: elements.count) ?? elements.count - 1)
      return [.sequence(elements, element: type)]
    }
    self[.sequenceAt] = { context in
      let (elements, _) = try context.sequence(0)
      guard let position = try context.position(1, count: elements.count) else { throw KernelError.missingOperand(1) }
      return [elements[position]]
    }
    self[.sequenceLength] = { context in [.tensor(Tensor(try context.sequence(0).elements.count))] }
    self[.splitToSequence] = { context in
      let x = try context.tensor(0)
      let axis = try Selection.axis(context[SplitToSequence.axis], rank: x.shape.count)
      let parts = try x.split(parts(of: x.shape[axis], context.optionalTensor(1)), axis: axis)
      guard !context.has(1), !context[SplitToSequence.keepDims] else {
        return [.sequence(parts.map(RuntimeValue.tensor), element: .tensor(x.elementType, nil))]
      }
      var shape = x.shape
      shape.remove(at: axis)
      return [.sequence(try parts.map { .tensor(try $0.reshaped(shape)) }, element: .tensor(x.elementType, nil))]
    }
    self[.concatFromSequence] = { context in
      let (elements, _) = try context.sequence(0)
      guard let rank = elements.first?.tensor?.shape.count else {
        throw KernelError.invalid("an empty sequence has no concatenation")
      }
      let isNew = context[ConcatFromSequence.newAxis]
      let axis = try Selection.axis(context[ConcatFromSequence.axis], rank: rank + (isNew ? 1 : 0))
      let parts = try elements.map { element in
        guard let tensor = element.tensor else { throw KernelError.notATensor(0) }
        return isNew ? try element.with(newAxis: axis) : tensor
      }
      return [.tensor(try Tensor.concatenated(parts, axis: axis))]
    }
    self[.sequenceMap] = { context in try mapped(context) }
    self[.optional] = { context in
      let value = context.has(0) ? try context.value(0) : nil
      return [.optional(value, wrapped: context[OptionalOperator.type] ?? value?.type ?? .unknown)]
    }
    self[.optionalGetElement] = { context in
      guard case .optional(let wrapped, _) = try context.value(0) else { return [try context.value(0)] }
      guard let wrapped else { throw KernelError.invalid("the optional is empty") }
      return [wrapped]
    }
    self[.optionalHasElement] = { context in
      guard context.has(0), case .optional(nil, _) = try context.value(0) else { return [.tensor(Tensor(context.has(0)))] }
      return [.tensor(Tensor(false))]
    }
  }
}

extension ReferenceContext {
  fileprivate func sequence(_ index: Int) throws -> (elements: [RuntimeValue], type: ValueType) {
    guard case .sequence(let elements, let type) = try value(index) else {
      throw KernelError.invalid("operand \(index) is \(try value(index).type), not a sequence")
    }
    return (elements, type)
  }

  /// A position counted from the front; `nil` if the operand is left out.
  fileprivate func position(_ index: Int, count: Int, isInsertion: Bool = false) throws -> Int? {
    guard let position = try optionalTensor(index)?.integers().first else { return nil }
    guard position >= -count, position < count + (isInsertion ? 1 : 0) else {
      throw KernelError.invalid("position \(position) is out of range for a sequence of \(count)")
    }
    return position < 0 ? position + count : position
  }
}

/// The sizes of parts: slices without an operand, parts of one size (the last may be smaller) for a scalar, else as given.
private func parts(of size: Int, _ split: Tensor?) throws -> [Int] {
  guard let split else { return Array(repeating: 1, count: try Selection.count([size])) }
  guard split.shape.isEmpty else { return try split.integers() }
  let part = try split.integers()[0]
  _ = try Selection.count([size])
  guard part > 0 else { throw KernelError.invalid("a part of size \(part)") }
  return stride(from: 0, to: size, by: part).map { min(part, size - $0) }
}

/// The results of the region for each element of the first operand.
private func mapped(_ context: ReferenceContext) throws -> [RuntimeValue] {
  let operands = try context.values(from: 0)
  let count = context[SequenceMap.inputCount] ?? operands.count
  guard count > 0, count <= operands.count, case .sequence(let elements, _) = operands[0] else {
    throw KernelError.invalid("there is no sequence to go through")
  }
  var results = Array(repeating: [RuntimeValue](), count: context.resultCount)
  for place in elements.indices {
    let arguments = try operands.enumerated().map { index, operand in
      guard index < count, case .sequence(let others, _) = operand else { return operand }
      guard others.count == elements.count else {
        throw KernelError.invalid("sequences of \(elements.count) and \(others.count) elements do not go together")
      }
      return others[place]
    }
    let values = try context.run(region: 0, arguments)
    guard values.count == results.count else {
      throw KernelError.invalid("the body gives \(values.count) results, not \(results.count)")
    }
    for (index, value) in values.enumerated() { results[index].append(value) }
  }
  // The types only matter where no element tells them.
  let arguments = operands.enumerated().map { index, operand -> ValueType in
    guard index < count, case .sequence(_, let element) = operand else { return operand.type }
    return element
  }
  let types = elements.isEmpty ? context.regionTypes(context.node.regions[0], arguments) : []
  return results.enumerated().map { index, values in
    let type = values.first?.type ?? (index < types.count ? types[index] : .unknown)
    return .sequence(values, element: type.elementType.map { .tensor($0, nil) } ?? type)
  }
}
