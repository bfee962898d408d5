import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addElementwise() {
    setUnary(.neg, { -$0 }) { 0 &- $0 }
    setUnary(.abs, { Swift.abs($0) }) { $0 < 0 ? 0 &- $0 : $0 }
    setUnary(.sign, { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }) { $0.signum() }
    setUnary(.identity, { $0 }) { $0 }
    let functions: [(Operator, @Sendable (Double) -> Double)] = [
      (.sqrt, { $0.squareRoot() }), (.exp, { Foundation.exp($0) }), (.log, { Foundation.log($0) }),
      (.reciprocal, { 1 / $0 }), (.floor, { $0.rounded(.down) }), (.ceil, { $0.rounded(.up) }),
      (.round, { $0.rounded(.toNearestOrEven) }), (.erf, { Foundation.erf($0) }), (.sin, { Foundation.sin($0) }),
      (.cos, { Foundation.cos($0) }), (.tan, { Foundation.tan($0) }), (.asin, { Foundation.asin($0) }),
      (.acos, { Foundation.acos($0) }), (.atan, { Foundation.atan($0) }), (.sinh, { Foundation.sinh($0) }),
      (.cosh, { Foundation.cosh($0) }), (.asinh, { Foundation.asinh($0) }), (.acosh, { Foundation.acosh($0) }),
      (.atanh, { Foundation.atanh($0) }),
    ]
    for (op, function) in functions { setUnary(op, function, nil) }
    setBinary(.add, { $0 + $1 }) { $0 &+ $1 }
    setBinary(.sub, { $0 - $1 }) { $0 &- $1 }
    setBinary(.mul, { $0 * $1 }) { $0 &* $1 }
  }

  /// A function of one element, rounded once into the operand's type; integers wrap.
  mutating func setUnary(
    _ op: Operator, _ float: @escaping @Sendable (Double) -> Double, _ integer: (@Sendable (Int64) -> Int64)?
  ) {
    self[op] = { context in
      let x = try context.tensor(0)
      return [.tensor(try x.mapped(float, integer))]
    }
  }

  /// A function of two broadcast elements, rounded once into the operands' type; integers wrap.
  mutating func setBinary(
    _ op: Operator, _ float: @escaping @Sendable (Double, Double) -> Double,
    _ integer: @escaping @Sendable (Int64, Int64) throws -> Int64
  ) {
    self[op] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      let shape = try Broadcast.shape([a.shape, b.shape])
      let (i, j) = (Broadcast.indices(a.shape, to: shape), Broadcast.indices(b.shape, to: shape))
      let numbers: Numbers
      switch (try a.numbers(), try b.numbers()) {
      case (.floats(let x), .floats(let y)): numbers = .floats(i.indices.map { float(x[i[$0]], y[j[$0]]) })
      case (let x, let y):
        let (x, y) = (x.bits, y.bits)
        numbers = .signed(try i.indices.map { try integer(x[i[$0]], y[j[$0]]) })
      }
      return [.tensor(try Tensor(a.elementType, shape, numbers: numbers, saturating: false))]
    }
  }
}

extension Tensor {
  /// The elements mapped in `Double`, or in 64-bit integers for integer types.
  func mapped(_ float: (Double) -> Double, _ integer: ((Int64) -> Int64)?) throws -> Tensor {
    switch try numbers() {
    case .floats(let x): return try Tensor(elementType, shape, numbers: .floats(x.map(float)), saturating: false)
    case let numbers:
      guard let integer else { throw KernelError.elementType(elementType) }
      return try Tensor(elementType, shape, numbers: .signed(numbers.bits.map(integer)))
    }
  }
}

extension Numbers {
  /// Integers as 64-bit patterns, on which wrapping arithmetic is the same for both signs; floats truncated.
  var bits: [Int64] {
    switch self {
    case .signed(let x): x
    case .unsigned(let x): x.map(Int64.init(bitPattern:))
    case .floats(let x): x.map { Int64(exactly: $0.rounded(.towardZero)) ?? 0 }
    }
  }
}
