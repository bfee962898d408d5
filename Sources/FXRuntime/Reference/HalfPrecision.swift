import FXCore

/// Rounding to a 16-bit floating-point type after every step, for operators whose definition computes in it.
struct HalfPrecision: Sendable {
  private let isBrain: Bool

  /// `nil` for types that are wide enough for one rounding at the end to do.
  init?(_ type: ElementType) {
    guard type == .float16 || type == .bfloat16 else { return nil }
    isBrain = type == .bfloat16
  }

  /// The nearest number of the type, ties to even, by way of `float32` as such steps are carried out.
  func callAsFunction(_ x: Double) -> Double {
    let bits = Float(x).bitPattern
    if !isBrain { return half(Float(x)) }
    // Adding all but the last kept bit's half carries over exactly where the number is to be rounded up.
    return x.isNaN ? x : Double(Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000))
  }

  /// The sum of rounded numbers: rounded after each step in `bfloat16`, once in `float16`, as NumPy adds them.
  func sum(_ numbers: ArraySlice<Double>) -> Double {
    isBrain ? numbers.reduce(0) { self($0 + $1) } : self(numbers.reduce(0, +))
  }

  private func half(_ x: Float) -> Double {
    guard x.isFinite, x != 0 else { return Double(x) }
    // Count in units of the last place: 11 significant bits, from 2⁻²⁴ on.
    let unit = Float(sign: .plus, exponent: max(Int(x.exponent), -14) - 10, significand: 1)
    let rounded = (x / unit).rounded(.toNearestOrEven) * unit
    return abs(rounded) > 65504 ? Double(x < 0 ? -Float.infinity : .infinity) : Double(rounded)
  }
}

extension HalfPrecision? {
  /// The number rounded if there is a type to round to.
  func callAsFunction(_ x: Double) -> Double { map { $0(x) } ?? x }

  func sum(_ numbers: ArraySlice<Double>) -> Double { map { $0.sum(numbers) } ?? numbers.reduce(0, +) }
}
