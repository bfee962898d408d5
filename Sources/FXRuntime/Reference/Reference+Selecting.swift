import FXCore

/// Operators that find elements, or make tensors from indices.
extension ReferenceKernels {
  mutating func addSelecting() {
    self[.nonzero] = { context in
      let x = try context.tensor(0)
      let marks = try x.strings.map { $0.map { !$0.isEmpty } } ?? x.numbers().doubles.map { $0 != 0 }
      let found = marks.indices.filter { marks[$0] }
      let strides = Selection.strides(x.shape)
      let coordinates = x.shape.indices.flatMap { axis in found.map { $0 / strides[axis] % x.shape[axis] } }
      return [.tensor(try Tensor([x.shape.count, found.count], coordinates))]
    }
    self[.compress] = { context in
      var x = try context.tensor(0)
      if context[Compress.axis] == nil { x = try x.reshaped([x.elementCount]) }
      let axis = try Selection.axis(context[Compress.axis] ?? 0, rank: x.shape.count)
      let condition = try context.tensor(1).numbers().bits
      guard condition.count <= x.shape[axis] else {
        throw KernelError.invalid("\(condition.count) conditions for \(x.shape[axis]) elements")
      }
      var offsets = try x.allOffsets()
      offsets[axis] = x.offsets(condition.indices.filter { condition[$0] != 0 }, axis: axis)
      return [.tensor(try x.selecting(axes: offsets))]
    }
    self[.oneHot] = { context in
      let (indices, values) = (try context.tensor(0), try context.tensor(2))
      guard let depth = try context.tensor(1).numbers().doubles.first.flatMap({ Int(exactly: $0.rounded(.towardZero)) }),
        depth >= 0, depth <= Selection.limit, values.shape == [2]
      else { throw KernelError.invalid("the depth must be a size and the values two, \(values.type) was given") }
      let axis = try Selection.axis(context[OneHot.axis], rank: indices.shape.count + 1)
      var shape = indices.shape
      shape.insert(depth, at: axis)
      let count = try Selection.count(shape, values.elementType)
      var positions = Array(repeating: 0, count: count)
      let inner = Selection.strides(shape)[axis]
      for (place, number) in try indices.numbers().doubles.enumerated() where count > 0 {
        guard let index = Int(exactly: number.rounded(.towardZero)), index >= -depth, index < depth else { continue }
        positions[(place / inner * depth + (index < 0 ? index + depth : index)) * inner + place % inner] = 1
      }
      return [.tensor(try values.selecting(positions, shape: shape))]
    }
    self[.topK] = { context in
      let x = try context.tensor(0)
      let axis = try Selection.axis(context[TopK.axis], rank: x.shape.count)
      guard let k = try context.integers(1).first, k >= 0, k <= x.shape[axis] else {
        throw KernelError.invalid("there are no \(try context.integers(1)) elements along axis \(axis) of \(x.type)")
      }
      let inner = Selection.strides(x.shape)[axis]
      let order = try Ordering(x)
      var shape = x.shape
      shape[axis] = k
      var positions = Array(repeating: 0, count: try Selection.count(shape, x.elementType))
      let lanes = x.shape[axis] == 0 ? 0 : x.elementCount / x.shape[axis]
      for lane in 0..<lanes where k > 0 {
        let base = lane / inner * inner * x.shape[axis] + lane % inner
        let sorted = (0..<x.shape[axis]).sorted { a, b in
          let compared = order.compare(base + a * inner, base + b * inner)
          return compared == 0 ? a < b : (compared > 0) == context[TopK.largest]
        }
        for (rank, index) in sorted.prefix(k).enumerated() {
          positions[(lane / inner * k + rank) * inner + lane % inner] = base + index * inner
        }
      }
      let indices = positions.map { $0 / inner % max(1, x.shape[axis]) }
      return [.tensor(try x.selecting(positions, shape: shape)), .tensor(try Tensor(shape, indices))]
    }
    self[.unique] = { context in
      try unique(context.tensor(0), axis: context[Unique.axis], isSorted: context[Unique.sorted])
        .prefix(context.resultCount).map(RuntimeValue.tensor)
    }
    self[.trilu] = { context in
      let x = try context.tensor(0)
      let rank = x.shape.count
      guard rank >= 2 else { throw KernelError.invalid("\(x.type) is no matrix") }
      let k = try context.has(1) ? context.integers(1).first ?? 0 : 0
      let (rows, columns) = (x.shape[rank - 2], x.shape[rank - 1])
      let positions = (0..<x.elementCount).map { position in
        let diagonal = position % columns - position / columns % rows
        return (context[Trilu.upper] ? diagonal >= k : diagonal <= k) ? position : Selection.fill
      }
      return [.tensor(try x.selecting(positions, shape: x.shape))]
    }
    self[.range] = { context in [.tensor(try range(context.tensor(0), context.tensor(1), context.tensor(2)))] }
    self[.constantOfShape] = { context in
      let value = try context[ConstantOfShape.value] ?? Tensor(Float(0)).reshaped([1])
      let shape = try context.integers(0)
      guard value.elementCount == 1 else { throw KernelError.invalid("the value is \(value.type), not one element") }
      return [.tensor(try value.repeated(shape))]
    }
    self[.eyeLike] = { context in
      let x = try context.tensor(0)
      guard x.shape.count == 2 else { throw KernelError.invalid("\(x.type) is no matrix") }
      let (columns, k) = (x.shape[1], context[EyeLike.k])
      let ones = (0..<x.elementCount).map { Int64($0 % columns - $0 / columns == k ? 1 : 0) }
      return [.tensor(try Tensor(context[EyeLike.dtype] ?? x.elementType, x.shape, numbers: .signed(ones)))]
    }
  }
}

