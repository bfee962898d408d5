internal import CKernels
import FXCore

extension KernelTable {
  mutating func addReductions() {
    let reductions: [(Operator, fxk_reduce)] = [
      (.reduceSum, FXK_REDUCE_SUM), (.reduceMean, FXK_REDUCE_MEAN), (.reduceMax, FXK_REDUCE_MAX),
      (.reduceMin, FXK_REDUCE_MIN), (.reduceSumSquare, FXK_REDUCE_SUM_SQUARE), (.reduceL1, FXK_REDUCE_L1),
      (.reduceL2, FXK_REDUCE_L2), (.reduceProd, FXK_REDUCE_PROD), (.reduceLogSum, FXK_REDUCE_LOG_SUM),
      (.reduceLogSumExp, FXK_REDUCE_LOG_SUM_EXP),
    ]
    for (op, function) in reductions { self[op] = { $0.reduction(function) } }
    self[.argmax] = { $0.argument(smallest: false) }
    self[.argmin] = { $0.argument(smallest: true) }
  }
}

extension KernelRequest {
  fileprivate func reduction(_ op: fxk_reduce) -> KernelChoice? {
    guard type(0) == .float32, results[0].elementType == .float32 else { return nil }
    let rank = shape(0).count
    var axes: [Int] = []
    if has(1) {
      guard let given = constantIntegers(1) else { return nil }
      axes = given.compactMap { KernelRequest.axis($0, rank: rank) }
      guard axes.count == given.count else { return nil }
    }
    if axes.isEmpty {
      if self[Reduce.noopWithEmptyAxes] {
        // Nothing is summed, but each element is still squared, made absolute, and so on.
        return [FXK_REDUCE_SUM, FXK_REDUCE_MEAN, FXK_REDUCE_MAX, FXK_REDUCE_MIN, FXK_REDUCE_PROD].contains(op)
          ? .view(ofOperand: 0) : nil
      }
      axes = Array(0..<rank)
    }
    return reduction(op, over: Set(axes))
  }

  /// The reduction of operand 0 over `axes`.
  func reduction(_ op: fxk_reduce, over axes: Set<Int>) -> KernelChoice? {
    guard results[0].elementCount > 0 else { return nil }
    // Runs of kept and reduced axes, those of size 1 left out.
    var groups: [(isReduced: Bool, size: Int)] = []
    for (axis, size) in shape(0).enumerated() where size != 1 {
      let isReduced = axes.contains(axis)
      if let last = groups.last, last.isReduced == isReduced {
        groups[groups.count - 1].size *= size
      } else {
        groups.append((isReduced, size))
      }
    }
    switch groups.map(\.isReduced) {
    case [], [true], [false], [false, true]:
      let rows = groups.first { !$0.isReduced }?.size ?? 1
      return .kernel(RowReduction(op: op, columns: groups.first { $0.isReduced }?.size ?? 1, rows: rows, threads: threads))
    case [true, false]:
      return .kernel(InnerReduction(op: op, outer: 1, columns: groups[0].size, inner: groups[1].size, threads: threads))
    case [false, true, false]:
      return .kernel(
        InnerReduction(op: op, outer: groups[0].size, columns: groups[1].size, inner: groups[2].size, threads: threads))
    default:
      // Other patterns are made rows by a copy.
      let order = shape(0).indices.filter { !axes.contains($0) } + shape(0).indices.filter { axes.contains($0) }
      guard let copy = CopyKernel(shape(0), order: order, elementSize: 4, threads: threads) else { return nil }
      let rows = results[0].elementCount
      let columns = (operands[0]?.elementCount ?? 0) / rows
      return .kernel(
        CopiedReduction(copy: copy, rows: RowReduction(op: op, columns: columns, rows: rows, threads: threads)),
        scratch: rows * columns * MemoryLayout<Float>.stride)
    }
  }

  fileprivate func argument(smallest: Bool) -> KernelChoice? {
    guard type(0) == .float32, let axis = KernelRequest.axis(self[ArgReduce.axis], rank: shape(0).count),
      results[0].elementCount > 0, shape(0)[axis] > 0
    else { return nil }
    let (rows, columns) = (results[0].elementCount, shape(0)[axis])
    var kernel = ArgKernel(
      columns: columns, smallest: smallest, last: self[ArgReduce.selectLastIndex], copy: nil,
      division: WorkDivision(rows, nanosecondsEach: Double(columns) + 5, threads: threads))
    guard shape(0)[(axis + 1)...].contains(where: { $0 != 1 }) else { return .kernel(kernel) }
    let order = shape(0).indices.filter { $0 != axis } + [axis]
    guard let copy = CopyKernel(shape(0), order: order, elementSize: 4, threads: threads) else { return nil }
    kernel.copy = copy
    return .kernel(kernel, scratch: rows * columns * MemoryLayout<Float>.stride)
  }
}

/// A reduction of the last axis.
struct RowReduction: Kernel {
  let op: fxk_reduce
  let columns: Int
  let division: WorkDivision

  init(op: fxk_reduce, columns: Int, rows: Int, threads: Int) {
    self.op = op
    self.columns = columns
    division = WorkDivision(rows, nanosecondsEach: 0.2 * Double(columns) + 5, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    run(arguments.operand(0), arguments.result(), on: arguments.pool)
  }

  func run(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, on pool: ThreadPool) {
    division.run(on: pool) { range, _ in
      fxk_reduce_rows_f32(op, x + range.lowerBound * columns, y + range.lowerBound, range.count, columns)
    }
  }
}

/// A reduction of the middle axis of [outer, columns, inner].
private struct InnerReduction: Kernel {
  let op: fxk_reduce
  let columns: Int
  let division: InnerDivision

  init(op: fxk_reduce, outer: Int, columns: Int, inner: Int, threads: Int) {
    self.op = op
    self.columns = columns
    division = InnerDivision(outer: outer, inner: inner, nanosecondsEach: 0.3 * Double(columns), threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let inner = division.inner
    division.run(on: arguments.pool) { blocks, positions, _ in
      let start = blocks.lowerBound * inner
      fxk_reduce_inner_f32(
        op, x + start * columns, y + start, blocks.count, columns, inner, positions.lowerBound, positions.upperBound)
    }
  }
}

/// A reduction of axes that a copy brings to the end.
private struct CopiedReduction: Kernel {
  let copy: CopyKernel
  let rows: RowReduction

  func run(_ arguments: borrowing KernelArguments) {
    copy.run(UnsafeRawPointer(arguments.operand(0, as: Float.self)), arguments.scratch, on: arguments.pool)
    rows.run(UnsafePointer(arguments.scratch.assumingMemoryBound(to: Float.self)), arguments.result(), on: arguments.pool)
  }
}

/// The position of a row's extreme.
private struct ArgKernel: Kernel {
  let columns: Int
  let smallest: Bool
  let last: Bool
  /// Brings the axis to the end where it is not there.
  var copy: CopyKernel?
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    var x = arguments.operand(0, as: Float.self)
    let y = arguments.result(as: Int64.self)
    if let copy {
      copy.run(UnsafeRawPointer(x), arguments.scratch, on: arguments.pool)
      x = UnsafePointer(arguments.scratch.assumingMemoryBound(to: Float.self))
    }
    let source = x
    division.run(on: arguments.pool) { range, _ in
      fxk_arg_rows_f32(source + range.lowerBound * columns, y + range.lowerBound, range.count, columns, smallest, last)
    }
  }
}
