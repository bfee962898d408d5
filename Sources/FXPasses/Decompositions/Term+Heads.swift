import FXCore

/// What the attentions have in common.
extension Term {
  /// A tensor [batch, length, heads × size] as [batch, heads, length, size]; one of four axes as it is.
  func splittingHeads(_ count: Int?) throws -> Term {
    switch try rank {
    case 4: return self
    case 3:
      guard let count, count > 0 else { throw DecompositionDeclined(reason: "the number of heads is not given") }
      let sizes = try sizes
      return try reshaped([sizes[0], sizes[1], .size(count), sizes[2] / .size(count)]).transposed([0, 2, 1, 3])
    default: throw DecompositionDeclined(reason: "an operand has neither three axes nor four")
    }
  }

  /// A tensor [batch, heads, length, size] as [batch, length, heads × size].
  func joiningHeads() throws -> Term {
    let sizes = try sizes(rank: 4)
    return try transposed([0, 2, 1, 3]).reshaped([sizes[0], sizes[2], sizes[1] * sizes[3]])
  }

  /// Each head as often as there are query heads to share it: [batch, groups, length, size] to [batch, heads, length, size].
  func repeatingHeads(_ heads: Extent) throws -> Term {
    let sizes = try sizes(rank: 4)
    let groups = sizes[1]
    if let heads = heads.size, heads == groups.size { return self }
    let shared = try heads / groups
    return try unsqueezed([2]).expanded([sizes[0], groups, shared, sizes[2], sizes[3]])
      .reshaped([sizes[0], heads, sizes[2], sizes[3]])
  }

  /// Scores s as `softcap × tanh(s / softcap)`; as they are if it is 0.
  func softcapped(_ softcap: Float) throws -> Term {
    try softcap > 0 ? tanh(self / Literal(softcap)) * Literal(softcap) : self
  }

  /// A mask that names who takes part as numbers to add.
  func asBias(_ type: ElementType) throws -> Term {
    guard try elementType == .bool else { return try cast(to: type) }
    return try select(self, builder.scalar(0, type), .float(-.infinity))
  }

  /// The last axis filled up with what masks out.
  func paddedMask(to keys: Extent) throws -> Term {
    let last = try rank - 1
    let length = try size(last)
    if let length = length.size, length == keys.size { return self }
    return try padded(last, before: 0, after: keys - length, with: .float(-.infinity))
  }

  /// The softmax of scores, zeros where `bias` lets no key take part.
  func attending(_ bias: Term?, _ type: ElementType? = nil) throws -> Term {
    let own = try elementType
    let weights = try softmax(cast(to: type ?? own), axis: -1).cast(to: own)
    guard let bias else { return weights }
    return try select(bias.max([bias.rank - 1]) .> .float(-.infinity), weights, 0)
  }

  /// A vector with a number per image in the shape that broadcasts with [batch, heads, queries, keys].
  func perImage() throws -> Term { try unsqueezed([1, 2, 3]) }
}

extension DecompositionBuilder {
  /// 1 ÷ √size, or its root.
  func inverseRoot(_ size: Extent, _ type: ElementType, root: Bool = false) throws -> Term {
    if let size = size.size {
      let scale = 1 / Double(size).squareRoot()
      return try scalar(.float(root ? scale.squareRoot() : scale), type)
    }
    let scale = try reciprocal(sqrt(term(size).cast(to: type == .float64 ? .float64 : .float32)))
    return try (root ? sqrt(scale) : scale).cast(to: type)
  }
}
