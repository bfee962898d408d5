import FXCore

/// Concatenation, splitting, slicing and padding.
extension ShapeRules {
  mutating func addJoining() {
    self[.concat] = ShapeRules.concat
    self[.split] = ShapeRules.split
    self[.slice] = ShapeRules.slice
    self[.pad] = ShapeRules.pad
  }

  @Sendable private static func concat(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard context.operandCount > 0 else { throw .missingOperand(0) }
    var result: Shape?
    var sum = Dimension(0)
    var element: ElementType?
    var axis = 0
    for index in 0..<context.operandCount {
      guard let type = try context.tensorType(index) else {
        sum = .unknown
        continue
      }
      if let element, element != type.elementType { throw .elementTypesDiffer(element, type.elementType) }
      element = type.elementType
      guard let shape = type.shape else {
        sum = .unknown
        continue
      }
      guard let known = result else {
        axis = try normalizedAxis(context[Concat.axis], rank: shape.rank)
        result = shape
        sum = sum + shape[axis]
        continue
      }
      guard shape.rank == known.rank else { throw .rank(operand: index, expected: "\(known.rank)", actual: shape.rank) }
      for other in shape.indices where other != axis {
        guard let size = known[other].unified(with: shape[other]) else {
          throw .dimensionsDiffer("dimension \(other)", known[other], "that of operand \(index)", shape[other])
        }
        result?[other] = size
      }
      sum = sum + shape[axis]
    }
    guard let element else { return [.unknown] }
    result?[axis] = sum.isUnknown ? context.dataDependentDimension() : sum
    if result?.rank == 1, let count = sum.size, count <= InferenceContext.contentLimit {
      // A part of which only the length is known leaves what the others hold known.
      var contents: [Dimension] = []
      for index in 0..<context.operandCount {
        let length = try context.count(index) ?? 0
        contents += context.known(index) ?? Array(repeating: .unknown, count: length)
      }
      context.setContents(contents)
    }
    return [.tensor(element, result)]
  }

  @Sendable private static func split(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let count = context.node.results.count
    if let parts = context[Split.outputCount], parts != count { throw .resultCount(expected: parts, actual: count) }
    guard let shape = try context.shape(0) else { return Array(repeating: try context.tensor(nil, like: 0), count: count) }
    let axis = try normalizedAxis(context[Split.axis], rank: shape.rank)
    let sizes: [Dimension]
    if context.has(1) {
      sizes = try context.sizes(1) ?? (0..<count).map { _ in context.dataDependentDimension() }
      guard sizes.count == count else { throw .resultCount(expected: sizes.count, actual: count) }
      if let sum = sizes.reduce(Dimension(0), +).size, let size = shape[axis].size, sum != size {
        throw .dimensionsDiffer("the sum of the parts", Dimension(sum), "dimension \(axis)", shape[axis])
      }
    } else {
      sizes = try equalParts(of: shape[axis], count: count)
    }
    var start = 0
    let contents = context.known(0)
    for (index, size) in sizes.enumerated() {
      guard let contents, let size = size.size, size <= contents.count - start else { break }
      context.setContents(Array(contents[start..<start + size]), limited: index)
      start += size
    }
    return try sizes.map { (size) throws(ShapeError) in
      var part = shape
      part[axis] = size
      return try context.tensor(part, like: 0)
    }
  }

  /// Sizes of `count` parts, each ⌈size ÷ count⌉ as long as there is that much left.
  package static func equalParts(of size: Dimension, count: Int) throws(ShapeError) -> [Dimension] {
    guard count > 0 else { throw .resultCount(expected: 1, actual: 0) }
    if (size % Dimension(count)).size == 0 { return Array(repeating: size / Dimension(count), count: count) }
    let part = size.ceilDivided(by: count)
    if count == 2 { return [part, size - part] }
    return (0..<count).map { index in
      index == 0 ? part : .minimum(part, .maximum(size - part * Dimension(index), 0))
    }
  }

  @Sendable private static func slice(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    var count = try context.count(1)
    if count == nil { count = try context.count(2) }
    let axes: [Int]
    if context.has(3) {
      guard let named = context.integers(3) else { return [try context.tensor(context.openShape(rank: shape.rank), like: 0)] }
      axes = try normalizedAxes(named, rank: shape.rank)
    } else {
      guard let count else { return [try context.tensor(context.openShape(rank: shape.rank), like: 0)] }
      guard count <= shape.rank else { throw .axis(count - 1, rank: shape.rank) }
      axes = Array(0..<count)
    }
    let (starts, ends) = (context.contents(1), context.contents(2))
    let steps = context.has(4) ? context.contents(4) : Array(repeating: 1, count: axes.count)
    for (index, bounds) in [(1, starts), (2, ends), (4, steps)] {
      guard bounds == nil || bounds?.count == axes.count else {
        throw .invalid("operand \(index) has \(bounds?.count ?? 0) elements for \(axes.count) axes")
      }
    }
    let contents = context.known(0)
    for (index, axis) in axes.enumerated() {
      guard let step = steps?[index].size, let start = starts?[index], let end = ends?[index] else {
        shape[axis] = context.dataDependentDimension()
        continue
      }
      guard step != 0 else { throw .invalid("a slice has step 0") }
      if let contents, let start = start.size, let end = end.size {
        let range = SliceRange(size: contents.count, start: start, end: end, step: step)
        context.setContents((0..<range.count).map { contents[range.start + $0 * step] }, limited: 0)
      }
      shape[axis] = SliceRange.count(size: shape[axis], start: start, end: end, step: step) ?? context.dataDependentDimension()
    }
    if axes.isEmpty { context.setContents(contents, limited: 0) }
    return [try context.tensor(shape, like: 0)]
  }

  @Sendable private static func pad(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    var axes = Array(0..<shape.rank)
    if context.has(3) {
      guard let named = context.integers(3) else { return [try context.tensor(context.openShape(rank: shape.rank), like: 0)] }
      axes = try normalizedAxes(named, rank: shape.rank)
    }
    if let count = try context.count(1), count != 2 * axes.count {
      throw .invalid("\(count) pads for \(axes.count) axes: there must be two for each")
    }
    let pads = context.contents(1)
    for (index, axis) in axes.enumerated() {
      guard let pads else {
        shape[axis] = context.dataDependentDimension()
        continue
      }
      let size = shape[axis] + pads[index] + pads[axes.count + index]
      if let size = size.size, size < 0 { throw .invalid("dimension \(axis) of size \(shape[axis]) is padded to \(size)") }
      shape[axis] = size
    }
    return [try context.tensor(shape, like: 0)]
  }
}
