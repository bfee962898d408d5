import FXCore

extension KernelTable {
  mutating func addReshaping() {
    self[.transpose] = { $0.transpose() }
    self[.expand] = { $0.expand() }
    self[.tile] = { $0.tile() }
    self[.slice] = { $0.slice() }
    self[.concat] = { $0.concat() }
    self[.split] = { $0.splitting() }
    self[.pad] = { $0.pad() }
    self[.depthToSpace] = { $0.depthToSpace() }
    self[.spaceToDepth] = { $0.spaceToDepth() }
  }
}

extension KernelRequest {
  /// Bytes of one element of operand 0; `nil` for elements narrower than a byte, and for strings.
  var elementSize: Int? {
    guard let width = type(0)?.bitWidth, width >= 8 else { return nil }
    return width / 8
  }

  private func copy(_ kernel: CopyKernel?) -> KernelChoice? { kernel.map { .kernel($0) } }

  fileprivate func transpose() -> KernelChoice? {
    let rank = shape(0).count
    let order = self[Transpose.permutation] ?? Array((0..<rank).reversed())
    guard let elementSize, order.sorted() == Array(0..<rank) else { return nil }
    // Axes of size 1 may stand anywhere.
    let moved = order.filter { shape(0)[$0] != 1 }
    if moved == moved.sorted() { return .view(ofOperand: 0) }
    return copy(CopyKernel(shape(0), order: order, elementSize: elementSize, threads: threads))
  }

  fileprivate func expand() -> KernelChoice? {
    // A shape that only the run knows may not be what types took it for.
    guard operands[1]?.constant != nil, let elementSize, let strides = BroadcastLayout.strides(of: shape(0), in: results[0].shape)
    else { return nil }
    if operands[0]?.elementCount == results[0].elementCount { return .view(ofOperand: 0) }
    return copy(CopyKernel(sizes: results[0].shape, strides: strides, elementSize: elementSize, threads: threads))
  }

  fileprivate func tile() -> KernelChoice? {
    guard let elementSize, results[0].shape.count == shape(0).count else { return nil }
    if shape(0) == results[0].shape { return .view(ofOperand: 0) }
    var sizes: [Int] = []
    var strides: [Int] = []
    for (axis, stride) in CopyKernel.strides(shape(0)).enumerated() {
      let size = shape(0)[axis]
      guard size > 0 else { return nil }
      if results[0].shape[axis] != size {
        sizes.append(results[0].shape[axis] / size)
        strides.append(0)
      }
      sizes.append(size)
      strides.append(stride)
    }
    return copy(CopyKernel(sizes: sizes, strides: strides, elementSize: elementSize, threads: threads))
  }

  fileprivate func slice() -> KernelChoice? {
    guard let elementSize, let starts = constantIntegers(1) else { return nil }
    let rank = shape(0).count
    guard let axes = has(3) ? constantIntegers(3) : Array(starts.indices),
      let steps = has(4) ? constantIntegers(4) : starts.map({ _ in 1 }), axes.count == starts.count, steps.count == starts.count
    else { return nil }
    var strides = CopyKernel.strides(shape(0))
    var offset = 0
    for (index, given) in axes.enumerated() {
      guard let axis = KernelRequest.axis(given, rank: rank), steps[index] != 0 else { return nil }
      let size = shape(0)[axis]
      let start = starts[index] < 0 ? starts[index] + size : starts[index]
      let first = steps[index] > 0 ? min(max(start, 0), size) : min(max(start, 0), size - 1)
      offset += first * strides[axis]
      strides[axis] *= steps[index]
    }
    if shape(0) == results[0].shape, steps.allSatisfy({ $0 == 1 }) { return .view(ofOperand: 0) }
    guard results[0].elementCount > 0 else {
      return copy(CopyKernel(sizes: results[0].shape, strides: strides, elementSize: elementSize, threads: threads))
    }
    return copy(
      CopyKernel(sizes: results[0].shape, strides: strides, offset: offset, elementSize: elementSize, threads: threads))
  }

