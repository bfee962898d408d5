/// A floating-point format of at most 16 bits, described by its parameters, with correctly rounded conversion.
///
/// Sources: IEEE 754 for `float16`; ONNX "Float stored in 8 bits" and "Float stored in 4 bits";
/// Micikevicius et al. 2022 (E4M3FN, E5M2); Noune et al. 2022 (FNUZ).
struct MiniFloat: Sendable {
  enum Specials: Sendable {
    /// Infinities and NaNs in the largest exponent.
    case ieee
    /// No infinities; all ones is NaN.
    case finite
    /// No infinities, no −0; the pattern of −0 is NaN.
    case finiteUnsignedZero
    /// No infinities, no NaN.
    case none
  }
  let exponentBits: Int
  let mantissaBits: Int
  let bias: Int
  let specials: Specials

  static func format(of type: ElementType) -> MiniFloat? {
    switch type {
    case .float16: MiniFloat(exponentBits: 5, mantissaBits: 10, bias: 15, specials: .ieee)
    case .bfloat16: MiniFloat(exponentBits: 8, mantissaBits: 7, bias: 127, specials: .ieee)
    case .float8e4m3fn: MiniFloat(exponentBits: 4, mantissaBits: 3, bias: 7, specials: .finite)
    case .float8e4m3fnuz: MiniFloat(exponentBits: 4, mantissaBits: 3, bias: 8, specials: .finiteUnsignedZero)
    case .float8e5m2: MiniFloat(exponentBits: 5, mantissaBits: 2, bias: 15, specials: .ieee)
    case .float8e5m2fnuz: MiniFloat(exponentBits: 5, mantissaBits: 2, bias: 16, specials: .finiteUnsignedZero)
    case .float4e2m1: MiniFloat(exponentBits: 2, mantissaBits: 1, bias: 1, specials: .none)
    default: nil
    }
  }

  private var signBit: UInt32 { 1 << UInt32(exponentBits + mantissaBits) }
  private var exponentMask: UInt32 { (1 << UInt32(exponentBits)) - 1 }
  private var mantissaMask: UInt32 { (1 << UInt32(mantissaBits)) - 1 }

  /// The bit pattern of a quiet NaN; in formats without one −0, as in ONNX's own cases.
  private var nan: UInt32 {
    switch specials {
    case .ieee: exponentMask << UInt32(mantissaBits) | 1 << UInt32(mantissaBits - 1)
    case .finite: signBit - 1
    case .finiteUnsignedZero: signBit
    case .none: signBit
    }
  }

  /// The largest finite magnitude's bit pattern.
  private var largest: UInt32 {
    switch specials {
    case .ieee: (exponentMask << UInt32(mantissaBits)) - 1
    case .finite: signBit - 2
    case .finiteUnsignedZero, .none: signBit - 1
    }
  }

  func decode(_ bits: UInt32) -> Double {
    let negative = bits & signBit != 0
    let magnitude = bits & (signBit - 1)
    switch specials {
    case .ieee:
      if magnitude >> UInt32(mantissaBits) == exponentMask {
        if magnitude & mantissaMask != 0 { return .nan }
        return negative ? -.infinity : .infinity
      }
    case .finite: if magnitude == signBit - 1 { return .nan }
    case .finiteUnsignedZero: if bits == signBit { return .nan }
    case .none: break
    }
    let exponent = Int(magnitude >> UInt32(mantissaBits))
    let mantissa = Double(magnitude & mantissaMask)
    let scale = Double(sign: .plus, exponent: max(exponent, 1) - bias - mantissaBits, significand: 1)
    let value = (exponent == 0 ? mantissa : mantissa + Double(1 << mantissaBits)) * scale
    return negative ? -value : value
  }

  /// The nearest value, ties to even. Beyond the largest finite value: that value if `saturating`, else infinity or,
  /// in formats without infinities, NaN. Formats without NaN always saturate, and take NaN as −0.
  func encode(_ value: Double, saturating: Bool) -> UInt32 {
    let sign = value.sign == .minus ? signBit : 0
    if value.isNaN { return nan | (specials == .finiteUnsignedZero || specials == .none ? 0 : sign) }
    let overflow: UInt32 =
      if saturating || specials == .none {
        sign | largest
      } else {
        specials == .ieee ? sign | exponentMask << UInt32(mantissaBits) : nan | (specials == .finite ? sign : 0)
      }
    if value.isInfinite { return overflow }
    let zero = specials == .finiteUnsignedZero ? 0 : sign
    if value == 0 { return zero }
    // Count in units of the last place at this magnitude; both steps are exact until the rounding.
    let exponent = max(Int(value.magnitude.exponent), 1 - bias)
    let unit = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
    let units = UInt32((value.magnitude / unit).rounded(.toNearestOrEven))
    // A carry out of the mantissa moves into the exponent by itself. Subnormals have exponent field 0.
    let magnitude = units + UInt32(exponent + bias - 1) << UInt32(mantissaBits)
    if magnitude == 0 { return zero }
    return magnitude > largest ? overflow : sign | magnitude
  }
}

/// `float8e8m0`: a power of two from 2⁻¹²⁷ to 2¹²⁷, no sign, 0xFF is NaN.
enum Float8E8M0 {
  static func decode(_ bits: UInt8) -> Double {
    bits == 0xFF ? .nan : Double(sign: .plus, exponent: Int(bits) - 127, significand: 1)
  }

  /// The nearest power of two, ties to the larger exponent as ONNX rounds; negative numbers are NaN when not saturating.
  static func encode(_ value: Double, saturating: Bool) -> UInt8 {
    if value.isNaN { return 0xFF }
    let magnitude = value.magnitude
    if magnitude.isInfinite { return saturating ? 254 : 0xFF }
    if magnitude == 0 { return 0 }
    let exponent = Int(magnitude.exponent) + (magnitude.significand >= 1.5 ? 1 : 0)
    if exponent > 127 { return saturating ? 254 : 0xFF }
    return UInt8(max(exponent, -127) + 127)
  }
}
