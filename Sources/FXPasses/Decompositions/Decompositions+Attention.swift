import FXCore

/// Source of the formulas: the function bodies of ONNX `Attention` and `RotaryEmbedding`.
extension Decompositions {
  mutating func addAttention() {
    self[.attention] = { context in try context.attention() }
    define(.rotaryEmbedding) { context in
      let operand = try context.term(0)
      let x = try operand.splittingHeads(context[RotaryEmbedding.headCount])
      var (cosines, sines) = (try context.term(1), try context.term(2))
      if let positions = try context.optionalTerm(3) {
        (cosines, sines) = (try cosines.gathered(positions, axis: 0), try sines.gathered(positions, axis: 0))
      }
      let asked = context[RotaryEmbedding.rotatedSize]
      let y = try x.rotated(
        cosines.unsqueezed([1]), sines.unsqueezed([1]), rotatedSize: asked == 0 ? x.size(3) : .size(asked),
        isInterleaved: context[RotaryEmbedding.interleaved])
      return try operand.rank == 4 ? y : y.joiningHeads()
    }
    addLinearAttention()
    addContribAttention()
  }
}

extension Term {
  /// Pairs of the first `rotatedSize` elements of each line turned by angles, whose cosines and sines broadcast to
  /// [batch, heads, length, rotatedSize ÷ 2]; pairs are neighbours or half the rotated size apart.
  func rotated(_ cosines: Term, _ sines: Term, rotatedSize: Extent, isInterleaved: Bool) throws -> Term {
    let (sizes, half) = (try sizes(rank: 4), try rotatedSize / 2)
    let isWhole = rotatedSize.size.map { $0 == sizes[3].size } ?? false
    let part = isWhole ? self : try sliced(3, from: 0, to: rotatedSize)
    let first = try isInterleaved ? part.sliced(3, from: 0, step: 2) : part.sliced(3, from: 0, to: half)
    let second = try isInterleaved ? part.sliced(3, from: 1, step: 2) : part.sliced(3, from: half)
    let turned = [try cosines * first - sines * second, try sines * first + cosines * second]
    let joined =
      try isInterleaved
      ? stack(turned, axis: 4).reshaped([sizes[0], sizes[1], sizes[2], rotatedSize]) : concat(turned, axis: 3)
    return isWhole ? joined : try concat([joined, sliced(3, from: rotatedSize)], axis: 3)
  }
}

extension DecompositionContext {
  fileprivate func attention() throws -> [Operand] {
    let query = try term(0)
    let q = try query.splittingHeads(self[Attention.queryHeadCount])
    var k = try term(1).splittingHeads(self[Attention.keyHeadCount])
    var v = try term(2).splittingHeads(self[Attention.keyHeadCount])
    var past: Extent?
    if let pastKey = try optionalTerm(4), let pastValue = try optionalTerm(5) {
      past = try pastKey.size(2)
      (k, v) = (try concat([pastKey, k], axis: 2), try concat([pastValue, v], axis: 2))
    }
    let (heads, type) = (try q.size(1), try q.elementType)
    // Both operands take the root of the scale, against overflow.
    let root =
      try self[Attention.scale].map { try builder.scalar(.float(Double($0).squareRoot()), type) }
      ?? builder.inverseRoot(q.size(3), type, root: true)
    let keys = try k.repeatingHeads(heads).transposed([0, 1, 3, 2])
    let product = try matmul(q * root, keys * root)
    let capped = try product.softcapped(self[Attention.softcap])
    let bias = try attentionBias(queries: q.size(2), keys: k.size(2), past: past, type)
    let masked = try bias.map { try capped + $0 } ?? capped
    let weights = try masked.attending(bias, self[Attention.softmaxPrecision])
    let result = try matmul(weights, v.repeatingHeads(heads).cast(to: type))
    let y = try query.rank == 3 ? result.joiningHeads() : result
    let shown = [product, capped, masked, weights]
    let mode = self[Attention.scoresMode]
    return results(y, k, v, shown.indices.contains(mode) ? shown[mode] : product)
  }

  /// What is added to the scores: the mask, and −∞ where causality, the window or padding forbid a key; `nil` for nothing.
  private func attentionBias(queries: Extent, keys: Extent, past: Extent?, _ type: ElementType) throws -> Term? {
    let bias = try optionalTerm(3).map { try $0.asBias(type).paddedMask(to: keys) }
    let lengths = try optionalTerm(6)?.perImage()
    let (left, right) = (self[Attention.leftWindowSize], self[Attention.rightWindowSize])
    var forbidden: [Term] = []
    let places = try builder.range(keys)
    if self[Attention.isCausal] || left >= 0 || right >= 0 {
      var rows = try builder.range(queries).unsqueezed([1])
      // How many keys come before the first query.
      if let past {
        rows = try rows + builder.term(past)
      } else if let lengths {
        rows = try rows + (lengths - builder.term(queries))
      }
      let distance = try places - rows
      if self[Attention.isCausal] { forbidden.append(try distance .> 0) }
      if left >= 0 { forbidden.append(try -distance .> .int(Int64(left))) }
      if right >= 0 { forbidden.append(try distance .> .int(Int64(right))) }
    }
    if let lengths { forbidden.append(try places .>= lengths) }
    guard let first = forbidden.first else { return bias }
    let any = try forbidden.dropFirst().reduce(first) { try $0 .| $1 }
    return try select(any, .float(-.infinity), bias ?? builder.scalar(0, type))
  }
}