  fileprivate func concat() -> KernelChoice? {
    guard let elementSize, let axis = KernelRequest.axis(self[Concat.axis], rank: results[0].shape.count) else { return nil }
    if operands.count == 1 { return .view(ofOperand: 0) }
    let inner = results[0].shape[(axis + 1)...].reduce(elementSize, *)
    var parts: [Part] = []
    for index in operands.indices {
      guard shape(index).count == results[0].shape.count, type(index) == type(0) else { return nil }
      parts.append(Part(index: index, bytes: shape(index)[axis] * inner))
    }
    return .kernel(
      ConcatKernel(parts: parts, outer: results[0].shape[..<axis].reduce(1, *), threads: threads))
  }

  fileprivate func splitting() -> KernelChoice? {
    guard let elementSize, let axis = KernelRequest.axis(self[Split.axis], rank: shape(0).count) else { return nil }
    if results.count == 1 { return .view(ofOperand: 0) }
    let inner = shape(0)[(axis + 1)...].reduce(elementSize, *)
    let parts = results.enumerated().map { Part(index: $0, bytes: $1.shape[axis] * inner) }
    return .kernel(SplitKernel(parts: parts, outer: shape(0)[..<axis].reduce(1, *), threads: threads))
  }

  /// [n, c, h, w] with c made of blocks, by one permutation.
  fileprivate func depthToSpace() -> KernelChoice? {
    guard let elementSize, shape(0).count == 4 else { return nil }
    let block = self[DepthToSpace.blockSize]
    guard block > 0 else { return nil }
    let (n, c, h, w) = (shape(0)[0], shape(0)[1] / (block * block), shape(0)[2], shape(0)[3])
    let isDepthFirst = self[DepthToSpace.mode] == "DCR"
    let split = isDepthFirst ? [n, block, block, c, h, w] : [n, c, block, block, h, w]
    return copy(
      CopyKernel(
        split, order: isDepthFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3], elementSize: elementSize, threads: threads))
  }

  fileprivate func spaceToDepth() -> KernelChoice? {
    guard let elementSize, shape(0).count == 4 else { return nil }
    let block = self[SpaceToDepth.blockSize]
    guard block > 0 else { return nil }
    let (n, c, h, w) = (shape(0)[0], shape(0)[1], shape(0)[2] / block, shape(0)[3] / block)
    let isDepthFirst = self[SpaceToDepth.mode] == "DCR"
    return copy(
      CopyKernel(
        [n, c, h, block, w, block], order: isDepthFirst ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4], elementSize: elementSize,
        threads: threads))
  }

  /// Constant padding; negative counts cut.
  fileprivate func pad() -> KernelChoice? {
    guard let elementSize, [1, 2, 4, 8].contains(elementSize), self[Pad.mode] == "constant", let pads = constantIntegers(1)
    else { return nil }
    let rank = shape(0).count
    guard let axes = has(3) ? constantIntegers(3) : Array(0..<rank), pads.count == 2 * axes.count, rank > 0 else { return nil }
    var before = Array(repeating: 0, count: rank)
    for (index, given) in axes.enumerated() {
      guard let axis = KernelRequest.axis(given, rank: rank) else { return nil }
      before[axis] = pads[index]
    }
    if shape(0) == results[0].shape, before.allSatisfy({ $0 == 0 }) { return .view(ofOperand: 0) }
    return .kernel(
      PadKernel(
        source: shape(0), target: results[0].shape, before: before, elementSize: elementSize, hasValue: has(2),
        threads: threads))
  }
}

/// What one tensor has of each outer block of a concatenation.
struct Part: Sendable {
  /// Of the operand or result.
  let index: Int
  let bytes: Int
}

private struct ConcatKernel: Kernel {
  let parts: [Part]
  let total: Int
  let division: WorkDivision

