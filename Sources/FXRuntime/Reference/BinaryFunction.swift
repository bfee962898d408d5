import FXCore
import Foundation

/// A function of two numbers, given for each kind of number.
struct BinaryFunction: Sendable {
  let float: @Sendable (Double, Double) -> Double
  let signed: @Sendable (Int64, Int64) -> Int64
  /// For `uint64`, where it differs from what `signed` does to the bits.
  let unsigned: (@Sendable (UInt64, UInt64) -> UInt64)?

  init(
    _ float: @escaping @Sendable (Double, Double) -> Double, unsigned: (@Sendable (UInt64, UInt64) -> UInt64)? = nil,
    _ signed: @escaping @Sendable (Int64, Int64) -> Int64
  ) {
    self.float = float
    self.unsigned = unsigned
    self.signed = signed
  }

  /// The smaller; NaN if either is NaN.
  static let minimum = BinaryFunction(
    { $0.isNaN || $0 < $1 ? $0 : $1.isNaN ? $1 : $1 < $0 ? $1 : $0 }, unsigned: { Swift.min($0, $1) }
  ) { Swift.min($0, $1) }
  /// The larger; NaN if either is NaN.
  static let maximum = BinaryFunction(
    { $0.isNaN || $0 > $1 ? $0 : $1.isNaN ? $1 : $1 > $0 ? $1 : $0 }, unsigned: { Swift.max($0, $1) }
  ) { Swift.max($0, $1) }

  /// a − trunc(a / b) b, of the dividend's sign; 0 for an integer divisor of 0.
  static let truncatedRemainder = BinaryFunction({ fmod($0, $1) }, unsigned: { $1 == 0 ? 0 : $0 % $1 }) { a, b in
    b == 0 ? 0 : a.remainderReportingOverflow(dividingBy: b).partialValue
  }
  /// a − ⌊a / b⌋ b, of the divisor's sign; 0 for an integer divisor of 0.
  static let floorRemainder = BinaryFunction(
    { a, b in
      let remainder = fmod(a, b)
      if remainder == 0 { return b < 0 ? -0.0 : 0.0 }
      return (remainder < 0) != (b < 0) ? remainder + b : remainder
    },
    unsigned: { $1 == 0 ? 0 : $0 % $1 }
  ) { a, b in
    guard b != 0 else { return 0 }
    let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
    return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
  }
}

extension Tensor {
  /// The elements mapped in `Double`, or in 64-bit integers for integer types, rounded once into the tensor's type.
  /// - Parameter unsigned: for `uint64`, where it differs from what `integer` does to the bits.
  /// - Throws: `KernelError.elementType` for integers if there is no function for them.
  func mapped(
    _ float: (Double) -> Double, integer: ((Int64) -> Int64)? = nil, unsigned: ((UInt64) -> UInt64)? = nil
  ) throws -> Tensor {
    let result: Numbers
    switch try numbers() {
    case .floats(let x): result = .floats(x.map(float))
    case .unsigned(let x) where unsigned != nil: result = .unsigned(x.map { unsigned?($0) ?? $0 })
    case let numbers:
      guard let integer else { throw KernelError.elementType(elementType) }
      result = .signed(numbers.bits.map(integer))
    }
    return try Tensor(elementType, shape, numbers: result, saturating: false)
  }

  /// A function of this tensor's elements and another's, broadcast, rounded once into the tensors' type.
  /// - Throws: `KernelError.notBroadcastable`; `.elementType` if the types differ.
  func combined(with other: Tensor, _ function: BinaryFunction) throws -> Tensor {
    guard elementType == other.elementType else { throw KernelError.elementType(other.elementType) }
    let shape = try Broadcast.shape([self.shape, other.shape])
    let (i, j) = (Broadcast.indices(self.shape, to: shape), Broadcast.indices(other.shape, to: shape))
    let result: Numbers
    switch (try numbers(), try other.numbers()) {
    case (.floats(let x), .floats(let y)): result = .floats(i.indices.map { function.float(x[i[$0]], y[j[$0]]) })
    case (.unsigned(let x), .unsigned(let y)) where function.unsigned != nil:
      result = .unsigned(i.indices.map { function.unsigned?(x[i[$0]], y[j[$0]]) ?? 0 })
    case (let x, let y):
      let (x, y) = (x.bits, y.bits)
      result = .signed(i.indices.map { function.signed(x[i[$0]], y[j[$0]]) })
    }
    return try Tensor(elementType, shape, numbers: result, saturating: false)
  }

  /// The elements to the power of another tensor's, which may be of another type. Integers to integer powers wrap, and
  /// are 0 for negative powers that are not integers.
  func raised(to exponent: Tensor) throws -> Tensor {
    let shape = try Broadcast.shape([self.shape, exponent.shape])
    let (i, j) = (Broadcast.indices(self.shape, to: shape), Broadcast.indices(exponent.shape, to: shape))
    let result: Numbers
    switch (try numbers(), try exponent.numbers()) {
    case (.signed(let x), .signed(let y)): result = .signed(i.indices.map { integerPower(x[i[$0]], y[j[$0]]) })
    case (let x, let y):
      let (x, y) = (x.doubles, y.doubles)
      result = .floats(i.indices.map { Foundation.pow(x[i[$0]], y[j[$0]]) })
    }
    return try Tensor(elementType, shape, numbers: result, saturating: false)
  }
}

/// aᵇ by repeated squaring, wrapping.
private func integerPower(_ a: Int64, _ b: Int64) -> Int64 {
  if b < 0 { return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0 }
  var (result, base, exponent) = (Int64(1), a, b)
  while exponent > 0 {
    if exponent & 1 == 1 { result = result &* base }
    base = base &* base
    exponent >>= 1
  }
  return result
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
