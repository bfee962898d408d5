import FXCore

/// softmax(scale × q × kᵀ + mask) × v, per head.
///
/// Queries [b, h, n, d], keys [b, g, m, d] and values [b, g, m, e]; where g is less than h, groups of query heads share a
/// head of keys and values. A query for which nothing takes part gives zeros.
/// - Parameters:
///   - mask: broadcasts to [b, h, n, m]. Of truth values: who takes part; of numbers: added to the scores.
///   - isCausal: whether query i sees only keys up to i.
///   - scale: 1/√d if left out.
public func scaledDotProductAttention(
  _ query: SymbolicTensor, _ key: SymbolicTensor, _ value: SymbolicTensor, mask: (any SymbolicOperand)? = nil,
  isCausal: Bool = false, scale: Float? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Attention.isCausal] = isCausal
  attributes[Attention.scale] = scale
  return query.apply(.attention, [key, value] + (mask.map { [$0] } ?? []), attributes: attributes, fileID, line)
}

/// Pairs of each head's elements rotated by angles that depend on the position (Su et al. 2021).
/// - Parameters:
///   - x: [b, h, n, d]
///   - cosines: a row per position, [positions, d/2] with `positions`, else [b, n, d/2]; so are `sines`.
///   - positions: integers [b, n]
///   - interleaved: whether pairs are neighbours rather than d/2 apart.
public func rotaryEmbedding(
  _ x: SymbolicTensor, cosines: any SymbolicOperand, sines: any SymbolicOperand,
  positions: (any SymbolicOperand)? = nil, interleaved: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[RotaryEmbedding.interleaved] = interleaved
  return x.apply(
    .rotaryEmbedding, [cosines, sines] + (positions.map { [$0] } ?? []), attributes: attributes, fileID, line)
}
