internal import CKernels
import FXCore

extension KernelTable {
  mutating func addElementwise() {
    let binary: [(Operator, fxk_binary)] = [
      (.add, FXK_BINARY_ADD), (.sub, FXK_BINARY_SUB), (.mul, FXK_BINARY_MUL), (.div, FXK_BINARY_DIV),
      (.prelu, FXK_BINARY_PRELU),
    ]
    for (op, function) in binary { self[op] = { try $0.binary(function) } }
    self[.mod] = { try $0.binary($0[Mod.fmod] ? FXK_BINARY_FMOD : FXK_BINARY_MOD, cost: ElementCost.library) }
    self[.pow] = { try $0.power() }
    self[.minimum] = { $0.chain(FXK_BINARY_MIN) }
    self[.maximum] = { $0.chain(FXK_BINARY_MAX) }
    self[.sum] = { $0.chain(FXK_BINARY_ADD) }
    self[.mean] = { $0.chain(FXK_BINARY_ADD, scale: 1 / Float(max($0.operands.count, 1))) }
    self[.where_] = { $0.selection() }
    self[.clip] = { $0.clip() }

    let simple: [(Operator, fxk_unary)] = [
      (.neg, FXK_UNARY_NEG), (.abs, FXK_UNARY_ABS), (.sign, FXK_UNARY_SIGN), (.reciprocal, FXK_UNARY_RECIPROCAL),
      (.sqrt, FXK_UNARY_SQRT), (.floor, FXK_UNARY_FLOOR), (.ceil, FXK_UNARY_CEIL), (.round, FXK_UNARY_ROUND),
    ]
    for (op, function) in simple { self[op] = { $0.unary(function, cost: ElementCost.simple) } }
    let polynomial: [(Operator, fxk_unary)] = [
      (.exp, FXK_UNARY_EXP), (.log, FXK_UNARY_LOG), (.sin, FXK_UNARY_SIN), (.cos, FXK_UNARY_COS), (.erf, FXK_UNARY_ERF),
    ]
    for (op, function) in polynomial { self[op] = { $0.unary(function) } }
    let library: [(Operator, fxk_unary)] = [
      (.tan, FXK_UNARY_TAN), (.asin, FXK_UNARY_ASIN), (.acos, FXK_UNARY_ACOS), (.atan, FXK_UNARY_ATAN),
      (.sinh, FXK_UNARY_SINH), (.cosh, FXK_UNARY_COSH), (.asinh, FXK_UNARY_ASINH), (.acosh, FXK_UNARY_ACOSH),
      (.atanh, FXK_UNARY_ATANH),
    ]
    for (op, function) in library { self[op] = { $0.unary(function, cost: ElementCost.library) } }
  }
}

extension KernelRequest {
  /// A function of one element of `float32` or `float64`.
  func unary(
    _ op: fxk_unary, alpha: Float = 0, beta: Float = 0, cost: Double = ElementCost.polynomial
  ) -> KernelChoice? {
    guard let type = type(0), results[0].elementType == type else { return nil }
    switch type {
    case .float32:
      let kernel = UnaryKernel<Float, Float>(self, nanosecondsEach: cost) { x, y, count in
        fxk_unary_f32(op, x, y, count, alpha, beta)
      }
      return .kernel(kernel, inPlace: inPlace([0]))
    case .float64:
      let kernel = UnaryKernel<Double, Double>(self, nanosecondsEach: max(cost, ElementCost.library)) { x, y, count in
        fxk_unary_f64(op, x, y, count, Double(alpha), Double(beta))
      }
      return .kernel(kernel, inPlace: inPlace([0]))
    default: return nil
    }
  }

