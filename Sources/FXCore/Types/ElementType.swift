/// The type of a tensor's elements: every element type of ONNX's `TensorProto.DataType`.
///
/// The text format writes `rawValue` (`f32`, `i64`, `bool`, …).
public enum ElementType: String, Sendable, Hashable, CaseIterable, Codable {
  /// IEEE 754 double precision.
  case float64 = "f64"
  /// IEEE 754 single precision: what numbers with a point in programs become.
  case float32 = "f32"
  /// IEEE 754 half precision: 5 exponent and 10 mantissa bits.
  case float16 = "f16"
  /// The upper half of a `float32`: 8 exponent and 7 mantissa bits.
  case bfloat16 = "bf16"
  /// 4 exponent and 3 mantissa bits, finite, one NaN pattern per sign.
  case float8e4m3fn = "f8e4m3fn"
  /// As `float8e4m3fn` with bias 8, without negative zero; NaN is 0x80.
  case float8e4m3fnuz = "f8e4m3fnuz"
  /// 5 exponent and 2 mantissa bits, with infinities as in IEEE 754.
  case float8e5m2 = "f8e5m2"
  /// As `float8e5m2` with bias 16, finite, without negative zero; NaN is 0x80.
  case float8e5m2fnuz = "f8e5m2fnuz"
  /// 8 exponent bits and nothing else: powers of two from 2⁻¹²⁷; NaN is 0xFF.
  case float8e8m0 = "f8e8m0"
  /// 2 exponent bits and 1 mantissa bit, finite, two elements a byte.
  case float4e2m1 = "f4e2m1"
  /// Signed 64-bit integers: the type of shapes and indices.
  case int64 = "i64"
  /// Signed 32-bit integers.
  case int32 = "i32"
  /// Signed 16-bit integers.
  case int16 = "i16"
  /// Signed 8-bit integers.
  case int8 = "i8"
  /// Signed integers from −8 to 7, two elements a byte.
  case int4 = "i4"
  /// Signed integers from −2 to 1, four elements a byte.
  case int2 = "i2"
  /// Unsigned 64-bit integers.
  case uint64 = "u64"
  /// Unsigned 32-bit integers.
  case uint32 = "u32"
  /// Unsigned 16-bit integers.
  case uint16 = "u16"
  /// Unsigned 8-bit integers.
  case uint8 = "u8"
  /// Unsigned integers from 0 to 15, two elements a byte.
  case uint4 = "u4"
  /// Unsigned integers from 0 to 3, four elements a byte.
  case uint2 = "u2"
  /// Truth values, a byte each: 0 is false, 1 is true.
  case bool = "bool"
  /// Texts of any length, kept as Swift strings: such tensors have no bytes.
  case string = "str"
  /// Two `float32`: real, imaginary.
  case complex64 = "c64"
  /// Two `float64`: real, imaginary.
  case complex128 = "c128"

  /// The number of bits one element occupies in a tensor's storage; 0 for strings.
  /// Elements narrower than a byte are packed, the first in the low bits, as ONNX packs them.
  public var bitWidth: Int {
    switch self {
    case .complex128: 128
    case .float64, .int64, .uint64, .complex64: 64
    case .float32, .int32, .uint32: 32
    case .float16, .bfloat16, .int16, .uint16: 16
    case .int8, .uint8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0: 8
    case .int4, .uint4, .float4e2m1: 4
    case .int2, .uint2: 2
    case .string: 0
    }
  }

  /// The bytes that `count` packed elements occupy, or `nil` if that exceeds `Int`, or for strings.
  public func byteCount(elements count: Int) -> Int? {
    guard self != .string, count >= 0 else { return nil }
    if bitWidth >= 8 {
      let (bytes, overflow) = count.multipliedReportingOverflow(by: bitWidth / 8)
      return overflow ? nil : bytes
    }
    let perByte = 8 / bitWidth
    return count / perByte + (count % perByte == 0 ? 0 : 1)
  }

