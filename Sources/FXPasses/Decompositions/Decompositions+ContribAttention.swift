import FXCore

/// Source of the formulas: the documentation of ONNX Runtime's `MultiHeadAttention` and `GroupQueryAttention`.
extension Decompositions {
  mutating func addContribAttention() {
    self[.multiHeadAttention] = { context in try context.multiHeadAttention() }
    self[.groupQueryAttention] = { context in try context.groupQueryAttention() }
  }
}

extension DecompositionContext {
  /// The factor of the scores: the attribute's, or 1/√size if it is left out or 0.
  private func scale(_ size: Extent, _ type: ElementType) throws -> Term {
    if let scale = self[MultiHeadAttention.scale], scale != 0 { return try builder.scalar(Literal(scale), type) }
    return try builder.inverseRoot(size, type)
  }

  // MARK: Multi-head attention

  fileprivate func multiHeadAttention() throws -> [Operand] {
    var operands = try (0..<3).map { try biased($0).splittingHeads(self[MultiHeadAttention.headCount]) }
    var past: Extent = 0
    for index in 1...2 {
      guard let cache = try optionalTerm(5 + index) else { continue }
      past = try cache.size(2)
      operands[index] = try concat([cache, operands[index]], axis: 2)
    }
    let (q, k, v) = (operands[0], operands[1], operands[2])
    let type = try q.elementType
    let (queries, keys) = (try q.size(2), try k.size(2))
    var scores = try matmul(q, k.matrixTransposed()) * scale(q.size(3), type)
    if let bias = try optionalTerm(5) { scores = try scores + bias }
    if let padding = try paddingMask(keys) {
      scores = try scores + select(padding, builder.scalar(0, type), Literal(self[MultiHeadAttention.filterValue]))
    }
    if self[MultiHeadAttention.isCausal] {
      let rows = try builder.range(queries).unsqueezed([1]) + builder.term(past)
      scores = try select(builder.range(keys) .> rows, .float(-.infinity), scores)
    }
    let y = try matmul(scores.attending(scores), v).joiningHeads()
    return results(y, k, v)
  }

  /// Operand `index` of queries, keys and values plus its part of the bias, which holds those of all three.
  private func biased(_ index: Int) throws -> Term {
    let x = try term(index)
    guard let bias = try optionalTerm(3), try x.rank == 3 else { return x }
    let widths = try (0...index).map { try term($0).size(2) }
    let start = try widths.dropLast().reduce(0) { try $0 + $1 }
    return try x + bias.sliced(0, from: start, to: start + widths[index])
  }

  /// Which keys take part, to broadcast to [batch, heads, queries, keys]; `nil` for all.
  private func paddingMask(_ keys: Extent) throws -> Term? {
    guard let mask = try optionalTerm(4) else { return nil }
    switch try mask.rank {
    case 2: return try (mask .> 0).unsqueezed([1, 2])
    case 3: return try (mask .> 0).unsqueezed([1])
    case 1:
      // The lengths of the images, then perhaps where they start; of 3b + 2 numbers the others are about packed operands.
      guard let count = mask.dimension(0), let batch = try term(0).dimension(0) else {
        throw DecompositionDeclined(reason: "what the numbers of the mask are depends on the batch, which is not known")
      }
      let numbers = try mask.cast(to: .int64)
      let places = try builder.range(keys)
      let isBefore = try places .< numbers.sliced(0, from: 0, to: .size(batch)).perImage()
      guard count == 2 * batch else { return isBefore }
      return try isBefore .& (places .>= numbers.sliced(0, from: .size(batch)).perImage())
    default: throw DecompositionDeclined(reason: "the mask has more than three axes")
    }
  }

  // MARK: Group query attention