  func binary(_ op: fxk_binary, cost: Double = ElementCost.simple) throws -> KernelChoice? {
    guard has(0), has(1), type(0) == type(1), results[0].elementType == type(0) else { return nil }
    func choice<T>(_ loop: @escaping BinaryKernel<T, T, T>.Loop) -> KernelChoice? {
      BinaryKernel(results[0].shape, shape(0), shape(1), threads: threads, nanosecondsEach: cost, loop)
        .map { .kernel($0, inPlace: inPlace([0, 1])) }
    }
    switch results[0].elementType {
    case .float32: return choice(floatLoop(op))
    case .float64:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_binary_f64(op, a, i, b, j, y, n) })
    case .int32:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_binary_i32(op, a, i, b, j, y, n) })
    case .int64:
      return choice(BinaryKernel.byRows { a, i, b, j, y, n in fxk_binary_i64(op, a, i, b, j, y, n) })
    default: return nil
    }
  }

  fileprivate func floatLoop(_ op: fxk_binary) -> BinaryKernel<Float, Float, Float>.Loop {
    { a, aRow, aColumn, b, bRow, bColumn, y, rows, columns in
      fxk_binary_rows_f32(op, a, aRow, aColumn, b, bRow, bColumn, y, rows, columns)
    }
  }

  /// The powers that are cheaper than a logarithm and an exponential; the general one where the types are equal.
  fileprivate func power() throws -> KernelChoice? {
    if type(0) == .float32, shape(1).allSatisfy({ $0 == 1 }), shape(1).count <= shape(0).count,
      let exponent = constantNumber(1)
    {
      switch exponent {
      case 1: return .view(ofOperand: 0)
      case 2: return unary(FXK_UNARY_SQUARE, cost: ElementCost.simple)
      case -1: return unary(FXK_UNARY_RECIPROCAL, cost: ElementCost.simple)
      default: break
      }
    }
    return try binary(FXK_BINARY_POW, cost: 4 * ElementCost.polynomial)
  }

  /// An associative function of any number of `float32` operands, and a factor at last.
  fileprivate func chain(_ op: fxk_binary, scale: Float = 1) -> KernelChoice? {
    guard isAll(.float32), !operands.isEmpty, operands.allSatisfy({ $0 != nil }) else { return nil }
    if operands.count == 1 { return .view(ofOperand: 0) }
    let shape = results[0].shape
    var steps: [BinaryKernel<Float, Float, Float>] = []
    for index in 1..<operands.count {
      guard
        let step = BinaryKernel(
          shape, index == 1 ? self.shape(0) : shape, self.shape(index), threads: threads, floatLoop(op))
      else { return nil }
      steps.append(step)
    }
    return .kernel(ChainKernel(steps: steps, scale: scale, count: results[0].elementCount), inPlace: inPlace([0]))
  }

  /// `clip` with bounds that are constants or left out.
  fileprivate func clip() -> KernelChoice? {
    guard type(0) == .float32 || type(0) == .float64 else { return nil }
    var bounds = [-Double.infinity, .infinity]
    for index in 0...1 where has(index + 1) {
      guard let bound = constantNumber(index + 1) else { return nil }
      bounds[index] = bound
    }
    // The bounds of float64 are kept in single precision by `unary`.
    guard type(0) == .float32 || bounds.allSatisfy({ Double(Float($0)) == $0 }) else { return nil }
    return unary(FXK_UNARY_CLIP, alpha: Float(bounds[0]), beta: Float(bounds[1]), cost: ElementCost.simple)
  }

  /// `where` on elements of 1, 4 or 8 bytes.
  fileprivate func selection() -> KernelChoice? {
    guard type(0) == .bool, type(1) == results[0].elementType, type(2) == results[0].elementType,
      let layout = BroadcastLayout(results[0].shape, operands: [shape(0), shape(1), shape(2)])
    else { return nil }
    let division = layout.division(nanosecondsEach: ElementCost.simple, threads: threads)
    switch results[0].elementType.bitWidth {
    case 32: return .kernel(SelectKernel<Float>(layout: layout, division: division), inPlace: inPlace([1, 2]))
    case 64: return .kernel(SelectKernel<UInt64>(layout: layout, division: division), inPlace: inPlace([1, 2]))
    case 8: return .kernel(SelectKernel<UInt8>(layout: layout, division: division), inPlace: inPlace([1, 2]))
    default: return nil
    }
  }
}

/// `f(… f(f(x₀, x₁), x₂) …, xₙ) × scale`
private struct ChainKernel: Kernel {
  let steps: [BinaryKernel<Float, Float, Float>]
  let scale: Float
  let count: Int

  func run(_ arguments: borrowing KernelArguments) {
    let y = arguments.result(as: Float.self)
    for (index, step) in steps.enumerated() {
      let left = index == 0 ? arguments.operand(0, as: Float.self) : UnsafePointer(y)
      step.run(left, arguments.operand(index + 1), y, on: arguments.pool)
    }
    if scale != 1 { fxk_unary_f32(FXK_UNARY_AFFINE, y, y, count, scale, 0) }
  }
}

/// `mask ? a : b` on elements as wide as `T`.
private struct SelectKernel<T: BitwiseCopyable & Sendable>: Kernel {
  let layout: BroadcastLayout
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let mask = arguments.operand(0, as: UInt8.self)
    let (a, b, y) = (arguments.operand(1, as: T.self), arguments.operand(2, as: T.self), arguments.result(as: T.self))
    division.run(on: arguments.pool) { range, _ in
      layout.forEachPiece(in: range) { start, rows, columns, position in
        for row in 0..<rows {
          select(
            mask + position.offset(0) + row * layout.rowStrides[0], a + position.offset(1) + row * layout.rowStrides[1],
            b + position.offset(2) + row * layout.rowStrides[2], y + start + row * columns, columns)
        }
      }
    }
  }

  private func select(
    _ mask: UnsafePointer<UInt8>, _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ count: Int
  ) {
    let (i, j, k) = (layout.columnStrides[0], layout.columnStrides[1], layout.columnStrides[2])
    if T.self == Float.self {
      return UnsafeRawPointer(a).withMemoryRebound(to: Float.self, capacity: count) { a in
        UnsafeRawPointer(b).withMemoryRebound(to: Float.self, capacity: count) { b in
          UnsafeMutableRawPointer(y).withMemoryRebound(to: Float.self, capacity: count) { y in
            fxk_select_f32(mask, i, a, j, b, k, y, count)
          }
        }
      }
    }
    for c in 0..<count { y[c] = mask[c * i] != 0 ? a[c * j] : b[c * k] }
  }
}
