import FXCore

extension Decompositions {
  mutating func addReshaping() {
    unary(.size) { x, _ in
      try x.call(.shape).call(.reduceProd, [], [Reduce.keepDims.name: false])
    }
    unary(.flatten) { x, context in
      let (rank, axis) = (try x.rank, context[Flatten.axis])
      let split = axis < 0 ? axis + rank : axis
      guard (0...rank).contains(split) else { throw DecompositionDeclined(reason: "there is no axis \(axis) of \(rank)") }
      return try x.reshaped([x.count(0..<split), x.count(split..<rank)])
    }
    unary(.depthToSpace) { x, context in
      let (sizes, block) = (try x.sizes(rank: 4), Extent.size(context[DepthToSpace.blockSize]))
      let channels = try sizes[1] / (block * block)
      let isDepthFirst = context[DepthToSpace.mode] == "DCR"
      let blocks = isDepthFirst ? [block, block, channels] : [channels, block, block]
      let order = isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]
      return try x.reshaped([sizes[0]] + blocks + [sizes[2], sizes[3]]).transposed(order)
        .reshaped([sizes[0], channels, sizes[2] * block, sizes[3] * block])
    }
    unary(.spaceToDepth) { x, context in
      let (sizes, block) = (try x.sizes(rank: 4), Extent.size(context[SpaceToDepth.blockSize]))
      let (rows, columns) = (try sizes[2] / block, try sizes[3] / block)
      let order = context[SpaceToDepth.mode] == "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4]
      return try x.reshaped([sizes[0], sizes[1], rows, block, columns, block]).transposed(order)
        .reshaped([sizes[0], sizes[1] * block * block, rows, columns])
    }
    unary(.reverseSequence) { x, context in
      try x.sequencesReversed(
        lengths: context.term(1), timeAxis: context[ReverseSequence.timeAxis], batchAxis: context[ReverseSequence.batchAxis])
    }
  }
}

extension Term {
  /// The sizes of a tensor that must have `rank` axes.
  func sizes(rank expected: Int) throws -> [Extent] {
    guard try rank == expected else { throw DecompositionDeclined(reason: "a rank is not \(expected)") }
    return try sizes
  }

  /// The first elements of each sequence in reverse order, as many as its length says; the others stay where they are.
  func sequencesReversed(lengths: Term, timeAxis: Int, batchAxis: Int) throws -> Term {
    let rank = try rank
    let time = try builder.range(size(timeAxis)).alongAxis(timeAxis, of: rank)
    let length = try lengths.cast(to: .int64).alongAxis(batchAxis, of: rank)
    let places = try select(time .< length, length - time - 1, time)
    return try gatheredElements(places.expanded(sizes), axis: timeAxis)
  }
}