  fileprivate func groupQueryAttention() throws -> [Operand] {
    let (heads, keyHeads) = (self[MultiHeadAttention.headCount], self[GroupQueryAttention.keyHeadCount])
    guard [heads, keyHeads].allSatisfy({ (1...Int(Int32.max)).contains($0) }) else {
      throw DecompositionDeclined(reason: "\(heads) heads that share \(keyHeads)")
    }
    var (q, k, v) = try splitOperands(heads, keyHeads)
    let (queries, size, type) = (try q.size(2), try q.size(3), try q.elementType)
    let total = try term(6).asExtent()
    // The number of keys of each image, past ones included, and how many of them are past.
    let lengths = try term(5).cast(to: .int64).reshaped([-1]) + 1
    // In a prompt, the first tokens of all, images may be shorter than the operand is long.
    let isPrompt = try builder.term(total) .== builder.term(queries)
    let starts = try select(isPrompt, 0, lengths - builder.term(queries))
    let offsets = try builder.range(queries)
    if self[GroupQueryAttention.rotates] {
      let positions = try self.positions(starts, lengths, offsets)
      (q, k) = (try turned(q, positions), try turned(k, positions))
    }
    k = try cached(k, past: 3, starts, total)
    v = try cached(v, past: 4, starts, total)
    let places = try builder.range(k.size(2))
    let distance = try starts.perImage() + offsets.unsqueezed([1]) - places
    var isSeen = try (distance .>= builder.vector([0])) .& (places .< builder.term(total))
    let window = self[GroupQueryAttention.windowSize]
    if window >= 0 { isSeen = try isSeen .& (distance .< .int(Int64(window))) }
    let keys = try k.repeatingHeads(.size(heads)).matrixTransposed()
    var scores = try (matmul(q, keys) * scale(size, type)).softcapped(self[GroupQueryAttention.softcap])
    if let bias = try optionalTerm(10) { scores = try scores + bias.paddedMask(to: k.size(2)) }
    scores = try select(isSeen, scores, .float(-.infinity))
    let weights = try sinks(heads, type).map { try attending(scores, beside: $0) } ?? scores.attending(scores)
    let y = try matmul(weights, v.repeatingHeads(.size(heads))).joiningHeads()
    return results(y, k, v)
  }

  /// Queries, keys and values as [batch, heads, length, size], which may be packed into the first operand.
  private func splitOperands(_ heads: Int, _ keyHeads: Int) throws -> (Term, Term, Term) {
    let x = try term(0)
    if let key = try optionalTerm(1) {
      return (try x.splittingHeads(heads), try key.splittingHeads(keyHeads), try term(2).splittingHeads(keyHeads))
    }
    let all = try x.splittingHeads(heads + 2 * keyHeads)
    let (keys, values) = (Extent.size(heads), Extent.size(heads + keyHeads))
    return (
      try all.sliced(1, from: 0, to: keys), try all.sliced(1, from: keys, to: values), try all.sliced(1, from: values)
    )
  }

  /// For each image and query the position that its angles belong to.
  private func positions(_ starts: Term, _ lengths: Term, _ offsets: Term) throws -> Term {
    if let given = try optionalTerm(9) {
      // One number is the first position of all images.
      let isFirst = given.type.shape?.elementCount.size == 1
      return try isFirst ? starts.unsqueezed([1]) * 0 + given.reshaped([1, 1]) + offsets : given
    }
    let positions = try starts.unsqueezed([1]) + offsets
    // What comes after an image's end is padding, which needs some place in the caches.
    return try select(positions .< lengths.unsqueezed([1]), positions, 1)
  }

  private func turned(_ x: Term, _ positions: Term) throws -> Term {
    let (cosines, sines) = (try term(7), try term(8))
    return try x.rotated(
      cosines.gathered(positions, axis: 0).unsqueezed([1]), sines.gathered(positions, axis: 0).unsqueezed([1]),
      rotatedSize: cosines.size(1) * 2, isInterleaved: self[GroupQueryAttention.isInterleaved])
  }

  /// The cache with the new keys or values of each image from its start on, and zeros behind them.
  private func cached(_ x: Term, past index: Int, _ starts: Term, _ total: Extent) throws -> Term {
    let sizes = try x.sizes(rank: 4)
    var cache: Term
    if let past = try optionalTerm(index) {
      let room = try past.size(2)
      let length = try Extent.maximum(room, total)
      cache = try past.padded(2, before: 0, after: length - room)
      let isPast = try builder.range(length).unsqueezed([1]) .< starts.perImage()
      cache = try select(isPast, cache, 0)
    } else {
      cache = try builder.zeros([sizes[0], sizes[1], total, sizes[3]], x.elementType)
    }
    let places = try starts.perImage() + builder.range(sizes[2]).unsqueezed([1])
    return try cache.scatteredElements(places.expanded(sizes), x, axis: 2)
  }

  /// Scores that take their part of the softmax and give nothing, [1, heads, 1, 1]; `nil` for none.
  private func sinks(_ heads: Int, _ type: ElementType) throws -> Term? {
    let shape: [Extent] = [1, .size(heads), 1, 1]
    if let given = try optionalTerm(11) { return try given.cast(to: type).reshaped(shape) }
    return self[GroupQueryAttention.hasSmoothSoftmax] == 1 ? try builder.zeros(shape, type) : nil
  }

  private func attending(_ scores: Term, beside sinks: Term) throws -> Term {
    let sizes = try scores.sizes(rank: 4)
    let all = try concat([scores, sinks.expanded([sizes[0], sizes[1], sizes[2], 1])], axis: 3)
    return try softmax(all, axis: 3).sliced(3, from: 0, to: sizes[3])
  }
}
