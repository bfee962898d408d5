internal import CKernels
import FXCore

/// Kernels that map quantized numbers one by one or pool them. Their scales are constants: lowering makes them so.
extension KernelTable {
  mutating func addIntegerMaps() {
    self[.integerLookup] = { request in
      guard request.has(1), request.operands[1]?.elementCount == 256, request.type(0)?.bitWidth == 8 else { return nil }
      let kernel = LookupKernel(
        division: WorkDivision(
          request.results[0].elementCount, nanosecondsEach: ElementCost.simple, threads: request.threads))
      return .kernel(kernel, inPlace: request.inPlace([0]))
    }
    self[.integerAdd] = { try $0.integerBinary(multiplies: false) }
    self[.integerMul] = { try $0.integerBinary(multiplies: true) }
    self[.integerMaxPool] = { $0.integerMaxPooling() }
    self[.integerAveragePool] = { $0.integerAveragePooling() }
    self[.dynamicQuantizeLinear] = { request in
      guard request.type(0) == .float32 else { return nil }
      return .kernel(DynamicQuantizeKernel(count: request.results[0].elementCount, threads: request.threads))
    }
  }
}

extension KernelRequest {
  /// A constant zero point as a byte without sign, and what flips its tensor's bytes; `nil` if it is no constant.
  fileprivate func zeroPoint(_ index: Int, of type: ElementType?) -> (zero: Int32, flip: UInt8)? {
    guard type == .int8 || type == .uint8 else { return nil }
    let shift = type == .int8 ? 128 : 0
    guard has(index) else { return (Int32(shift), UInt8(shift)) }
    guard let number = constantNumber(index) else { return nil }
    return (Int32(number) + Int32(shift), UInt8(shift))
  }

  private func bound(_ key: AttributeKey<Int>) -> Int32 {
    Int32(min(max(self[key] + (results[0].elementType == .int8 ? 128 : 0), 0), 255))
  }

  fileprivate func integerBinary(multiplies: Bool) throws -> KernelChoice? {
    guard let a = zeroPoint(2, of: type(0)), let b = zeroPoint(5, of: type(3)),
      let y = zeroPoint(7, of: results[0].elementType), let aScale = constantNumber(1), let bScale = constantNumber(4),
      let yScale = constantNumber(6)
    else { return nil }
    let op = fxk_int_binary(
      multiplies: multiplies, a_zero: a.zero, b_zero: b.zero, y_zero: y.zero, a_scale: Float(aScale), b_scale: Float(bScale),
      y_scale: Float(yScale), a_flip: a.flip, b_flip: b.flip, y_flip: y.flip, low: bound(IntegerOutput.low),
      high: bound(IntegerOutput.high))
    guard
      let kernel = BinaryKernel<UInt8, UInt8, UInt8>(
        results[0].shape, shape(0), shape(3), threads: threads, nanosecondsEach: 0.3,
        { a, aRow, aColumn, b, bRow, bColumn, y, rows, columns in
          withUnsafePointer(to: op) { fxk_int_binary_rows($0, a, aRow, aColumn, b, bRow, bColumn, y, rows, columns) }
        })
    else { return nil }
    return .kernel(IntegerBinaryKernel(map: kernel), inPlace: inPlace([0, 3]))
  }

  /// The window of a pooling of [batch, height, width, channels].
  private func poolWindow(kernel: [Int]?) -> fxk_int_window? {
    let (x, y) = (shape(0), results[0].shape)
    guard x.count == 4, y.count == 4,
      let window = WindowGeometry(self, input: Array(x[1...2]), output: Array(y[1...2]), kernel: kernel ?? Array(x[1...2]))
    else { return nil }
    return fxk_int_window(window, channels: x[3], groupChannels: x[3])
  }

  fileprivate func integerMaxPooling() -> KernelChoice? {
    if results[0].elementCount == 0 { return .kernel(NothingKernel()) }
    guard let window = poolWindow(kernel: self[MaxPool.kernelShape]), let type = type(0), type.bitWidth == 8 else { return nil }
    let cost = 0.05 * Double(window.out.1 * window.kernel.0 * window.kernel.1 * window.channels) + 20
    let division = WorkDivision(results[0].shape[0] * window.out.0, nanosecondsEach: cost, threads: threads)
    return .kernel(IntegerMaxPoolKernel(window: window, flip: type == .int8 ? 0x80 : 0, division: division))
  }

