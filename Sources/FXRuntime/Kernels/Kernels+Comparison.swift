internal import CKernels
import FXCore

extension KernelTable {
  mutating func addComparisons() {
    let comparisons: [(Operator, fxk_compare)] = [
      (.equal, FXK_COMPARE_EQ), (.notEqual, FXK_COMPARE_NE), (.less, FXK_COMPARE_LT), (.lessOrEqual, FXK_COMPARE_LE),
      (.greater, FXK_COMPARE_GT), (.greaterOrEqual, FXK_COMPARE_GE),
    ]
    for (op, function) in comparisons { self[op] = { $0.comparison(function) } }
    self[.and] = { $0.logic { $0 & $1 } }
    self[.or] = { $0.logic { $0 | $1 } }
    self[.xor] = { $0.logic { $0 ^ $1 } }
    self[.not] = { request in
      guard request.isAll(.bool) else { return nil }
      let kernel = UnaryKernel<UInt8, UInt8>(request, nanosecondsEach: ElementCost.simple) { x, y, count in
        for i in 0..<count { y[i] = x[i] ^ 1 }
      }
      return .kernel(kernel, inPlace: request.inPlace([0]))
    }
    self[.isNaN] = { request in
      guard request.type(0) == .float32 else { return nil }
      let kernel = UnaryKernel<Float, UInt8>(request, nanosecondsEach: ElementCost.simple) { x, y, count in
        fxk_compare_f32(FXK_COMPARE_NE, x, 1, x, 1, y, count)
      }
      return .kernel(kernel)
    }
  }
}

extension KernelRequest {
  fileprivate func comparison(_ op: fxk_compare) -> KernelChoice? {
    guard has(0), has(1), type(0) == type(1) else { return nil }
    func choice<T>(_ loop: @escaping BinaryKernel<T, T, UInt8>.Loop) -> KernelChoice? {
      BinaryKernel(results[0].shape, shape(0), shape(1), threads: threads, loop).map { .kernel($0) }
    }
    switch type(0) {
    case .float32:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_compare_f32(op, a, i, b, j, y, n) })
    case .int32:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_compare_i32(op, a, i, b, j, y, n) })
    case .int64:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_compare_i64(op, a, i, b, j, y, n) })
    case .bool where op == FXK_COMPARE_EQ: return logic { ~($0 ^ $1) & 1 }
    case .bool where op == FXK_COMPARE_NE: return logic { $0 ^ $1 }
    default: return nil
    }
  }

  /// A function of two booleans, stored as 0 and 1.
  fileprivate func logic(_ function: @escaping @Sendable (UInt8, UInt8) -> UInt8) -> KernelChoice? {
    guard isAll(.bool), has(0), has(1) else { return nil }
    let kernel = BinaryKernel<UInt8, UInt8, UInt8>(
      results[0].shape, shape(0), shape(1), threads: threads, nanosecondsEach: 1,
      BinaryKernel.byRows { a, i, b, j, y, n in for c in 0..<n { y[c] = function(a[c * i], b[c * j]) } })
    return kernel.map { .kernel($0, inPlace: inPlace([0, 1])) }
  }
}
