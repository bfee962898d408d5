import FXCore

extension KernelTable {
  mutating func addScattering() {
    self[.gatherND] = { $0.gatherND() }
    self[.scatterND] = { $0.scatterND() }
    self[.scatterElements] = { $0.scatterElements() }
  }
}

extension KernelRequest {
  fileprivate func gatherND() -> KernelChoice? {
    guard let elementSize, type(1) == .int64, results[0].elementCount > 0,
      let parts = IndexedParts(data: shape(0), indices: shape(1), batch: self[GatherND.batchDims], elementSize: elementSize)
    else { return nil }
    return .kernel(GatherNDKernel(parts: parts, threads: threads), scratch: threads * GatherNDKernel.flagStride)
  }

  fileprivate func scatterND() -> KernelChoice? {
    guard let elementSize, type(1) == .int64, results[0].elementCount > 0,
      let parts = IndexedParts(data: shape(0), indices: shape(1), batch: 0, elementSize: elementSize),
      shape(2) == Array(shape(1).dropLast() + shape(0).dropFirst(shape(1).last ?? 0)), type(2) == type(0)
    else { return nil }
    let bytes = results[0].elementCount * elementSize
    switch (self[ScatterND.reduction], type(0)) {
    case ("none", _): return .kernel(ScatterNDKernel(parts: parts, bytes: bytes, adds: false), inPlace: inPlace([0]))
    case ("add", .float32): return .kernel(ScatterNDKernel(parts: parts, bytes: bytes, adds: true), inPlace: inPlace([0]))
    default: return nil
    }
  }

  fileprivate func scatterElements() -> KernelChoice? {
    let (data, index) = (shape(0), shape(1))
    guard let elementSize, type(1) == .int64, type(2) == type(0), results[0].elementCount > 0, index == shape(2),
      index.count == data.count, let axis = KernelRequest.axis(self[ScatterElements.axis], rank: data.count),
      data.indices.allSatisfy({ $0 == axis || index[$0] <= data[$0] })
    else { return nil }
    let update: ScatterElementsKernel.Update
    switch (self[ScatterElements.reduction], type(0), elementSize) {
    case ("none", _, 4): update = .fourBytes
    case ("none", _, 8): update = .eightBytes
    case ("add", .float32, _): update = .sum
    default: return nil
    }
    return .kernel(ScatterElementsKernel(data, index, axis: axis, update), inPlace: inPlace([0]))
  }
}

/// Parts of a tensor that rows of indices name by their first coordinates.
private struct IndexedParts: Sendable {
  /// Rows of indices, and how many of them belong to one element of the batch.
  let count: Int
  let rowsPerBatch: Int
  /// Bytes of a part, and of an element of the batch.
  let partBytes: Int
  let batchBytes: Int
  /// The axes that the coordinates count along, and bytes between neighbours.
  let sizes: [Int]
  let strides: [Int]

  init?(data: [Int], indices: [Int], batch: Int, elementSize: Int) {
    guard let depth = indices.last, batch >= 0, batch < indices.count, depth >= 0, batch + depth <= data.count,
      data[..<batch] == indices[..<batch]
    else { return nil }
    count = indices.dropLast().reduce(1, *)
    rowsPerBatch = indices.dropLast().dropFirst(batch).reduce(1, *)
    partBytes = data.dropFirst(batch + depth).reduce(elementSize, *)
    batchBytes = data.dropFirst(batch).reduce(elementSize, *)
    sizes = Array(data[batch..<batch + depth])
    strides = CopyKernel.strides(sizes).map { [partBytes] in $0 * partBytes }
  }

  /// Where the part of a row begins, in bytes; `nil` if an index is out of range.
  func offset(of row: Int, _ indices: UnsafePointer<Int64>) -> Int? {
    var offset = row / max(rowsPerBatch, 1) * batchBytes
    let coordinates = indices + row * sizes.count
    for axis in sizes.indices {
      let given = Int(coordinates[axis])
      let at = given < 0 ? given + sizes[axis] : given
      guard at >= 0, at < sizes[axis] else { return nil }
      offset += at * strides[axis]
    }
    return offset
  }

  var outOfRange: KernelError { .invalid("an index is out of range for axes of sizes \(sizes)") }
}

/// `y[i…] = data[indices[i…]…]`
private struct GatherNDKernel: Kernel {
  let parts: IndexedParts
  let division: WorkDivision
  /// Cache lines apart.
  static let flagStride = 64

