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
