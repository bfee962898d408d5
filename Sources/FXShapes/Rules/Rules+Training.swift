import FXCore

/// A step of an optimizer gives its tensors and their memory the types they had.
extension ShapeRules {
  mutating func addTraining() {
    self[.adagrad] = { (context) throws(ShapeError) in try context.optimizerStep(memories: 1) }
    self[.momentum] = { (context) throws(ShapeError) in try context.optimizerStep(memories: 1) }
    self[.adam] = { (context) throws(ShapeError) in try context.optimizerStep(memories: 2) }
  }
}

extension InferenceContext {
  /// - Parameter memories: how many groups of tensors follow that of the gradients.
  fileprivate func optimizerStep(memories: Int) throws(ShapeError) -> [ValueType] {
    let count = (operandCount - 2) / (2 + memories)
    guard count > 0, operandCount == 2 + count * (2 + memories) else {
      throw .invalid("\(operandCount) operands are not r, t and \(2 + memories) groups of tensors")
    }
    guard node.results.count == count * (1 + memories) else {
      throw .resultCount(expected: count * (1 + memories), actual: node.results.count)
    }
    for index in 0..<count {
      let type = try tensorType(2 + index)
      for group in 1...1 + memories {
        let other = try tensorType(2 + group * count + index)
        guard let type, let other else { continue }
        guard type.elementType == other.elementType else { throw .elementTypesDiffer(type.elementType, other.elementType) }
        guard let a = type.shape, let b = other.shape else { continue }
        guard a.rank == b.rank else {
          throw .rank(operand: 2 + group * count + index, expected: "\(a.rank)", actual: b.rank)
        }
        for axis in 0..<a.rank {
          _ = try InferenceContext.same("a dimension of tensor \(index)", a[axis], "that of its group \(group)", b[axis])
        }
      }
    }
    var types: [ValueType] = []
    for index in 0..<count { types.append(try type(2 + index)) }
    for group in 2...1 + memories {
      for index in 0..<count { types.append(try type(2 + group * count + index)) }
    }
    return types
  }
}
