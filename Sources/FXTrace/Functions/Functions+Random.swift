import FXCore

// A graph's random numbers follow from the seed of a call, or from the executor's seed and the node if it has none.

/// x with elements set to 0 with probability `ratio` in training, the others scaled by 1 ÷ (1 − ratio); else x itself.
public func dropout(
  _ x: SymbolicTensor, ratio: Float = 0.5, training: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.dropout, [Tensor(ratio), Tensor(training)], fileID, line)
}

/// Numbers distributed uniformly in [low, high), in the shape of x.
public func uniform(
  like x: SymbolicTensor, low: Float = 0, high: Float = 1, seed: Float? = nil, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[RandomUniform.low] = low
  attributes[RandomUniform.high] = high
  attributes[RandomSeed.seed] = seed
  return x.apply(.randomUniformLike, attributes: attributes, fileID, line)
}

/// Normally distributed numbers in the shape of x.
public func normal(
  like x: SymbolicTensor, mean: Float = 0, deviation: Float = 1, seed: Float? = nil, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[RandomNormal.mean] = mean
  attributes[RandomNormal.scale] = deviation
  attributes[RandomSeed.seed] = seed
  return x.apply(.randomNormalLike, attributes: attributes, fileID, line)
}

/// 1 with the probability that x holds, else 0.
public func bernoulli(
  _ x: SymbolicTensor, seed: Float? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[RandomSeed.seed] = seed
  return x.apply(.bernoulli, attributes: attributes, fileID, line)
}

/// Indices drawn with replacement from each row of weights [batch, classes], which need not sum to 1: i64[batch, samples].
public func multinomial(
  _ weights: SymbolicTensor, samples: Int, seed: Float? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Multinomial.sampleCount] = samples
  attributes[Multinomial.elementType] = .int64
  attributes[RandomSeed.seed] = seed
  return weights.at(fileID, line).apply(.log).apply(.multinomial, attributes: attributes)
}