  init(parts: [Part], outer: Int, threads: Int) {
    self.parts = parts
    total = parts.reduce(0) { $0 + $1.bytes }
    division = WorkDivision(outer, nanosecondsEach: 0.1 * Double(total) + 5 * Double(parts.count), threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let y = UnsafeMutableRawPointer(arguments.result(as: UInt8.self))
    var start = 0
    // One operand after another: each is read in order, and nothing has to be kept for all of them.
    for part in parts {
      let x = UnsafeRawPointer(arguments.operand(part.index, as: UInt8.self))
      let offset = start
      division.run(on: arguments.pool) { range, _ in
        for block in range {
          (y + block * total + offset).copyMemory(from: x + block * part.bytes, byteCount: part.bytes)
        }
      }
      start += part.bytes
    }
  }
}

private struct SplitKernel: Kernel {
  let parts: [Part]
  let total: Int
  let division: WorkDivision

  init(parts: [Part], outer: Int, threads: Int) {
    self.parts = parts
    total = parts.reduce(0) { $0 + $1.bytes }
    division = WorkDivision(
      outer, nanosecondsEach: 0.1 * Double(total) / Double(max(parts.count, 1)) + 5, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let x = UnsafeRawPointer(arguments.operand(0, as: UInt8.self))
    var start = 0
    for part in parts {
      let offset = start
      start += part.bytes
      guard arguments.wants(part.index) else { continue }
      let y = UnsafeMutableRawPointer(arguments.result(part.index, as: UInt8.self))
      division.run(on: arguments.pool) { range, _ in
        for block in range {
          (y + block * part.bytes).copyMemory(from: x + block * total + offset, byteCount: part.bytes)
        }
      }
    }
  }
}

/// Rows of the result that lie in the operand are copied between filled margins; the others are filled.
private struct PadKernel: Kernel {
  let source: [Int]
  let target: [Int]
  let sourceStrides: [Int]
  /// Elements before the operand along each axis; negative where it is cut.
  let before: [Int]
  let elementSize: Int
  let hasValue: Bool
  let division: WorkDivision

  init(source: [Int], target: [Int], before: [Int], elementSize: Int, hasValue: Bool, threads: Int) {
    self.source = source
    self.target = target
    sourceStrides = CopyKernel.strides(source)
    self.before = before
    self.elementSize = elementSize
    self.hasValue = hasValue
    let columns = target.last ?? 1
    division = WorkDivision(
      target.dropLast().reduce(1, *), nanosecondsEach: 0.1 * Double(columns * elementSize) + 10, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    switch elementSize {
    case 1: pad(arguments, UInt8.self)
    case 2: pad(arguments, UInt16.self)
    case 4: pad(arguments, UInt32.self)
    default: pad(arguments, UInt64.self)
    }
  }

  private func pad<T: FixedWidthInteger & BitwiseCopyable>(_ arguments: borrowing KernelArguments, _: T.Type) {
    let (x, y) = (arguments.operand(0, as: T.self), arguments.result(as: T.self))
    let value = hasValue ? arguments.operand(2, as: T.self)[0] : 0
    let last = target.count - 1
    let columns = target[last]
    // The result's columns that the operand has.
    let first = min(max(before[last], 0), columns)
    let end = max(first, min(columns, before[last] + source[last]))
    division.run(on: arguments.pool) { range, _ in
      for row in range {
        let out = y + row * columns
        guard let start = sourceRow(row) else {
          out.update(repeating: value, count: columns)
          continue
        }
        out.update(repeating: value, count: first)
        (out + first).update(from: x + start + first - before[last], count: end - first)
        (out + end).update(repeating: value, count: columns - end)
      }
    }
  }

  /// The first element of the operand's row that row `row` of the result shows; `nil` in the padding.
  private func sourceRow(_ row: Int) -> Int? {
    var rest = row
    var offset = 0
    for axis in (0..<(target.count - 1)).reversed() {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: target[axis])
      let position = digit - before[axis]
      guard position >= 0, position < source[axis] else { return nil }
      offset += position * sourceStrides[axis]
      rest = quotient
    }
    return offset
  }
}
