import FXCore

/// The same elements in another shape.
/// - Parameter shape: sizes; −1 stands for what is left, a symbolic size for itself: `[x.dimension(0), -1]`.
public func reshape(
  _ x: SymbolicTensor, _ shape: Shape, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  guard let sizes = x.at(fileID, line).sizes(shape) else { return SymbolicTensor(x.session, nil) }
  return x.apply(.reshape, [sizes], fileID, line)
}

/// A matrix: the axes before `axis` together, the others together.
public func flatten(
  _ x: SymbolicTensor, axis: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Flatten.axis] = axis
  return x.apply(.flatten, attributes: attributes, fileID, line)
}

/// The axes in another order, reversed if none is given.
public func transpose(
  _ x: SymbolicTensor, _ permutation: [Int]? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Transpose.permutation] = permutation
  return x.apply(.transpose, attributes: attributes, fileID, line)
}

/// Tensors one after another along an axis.
public func concat(
  _ first: SymbolicTensor, _ others: any SymbolicOperand..., axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Concat.axis] = axis
  return first.apply(.concat, others, attributes: attributes, fileID, line)
}

/// Tensors one after another along an axis; `nil` of none.
public func concat(
  _ tensors: [SymbolicTensor], axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor? {
  guard let first = tensors.first else { return nil }
  var attributes = Attributes()
  attributes[Concat.axis] = axis
  return first.apply(.concat, Array(tensors.dropFirst()), attributes: attributes, fileID, line)
}

/// Without the given axes of size 1, or without all of them.
public func squeeze(
  _ x: SymbolicTensor, axes: [Int]? = nil, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.squeeze, axes.map { [Tensor(vector: $0)] } ?? [], fileID, line)
}

/// With axes of size 1 at the given places of the result.
public func unsqueeze(
  _ x: SymbolicTensor, axes: [Int], fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(.unsqueeze, [Tensor(vector: axes)], fileID, line)
}

/// Cut along an axis into parts of the given sizes.
public func split(
  _ x: SymbolicTensor, sizes: [Int], axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> [SymbolicTensor] {
  var attributes = Attributes()
  attributes[Split.axis] = axis
  return x.session.call(
    .split, [x.symbolicOperand, .constant(Tensor(vector: sizes))], attributes: attributes, resultCount: sizes.count,
    at: .init(file: fileID, line: line))
}

/// Elements from start to end (exclusive) by step along axes, as Python slices: negative positions count from the end.
public func slice(
  _ x: SymbolicTensor, starts: [Int], ends: [Int], axes: [Int], steps: [Int]? = nil, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let steps = steps ?? Array(repeating: 1, count: axes.count)
  return x.apply(.slice, [starts, ends, axes, steps].map { Tensor(vector: $0) }, fileID, line)
}

/// The sizes of x at run time, as integers.
public func shape(of x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.shape, fileID, line)
}
