import FXCore

extension SymbolicTensor {
  fileprivate func reduce(
    _ op: Operator, _ axes: [Int]?, _ keepDims: Bool, _ fileID: String, _ line: Int
  ) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Reduce.keepDims] = keepDims
    return apply(op, axes.map { [Tensor(vector: $0)] } ?? [], attributes: attributes, fileID, line)
  }

  fileprivate func argReduce(
    _ op: Operator, _ axis: Int, _ keepDims: Bool, _ fileID: String, _ line: Int
  ) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[ArgReduce.axis] = axis
    attributes[ArgReduce.keepDims] = keepDims
    return apply(op, attributes: attributes, fileID, line)
  }
}

/// The sum over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func sum(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceSum, axes, keepDims, fileID, line)
}

/// The mean over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func mean(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceMean, axes, keepDims, fileID, line)
}

/// The largest element over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func amax(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceMax, axes, keepDims, fileID, line)
}

/// The smallest element over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func amin(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceMin, axes, keepDims, fileID, line)
}

/// The product over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func prod(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceProd, axes, keepDims, fileID, line)
}

/// ln Σ eˣ over the axes, by default all; reduced axes go unless `keepDims` keeps them with size 1.
public func logSumExp(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceLogSumExp, axes, keepDims, fileID, line)
}

/// Whether one element holds, over the axes, by default all.
public func any(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceMax, axes, keepDims, fileID, line)
}

/// Whether every element holds, over the axes, by default all.
public func all(
  _ x: SymbolicTensor, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.reduce(.reduceMin, axes, keepDims, fileID, line)
}

/// Where along an axis x is largest, the first of equals.
public func argmax(
  _ x: SymbolicTensor, axis: Int, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.argReduce(.argmax, axis, keepDims, fileID, line)
}

/// Where along an axis x is smallest, the first of equals.
public func argmin(
  _ x: SymbolicTensor, axis: Int, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.argReduce(.argmin, axis, keepDims, fileID, line)
}
