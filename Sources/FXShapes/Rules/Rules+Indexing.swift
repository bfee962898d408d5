import FXCore

extension ShapeRules {
  mutating func addIndexing() {
    self[.gather] = ShapeRules.gather
    self[.gatherElements] = ShapeRules.gatherElements
    self[.gatherND] = ShapeRules.gatherND
    self[.scatterElements] = ShapeRules.scatterElements
    self[.scatterND] = ShapeRules.scatterND
    self[.tensorScatter] = ShapeRules.tensorScatter
    self[.oneHot] = ShapeRules.oneHot
    self[.topK] = ShapeRules.topK
    self[.trilu] = { (context) throws(ShapeError) in
      _ = try context.shape(0, minimumRank: 2)
      return [try context.type(0)]
    }
    addSelecting()
  }

  @Sendable private static func gather(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let data = try context.shape(0, minimumRank: 1) else { return [try context.tensor(nil, like: 0)] }
    let axis = try normalizedAxis(context[Gather.axis], rank: data.rank)
    guard let indices = try context.shape(1) else { return [try context.tensor(nil, like: 0)] }
    if let size = data[axis].size, let wrong = context.integers(1)?.first(where: { $0 < -size || $0 >= size }) {
      throw .invalid("index \(wrong) is out of range for dimension \(axis) of size \(size)")
    }
    if let contents = context.known(0), let positions = context.integers(1), indices.rank <= 1 {
      context.setContents(positions.map { contents[$0 < 0 ? $0 + contents.count : $0] }, limited: 0)
    }
    return [try context.tensor(Shape(data.dimensions[..<axis] + indices.dimensions + data.dimensions[(axis + 1)...]), like: 0)]
  }

  @Sendable private static func gatherElements(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (data, indices) = (try context.shape(0, minimumRank: 1), try context.shape(1))
    if let data, let indices {
      guard data.rank == indices.rank else { throw .rank(operand: 1, expected: "\(data.rank)", actual: indices.rank) }
      _ = try normalizedAxis(context[GatherElements.axis], rank: data.rank)
    }
    return [try context.tensor(indices ?? context.openShape(rank: data?.rank), like: 0)]
  }

  @Sendable private static func gatherND(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let data = try context.shape(0, minimumRank: 1), let indices = try context.shape(1, minimumRank: 1) else {
      return [try context.tensor(nil, like: 0)]
    }
    let batch = context[GatherND.batchDims]
    guard batch >= 0, batch < indices.rank, batch < data.rank else {
      throw .attribute("batch_dims", reason: "\(batch) does not fit ranks \(data.rank) and \(indices.rank)")
    }
    guard let depth = indices[indices.rank - 1].size else { return [try context.tensor(nil, like: 0)] }
    guard depth >= 1, depth <= data.rank - batch else {
      throw .invalid("\(depth) coordinates and \(batch) batch axes are not the axes of a tensor of rank \(data.rank)")
    }
    return [try context.tensor(Shape(indices.dimensions.dropLast() + data.dimensions[(batch + depth)...]), like: 0)]
  }

  @Sendable private static func scatterElements(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    if let data = try context.shape(0, minimumRank: 1) {
      _ = try normalizedAxis(context[ScatterElements.axis], rank: data.rank)
      for operand in 1...2 { _ = try context.shape(operand, rank: data.rank) }
    }
    if let indices = try context.shape(1), let updates = try context.shape(2) { try context.require(updates, toBe: indices) }
    return [try context.type(0)]
  }

  @Sendable private static func scatterND(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    if let data = try context.shape(0, minimumRank: 1), let indices = try context.shape(1, minimumRank: 1),
      let depth = indices[indices.rank - 1].size
    {
      guard depth >= 0, depth <= data.rank else {
        throw .invalid("\(depth) coordinates do not index a tensor of rank \(data.rank)")
      }
      let expected = Shape(indices.dimensions.dropLast() + data.dimensions[depth...])
      if let updates = try context.shape(2, rank: expected.rank) { try context.require(updates, toBe: expected) }
    }
    return [try context.type(0)]
  }

  @Sendable private static func tensorScatter(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    if let cache = try context.shape(0, minimumRank: 1) {
      let axis = try normalizedAxis(context[TensorScatter.axis], rank: cache.rank)
      guard axis > 0 else { throw .attribute("axis", reason: "names the batch") }
      if var update = try context.shape(1, rank: cache.rank) {
        if let size = cache[axis].size, let length = update[axis].size, length > size {
          throw .invalid("an update of length \(length) does not fit a cache of length \(size)")
        }
        update[axis] = cache[axis]
        try context.require(update, toBe: cache)
      }
      if context.has(2) { _ = try context.shape(2, rank: 1) }
    }
    return [try context.type(0)]
  }

  @Sendable private static func oneHot(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    _ = try context.shape(2, rank: 1)
    guard let indices = try context.shape(0) else { return [try context.tensor(nil, like: 2)] }
    let axis = try normalizedAxis(context[OneHot.axis], rank: indices.rank + 1)
    var depth = context.contents(1)?.first
    if depth == nil, let constant = context.constant(1), let number = try? constant.numbers().doubles.first {
      depth = Int(exactly: number.rounded(.towardZero)).map(Dimension.init(_:))
    }
    if let depth = depth?.size, depth < 0 { throw .invalid("the depth is \(depth)") }
    var shape = indices.dimensions
    shape.insert(depth ?? context.dataDependentDimension(), at: axis)
    return [try context.tensor(Shape(shape), like: 2)]
  }