  init(parts: IndexedParts, threads: Int) {
    self.parts = parts
    division = WorkDivision(parts.count, nanosecondsEach: 0.1 * Double(parts.partBytes) + 5, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) throws {
    let x = UnsafeRawPointer(arguments.operand(0, as: UInt8.self))
    let y = UnsafeMutableRawPointer(arguments.result(as: UInt8.self))
    let indices = arguments.operand(1, as: Int64.self)
    let flags = arguments.scratch.assumingMemoryBound(to: Bool.self)
    let workers = arguments.pool.size
    for worker in 0..<workers { flags[worker * GatherNDKernel.flagStride] = true }
    division.run(on: arguments.pool) { range, worker in
      for row in range {
        guard let offset = parts.offset(of: row, indices) else {
          flags[worker * GatherNDKernel.flagStride] = false
          return
        }
        (y + row * parts.partBytes).copyMemory(from: x + offset, byteCount: parts.partBytes)
      }
    }
    guard (0..<workers).allSatisfy({ flags[$0 * GatherNDKernel.flagStride] }) else { throw parts.outOfRange }
  }
}

/// `y = data`, then `y[indices[i…]…] = updates[i…]`, or that added, in the order of the rows.
private struct ScatterNDKernel: Kernel {
  let parts: IndexedParts
  /// Of the data.
  let bytes: Int
  /// Whether `float32` updates are added.
  let adds: Bool

  func run(_ arguments: borrowing KernelArguments) throws {
    let updates = UnsafeRawPointer(arguments.operand(2, as: UInt8.self))
    let indices = arguments.operand(1, as: Int64.self)
    let y = arguments.copyOfData(bytes)
    for row in 0..<parts.count {
      guard let offset = parts.offset(of: row, indices) else { throw parts.outOfRange }
      let (target, update) = (y + offset, updates + row * parts.partBytes)
      guard adds else {
        target.copyMemory(from: update, byteCount: parts.partBytes)
        continue
      }
      let (sums, terms) = (target.assumingMemoryBound(to: Float.self), update.assumingMemoryBound(to: Float.self))
      for index in 0..<parts.partBytes / MemoryLayout<Float>.stride { sums[index] += terms[index] }
    }
  }
}

/// `y = data`, then `y[i… but for the axis, where index[i…] says]` joined with `updates[i…]`, in the order of the updates.
private struct ScatterElementsKernel: Kernel {
  /// How an update joins what is there: in its place, or added as `float32`.
  enum Update { case fourBytes, eightBytes, sum }

  let index: [Int]
  let axis: Int
  let axisSize: Int
  let strides: [Int]
  let update: Update
  let bytes: Int

  init(_ data: [Int], _ index: [Int], axis: Int, _ update: Update) {
    self.index = index
    self.axis = axis
    self.update = update
    axisSize = data[axis]
    strides = CopyKernel.strides(data)
    bytes = data.reduce(update == .eightBytes ? 8 : 4, *)
  }

  func run(_ arguments: borrowing KernelArguments) throws {
    let indices = arguments.operand(1, as: Int64.self)
    let y = arguments.copyOfData(bytes)
    switch update {
    case .fourBytes: try scatter(indices, arguments.operand(2, as: UInt32.self), into: y) { $1 }
    case .eightBytes: try scatter(indices, arguments.operand(2, as: UInt64.self), into: y) { $1 }
    case .sum: try scatter(indices, arguments.operand(2, as: Float.self), into: y) { $0 + $1 }
    }
  }

  /// Inlined, so that there is one loop for each element type.
  @inline(__always)
  private func scatter<Element: BitwiseCopyable>(
    _ indices: UnsafePointer<Int64>, _ updates: UnsafePointer<Element>, into y: UnsafeMutableRawPointer,
    _ joined: (Element, Element) -> Element
  ) throws {
    let y = y.assumingMemoryBound(to: Element.self)
    let columns = index[index.count - 1]
    let (axisStride, columnStride) = (strides[axis], axis == index.count - 1 ? 0 : 1)
    for row in 0..<index.dropLast().reduce(1, *) {
      var (rest, base) = (row, 0)
      for other in (0..<index.count - 1).reversed() {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: index[other])
        if other != axis { base += digit * strides[other] }
        rest = quotient
      }
      let (rowIndices, rowUpdates) = (indices + row * columns, updates + row * columns)
      for column in 0..<columns {
        let given = Int(rowIndices[column])
        let at = given < 0 ? given + axisSize : given
        guard at >= 0, at < axisSize else {
          throw KernelError.invalid("index \(given) is out of range for an axis of size \(axisSize)")
        }
        let target = base + at * axisStride + column * columnStride
        y[target] = joined(y[target], rowUpdates[column])
      }
    }
  }
}

extension KernelArguments {
  /// The first result, filled with operand 0, whose memory it may have taken over.
  fileprivate func copyOfData(_ bytes: Int) -> UnsafeMutableRawPointer {
    let data = UnsafeRawPointer(operand(0, as: UInt8.self))
    let y = UnsafeMutableRawPointer(result(as: UInt8.self))
    if data != UnsafeRawPointer(y) { y.copyMemory(from: data, byteCount: bytes) }
    return y
  }
}