  /// Floating-point types of any width, complex ones excluded.
  public var isFloatingPoint: Bool { ElementTypes.anyFloat.contains(self) }
  /// Signed and unsigned integers of any width; `bool` is none.
  public var isInteger: Bool { ElementTypes.integer.contains(self) }
  /// Signed integers of any width.
  public var isSignedInteger: Bool { ElementTypes.signedInteger.contains(self) }
  /// `complex64` and `complex128`.
  public var isComplex: Bool { self == .complex64 || self == .complex128 }

  /// The closed range of an integer type of at most 64 bits as `Int`s; `uint64` is cut at `Int.max`; `nil` for others.
  public var integerRange: ClosedRange<Int>? {
    guard isInteger else { return nil }
    if isSignedInteger { return (Int.min >> (64 - bitWidth))...(Int.max >> (64 - bitWidth)) }
    return 0...(bitWidth == 64 ? Int.max : (1 << bitWidth) - 1)
  }
}

/// A set of element types, as a bit per type: what an operator's type variable may stand for.
public struct ElementTypes: OptionSet, Sendable, Hashable {
  public let rawValue: UInt32

  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A set of the types listed.
  public init(_ types: ElementType...) {
    rawValue = types.reduce(0) { $0 | ElementTypes.bit($1) }
  }

  /// Whether the type is in the set. O(1).
  public func contains(_ type: ElementType) -> Bool { rawValue & ElementTypes.bit(type) != 0 }

  /// The members, in the order of `ElementType.allCases`.
  public var types: [ElementType] { ElementType.allCases.filter(contains) }

  private static func bit(_ type: ElementType) -> UInt32 {
    let index: UInt32 =
      switch type {
      case .float64: 0
      case .float32: 1
      case .float16: 2
      case .bfloat16: 3
      case .float8e4m3fn: 4
      case .float8e4m3fnuz: 5
      case .float8e5m2: 6
      case .float8e5m2fnuz: 7
      case .float8e8m0: 8
      case .float4e2m1: 9
      case .int64: 10
      case .int32: 11
      case .int16: 12
      case .int8: 13
      case .int4: 14
      case .int2: 15
      case .uint64: 16
      case .uint32: 17
      case .uint16: 18
      case .uint8: 19
      case .uint4: 20
      case .uint2: 21
      case .bool: 22
      case .string: 23
      case .complex64: 24
      case .complex128: 25
      }
    return 1 << index
  }

  /// The floating-point types one computes in.
  public static let floating: ElementTypes = .init(.float64, .float32, .float16, .bfloat16)
  /// The floating-point types of 8 bits.
  public static let float8: ElementTypes = .init(.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0)
  /// All floating-point types, complex ones excluded.
  public static let anyFloat: ElementTypes = [.floating, .float8, .init(.float4e2m1)]
  /// Signed integers from 2 to 64 bits.
  public static let signedInteger: ElementTypes = .init(.int64, .int32, .int16, .int8, .int4, .int2)
  /// Unsigned integers from 2 to 64 bits.
  public static let unsignedInteger: ElementTypes = .init(.uint64, .uint32, .uint16, .uint8, .uint4, .uint2)
  /// All integers, from 2 to 64 bits; `bool` is none.
  public static let integer: ElementTypes = [.signedInteger, .unsignedInteger]
  /// Integers and floating-point types of at least 8 bits that arithmetic is defined on.
  public static let numeric: ElementTypes = [
    .floating, .init(.int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8),
  ]
  /// `bool` alone: conditions and masks.
  public static let bool: ElementTypes = .init(.bool)
  /// `string` alone.
  public static let string: ElementTypes = .init(.string)
  /// `int64` alone: the type in which ONNX gives shapes and axes.
  public static let int64: ElementTypes = .init(.int64)
  /// The types that index tensors.
  public static let index: ElementTypes = .init(.int64, .int32)
  /// `complex64` and `complex128`.
  public static let complex: ElementTypes = .init(.complex64, .complex128)
  /// Every element type.
  public static let any: ElementTypes = [.anyFloat, .integer, .bool, .string, .complex]
}