  @Sendable private static func topK(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0, minimumRank: 1) else {
      return [try context.tensor(nil, like: 0), .tensor(.int64, nil)]
    }
    let axis = try normalizedAxis(context[TopK.axis], rank: shape.rank)
    let count = context.contents(1)?.first ?? context.dataDependentDimension()
    if let count = count.size, count < 0 || shape[axis].size.map({ count > $0 }) == true {
      throw .invalid("the \(count) largest of \(shape[axis]) elements")
    }
    shape[axis] = count
    return [try context.tensor(shape, like: 0), .tensor(.int64, shape)]
  }
}

/// Operators whose results' sizes depend on data or on small operands.
extension ShapeRules {
  fileprivate mutating func addSelecting() {
    self[.nonzero] = { (context) throws(ShapeError) in
      let shape = try context.shape(0)
      let rank = shape.map { Dimension($0.rank) } ?? context.dataDependentDimension()
      return [.tensor(.int64, [rank, context.dataDependentDimension(atMost: shape?.elementCount)])]
    }
    self[.compress] = { (context) throws(ShapeError) in
      let length = try context.shape(1, rank: 1)?[0]
      guard let axis = context[Compress.axis] else {
        let count = try context.shape(0)?.elementCount
        return [try context.tensor([context.dataDependentDimension(atMost: length, count)], like: 0)]
      }
      guard var shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
      let normalized = try normalizedAxis(axis, rank: shape.rank)
      shape[normalized] = context.dataDependentDimension(atMost: length, shape[normalized])
      return [try context.tensor(shape, like: 0)]
    }
    self[.unique] = { (context) throws(ShapeError) in
      let shape = try context.shape(0)
      let axis = try context[Unique.axis].flatMap { (axis) throws(ShapeError) in
        try shape.map { (shape) throws(ShapeError) in try normalizedAxis(axis, rank: shape.rank) }
      }
      let length = axis.flatMap { shape?[$0] } ?? shape?.elementCount
      let count = context.dataDependentDimension(atMost: length)
      var result: Shape? = context[Unique.axis] == nil ? [count] : shape
      if let axis { result?[axis] = count }
      let inverse = length ?? context.dataDependentDimension()
      return [
        try context.tensor(result, like: 0), .tensor(.int64, [count]), .tensor(.int64, [inverse]), .tensor(.int64, [count]),
      ]
    }
    self[.constantOfShape] = { (context) throws(ShapeError) in
      let value = context[ConstantOfShape.value]
      if let value, value.elementCount != 1 { throw .attribute("value", reason: "must be one element") }
      guard let sizes = try context.sizes(0) else { return [.tensor(value?.elementType ?? .float32, nil)] }
      if let value, value.elementType.isInteger, sizes.count <= 1, case .signed(let numbers)? = try? value.numbers() {
        if let count = sizes.product.size, count <= InferenceContext.contentLimit {
          context.setContents(Array(repeating: Dimension(Int(numbers[0])), count: count))
        }
      }
      return [.tensor(value?.elementType ?? .float32, Shape(sizes))]
    }
    self[.eyeLike] = { (context) throws(ShapeError) in
      let shape = try context.shape(0, rank: 2)
      if let type = context[EyeLike.dtype] { return [.tensor(type, shape)] }
      return [try context.tensor(shape, like: 0)]
    }
    self[.range] = ShapeRules.range
  }

  @Sendable private static func range(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard let element = try context.elementType(firstOf: [0, 1, 2]) else { return [.unknown] }
    for index in 0..<3 {
      if let size = try context.shape(index)?.elementCount.size, size != 1 {
        throw .rank(operand: index, expected: "0", actual: 1)
      }
    }
    guard element.isInteger else {
      let bounds = (0..<3).compactMap { try? context.constant($0)?.numbers().doubles.first }
      guard bounds.count == 3, bounds[2] != 0 else { return [.tensor(element, [context.dataDependentDimension()])] }
      let count = max(0, ((bounds[1] - bounds[0]) / bounds[2]).rounded(.up))
      return [.tensor(element, [Int(exactly: count).map(Dimension.init(_:)) ?? context.dataDependentDimension()])]
    }
    guard let start = context.contents(0)?.first, let limit = context.contents(1)?.first,
      let delta = context.contents(2)?.first?.size, delta != .min
    else { return [.tensor(element, [context.dataDependentDimension()])] }
    guard delta != 0 else { throw .invalid("a range has step 0") }
    var length = delta > 0 ? limit - start : start - limit
    if !length.isNonnegative { length = .maximum(length, 0) }
    let count = length.ceilDivided(by: Int(delta.magnitude))
    if let count = count.size, count <= InferenceContext.contentLimit {
      context.setContents((0..<count).map { start + Dimension($0) * Dimension(delta) })
    }
    return [.tensor(element, [count.isUnknown ? context.dataDependentDimension() : count])]
  }
}

extension InferenceContext {
  /// - Throws: `ShapeError.dimensionsDiffer` if two shapes of one rank cannot be equal; `.invalid` if the ranks differ.
  func require(_ actual: Shape, toBe expected: Shape) throws(ShapeError) {
    guard actual.rank == expected.rank else { throw .invalid("the shape \(actual) should be \(expected)") }
    for axis in actual.indices where actual[axis].unified(with: expected[axis]) == nil {
      throw .dimensionsDiffer("dimension \(axis)", actual[axis], "the expected one", expected[axis])
    }
  }
}
