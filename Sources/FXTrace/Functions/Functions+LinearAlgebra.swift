import FXCore

/// The product a × b of matrices [..., m, k] and [..., k, n], leading dimensions broadcast; vectors as in NumPy.
public func matmul(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  a.apply(.matmul, [b], fileID, line)
}

/// x × weightᵀ + bias, with x [..., in], weight [out, in] and bias [out].
public func linear(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  x.apply(.linear, bias.map { [weight, $0] } ?? [weight], fileID, line)
}

/// Einstein's summation over the subscripts that the equation leaves out of its result.
public func einsum(
  _ equation: String, _ first: SymbolicTensor, _ others: any SymbolicOperand..., fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Einsum.equation] = equation
  return first.apply(.einsum, others, attributes: attributes, fileID, line)
}

/// β × x + α × a × b of matrices a [m, k] and b [k, n]; x broadcasts to [m, n].
public func addmm(
  _ x: any SymbolicOperand, _ a: SymbolicTensor, _ b: any SymbolicOperand, beta: Float = 1, alpha: Float = 1,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Gemm.alpha] = alpha
  attributes[Gemm.beta] = beta
  return a.apply(.gemm, [b, x], attributes: attributes, fileID, line)
}

/// The product of each matrix of a batch [b, m, k] with that of another [b, k, n].
public func bmm(
  _ a: SymbolicTensor, _ b: SymbolicTensor, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  guard (a.rank ?? 3) == 3, (b.rank ?? 3) == 3 else {
    return a.at(fileID, line).mistake("bmm", "both operands must have rank 3; matmul takes any", operands: [b])
  }
  return a.apply(.matmul, [b], fileID, line)
}

/// Σ a × b of two vectors.
public func dot(
  _ a: SymbolicTensor, _ b: SymbolicTensor, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  guard (a.rank ?? 1) == 1, (b.rank ?? 1) == 1 else {
    return a.at(fileID, line).mistake("dot", "both operands must be vectors; matmul takes any rank", operands: [b])
  }
  return a.apply(.matmul, [b], fileID, line)
}

/// The matrix of products of each element of a vector with each of another.
public func outer(
  _ a: SymbolicTensor, _ b: SymbolicTensor, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let a = a.at(fileID, line)
  return a.apply(.unsqueeze, [Tensor(vector: [1])]) * b
}

/// The determinants of square matrices [..., n, n].
public func det(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.det, fileID, line)
}

/// Matrices [..., m, n] with the elements above a diagonal set to 0; diagonals count upwards from the main one.
public func tril(
  _ x: SymbolicTensor, diagonal: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Trilu.upper] = false
  return x.apply(.trilu, [Tensor(diagonal)], attributes: attributes, fileID, line)
}

/// Matrices [..., m, n] with the elements below a diagonal set to 0; diagonals count upwards from the main one.
public func triu(
  _ x: SymbolicTensor, diagonal: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.trilu, [Tensor(diagonal)], fileID, line)
}

/// Σ a × b ÷ (‖a‖ ‖b‖) along an axis, the norms being at least ε.
public func cosineSimilarity(
  _ a: SymbolicTensor, _ b: SymbolicTensor, axis: Int = 1, epsilon: Double = 1e-8, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let a = a.at(fileID, line)
  let norms = [a, b].map { $0.reduce(.reduceL2, [axis]).apply(.maximum, [epsilon]) }
  return (a * b).reduce(.reduceSum, [axis]) / (norms[0] * norms[1])
}
