import FXCore
import FXShapes

extension ReferenceKernels {
  mutating func addReshaping() {
    self[.reshape] = { context in
      let x = try context.tensor(0)
      let shape = try reshaped(x.shape, to: context.integers(1), allowZero: context[Reshape.allowZero], x.elementType)
      return [.tensor(try x.reshaped(shape))]
    }
    self[.transpose] = { context in
      let x = try context.tensor(0)
      let order = context[Transpose.permutation] ?? x.shape.indices.reversed()
      guard order.sorted() == Array(x.shape.indices) else {
        throw KernelError.invalid("\(order) is no order of \(x.shape.count) axes")
      }
      return [.tensor(try x.transposed(order))]
    }
    self[.squeeze] = { context in
      let x = try context.tensor(0)
      var dropped = x.shape.indices.filter { x.shape[$0] == 1 }
      if context.has(1) { dropped = try Selection.axes(context.integers(1), rank: x.shape.count) }
      guard dropped.allSatisfy({ x.shape[$0] == 1 }) else {
        throw KernelError.invalid("a squeezed axis of \(x.type) is not of size 1")
      }
      return [.tensor(try x.reshaped(x.shape.indices.filter { !dropped.contains($0) }.map { x.shape[$0] }))]
    }
    self[.unsqueeze] = { context in
      let x = try context.tensor(0)
      let axes = try context.integers(1)
      var shape = x.shape
      for place in try Selection.axes(axes, rank: shape.count + axes.count).sorted() { shape.insert(1, at: place) }
      return [.tensor(try x.reshaped(shape))]
    }
    self[.flatten] = { context in
      let x = try context.tensor(0)
      let (axis, rank) = (context[Flatten.axis], x.shape.count)
      guard axis >= -rank, axis <= rank else { throw KernelError.axis(axis, rank: rank) }
      let cut = axis < 0 ? axis + rank : axis
      let rows = try Tensor.elementCount(of: Array(x.shape[..<cut]), x.elementType)
      return [.tensor(try x.reshaped([rows, Tensor.elementCount(of: Array(x.shape[cut...]), x.elementType)]))]
    }
    self[.expand] = { context in
      let (x, target) = (try context.tensor(0), try context.integers(1))
      let shape = try Broadcast.shape([x.shape, target])
      guard try Selection.count(shape, x.elementType) > 0 else { return [.tensor(try Tensor(zeros: x.elementType, shape))] }
      return [.tensor(try x.selecting(Broadcast.indices(x.shape, to: shape), shape: shape))]
    }
    self[.shape] = { context in
      let shape = try context.tensor(0).shape
      let range = SliceRange(
        size: shape.count, start: context[ShapeOperator.start], end: context[ShapeOperator.end] ?? .max, step: 1)
      return [.tensor(Tensor(vector: Array(shape[range.start..<range.start + range.count])))]
    }
    self[.size] = { context in [.tensor(Tensor(try context.tensor(0).elementCount))] }
    self[.depthToSpace] = { context in
      let x = try context.tensor(0)
      let block = context[DepthToSpace.blockSize]
      guard x.shape.count == 4, block > 0, x.shape[1] % (try Selection.product(block, block)) == 0 else {
        throw KernelError.invalid("blocks of \(block)×\(block) do not fit \(x.type)")
      }
      let (n, c, h, w) = (x.shape[0], x.shape[1] / (block * block), x.shape[2], x.shape[3])
      let isOutermost = context[DepthToSpace.mode] == "DCR"
      let split = try x.reshaped(isOutermost ? [n, block, block, c, h, w] : [n, c, block, block, h, w])
      let moved = try split.transposed(isOutermost ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3])
      return [.tensor(try moved.reshaped([n, c, Selection.product(h, block), Selection.product(w, block)]))]
    }
    self[.spaceToDepth] = { context in
      let x = try context.tensor(0)
      let block = context[SpaceToDepth.blockSize]
      guard x.shape.count == 4, block > 0, x.shape[2] % block == 0, x.shape[3] % block == 0 else {
        throw KernelError.invalid("blocks of \(block)×\(block) do not fit \(x.type)")
      }
      let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2] / block, x.shape[3] / block)
      let split = try x.reshaped([n, c, h, block, w, block])
      let moved = try split.transposed(context[SpaceToDepth.mode] == "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4])
      return [.tensor(try moved.reshaped([n, Selection.product(Selection.product(block, block), c), h, w]))]
    }
    addJoining()
  }
}

/// The sizes of a reshaped tensor: 0 copies the operand's size, −1 is what is left.
private func reshaped(_ from: [Int], to target: [Int], allowZero: Bool, _ type: ElementType) throws -> [Int] {
  var shape = target
  for (axis, size) in target.enumerated() where size == 0 && !allowZero {
    guard axis < from.count else { throw KernelError.invalid("\(from) has no axis \(axis) whose size \(target) could copy") }
    shape[axis] = from[axis]
  }
  guard let wildcard = shape.firstIndex(of: -1) else { return shape }
  shape[wildcard] = 1
  let rest = try Tensor.elementCount(of: shape, type)
  let total = try Tensor.elementCount(of: from, type)
  guard rest > 0, total % rest == 0 else { throw KernelError.invalid("the elements of \(from) do not fill \(target)") }
  shape[wildcard] = total / rest
  return shape
}
