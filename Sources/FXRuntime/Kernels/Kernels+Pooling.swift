internal import CKernels
import FXCore

extension KernelTable {
  mutating func addPoolings() {
    self[.maxPool] = { $0.pooling(isMax: true) }
    self[.averagePool] = { $0.pooling(isMax: false) }
    self[.globalAveragePool] = { $0.globalPooling(FXK_REDUCE_MEAN) }
    self[.globalMaxPool] = { $0.globalPooling(FXK_REDUCE_MAX) }
  }
}

extension KernelRequest {
  fileprivate func globalPooling(_ op: fxk_reduce) -> KernelChoice? {
    guard isAll(.float32), shape(0).count >= 2 else { return nil }
    return reduction(op, over: Set(2..<shape(0).count))
  }

  /// Windows over one or two spatial axes.
  fileprivate func pooling(isMax: Bool) -> KernelChoice? {
    guard results[0].elementCount > 0, let pool = poolWindow(isMax: isMax) else { return nil }
    let cost = 0.3 * Double(pool.out_h * pool.out_w * pool.kernel_h * pool.kernel_w) + 20
    let division = WorkDivision(shape(0)[0] * shape(0)[1], nanosecondsEach: cost, threads: threads)
    if isMax { return .kernel(MaxPoolKernel(window: pool, division: division)) }
    return .kernel(
      AveragePoolKernel(window: pool, countsPadding: self[AveragePool.countIncludePad], division: division))
  }

  /// The window of a pooling of `float32` over one or two axes; `nil` for another.
  func poolWindow(isMax: Bool) -> fxk_pool2d? {
    let rank = shape(0).count - 2
    guard type(0) == .float32, rank == 1 || rank == 2, !isMax || self[MaxPool.storageOrder] == 0,
      let window = WindowGeometry(
        self, input: Array(shape(0).dropFirst(2)), output: Array(results[0].shape.dropFirst(2)),
        kernel: self[MaxPool.kernelShape])
    else { return nil }
    return window.plane
  }
}

private struct MaxPoolKernel: Kernel {
  let window: fxk_pool2d
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let indices = arguments.wants(1) ? arguments.result(1, as: Int64.self) : nil
    division.run(on: arguments.pool) { planes, _ in
      withUnsafePointer(to: window) {
        fxk_max_pool2d_f32($0, x, y, indices, Int64(window.in_h * window.in_w), planes.lowerBound, planes.upperBound)
      }
    }
  }
}

private struct AveragePoolKernel: Kernel {
  let window: fxk_pool2d
  let countsPadding: Bool
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { planes, _ in
      withUnsafePointer(to: window) {
        fxk_average_pool2d_f32($0, x, y, countsPadding, planes.lowerBound, planes.upperBound)
      }
    }
  }
}
