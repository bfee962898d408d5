import FXCore

extension ReferenceKernels {
  mutating func addIndexing() {
    self[.gather] = { context in
      let data = try context.tensor(0)
      let axis = try Selection.axis(context[Gather.axis], rank: data.shape.count)
      let indices = try wrapped(context.integers(1), size: data.shape[axis])
      var offsets = try data.allOffsets()
      offsets[axis] = data.offsets(indices, axis: axis)
      let shape = data.shape[..<axis] + (try context.tensor(1).shape) + data.shape[(axis + 1)...]
      return [.tensor(try data.selecting(axes: offsets).reshaped(Array(shape)))]
    }
    self[.gatherElements] = { context in
      let (data, indices) = (try context.tensor(0), try context.tensor(1))
      let axis = try Selection.axis(context[GatherElements.axis], rank: data.shape.count)
      return [.tensor(try data.selecting(elementPositions(indices, axis: axis, in: data), shape: indices.shape))]
    }
    self[.gatherND] = { context in
      let (data, indices) = (try context.tensor(0), try context.tensor(1))
      let rows = try Rows(data.shape, indices, batch: context[GatherND.batchDims])
      let shape = Array(indices.shape.dropLast()) + rows.part
      guard try Selection.count(shape, data.elementType) > 0 else { return [.tensor(try Tensor(zeros: data.elementType, shape))] }
      return [.tensor(try data.selecting(Selection.sums([rows.starts, Array(0..<rows.length)]), shape: shape))]
    }
    self[.scatterElements] = { context in
      let (data, indices, updates) = (try context.tensor(0), try context.tensor(1), try context.tensor(2))
      let axis = try Selection.axis(context[ScatterElements.axis], rank: data.shape.count)
      guard updates.shape == indices.shape else { throw KernelError.invalid("\(updates.type) is no update for \(indices.type)") }
      let targets = try elementPositions(indices, axis: axis, in: data)
      return [.tensor(try data.writing(updates, at: targets, context[ScatterElements.reduction]))]
    }
    self[.scatterND] = { context in
      let (data, indices, updates) = (try context.tensor(0), try context.tensor(1), try context.tensor(2))
      let rows = try Rows(data.shape, indices, batch: 0)
      guard updates.shape == indices.shape.dropLast() + rows.part else {
        throw KernelError.invalid("\(updates.type) is no update for \(data.type) at \(indices.type)")
      }
      let targets = updates.elementCount == 0 ? [] : Selection.sums([rows.starts, Array(0..<rows.length)])
      return [.tensor(try data.writing(updates, at: targets, context[ScatterND.reduction]))]
    }
    self[.tensorScatter] = { context in
      let (cache, update) = (try context.tensor(0), try context.tensor(1))
      let axis = try Selection.axis(context[TensorScatter.axis], rank: cache.shape.count)
      try cache.checkAxes()
      var expected = cache.shape
      expected[axis] = update.shape.count == cache.shape.count ? update.shape[axis] : 0
      let starts = try context.has(2) ? context.integers(2) : Array(repeating: 0, count: cache.shape[0])
      guard axis > 0, update.shape == expected, update.shape[axis] <= cache.shape[axis], starts.count == cache.shape[0] else {
        throw KernelError.invalid("\(update.type) is no update for \(cache.type)")
      }
      guard update.elementCount > 0 else { return [.tensor(cache)] }
      let size = cache.shape[axis]
      let perBatch = try cache.allOffsets()
      let targets = try starts.enumerated().flatMap { batch, start in
        var offsets = perBatch
        offsets[0] = [perBatch[0][batch]]
        offsets[axis] = try (0..<update.shape[axis]).map { index in
          let (position, overflow) = start.addingReportingOverflow(index)
          let target = context[TensorScatter.mode] == "circular" && !overflow ? (position % size + size) % size : position
          guard !overflow, target >= 0, target < size else { throw KernelError.invalid("write index \(start) is out of range") }
          return perBatch[axis][target]
        }
        return Selection.sums(offsets)
      }
      return [.tensor(try cache.writing(update, at: targets, "none"))]
    }
    addSelecting()
  }
}

/// Indices counted from the front.
/// - Throws: `KernelError.invalid` for one that is out of range.
private func wrapped(_ indices: [Int], size: Int) throws -> [Int] {
  try indices.map { index in
    guard index >= -size, index < size else { throw KernelError.invalid("index \(index) is out of range for size \(size)") }
    return index < 0 ? index + size : index
  }
}

