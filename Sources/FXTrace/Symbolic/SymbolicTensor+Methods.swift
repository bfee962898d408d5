import FXCore

/// The functions that read well in a chain: `x.matmul(w).relu().sum(axes: [1])`.
extension SymbolicTensor {
  /// The product with another matrix: see the function `matmul`.
  public func matmul(_ other: any SymbolicOperand, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    apply(.matmul, [other], fileID, line)
  }

  /// The first result of any operator, such as one of the program's own, with this tensor as its first operand.
  ///
  /// `TraceOptions.inference` must know its shape rule; the result's type is unknown otherwise.
  /// - Parameters:
  ///   - others: the other operands; `nil` for one that is left out.
  ///   - attributes: checked against the operator's schema, and completed by its defaults.
  public func call(
    _ op: Operator, _ others: (any SymbolicOperand)?..., attributes: Attributes = [:], fileID: String = #fileID,
    line: Int = #line
  ) -> SymbolicTensor {
    apply(op, others, attributes: attributes, fileID, line)
  }

  /// max(x, 0)
  public func relu(fileID: String = #fileID, line: Int = #line) -> SymbolicTensor { apply(.relu, fileID, line) }

  /// eˣ ÷ Σ eˣ along an axis.
  public func softmax(axis: Int = -1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    FXTrace.softmax(self, axis: axis, fileID: fileID, line: line)
  }

  /// The same elements in another shape: see the function `reshape`.
  public func reshape(_ shape: Shape, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    FXTrace.reshape(self, shape, fileID: fileID, line: line)
  }

  /// The axes in another order, reversed if none is given.
  public func transpose(_ permutation: [Int]? = nil, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    FXTrace.transpose(self, permutation, fileID: fileID, line: line)
  }

  /// A matrix: the axes before `axis` together, the others together.
  public func flatten(axis: Int = 1, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
    FXTrace.flatten(self, axis: axis, fileID: fileID, line: line)
  }

  /// The sum over the axes, by default all.
  public func sum(
    axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
  ) -> SymbolicTensor {
    FXTrace.sum(self, axes: axes, keepDims: keepDims, fileID: fileID, line: line)
  }

  /// The mean over the axes, by default all.
  public func mean(
    axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
  ) -> SymbolicTensor {
    FXTrace.mean(self, axes: axes, keepDims: keepDims, fileID: fileID, line: line)
  }
}
