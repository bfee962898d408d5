import FXCore

/// The slices of x along an axis that the indices name: PyTorch's `index_select`, with indices of any rank.
public func gather(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.gather, [indices], attributes: .gather(axis), fileID, line)
}

/// For each index the element of x at its place but for the axis, where the index says: PyTorch's `gather`.
public func gatherElements(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[GatherElements.axis] = axis
  return x.apply(.gatherElements, [indices], attributes: attributes, fileID, line)
}

/// For each row of indices the part of x at these leading coordinates.
public func gatherND(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, batchAxes: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[GatherND.batchDims] = batchAxes
  return x.apply(.gatherND, [indices], attributes: attributes, fileID, line)
}

/// How an update joins what is there.
public enum ScatterReduction: String, Sendable {
  /// The update takes its place; which one stays of several for one place is left open.
  case none
  /// The sum of both.
  case add
  /// The product of both.
  case mul
  /// The smaller of both.
  case min
  /// The larger of both.
  case max
}

/// x with updates written at their places but for the axis, where the index says: PyTorch's `scatter`.
public func scatter(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, _ updates: any SymbolicOperand, axis: Int,
  reduction: ScatterReduction = .none, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[ScatterElements.axis] = axis
  attributes[ScatterElements.reduction] = reduction.rawValue
  return x.apply(.scatterElements, [indices, updates], attributes: attributes, fileID, line)
}

/// x with parts written at the leading coordinates that rows of indices name.
public func scatterND(
  _ x: SymbolicTensor, _ indices: any SymbolicOperand, _ updates: any SymbolicOperand,
  reduction: ScatterReduction = .none, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[ScatterND.reduction] = reduction.rawValue
  return x.apply(.scatterND, [indices, updates], attributes: attributes, fileID, line)
}

/// The rows of a table [count, size] that integer indices name.
public func embedding(
  _ indices: SymbolicTensor, weight: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  indices.at(fileID, line).lift(weight).apply(.gather, [indices])
}

/// A new last axis of `count` elements, 1 at the index and 0 elsewhere.
public func oneHot(
  _ indices: SymbolicTensor, count: Int, type: ElementType = .float32, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let values = try? Tensor(vector: [0, 1] as [Float]).converted(to: type)
  return indices.apply(.oneHot, [Tensor(count), values ?? Tensor(vector: [0, 1] as [Float])], fileID, line)
}

/// x with `value` where the mask holds, with broadcasting.
public func maskedFill(
  _ x: SymbolicTensor, _ mask: SymbolicTensor, _ value: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  mask.apply(.where_, [value, x], fileID, line)
}

/// The elements of x where a mask of x's shape holds, one after another; how many is known when it runs.
public func maskedSelect(
  _ x: SymbolicTensor, _ mask: SymbolicTensor, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  if let shape = x.shape?.sizes, let other = mask.shape?.sizes, shape != other {
    return x.mistake("maskedSelect", "the mask must have the tensor's shape", operands: [mask])
  }
  let flat = Tensor(vector: [-1])
  return x.apply(.reshape, [flat]).apply(.compress, [mask.apply(.reshape, [flat])])
}

/// The coordinates of the elements that are not 0, a row each: i64[count, rank].
public func nonzero(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.at(fileID, line).apply(.nonzero).apply(.transpose)
}

/// The distinct elements of x in ascending order.
public func unique(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.unique, fileID, line)
}

/// Zeros in the shape and type of x.
public func zeros(like x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  full(like: x, 0, fileID: fileID, line: line)
}

/// Ones in the shape and type of x.
public func ones(like x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  full(like: x, 1, fileID: fileID, line: line)
}

/// One number everywhere, in the shape and type of x.
public func full(
  like x: SymbolicTensor, _ value: Double, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  var attributes = Attributes()
  attributes[ConstantOfShape.value] = try? Tensor(x.elementType ?? .float32, [1], numbers: .floats([value]))
  return x.apply(.shape).apply(.constantOfShape, attributes: attributes)
}

/// 0, 1, … up to the size of x along an axis: i64[size].
public func positions(
  of x: SymbolicTensor, axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let axis = x.axis(axis, in: "positions") else { return SymbolicTensor(x.session, nil) }
  if let size = x.dimension(axis).size { return x.lift(Tensor(vector: Array(0..<Swift.max(0, size)))) }
  let limit = x.lift(x.sizeOperand(axis)).apply(.squeeze, [Tensor(vector: [0])])
  return x.lift(Tensor(0)).apply(.range, [limit, Tensor(1)])
}

/// start, start + step, … up to `end` (exclusive), which are known when it runs.
public func arange(
  _ start: any SymbolicOperand = Tensor(0), to end: SymbolicTensor, step: any SymbolicOperand = Tensor(1),
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  end.at(fileID, line).lift(start).apply(.range, [end, step])
}

extension Attributes {
  static func gather(_ axis: Int) -> Attributes {
    var attributes = Attributes()
    attributes[Gather.axis] = axis
    return attributes
  }
}
