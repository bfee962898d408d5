import FXCore

/// Tensors of one shape, one after another along a new axis.
public func stack(
  _ first: SymbolicTensor, _ others: SymbolicTensor..., axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  first.at(fileID, line).stacked(with: others, axis)
}

/// Tensors of one shape, one after another along a new axis; `nil` of none.
public func stack(
  _ tensors: [SymbolicTensor], axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor? {
  tensors.first?.at(fileID, line).stacked(with: Array(tensors.dropFirst()), axis)
}

/// The axes in another order.
public func permute(
  _ x: SymbolicTensor, _ axes: Int..., fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let rank = x.rank ?? axes.count
  return x.apply(.transpose, attributes: .permutation(axes.map { $0 < 0 ? $0 + rank : $0 }))
}

/// Two axes exchanged.
public func transpose(
  _ x: SymbolicTensor, _ a: Int, _ b: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).exchanging(a, b)
}

/// An axis moved to another place, the others in their order.
public func moveAxis(
  _ x: SymbolicTensor, from source: Int, to target: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let source = x.axis(source, in: "moveAxis"), let target = x.axis(target, in: "moveAxis") else {
    return SymbolicTensor(x.session, nil)
  }
  var order = Array(0..<(x.rank ?? 0))
  order.insert(order.remove(at: source), at: target)
  return x.apply(.transpose, attributes: .permutation(order))
}

/// The axes from `first` through `last` as one.
public func flatten(
  _ x: SymbolicTensor, from first: Int, through last: Int = -1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let first = x.axis(first, in: "flatten"), let last = x.axis(last, in: "flatten"), let shape = x.shape else {
    return SymbolicTensor(x.session, nil)
  }
  guard first <= last else {
    return x.mistake("flatten", "the first axis, \(first), must not come after the last, \(last)")
  }
  return x.reshaped(Shape(Array(shape[..<first]) + [-1] + Array(shape[(last + 1)...])))
}

/// An axis as several of the given sizes; −1 stands for what is left.
public func unflatten(
  _ x: SymbolicTensor, axis: Int, _ sizes: Shape, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let axis = x.axis(axis, in: "unflatten"), let shape = x.shape else { return SymbolicTensor(x.session, nil) }
  return x.reshaped(Shape(Array(shape[..<axis]) + Array(sizes) + Array(shape[(axis + 1)...])))
}

/// x repeated to a shape that it broadcasts to; −1 keeps a size.
public func expand(
  _ x: SymbolicTensor, _ shape: Shape, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let offset = shape.rank - (x.rank ?? shape.rank)
  let sizes = shape.indices.map { shape[$0] == -1 ? (x.rank == nil ? 1 : x.dimension($0 - offset)) : shape[$0] }
  // A size that is to stay is that of an axis of size 1 stretched by nothing.
  let wanted = sizes.indices.map { index in
    index >= offset && sizes[index].size == nil && sizes[index] == x.dimension(index - offset) ? 1 : sizes[index]
  }
  guard let operand = x.sizes(Shape(wanted), keepsAxes: false, for: .expand) else {
    return SymbolicTensor(x.session, nil)
  }
  return x.apply(.expand, [operand])
}

/// x repeated along each axis as often as said.
public func tile(
  _ x: SymbolicTensor, _ repeats: [Int], fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let rank = x.rank, rank < repeats.count else { return x.apply(.tile, [Tensor(vector: repeats)]) }
  let leading = x.apply(.unsqueeze, [Tensor(vector: Array(0..<repeats.count - rank))])
  return leading.apply(.tile, [Tensor(vector: repeats)])
}

/// Each slice along an axis repeated `count` times in a row.
public func repeatInterleave(
  _ x: SymbolicTensor, _ count: Int, axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard let axis = x.axis(axis, in: "repeatInterleave"), let shape = x.shape else { return SymbolicTensor(x.session, nil) }
  var repeats = Array(repeating: 1, count: shape.rank + 1)
  repeats[axis + 1] = count
  let tiled = x.apply(.unsqueeze, [Tensor(vector: [axis + 1])]).apply(.tile, [Tensor(vector: repeats)])
  return tiled.reshaped(Shape(Array(shape[..<axis]) + [-1] + Array(shape[(axis + 1)...])))
}

