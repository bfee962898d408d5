import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addElementwise() {
    addUnaryArithmetic()
    addBinaryArithmetic()
    self[.clip] = { context in
      var result = try context.tensor(0)
      // The upper bound last: it wins where both contradict each other.
      if let low = try context.optionalTensor(1) { result = try result.combined(with: low, .maximum) }
      if let high = try context.optionalTensor(2) { result = try result.combined(with: high, .minimum) }
      return [.tensor(try result.reshaped(context.tensor(0).shape))]
    }
    self[.minimum] = { context in [.tensor(try context.folded(.minimum))] }
    self[.maximum] = { context in [.tensor(try context.folded(.maximum))] }
    self[.sum] = { context in [.tensor(try context.summed { sum, _ in sum })] }
    self[.mean] = { context in [.tensor(try context.summed { $0 / Double($1) })] }
    self[.identity] = { context in [try context.value(0)] }
    addConversions()
    self[.where_] = { context in
      [.tensor(try Tensor.selecting(try context.tensor(0), try context.tensor(1), try context.tensor(2)))]
    }
  }

  private mutating func addUnaryArithmetic() {
    setUnary(.neg, { -$0 }, integer: { 0 &- $0 })
    setUnary(.abs, { Swift.abs($0) }, integer: { $0 < 0 ? 0 &- $0 : $0 }, unsigned: { $0 })
    setUnary(
      .sign, { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, integer: { $0.signum() }, unsigned: { $0.signum() })
    let functions: [(Operator, @Sendable (Double) -> Double)] = [
      (.sqrt, { $0.squareRoot() }), (.exp, { Foundation.exp($0) }), (.log, { Foundation.log($0) }),
      (.reciprocal, { 1 / $0 }), (.floor, { $0.rounded(.down) }), (.ceil, { $0.rounded(.up) }),
      (.round, { $0.rounded(.toNearestOrEven) }), (.erf, { Foundation.erf($0) }), (.sin, { Foundation.sin($0) }),
      (.cos, { Foundation.cos($0) }), (.tan, { Foundation.tan($0) }), (.asin, { Foundation.asin($0) }),
      (.acos, { Foundation.acos($0) }), (.atan, { Foundation.atan($0) }), (.sinh, { Foundation.sinh($0) }),
      (.cosh, { Foundation.cosh($0) }), (.asinh, { Foundation.asinh($0) }), (.acosh, { Foundation.acosh($0) }),
      (.atanh, { Foundation.atanh($0) }),
    ]
    for (op, function) in functions { setUnary(op, function) }
  }

  private mutating func addBinaryArithmetic() {
    setBinary(.add, .init({ $0 + $1 }) { $0 &+ $1 })
    setBinary(.sub, .init({ $0 - $1 }) { $0 &- $1 })
    setBinary(.mul, .init({ $0 * $1 }) { $0 &* $1 })
    setBinary(
      .div,
      .init({ $0 / $1 }, unsigned: { $1 == 0 ? 0 : $0 / $1 }) { a, b in
        b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
      })
    self[.mod] = { context in
      let function = context[Mod.fmod] ? BinaryFunction.truncatedRemainder : .floorRemainder
      return [.tensor(try context.tensor(0).combined(with: try context.tensor(1), function))]
    }
    self[.pow] = { context in [.tensor(try context.tensor(0).raised(to: try context.tensor(1)))] }
  }

  private mutating func addConversions() {
    self[.cast] = { context in
      let x = try context.tensor(0)
      return [.tensor(try x.cast(to: context[Cast.to], context[Cast.saturate], round: context[Cast.roundMode]))]
    }
    self[.castLike] = { context in
      let (x, type) = (try context.tensor(0), try context.tensor(1).elementType)
      return [.tensor(try x.cast(to: type, context[Cast.saturate], round: context[Cast.roundMode]))]
    }
    self[.bitCast] = { context in
      let x = try context.tensor(0)
      let type = context[BitCast.to]
      guard type.bitWidth == x.elementType.bitWidth, type != .string else { throw KernelError.elementType(type) }
      return [.tensor(try x.withUnsafeBytes { try Tensor(type, x.shape, bytes: $0) })]
    }
  }

  /// A function of one element, rounded once into the operand's type; integers wrap.
  mutating func setUnary(
    _ op: Operator, _ float: @escaping @Sendable (Double) -> Double,
    integer: (@Sendable (Int64) -> Int64)? = nil, unsigned: (@Sendable (UInt64) -> UInt64)? = nil
  ) {
    self[op] = { context in [.tensor(try context.tensor(0).mapped(float, integer: integer, unsigned: unsigned))] }
  }

  /// A function of two broadcast elements, rounded once into the operands' type; integers wrap.
  mutating func setBinary(_ op: Operator, _ function: BinaryFunction) {
    self[op] = { context in [.tensor(try context.tensor(0).combined(with: try context.tensor(1), function))] }
  }
}

