internal import CKernels
import FXCore

extension KernelTable {
  mutating func addIndexing() {
    self[.gather] = { $0.gather() }
    self[.gatherElements] = { $0.gatherElements() }
  }
}

extension KernelRequest {
  fileprivate func gather() -> KernelChoice? {
    guard let elementSize, has(1), let (outer, axisSize, inner) = split(at: self[Gather.axis], shape(0)),
      let indexType = type(1), indexType == .int64 || indexType == .int32
    else { return nil }
    let count = operands[1]?.elementCount ?? 0
    guard outer > 0, count > 0, inner > 0 else { return nil }
    let kernel = GatherKernel(
      outer: outer, axisSize: axisSize, count: count, block: inner * elementSize, widens: indexType == .int32,
      threads: threads)
    return .kernel(
      kernel, scratch: threads * 64 + (indexType == .int32 ? count * MemoryLayout<Int64>.stride : 0), bytewise: [0])
  }

  fileprivate func gatherElements() -> KernelChoice? {
    guard let elementSize, type(1) == .int64, let axis = KernelRequest.axis(self[GatherElements.axis], rank: shape(0).count),
      shape(1).count == shape(0).count, results[0].elementCount > 0,
      shape(0).indices.allSatisfy({ $0 == axis || shape(1)[$0] <= shape(0)[$0] })
    else { return nil }
    switch elementSize {
    case 4: return .kernel(GatherElementsKernel<UInt32>(data: shape(0), index: shape(1), axis: axis), scratch: 0)
    case 8: return .kernel(GatherElementsKernel<UInt64>(data: shape(0), index: shape(1), axis: axis), scratch: 0)
    default: return nil
    }
  }
}

/// Blocks along an axis, by index.
private struct GatherKernel: Kernel {
  let outer: Int
  let axisSize: Int
  let count: Int
  /// Bytes of a block.
  let block: Int
  /// Whether indices are 32 bits wide.
  let widens: Bool
  /// Of outer slices, or of indices where there is one slice.
  let division: WorkDivision

  init(outer: Int, axisSize: Int, count: Int, block: Int, widens: Bool, threads: Int) {
    self.outer = outer
    self.axisSize = axisSize
    self.count = count
    self.block = block
    self.widens = widens
    let cost = 0.1 * Double(block) + 3
    division =
      outer == 1
      ? WorkDivision(count, nanosecondsEach: cost, threads: threads)
      : WorkDivision(outer, nanosecondsEach: cost * Double(count), threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) throws {
    let x = UnsafeRawPointer(arguments.operand(0, as: UInt8.self))
    let y = UnsafeMutableRawPointer(arguments.result(as: UInt8.self))
    // A flag for each thread, cache lines apart, then the widened indices.
    let flags = arguments.scratch.assumingMemoryBound(to: Bool.self)
    let workers = arguments.pool.size
    for worker in 0..<workers { flags[worker * 64] = true }
    let indices: UnsafePointer<Int64>
    if widens {
      let wide = (arguments.scratch + workers * 64).assumingMemoryBound(to: Int64.self)
      fxk_i32_to_i64(arguments.operand(1, as: Int32.self), wide, count)
      indices = UnsafePointer(wide)
    } else {
      indices = arguments.operand(1, as: Int64.self)
    }
    division.run(on: arguments.pool) { range, worker in
      let isInRange =
        outer == 1
        ? fxk_gather(x, y + range.lowerBound * block, indices + range.lowerBound, range.count, axisSize, block, 0, 1)
        : fxk_gather(x, y, indices, count, axisSize, block, range.lowerBound, range.upperBound)
      if !isInRange { flags[worker * 64] = false }
    }
    guard (0..<workers).allSatisfy({ flags[$0 * 64] }) else {
      throw KernelError.invalid("an index is out of range for an axis of size \(axisSize)")
    }
  }
}

/// `y[i…] = data[i… but for the axis, where index[i…] says]`
private struct GatherElementsKernel<T: BitwiseCopyable & Sendable>: Kernel {
  let index: [Int]
  let axis: Int
  let axisSize: Int
  let strides: [Int]

  init(data: [Int], index: [Int], axis: Int) {
    self.index = index
    self.axis = axis
    axisSize = data[axis]
    strides = CopyKernel.strides(data)
  }

  func run(_ arguments: borrowing KernelArguments) throws {
    let (x, indices, y) = (arguments.operand(0, as: T.self), arguments.operand(1, as: Int64.self), arguments.result(as: T.self))
    let columns = index[index.count - 1]
    let isLast = axis == index.count - 1
    for row in 0..<(index.dropLast().reduce(1, *)) {
      var rest = row
      var base = 0
      for other in (0..<(index.count - 1)).reversed() {
        let (quotient, digit) = rest.quotientAndRemainder(dividingBy: index[other])
        if other != axis { base += digit * strides[other] }
        rest = quotient
      }
      for column in 0..<columns {
        let given = Int(indices[row * columns + column])
        let at = given < 0 ? given + axisSize : given
        guard at >= 0, at < axisSize else {
          throw KernelError.invalid("index \(given) is out of range for an axis of size \(axisSize)")
        }
        y[row * columns + column] = x[base + at * strides[axis] + (isLast ? 0 : column)]
      }
    }
  }
}
