internal import CKernels
import FXCore

extension KernelTable {
  mutating func addCasts() {
    self[.cast] = { $0.cast() }
    self[.castLike] = { $0.cast() }
  }
}

extension KernelRequest {
  /// The pairs of element types that models convert between.
  fileprivate func cast() -> KernelChoice? {
    guard let from = type(0) else { return nil }
    func choice<X: BitwiseCopyable, Y: BitwiseCopyable>(_ loop: @escaping UnaryKernel<X, Y>.Loop) -> KernelChoice {
      .kernel(
        UnaryKernel(self, nanosecondsEach: ElementCost.simple, loop),
        inPlace: MemoryLayout<X>.size == MemoryLayout<Y>.size ? [0] : [])
    }
    let to = results[0].elementType
    if from == to { return .view(ofOperand: 0) }
    switch (from, to) {
    case (.float16, .float32): return choice { fxk_f16_to_f32($0, $1, $2) }
    case (.float32, .float16): return choice { fxk_f32_to_f16($0, $1, $2) }
    case (.bfloat16, .float32): return choice { fxk_bf16_to_f32($0, $1, $2) }
    case (.float32, .bfloat16): return choice { fxk_f32_to_bf16($0, $1, $2) }
    case (.float64, .float32): return choice { fxk_f64_to_f32($0, $1, $2) }
    case (.float32, .float64): return choice { fxk_f32_to_f64($0, $1, $2) }
    case (.int8, .float32): return choice { fxk_i8_to_f32($0, $1, $2) }
    case (.uint8, .float32), (.bool, .float32): return choice { fxk_u8_to_f32($0, $1, $2) }
    case (.int32, .float32): return choice { fxk_i32_to_f32($0, $1, $2) }
    case (.int64, .float32): return choice { fxk_i64_to_f32($0, $1, $2) }
    case (.float32, .int32): return choice { fxk_f32_to_i32($0, $1, $2) }
    case (.float32, .int64): return choice { fxk_f32_to_i64($0, $1, $2) }
    case (.int32, .int64): return choice { fxk_i32_to_i64($0, $1, $2) }
    case (.int64, .int32): return choice { fxk_i64_to_i32($0, $1, $2) }
    case (.float32, .bool): return choice { (x: UnsafePointer<Float>, y, n) in withZero(0, x, y, n, fxk_compare_f32) }
    case (.int32, .bool): return choice { (x: UnsafePointer<Int32>, y, n) in withZero(0, x, y, n, fxk_compare_i32) }
    case (.int64, .bool): return choice { (x: UnsafePointer<Int64>, y, n) in withZero(0, x, y, n, fxk_compare_i64) }
    case (.bool, .int64), (.uint8, .int64):
      return choice { (x: UnsafePointer<UInt8>, y: UnsafeMutablePointer<Int64>, n) in
        for i in 0..<n { y[i] = Int64(x[i]) }
      }
    case (.bool, .int32), (.uint8, .int32):
      return choice { (x: UnsafePointer<UInt8>, y: UnsafeMutablePointer<Int32>, n) in
        for i in 0..<n { y[i] = Int32(x[i]) }
      }
    default: return nil
    }
  }
}

/// y[i] = x[i] ≠ 0
private func withZero<T>(
  _ zero: T, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<UInt8>, _ count: Int,
  _ compare: (fxk_compare, UnsafePointer<T>?, Int, UnsafePointer<T>?, Int, UnsafeMutablePointer<UInt8>?, Int) -> Void
) {
  withUnsafePointer(to: zero) { compare(FXK_COMPARE_NE, x, 1, $0, 0, y, count) }
}
