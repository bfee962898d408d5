import FXCore

/// (x − mean) ÷ √(variance + ε) × scale + bias, per channel of x [n, c, ...], with statistics that are given.
public func batchNorm(
  _ x: SymbolicTensor, scale: any SymbolicOperand, bias: any SymbolicOperand, mean: any SymbolicOperand,
  variance: any SymbolicOperand, epsilon: Float = 1e-5, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[BatchNormalization.epsilon] = epsilon
  return x.apply(.batchNormalization, [scale, bias, mean, variance], attributes: attributes, fileID, line)
}

/// (x − mean) ÷ √(variance + ε) × scale + bias, statistics over the axes from `axis` on.
public func layerNorm(
  _ x: SymbolicTensor, scale: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, axis: Int = -1,
  epsilon: Float = 1e-5, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[LayerNormalization.axis] = axis
  attributes[LayerNormalization.epsilon] = epsilon
  return x.apply(.layerNormalization, bias.map { [scale, $0] } ?? [scale], attributes: attributes, fileID, line)
}

/// x ÷ √(mean of x² + ε) × scale, the mean over the axes from `axis` on.
public func rmsNorm(
  _ x: SymbolicTensor, scale: any SymbolicOperand, axis: Int = -1, epsilon: Float = 1e-5, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[LayerNormalization.axis] = axis
  attributes[LayerNormalization.epsilon] = epsilon
  return x.apply(.rmsNormalization, [scale], attributes: attributes, fileID, line)
}

/// (x − mean) ÷ √(variance + ε) × scale + bias, statistics per image and group of channels of x [n, c, ...].
public func groupNorm(
  _ x: SymbolicTensor, groups: Int, scale: any SymbolicOperand, bias: any SymbolicOperand, epsilon: Float = 1e-5,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[GroupNormalization.groupCount] = groups
  attributes[GroupNormalization.epsilon] = epsilon
  return x.apply(.groupNormalization, [scale, bias], attributes: attributes, fileID, line)
}

/// (x − mean) ÷ √(variance + ε) × scale + bias, statistics per image and channel of x [n, c, ...].
public func instanceNorm(
  _ x: SymbolicTensor, scale: any SymbolicOperand, bias: any SymbolicOperand, epsilon: Float = 1e-5,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[InstanceNormalization.epsilon] = epsilon
  return x.apply(.instanceNormalization, [scale, bias], attributes: attributes, fileID, line)
}

/// x ÷ its p-norm along an axis, the norm being at least ε.
public func normalize(
  _ x: SymbolicTensor, p: Double = 2, axis: Int = 1, epsilon: Double = 1e-12, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let length = norm(x, p: p, axes: [axis], keepDims: true, fileID: fileID, line: line)
  return x / length.apply(.maximum, [epsilon])
}

/// x ÷ (k + α/size × Σ x² over `size` neighbouring channels)^β, of x [n, c, ...].
public func localResponseNorm(
  _ x: SymbolicTensor, size: Int, alpha: Float = 1e-4, beta: Float = 0.75, k: Float = 1, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[LocalResponseNormalization.size] = size
  attributes[LocalResponseNormalization.alpha] = alpha
  attributes[LocalResponseNormalization.beta] = beta
  attributes[LocalResponseNormalization.bias] = k
  return x.apply(.lrn, attributes: attributes, fileID, line)
}
