import FXCore
import FXTrace

extension GradientRules {
  mutating func addIndexing() {
    first(.gather) { dy, context in
      let (data, indices) = (context.operand(0), context.operand(1))
      let (rank, count) = (try context.rank(data), try context.rank(indices))
      let axis = try context.axis(context[Gather.axis], of: data)
      // The axes of the indices first, then the data's with the gathered one leading.
      let front = Array(axis..<axis + count) + Array(0..<axis) + Array(axis + count..<rank - 1 + count)
      let order = [axis] + Array(0..<axis) + Array(axis + 1..<rank)
      let sum = try transpose(data, order).zeros()
        .calling(.scatterND, unsqueeze(indices, axes: [count]).cast(to: .int64), transpose(dy, front), attributes: adding)
      return transpose(sum, order.indices.sorted { order[$0] < order[$1] })
    }
    first(.gatherElements) { dy, context in
      try context.operand(0).zeros().calling(
        .scatterElements, context.operand(1), dy,
        attributes: ["axis": .int(context[GatherElements.axis]), "reduction": .string("add")])
    }
    first(.gatherND) { dy, context in
      guard context[GatherND.batchDims] == 0 else { throw context.unsupported("batch_dims is not 0") }
      return try context.operand(0).zeros().calling(.scatterND, context.operand(1), dy, attributes: adding)
    }
    self[.scatterElements] = .cotangents { context in
      let axis: Attributes = ["axis": .int(context[ScatterElements.axis])]
      return try context.scattered(
        reading: { $0.calling(.gatherElements, context.operand(1), attributes: axis) },
        writing: { $0.calling(.scatterElements, context.operand(1), $1, attributes: axis) })
    }
    self[.scatterND] = .cotangents { context in
      try context.scattered(
        reading: { $0.calling(.gatherND, context.operand(1)) },
        writing: { $0.calling(.scatterND, context.operand(1), $1) })
    }
    first(.topK) { dy, context in
      try context.operand(0).zeros().calling(
        .scatterElements, context.result(1), dy, attributes: ["axis": .int(context[TopK.axis]), "reduction": .string("add")])
    }
    first(.trilu) { dy, context in
      let diagonal: (any SymbolicOperand)? = context.has(1) ? context.operand(1) : nil
      return dy.calling(.trilu, diagonal, attributes: ["upper": .bool(context[Trilu.upper])])
    }
  }
}

private let adding: Attributes = ["reduction": .string("add")]

extension GradientContext {
  /// The cotangents of data and updates of a scatter that replaces or adds.
  fileprivate func scattered(
    reading: (SymbolicTensor) -> SymbolicTensor, writing: (SymbolicTensor, SymbolicTensor) throws -> SymbolicTensor
  ) throws -> [SymbolicTensor?] {
    guard let dy = cotangent() else { return [] }
    switch self[ScatterND.reduction] {
    case "none": return [needs(0) ? try writing(dy, operand(2).zeros()) : nil, nil, reading(dy)]
    case "add": return [dy, nil, reading(dy)]
    case let reduction: throw unsupported("the reduction '\(reduction)'")
    }
  }
}
