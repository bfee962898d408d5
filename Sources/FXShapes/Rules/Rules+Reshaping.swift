import FXCore

extension ShapeRules {
  mutating func addReshaping() {
    self[.reshape] = ShapeRules.reshape
    self[.transpose] = ShapeRules.transpose
    self[.squeeze] = ShapeRules.squeeze
    self[.unsqueeze] = ShapeRules.unsqueeze
    self[.flatten] = ShapeRules.flatten
    self[.expand] = ShapeRules.expand
    self[.tile] = ShapeRules.tile
    self[.shape] = ShapeRules.shapeOf
    self[.size] = ShapeRules.sizeOf
    self[.depthToSpace] = ShapeRules.depthToSpace
    self[.spaceToDepth] = ShapeRules.spaceToDepth
    self[.reverseSequence] = ShapeRules.reverseSequence
    addJoining()
  }

  @Sendable private static func reshape(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let from = try context.shape(0)
    guard let target = context.contents(1) else {
      return [try context.tensor(context.openShape(rank: try context.count(1)), like: 0)]
    }
    let shape = Shape(try reshaped(from, to: target, allowZero: context[Reshape.allowZero], context))
    if shape.rank <= 1, from.map({ $0.rank <= 1 }) == true { context.setContents(context.contents(0), limited: 0) }
    return [try context.tensor(shape, like: 0)]
  }

  /// The sizes of a reshaped tensor, with −1 and 0 resolved. Sizes that occur on both sides cancel first, so that
  /// `[batch, s, 768]` to `[batch, s, 12, -1]` gives a number.
  private static func reshaped(
    _ from: Shape?, to target: [Dimension], allowZero: Bool, _ context: InferenceContext
  ) throws(ShapeError) -> [Dimension] {
    var result = target
    var numerators = from?.dimensions ?? [.unknown]
    var denominators: [Dimension] = []
    var wildcard: Int?
    var copied: [Int] = []
    for (axis, size) in target.enumerated() {
      switch size.size {
      case .some(-1):
        guard wildcard == nil else { throw .invalid("the shape \(Shape(target)) has −1 twice") }
        wildcard = axis
      case 0? where !allowZero:
        guard let from else {
          result[axis] = .unknown
          continue
        }
        guard axis < from.rank else { throw .reshape(from: from, to: Shape(target)) }
        result[axis] = from[axis]
        copied.append(axis)
      case let number? where number < 0: throw .invalid("the shape \(Shape(target)) holds the negative size \(number)")
      default: denominators.append(size)
      }
    }
    for axis in copied.reversed() { numerators.remove(at: axis) }
    for (index, size) in denominators.enumerated().reversed() where !size.isUnknown && size.size != 0 {
      guard let match = numerators.firstIndex(of: size) else { continue }
      numerators.remove(at: match)
      denominators.remove(at: index)
    }
    let (total, rest) = (numerators.product, denominators.product)
    if let total = total.size, let rest = rest.size {
      guard wildcard == nil ? total == rest : rest != 0 && total % rest == 0 else {
        throw .reshape(from: from ?? [], to: Shape(target))
      }
    }
    if let wildcard {
      let quotient = total / rest
      result[wildcard] = quotient.isUnknown ? context.dataDependentDimension() : quotient
    }
    return result
  }

  @Sendable private static func transpose(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    guard let permutation = context[Transpose.permutation] else {
      return [try context.tensor(Shape(shape.reversed()), like: 0)]
    }
    guard permutation.sorted() == Array(0..<shape.rank) else {
      throw .attribute("perm", reason: "\(permutation) is no order of \(shape.rank) axes")
    }
    return [try context.tensor(Shape(permutation.map { shape[$0] }), like: 0)]
  }

  @Sendable private static func squeeze(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    var dropped: [Int]
    if context.has(1) {
      guard let axes = context.integers(1) else {
        let count = try context.count(1)
        return [try context.tensor(context.openShape(rank: count.map { shape.rank - $0 }), like: 0)]
      }
      dropped = try normalizedAxes(axes, rank: shape.rank)
      for axis in dropped {
        if let size = shape[axis].size, size != 1 {
          throw .dimensionsDiffer("dimension \(axis)", shape[axis], "a squeezed one", 1)
        }
      }
    } else {
      // A symbol may turn out to be 1, so that not even the rank is known.
      guard let sizes = shape.sizes else { return [try context.tensor(nil, like: 0)] }
      dropped = sizes.indices.filter { sizes[$0] == 1 }
    }
    if shape.rank <= 1 { context.setContents(context.contents(0), limited: 0) }
    return [try context.tensor(Shape(shape.indices.filter { !dropped.contains($0) }.map { shape[$0] }), like: 0)]
  }

