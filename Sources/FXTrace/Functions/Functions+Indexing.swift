import FXCore

/// The slices of x along an axis that the indices name.
public func gather(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Gather.axis] = axis
  return x.apply(.gather, [indices], attributes: attributes, fileID, line)
}

/// The rows of a table [count, size] that integer indices name.
public func embedding(
  _ indices: SymbolicTensor, weight: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  indices.lift(weight).apply(.gather, [indices], fileID, line)
}

extension SymbolicTensor {
  /// The slice at a position of the first axis, which goes; counted from the end if negative.
  public subscript(index: Int, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    apply(.gather, [Tensor(index)], fileID, line)
  }

  /// The slices at some positions of the first axis.
  public subscript(range: Range<Int>, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    slice(self, starts: [range.lowerBound], ends: [range.upperBound], axes: [0], fileID: fileID, line: line)
  }

  /// The slices from a position of the first axis on.
  public subscript(range: PartialRangeFrom<Int>, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    slice(self, starts: [range.lowerBound], ends: [.max], axes: [0], fileID: fileID, line: line)
  }

  /// The slices before a position of the first axis.
  public subscript(range: PartialRangeUpTo<Int>, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    slice(self, starts: [0], ends: [range.upperBound], axes: [0], fileID: fileID, line: line)
  }
}