/// For each index the position in data at the index's own place but for the axis, where the index says.
private func elementPositions(_ indices: Tensor, axis: Int, in data: Tensor) throws -> [Int] {
  guard indices.shape.count == data.shape.count,
    indices.shape.indices.allSatisfy({ $0 == axis || indices.shape[$0] <= data.shape[$0] })
  else { throw KernelError.invalid("\(indices.type) does not index \(data.type) along axis \(axis)") }
  guard indices.elementCount > 0 else { return [] }
  let strides = Selection.strides(data.shape)
  let bases = Selection.sums(
    indices.shape.enumerated().map { other, size in (0..<size).map { other == axis ? 0 : $0 * strides[other] } })
  return zip(bases, try wrapped(indices.integers(), size: data.shape[axis])).map { $0 + $1 * strides[axis] }
}

/// Where the parts of data start that rows of indices name by their leading coordinates.
private struct Rows {
  let starts: [Int]
  /// The shape and number of elements of a part.
  let part: [Int]
  let length: Int

  init(_ data: [Int], _ indices: Tensor, batch: Int) throws {
    guard let depth = indices.shape.last, batch >= 0, batch < indices.shape.count, depth <= data.count - batch,
      indices.shape[..<batch] == data[..<min(batch, data.count)]
    else { throw KernelError.invalid("\(indices.type) does not index a tensor of shape \(data)") }
    part = Array(data[(batch + depth)...])
    length = try Tensor.elementCount(of: part, .float64)
    let strides = Selection.strides(data)
    let numbers = try indices.integers()
    let rows = try Tensor.elementCount(of: indices.shape.dropLast(), .float64)
    let perBatch = try rows / max(1, Tensor.elementCount(of: Array(data[..<batch]), .float64))
    let batchStride = batch > 0 ? strides[batch - 1] : 0
    guard depth > 0 || rows <= Selection.limit else { throw KernelError.invalid("too many empty indices") }
    starts = try (0..<rows).map { row in
      // Places in an empty tensor mean nothing and may wrap.
      var start = batch > 0 ? row / perBatch &* batchStride : 0
      for axis in 0..<depth {
        let index = numbers[row * depth + axis]
        let size = data[batch + axis]
        guard index >= -size, index < size else { throw KernelError.invalid("index \(index) is out of range for size \(size)") }
        start &+= (index < 0 ? index + size : index) &* strides[batch + axis]
      }
      return start
    }
  }
}

extension Tensor {
  /// The tensor with the elements of `updates` written at the given positions, joined with what is there.
  fileprivate func writing(_ updates: Tensor, at targets: [Int], _ reduction: String) throws -> Tensor {
    guard updates.elementType == elementType, updates.elementCount == targets.count else {
      throw KernelError.invalid("\(updates.type) is no update for \(type)")
    }
    if reduction == "none" {
      var positions = Array(0..<elementCount)
      for (update, target) in targets.enumerated() { positions[target] = elementCount + update }
      let all = try Tensor.concatenated([reshaped([elementCount]), updates.reshaped([updates.elementCount])], axis: 0)
      return try all.selecting(positions, shape: shape)
    }
    let numbers: Numbers
    switch (try self.numbers(), try updates.numbers()) {
    case (.floats(var x), .floats(let u)):
      for (update, target) in zip(u, targets) { x[target] = joined(x[target], update, reduction) }
      numbers = .floats(x)
    case (.unsigned(var x), .unsigned(let u)):
      for (update, target) in zip(u, targets) { x[target] = joined(x[target], update, reduction) }
      numbers = .unsigned(x)
    case (let a, let b):
      var x = a.bits
      for (update, target) in zip(b.bits, targets) { x[target] = joined(x[target], update, reduction) }
      numbers = .signed(x)
    }
    return try Tensor(elementType, shape, numbers: numbers, saturating: false)
  }
}

private func joined(_ a: Double, _ b: Double, _ reduction: String) -> Double {
  switch reduction {
  case "add": a + b
  case "mul": a * b
  case "min": a.isNaN || b.isNaN ? .nan : min(a, b)
  default: a.isNaN || b.isNaN ? .nan : max(a, b)
  }
}

private func joined<Integer: FixedWidthInteger>(_ a: Integer, _ b: Integer, _ reduction: String) -> Integer {
  switch reduction {
  case "add": a &+ b
  case "mul": a &* b
  case "min": min(a, b)
  default: max(a, b)
  }
}