/// Compares elements by their positions; NaN is above all numbers and equal to itself.
private struct Ordering {
  private let strings: [String]
  private let numbers: Numbers

  init(_ x: Tensor) throws {
    strings = x.strings ?? []
    numbers = x.strings == nil ? try x.numbers() : .signed([])
  }

  /// Negative, zero or positive.
  func compare(_ a: Int, _ b: Int) -> Int {
    switch numbers {
    case _ where !strings.isEmpty: Ordering.compare(strings[a], strings[b])
    case .signed(let x): Ordering.compare(x[a], x[b])
    case .unsigned(let x): Ordering.compare(x[a], x[b])
    case .floats(let x):
      x[a].isNaN || x[b].isNaN ? (x[a].isNaN ? 1 : 0) - (x[b].isNaN ? 1 : 0) : Ordering.compare(x[a], x[b])
    }
  }

  private static func compare<T: Comparable>(_ a: T, _ b: T) -> Int { a < b ? -1 : a > b ? 1 : 0 }
}

/// The distinct slices along an axis (elements of the flat tensor without one), the first index of each, the number of
/// each in the result, and the counts.
private func unique(_ tensor: Tensor, axis: Int?, isSorted: Bool) throws -> [Tensor] {
  let x = try axis == nil ? tensor.reshaped([tensor.elementCount]) : tensor
  let axis = try Selection.axis(axis ?? 0, rank: x.shape.count)
  let order = try Ordering(x)
  var others = try x.allOffsets()
  let slices = others[axis]
  others[axis] = [0]
  let within = x.elementCount == 0 ? [] : Selection.sums(others)
  func compare(_ a: Int, _ b: Int) -> Int {
    for offset in within {
      let compared = order.compare(slices[a] + offset, slices[b] + offset)
      if compared != 0 { return compared }
    }
    return 0
  }
  let sorted = slices.indices.sorted { a, b in
    let compared = compare(a, b)
    return compared == 0 ? a < b : compared < 0
  }
  // Groups of equal slices; each begins with its first occurrence, since equal ones are in order of index.
  var groups: [[Int]] = []
  for index in sorted {
    if let first = groups.last?.first, compare(first, index) == 0 {
      groups[groups.count - 1].append(index)
    } else {
      groups.append([index])
    }
  }
  if !isSorted { groups.sort { $0[0] < $1[0] } }
  var inverse = Array(repeating: 0, count: slices.count)
  for (number, group) in groups.enumerated() { for index in group { inverse[index] = number } }
  var offsets = try x.allOffsets()
  offsets[axis] = groups.map { slices[$0[0]] }
  return [
    try x.selecting(axes: offsets), Tensor(vector: groups.map { $0[0] }), Tensor(vector: inverse),
    Tensor(vector: groups.map(\.count)),
  ]
}

/// `max(0, ⌈(limit − start) ÷ delta⌉)` elements, the i-th `start + i × delta`.
private func range(_ start: Tensor, _ limit: Tensor, _ delta: Tensor) throws -> Tensor {
  guard start.elementCount == 1, limit.elementCount == 1, delta.elementCount == 1 else {
    throw KernelError.invalid("the bounds of a range must be scalars")
  }
  if case .floats(let x) = try start.numbers() {
    let (to, step) = (try limit.numbers().doubles[0], try delta.numbers().doubles[0])
    let count = max(0, ((to - x[0]) / step).rounded(.up))
    guard step != 0, count <= Double(Selection.limit), let number = Int(exactly: count) else {
      throw KernelError.invalid("a range from \(x[0]) to \(to) by \(step) has no sensible length")
    }
    let values = (0..<number).map { x[0] + Double($0) * step }
    return try Tensor(start.elementType, [number], numbers: .floats(values), saturating: false)
  }
  let (from, to, step) = (try start.integers()[0], try limit.integers()[0], try delta.integers()[0])
  guard step != 0 else { throw KernelError.invalid("a range has step 0") }
  // The distance of any two integers fits their unsigned type.
  let distance = step > 0 ? UInt(bitPattern: to &- from) : UInt(bitPattern: from &- to)
  let count = (step > 0 ? to > from : to < from) ? (distance - 1) / step.magnitude + 1 : 0
  guard count <= UInt(Selection.limit) else { throw KernelError.invalid("a range of \(count) elements is too long") }
  let values = (0..<Int(count)).map { Int64(from &+ $0 &* step) }
  return try Tensor(start.elementType, [Int(count)], numbers: .signed(values))
}