extension ReferenceContext {
  /// All operands combined from the left.
  fileprivate func folded(_ function: BinaryFunction) throws -> Tensor {
    try operands.indices.dropFirst().reduce(try tensor(0)) { try $0.combined(with: try tensor($1), function) }
  }

  /// The sum of all operands, finished with their number and rounded once.
  fileprivate func summed(_ finish: (Double, Int) -> Double) throws -> Tensor {
    let tensors = try operands.indices.map(tensor)
    let shape = try Broadcast.shape(tensors.map(\.shape))
    var sums = Array(repeating: 0.0, count: try Selection.count(shape))
    for tensor in tensors {
      let values = try tensor.numbers().doubles
      for (i, j) in Broadcast.indices(tensor.shape, to: shape).enumerated() { sums[i] += values[j] }
    }
    return try Tensor(try tensor(0).elementType, shape, numbers: .floats(sums.map { finish($0, tensors.count) }))
  }
}

extension Tensor {
  /// The elements in another type as `converted(to:saturating:)` has it, and rounded as asked into powers of two.
  fileprivate func cast(to type: ElementType, _ saturating: Bool, round mode: String) throws -> Tensor {
    guard type == .float8e8m0, elementType != .string, mode != "nearest" else {
      return try converted(to: type, saturating: saturating)
    }
    let powers = try numbers().doubles.map { x in
      guard x > 0, x.isFinite else { return x }
      let below = x.binade
      return mode == "down" || below == x ? below : below * 2
    }
    return try Tensor(type, shape, numbers: .floats(powers), saturating: saturating)
  }

  /// The elements of a where the mask holds, else those of b, all broadcast; of any type of at least 8 bits.
  fileprivate static func selecting(_ mask: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
    guard a.elementType == b.elementType, a.elementType.bitWidth % 8 == 0 else { throw KernelError.elementType(b.elementType) }
    let shape = try Broadcast.shape([mask.shape, a.shape, b.shape])
    let (i, j) = (Broadcast.indices(a.shape, to: shape), Broadcast.indices(b.shape, to: shape))
    let holds: [Bool] = try mask.elements()
    let chosen = Broadcast.indices(mask.shape, to: shape).map { holds[$0] }
    if let x = a.strings, let y = b.strings {
      return try Tensor(shape, strings: chosen.indices.map { chosen[$0] ? x[i[$0]] : y[j[$0]] })
    }
    let size = a.elementType.bitWidth / 8
    return try a.withUnsafeBytes { x in
      try b.withUnsafeBytes { y in
        try Tensor(uninitialized: a.elementType, shape) { result in
          for k in chosen.indices {
            let source = chosen[k] ? x[(i[k] * size)..<(i[k] + 1) * size] : y[(j[k] * size)..<(j[k] + 1) * size]
            UnsafeMutableRawBufferPointer(rebasing: result[(k * size)..<(k + 1) * size])
              .copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
          }
        }
      }
    }
  }
}
