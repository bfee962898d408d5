import FXCore

/// x with elements set to 0 with probability `ratio` in training, the others scaled by 1 ÷ (1 − ratio); else x itself.
public func dropout(
  _ x: SymbolicTensor, ratio: Float = 0.5, training: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.dropout, [Tensor(ratio), Tensor(training)], fileID, line)
}
