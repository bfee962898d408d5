import FXCore

extension SymbolicTensor {
  fileprivate func reduce(
    _ op: Operator, _ axes: [Int]?, _ keepDims: Bool, _ fileID: String, _ line: Int
  ) -> SymbolicTensor {
    at(fileID, line).reduce(op, axes, keepDims: keepDims)
  }

  /// Reduces over axes, by default all.
  func reduce(_ op: Operator, _ axes: [Int]? = nil, keepDims: Bool = false) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Reduce.keepDims] = keepDims
    return apply(op, axes.map { [Tensor(vector: $0)] } ?? [], attributes: attributes)
  }

  fileprivate func argReduce(
    _ op: Operator, _ axis: Int?, _ keepDims: Bool, _ fileID: String, _ line: Int
  ) -> SymbolicTensor {
    let x = at(fileID, line)
    guard let axis else { return x.apply(.reshape, [Tensor(vector: [-1])]).argReduce(op, 0, false, fileID, line) }
    var attributes = Attributes()
    attributes[ArgReduce.axis] = axis
    attributes[ArgReduce.keepDims] = keepDims
    return x.apply(op, attributes: attributes)
  }

  /// How many elements a reduction over the axes takes, as a number where the sizes are known, else computed.
  fileprivate func count(_ axes: [Int]?) -> any SymbolicOperand {
    let known = axes.map { Shape($0.map { dimension($0) }) } ?? shape
    if let count = known?.elementCount.size { return Double(count) }
    let sizes = apply(.shape)
    let counted = axes.map { sizes.apply(.gather, [Tensor(vector: $0)]) } ?? sizes
    var attributes = Attributes()
    attributes[Cast.to] = elementType ?? .float32
    return counted.reduce(.reduceProd).apply(.cast, attributes: attributes)
  }

  func variance(_ axes: [Int]?, correction: Double, keepDims: Bool) -> SymbolicTensor {
    let centered = self - reduce(.reduceMean, axes, keepDims: true)
    let squares = centered * centered
    if correction == 0 { return squares.reduce(.reduceMean, axes, keepDims: keepDims) }
    let total = squares.reduce(.reduceSum, axes, keepDims: keepDims)
    if let count = count(axes) as? Double { return total / (count - correction) }
    return total / (total.lift(count(axes)) - correction)
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

/// Where along an axis x is largest, the first of equals; without an axis, where in the flat tensor.
public func argmax(
  _ x: SymbolicTensor, axis: Int? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.argReduce(.argmax, axis, keepDims, fileID, line)
}

/// Where along an axis x is smallest, the first of equals; without an axis, where in the flat tensor.
public func argmin(
  _ x: SymbolicTensor, axis: Int? = nil, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.argReduce(.argmin, axis, keepDims, fileID, line)
}

/// The variance over the axes, by default all: Σ (x − mean)² ÷ (n − correction).
public func variance(
  _ x: SymbolicTensor, axes: [Int]? = nil, correction: Double = 1, keepDims: Bool = false, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).variance(axes, correction: correction, keepDims: keepDims)
}

/// The standard deviation over the axes, by default all: the root of `variance`.
public func standardDeviation(
  _ x: SymbolicTensor, axes: [Int]? = nil, correction: Double = 1, keepDims: Bool = false, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).variance(axes, correction: correction, keepDims: keepDims).apply(.sqrt)
}

/// The p-norm over the axes, by default all: (Σ |x|ᵖ)^(1/p), and the largest |x| for infinite p.
public func norm(
  _ x: SymbolicTensor, p: Double = 2, axes: [Int]? = nil, keepDims: Bool = false, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  switch p {
  case 1: return x.reduce(.reduceL1, axes, keepDims: keepDims)
  case 2: return x.reduce(.reduceL2, axes, keepDims: keepDims)
  case .infinity: return x.apply(.abs).reduce(.reduceMax, axes, keepDims: keepDims)
  default:
    return x.apply(.abs).apply(.pow, [p]).reduce(.reduceSum, axes, keepDims: keepDims).apply(.pow, [1 / p])
  }
}

/// The largest element along an axis, and where it is: the first of equals.
public func max(
  _ x: SymbolicTensor, axis: Int, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> (values: SymbolicTensor, indices: SymbolicTensor) {
  (x.reduce(.reduceMax, [axis], keepDims, fileID, line), x.argReduce(.argmax, axis, keepDims, fileID, line))
}

/// The smallest element along an axis, and where it is: the first of equals.
public func min(
  _ x: SymbolicTensor, axis: Int, keepDims: Bool = false, fileID: String = #fileID, line: Int = #line
) -> (values: SymbolicTensor, indices: SymbolicTensor) {
  (x.reduce(.reduceMin, [axis], keepDims, fileID, line), x.argReduce(.argmin, axis, keepDims, fileID, line))
}

/// How many elements over the axes, by default all, are not 0.
public func countNonzero(
  _ x: SymbolicTensor, axes: [Int]? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Cast.to] = .int64
  let x = x.at(fileID, line)
  let holds = x.elementType == .bool ? x : x .!= 0
  return holds.apply(.cast, attributes: attributes).reduce(.reduceSum, axes)
}

/// The sums of all elements up to each one along an axis.
public func cumsum(_ x: SymbolicTensor, axis: Int, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.cumsum, [Tensor(axis)], fileID, line)
}

/// The products of all elements up to each one along an axis.
public func cumprod(_ x: SymbolicTensor, axis: Int, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.cumprod, [Tensor(axis)], fileID, line)
}

/// The k largest elements along an axis, or the smallest, in order, and where they are.
public func topK(
  _ x: SymbolicTensor, _ k: Int, axis: Int = -1, largest: Bool = true, fileID: String = #fileID, line: Int = #line
) -> (values: SymbolicTensor, indices: SymbolicTensor) {
  x.at(fileID, line).topK(Tensor(vector: [k]), axis, largest: largest)
}

/// The elements along an axis in ascending order, or descending, and where they were.
public func sort(
  _ x: SymbolicTensor, axis: Int = -1, descending: Bool = false, fileID: String = #fileID, line: Int = #line
) -> (values: SymbolicTensor, indices: SymbolicTensor) {
  let x = x.at(fileID, line)
  guard let index = x.axis(axis, in: "sort") else { return (SymbolicTensor(x.session, nil), SymbolicTensor(x.session, nil)) }
  return x.topK(x.sizeOperand(index), index, largest: descending)
}

/// Where the elements along an axis are in ascending order, or descending.
public func argsort(
  _ x: SymbolicTensor, axis: Int = -1, descending: Bool = false, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  sort(x, axis: axis, descending: descending, fileID: fileID, line: line).indices
}

extension SymbolicTensor {
  fileprivate func topK(
    _ count: any SymbolicOperand, _ axis: Int, largest: Bool
  ) -> (values: SymbolicTensor, indices: SymbolicTensor) {
    var attributes = Attributes()
    attributes[TopK.axis] = axis
    attributes[TopK.largest] = largest
    let results = applyAll(.topK, [count], attributes: attributes, resultCount: 2)
    return (results[0], results[1])
  }

  /// The size along an axis (counted from the start) as an i64[1]: a constant where it is known, else computed.
  func sizeOperand(_ axis: Int) -> any SymbolicOperand {
    if let size = dimension(axis).size { return Tensor(vector: [size]) }
    var attributes = Attributes()
    attributes[ShapeOperator.start] = axis
    attributes[ShapeOperator.end] = axis + 1
    return apply(.shape, attributes: attributes)
  }
}