  fileprivate func integerAveragePooling() -> KernelChoice? {
    if results[0].elementCount == 0 { return .kernel(NothingKernel()) }
    guard let window = poolWindow(kernel: self[Conv.kernelShape]),
      let x = zeroPoint(2, of: type(0)), let y = zeroPoint(4, of: results[0].elementType), let xScale = constantNumber(1),
      let yScale = constantNumber(3)
    else { return nil }
    let mean = fxk_int_mean(
      x_zero: x.zero, y_zero: y.zero, low: bound(IntegerOutput.low), high: bound(IntegerOutput.high), x_scale: Float(xScale),
      y_scale: Float(yScale), x_flip: x.flip, y_flip: y.flip)
    let cost = 0.1 * Double(window.out.1 * window.kernel.0 * window.kernel.1 * window.channels) + 20
    let kernel = IntegerAveragePoolKernel(
      window: window, mean: mean, countsPadding: self[AveragePool.countIncludePad], threads: threads,
      division: WorkDivision(results[0].shape[0] * window.out.0, nanosecondsEach: cost, threads: threads))
    return .kernel(kernel, scratch: kernel.channelBytes * threads)
  }
}

private struct LookupKernel: Kernel {
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, table) = (arguments.operand(0, as: UInt8.self), arguments.operand(1, as: UInt8.self))
    let y = arguments.result(as: UInt8.self)
    division.run(on: arguments.pool) { range, _ in
      fxk_int_lookup(table, x + range.lowerBound, y + range.lowerBound, range.count)
    }
  }
}

/// A map of operands 0 and 3.
private struct IntegerBinaryKernel: Kernel {
  let map: BinaryKernel<UInt8, UInt8, UInt8>

  func run(_ arguments: borrowing KernelArguments) {
    map.run(arguments.operand(0), arguments.operand(3), arguments.result(), on: arguments.pool)
  }
}

private struct IntegerMaxPoolKernel: Kernel {
  let window: fxk_int_window
  let flip: UInt8
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: UInt8.self), arguments.result(as: UInt8.self))
    division.run(on: arguments.pool) { rows, _ in
      withUnsafePointer(to: window) { fxk_int_max_pool($0, flip, x, y, rows.lowerBound, rows.upperBound) }
    }
  }
}

private struct IntegerAveragePoolKernel: Kernel {
  let window: fxk_int_window
  let mean: fxk_int_mean
  let countsPadding: Bool
  let threads: Int
  let division: WorkDivision

  /// A sum for each channel, to a whole vector.
  var channelBytes: Int { (window.channels + 15) / 16 * 64 }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: UInt8.self), arguments.result(as: UInt8.self))
    let scratch = arguments.scratch
    division.run(on: arguments.pool) { rows, worker in
      let sums = (scratch + worker * channelBytes).assumingMemoryBound(to: Int32.self)
      withUnsafePointer(to: window) { window in
        withUnsafePointer(to: mean) {
          fxk_int_average_pool(window, $0, countsPadding, x, y, rows.lowerBound, rows.upperBound, sums)
        }
      }
    }
  }
}

/// Bytes over the operand's own range, its scale and zero point. The range is found by one thread; it does not depend on
/// the order.
private struct DynamicQuantizeKernel: Kernel {
  let count: Int
  let division: WorkDivision

  init(count: Int, threads: Int) {
    self.count = count
    division = WorkDivision(count, nanosecondsEach: ElementCost.simple, threads: threads)
  }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: UInt8.self))
    var (low, high) = (Float(0), Float(0))
    fxk_range_f32(x, count, &low, &high)
    let scale = low == high ? 1 : (high - low) / 255
    let zeroPoint = min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
    if arguments.wants(1) { arguments.result(1, as: Float.self)[0] = scale }
    let zero = UInt8(zeroPoint.isNaN ? 0 : zeroPoint)
    if arguments.wants(2) { arguments.result(2, as: UInt8.self)[0] = zero }
    division.run(on: arguments.pool) { range, _ in
      fxk_quantize_u8(x + range.lowerBound, y + range.lowerBound, range.count, scale, Int32(zero))
    }
  }
}