/// Cut along an axis into `count` parts of equal size, of which the last may be smaller.
public func chunk(
  _ x: SymbolicTensor, _ count: Int, axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> [SymbolicTensor] {
  var attributes = Attributes()
  attributes[Split.axis] = axis
  attributes[Split.outputCount] = count
  guard count > 0 else {
    return [x.at(fileID, line).mistake("chunk", "the number of parts is \(count), it must be positive")]
  }
  return x.applyAll(.split, attributes: attributes, resultCount: count, at: .init(file: fileID, line: line))
}

/// The slices along an axis, whose size must be known.
public func unbind(
  _ x: SymbolicTensor, axis: Int = 0, fileID: String = #fileID, line: Int = #line
) -> [SymbolicTensor] {
  let x = x.at(fileID, line)
  guard let axis = x.axis(axis, in: "unbind") else { return [] }
  guard let count = x.dimension(axis).size else {
    return [x.mistake("unbind", "axis \(axis) has size \(x.dimension(axis)), which must be a number; scan goes over any size")]
  }
  var attributes = Attributes()
  attributes[Gather.axis] = axis
  return (0..<count).map { x.apply(.gather, [Tensor($0)], attributes: attributes) }
}

/// The elements along axes in reverse order.
public func flip(_ x: SymbolicTensor, axes: [Int], fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  slice(
    x, starts: axes.map { _ in -1 }, ends: axes.map { _ in .min }, axes: axes, steps: axes.map { _ in -1 }, fileID: fileID,
    line: line)
}

/// The elements moved along an axis by `shift` places, those that leave at its end coming in at its start.
public func roll(
  _ x: SymbolicTensor, shift: Int, axis: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let places = x.dimension(axis).size.map { $0 > 0 ? ((shift % $0) + $0) % $0 : 0 } ?? shift
  guard places != 0 else { return x }
  func part(_ start: Int, _ end: Int) -> SymbolicTensor {
    x.apply(.slice, [Tensor(vector: [start]), Tensor(vector: [end]), Tensor(vector: [axis])])
  }
  var attributes = Attributes()
  attributes[Concat.axis] = axis
  return part(-places, .max).apply(.concat, [part(0, -places)], attributes: attributes)
}

/// What added elements are.
public enum PaddingMode: String, Sendable {
  /// One number, 0 if none is given.
  case constant
  /// A mirror image that leaves out the edge.
  case reflect
  /// The edge, repeated.
  case replicate = "edge"
  /// The other end.
  case circular = "wrap"
}

/// Elements added around x, counts as in PyTorch: before and after the last axis, then the one before it, …. Negative
/// counts cut.
public func pad(
  _ x: SymbolicTensor, _ counts: [Int], mode: PaddingMode = .constant, value: (any SymbolicOperand)? = nil,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  guard counts.count % 2 == 0 else {
    return x.mistake("pad", "there are \(counts.count) counts: two are needed for each axis, the last axis first")
  }
  let axes = counts.count / 2
  if let rank = x.rank, rank < axes { return x.mistake("pad", "there are counts for \(axes) axes, the rank is \(rank)") }
  var attributes = Attributes()
  attributes[Pad.mode] = mode.rawValue
  let order = (0..<axes).reversed()
  let pads = order.map { counts[2 * $0] } + order.map { counts[2 * $0 + 1] }
  let axisOperand = Tensor(vector: order.map { -1 - $0 })
  return x.apply(.pad, [Tensor(vector: pads), value, axisOperand], attributes: attributes)
}

/// Channels rearranged into blocks of pixels: [n, c·f², h, w] to [n, c, h·f, w·f].
public func pixelShuffle(
  _ x: SymbolicTensor, _ factor: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[DepthToSpace.blockSize] = factor
  attributes[DepthToSpace.mode] = "CRD"
  return x.apply(.depthToSpace, attributes: attributes, fileID, line)
}

/// Blocks of pixels rearranged into channels: [n, c, h·f, w·f] to [n, c·f², h, w].
public func pixelUnshuffle(
  _ x: SymbolicTensor, _ factor: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[SpaceToDepth.blockSize] = factor
  attributes[SpaceToDepth.mode] = "CRD"
  return x.apply(.spaceToDepth, attributes: attributes, fileID, line)
}

extension SymbolicTensor {
  func reshaped(_ shape: Shape) -> SymbolicTensor {
    guard let sizes = sizes(shape) else { return SymbolicTensor(session, nil) }
    return apply(.reshape, [sizes])
  }

  func exchanging(_ a: Int, _ b: Int) -> SymbolicTensor {
    guard let a = axis(a, in: "transpose"), let b = axis(b, in: "transpose") else { return SymbolicTensor(session, nil) }
    var order = Array(0..<(rank ?? 0))
    order.swapAt(a, b)
    return apply(.transpose, attributes: .permutation(order))
  }

  fileprivate func stacked(with others: [SymbolicTensor], _ axis: Int) -> SymbolicTensor {
    let parts = ([self] + others).map { $0.apply(.unsqueeze, [Tensor(vector: [axis])]) }
    var attributes = Attributes()
    attributes[Concat.axis] = axis
    return parts[0].apply(.concat, Array(parts.dropFirst()), attributes: attributes)
  }
}

extension Attributes {
  static func permutation(_ axes: [Int]) -> Attributes {
    var attributes = Attributes()
    attributes[Transpose.permutation] = axes
    return attributes
  }
}