  @Sendable private static func unsqueeze(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    guard let axes = context.integers(1) else {
      let count = try context.count(1)
      return [
        try context.tensor(
          context.openShape(rank: count.flatMap { $0 > InferenceContext.contentLimit ? nil : shape.rank + $0 }), like: 0)
      ]
    }
    let places = try normalizedAxes(axes, rank: shape.rank + axes.count)
    var result = shape.dimensions
    for place in places.sorted() { result.insert(1, at: place) }
    if result.count <= 1 { context.setContents(context.contents(0), limited: 0) }
    return [try context.tensor(Shape(result), like: 0)]
  }

  @Sendable private static func flatten(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [try context.tensor(context.openShape(rank: 2), like: 0)] }
    let axis = context[Flatten.axis]
    guard axis >= -shape.rank, axis <= shape.rank else { throw .axis(axis, rank: shape.rank) }
    let cut = axis < 0 ? axis + shape.rank : axis
    return [try context.tensor([shape[..<cut].product, shape[cut...].product], like: 0)]
  }

  @Sendable private static func expand(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0), let target = try context.sizes(1) else { return [try context.tensor(nil, like: 0)] }
    let result = try Broadcasting.shape(shape, Shape(target))
    if result.rank <= 1, let contents = context.contents(0) {
      let count = result.elementCount.size
      if contents.count == 1, let count, count <= InferenceContext.contentLimit {
        context.setContents(Array(repeating: contents[0], count: count))
      } else if count == contents.count {
        context.setContents(contents)
      }
    }
    return [try context.tensor(result, like: 0)]
  }

  @Sendable private static func tile(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    guard let repeats = try context.sizes(1) else { return [try context.tensor(context.openShape(rank: shape.rank), like: 0)] }
    guard repeats.count == shape.rank else {
      throw .dimensionsDiffer("the number of repeats", Dimension(repeats.count), "the rank", Dimension(shape.rank))
    }
    if let contents = context.known(0), let count = repeats[0].size,
      contents.count * min(count, 1 << 20) <= InferenceContext.contentLimit
    {
      context.setContents((0..<min(count, 1 << 20)).flatMap { _ in contents })
    }
    return [try context.tensor(Shape(zip(shape, repeats).map { $0 * $1 }), like: 0)]
  }

  @Sendable private static func shapeOf(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let shape = try context.shape(0) else { return [.tensor(.int64, [context.dataDependentDimension()])] }
    let range = SliceRange(
      size: shape.rank, start: context[ShapeOperator.start], end: context[ShapeOperator.end] ?? .max, step: 1)
    let sizes = Array(shape[range.start..<range.start + range.count])
    context.setContents(sizes, limited: 0)
    return [.tensor(.int64, [Dimension(sizes.count)])]
  }

  @Sendable private static func sizeOf(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    if let shape = try context.shape(0) { context.setContents([shape.elementCount]) }
    return [.tensor(.int64, [])]
  }

  @Sendable private static func depthToSpace(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let block = try context.blockSize(DepthToSpace.blockSize)
    guard let shape = try context.shape(0, rank: 4) else { return [try context.tensor(context.openShape(rank: 4), like: 0)] }
    if let channels = shape[1].size, let square = (block * block).size, channels % square != 0 {
      throw .attribute("blocksize", reason: "\(block): its square does not divide \(channels) channels")
    }
    return [try context.tensor([shape[0], shape[1] / (block * block), shape[2] * block, shape[3] * block], like: 0)]
  }

  @Sendable private static func spaceToDepth(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let block = try context.blockSize(SpaceToDepth.blockSize)
    guard let shape = try context.shape(0, rank: 4) else { return [try context.tensor(context.openShape(rank: 4), like: 0)] }
    for axis in 2...3 {
      if let rest = (shape[axis] % block).size, rest != 0 {
        throw .attribute("blocksize", reason: "\(block) does not divide the size \(shape[axis]) of dimension \(axis)")
      }
    }
    return [try context.tensor([shape[0], shape[1] * block * block, shape[2] / block, shape[3] / block], like: 0)]
  }

  @Sendable private static func reverseSequence(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (batch, time) = (context[ReverseSequence.batchAxis], context[ReverseSequence.timeAxis])
    guard batch != time, (0...1).contains(batch), (0...1).contains(time) else {
      throw .attribute("batch_axis", reason: "and time_axis must be 0 and 1 in some order")
    }
    let lengths = try context.shape(1, rank: 1)
    if let shape = try context.shape(0, minimumRank: 2), let lengths, shape[batch].unified(with: lengths[0]) == nil {
      throw .dimensionsDiffer("the batch", shape[batch], "the number of lengths", lengths[0])
    }
    return [try context.type(0)]
  }
}

extension InferenceContext {
  fileprivate func blockSize(_ key: AttributeKey<Int>) throws(ShapeError) -> Dimension {
    guard self[key] > 0 else { throw .attribute(key.name, reason: "must be positive") }
    return Dimension(self[key])
  }
}
