internal import CKernels
import FXCore

extension KernelTable {
  mutating func addQuantizations() {
    self[.quantizeLinear] = { $0.quantization() }
    self[.dequantizeLinear] = { $0.dequantization() }
  }
}

extension KernelRequest {
  /// How scales lie over the tensor: one for all, or one for each position of an axis. `nil` for blocks.
  private func scales() -> ScaleLayout? {
    guard type(1) == .float32, let count = operands[1]?.elementCount else { return nil }
    if count == 1, shape(1).count <= 1 { return ScaleLayout(outer: 1, channels: 1, inner: operands[0]?.elementCount ?? 0) }
    guard self[Quantize.blockSize] == 0, shape(1).count == 1,
      let (outer, channels, inner) = split(at: self[Quantize.axis], shape(0)),
      channels == count
    else { return nil }
    return ScaleLayout(outer: outer, channels: channels, inner: inner)
  }

  fileprivate func quantization() -> KernelChoice? {
    guard type(0) == .float32, let scales = scales(), self[Quantize.precision].map({ $0 == .float32 }) ?? true else { return nil }
    switch results[0].elementType {
    case .int8: return .kernel(ScaleKernel(self, scales, zero: Int8.self) { fxk_quantize_i8($0, $1, $2, $3, $4) })
    case .uint8: return .kernel(ScaleKernel(self, scales, zero: UInt8.self) { fxk_quantize_u8($0, $1, $2, $3, $4) })
    default: return nil
    }
  }

  fileprivate func dequantization() -> KernelChoice? {
    guard results[0].elementType == .float32, let scales = scales() else { return nil }
    switch type(0) {
    case .int8: return .kernel(ScaleKernel(self, scales, zero: Int8.self) { fxk_dequantize_i8($0, $1, $2, $3, $4) })
    case .uint8: return .kernel(ScaleKernel(self, scales, zero: UInt8.self) { fxk_dequantize_u8($0, $1, $2, $3, $4) })
    case .int32: return .kernel(ScaleKernel(self, scales, zero: Int32.self) { fxk_dequantize_i32($0, $1, $2, $3, $4) })
    default: return nil
    }
  }
}

/// A tensor as [outer, channels, inner] with one scale per channel.
private struct ScaleLayout {
  let outer: Int
  let channels: Int
  let inner: Int

  /// Rows of one scale, or elements if there is one row.
  func division(threads: Int) -> WorkDivision {
    outer * channels == 1
      ? WorkDivision(inner, nanosecondsEach: ElementCost.simple, threads: threads)
      : WorkDivision(outer * channels, nanosecondsEach: ElementCost.simple * Double(inner) + 5, threads: threads)
  }

  /// Calls `body` with runs of elements of one channel.
  func forEachRun(in range: Range<Int>, _ body: (_ start: Int, _ count: Int, _ channel: Int) -> Void) {
    if outer * channels == 1 { return body(range.lowerBound, range.count, 0) }
    for row in range { body(row * inner, inner, row % channels) }
  }
}

/// Elements of `From` to elements of `To`, a scale and a zero point (of `Zero`) for each channel.
private struct ScaleKernel<From: Sendable, To: Sendable, Zero: FixedWidthInteger & Sendable>: Kernel {
  typealias Loop = @Sendable (UnsafePointer<From>, UnsafeMutablePointer<To>, Int, Float, Int32) -> Void
  let layout: ScaleLayout
  let division: WorkDivision
  let hasZeroPoint: Bool
  let loop: Loop

  init(_ request: KernelRequest, _ layout: ScaleLayout, zero: Zero.Type, _ loop: @escaping Loop) {
    self.layout = layout
    division = layout.division(threads: request.threads)
    hasZeroPoint = request.has(2)
    self.loop = loop
  }

  func run(_ arguments: borrowing KernelArguments) {
    let (x, scales, y) = (
      arguments.operand(0, as: From.self), arguments.operand(1, as: Float.self), arguments.result(as: To.self)
    )
    let zeroPoints = hasZeroPoint ? arguments.operand(2, as: Zero.self) : nil
    division.run(on: arguments.pool) { range, _ in
      layout.forEachRun(in: range) { start, count, channel in
        loop(x + start, y + start, count, scales[channel], zeroPoints.map { Int32($0[channel]) } ?? 0)
      }
    }
  }
}
