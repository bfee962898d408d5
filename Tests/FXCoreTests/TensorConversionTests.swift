import FXTestSupport
import Foundation
import Testing

@testable import FXCore

/// Conversion between element types, against the definition of each format rather than against the code that converts.
@Suite struct TensorConversionTests {
  /// What defines a format: its fields, and what the patterns at the ends mean.
  struct Format: CustomTestStringConvertible, Sendable {
    let type: ElementType
    let exponentBits: Int
    let mantissaBits: Int
    let bias: Int
    /// Infinities and NaNs fill the largest exponent.
    var isIEEE = false
    /// Patterns that are NaN in formats without infinities.
    var nans: Set<Int> = []

    var testDescription: String { type.rawValue }
    var bits: Int { 1 + exponentBits + mantissaBits }

    /// (−1)^s × 2^(e − bias) × (1 + m/2^p), or × m/2^p with e = 1 in subnormals: IEEE 754-2019, section 3.4.
    func value(_ code: Int) -> Double {
      let mantissa = code & ((1 << mantissaBits) - 1)
      let exponent = code >> mantissaBits & ((1 << exponentBits) - 1)
      let sign: Double = code >> (bits - 1) == 0 ? 1 : -1
      if nans.contains(code) { return .nan }
      if isIEEE, exponent == (1 << exponentBits) - 1 { return mantissa == 0 ? sign * .infinity : .nan }
      let fraction = Double(mantissa) / pow(2, Double(mantissaBits))
      return exponent == 0
        ? sign * pow(2, Double(1 - bias)) * fraction : sign * pow(2, Double(exponent - bias)) * (1 + fraction)
    }
  }

  static let formats = [
    Format(type: .float16, exponentBits: 5, mantissaBits: 10, bias: 15, isIEEE: true),
    Format(type: .bfloat16, exponentBits: 8, mantissaBits: 7, bias: 127, isIEEE: true),
    Format(type: .float8e4m3fn, exponentBits: 4, mantissaBits: 3, bias: 7, nans: [0x7F, 0xFF]),
    Format(type: .float8e4m3fnuz, exponentBits: 4, mantissaBits: 3, bias: 8, nans: [0x80]),
    Format(type: .float8e5m2, exponentBits: 5, mantissaBits: 2, bias: 15, isIEEE: true),
    Format(type: .float8e5m2fnuz, exponentBits: 5, mantissaBits: 2, bias: 16, nans: [0x80]),
    Format(type: .float4e2m1, exponentBits: 2, mantissaBits: 1, bias: 1),
  ]

  /// All codes of a format in one tensor.
  private static func allCodes(_ format: Format) throws -> Tensor {
    let count = 1 << format.bits
    let codes = (0..<count).map { $0 }
    let bytes: [UInt8] =
      switch format.bits {
      case 16: codes.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
      case 8: codes.map { UInt8($0) }
      default: stride(from: 0, to: count, by: 2).map { UInt8(codes[$0] | codes[$0 + 1] << 4) }
      }
    return try bytes.withUnsafeBytes { try Tensor(format.type, [count], bytes: $0) }
  }

  /// The codes of a tensor.
  private static func codes(_ tensor: Tensor, bits: Int) -> [Int] {
    tensor.withUnsafeBytes { bytes in
      (0..<tensor.elementCount).map {
        switch bits {
        case 16: Int(bytes[2 * $0]) | Int(bytes[2 * $0 + 1]) << 8
        case 8: Int(bytes[$0])
        default: Int(bytes[$0 / 2] >> UInt8($0 % 2 * 4) & 0xF)
        }
      }
    }
  }

  @Test(arguments: formats) func everyCodeDecodesByTheFormula(format: Format) throws {
    let all = try TensorConversionTests.allCodes(format)
    let doubles = try all.numbers().doubles
    let singles = try all.converted(to: .float32).elements(Float.self)
    var wrong: [Int] = []
    for code in 0..<1 << format.bits {
      let expected = format.value(code)
      let isSame =
        expected.isNaN
        ? doubles[code].isNaN && singles[code].isNaN
        : doubles[code].bitPattern == expected.bitPattern && Double(singles[code]).bitPattern == expected.bitPattern
      if !isSame { wrong.append(code) }
    }
    #expect(wrong == [])
  }

  @Test(arguments: formats) func everyCodeEncodesToItself(format: Format) throws {
    let all = try TensorConversionTests.allCodes(format)
    for saturating in [true, false] {
      let again = TensorConversionTests.codes(
        try Tensor(format.type, all.shape, numbers: all.numbers(), saturating: saturating), bits: format.bits)
      let wrong = again.enumerated().filter { code, encoded in
        let value = format.value(code)
        if value.isNaN { return !format.value(encoded).isNaN }
        // A saturating conversion to 8 bits has no infinities.
        return saturating && format.bits <= 8 && value.isInfinite ? format.value(encoded).isInfinite : encoded != code
      }
      #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    }
  }

  /// Between two neighbours the nearer one wins, and the one with the even code in the middle.
  @Test(arguments: formats) func roundsToNearestEven(format: Format) throws {
    let positive = (0..<1 << (format.bits - 1)).filter { format.value($0).isFinite }
    var numbers: [Double] = []
    var expected: [Int] = []
    for (low, high) in zip(positive, positive.dropFirst()) {
      let (a, b) = (format.value(low), format.value(high))
      let middle = a + (b - a) / 2
      numbers += [middle.nextDown, middle, middle.nextUp, -middle]
      expected += [low, low & 1 == 0 ? low : high, high, (low & 1 == 0 ? low : high) | 1 << (format.bits - 1)]
    }
    let tensor = try Tensor(format.type, [numbers.count], numbers: .floats(numbers))
    let codes = TensorConversionTests.codes(tensor, bits: format.bits)
    var wrong: [String] = []
    for (index, code) in codes.enumerated() where code != expected[index] {
      // Formats without negative zero round small negative numbers to zero.
      if format.value(expected[index]) == 0 || (format.nans.contains(expected[index]) && code == 0) { continue }
      wrong.append("\(numbers[index]) became \(code), not \(expected[index])")
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test(arguments: formats) func overflow(format: Format) throws {
    let largest = (0..<1 << (format.bits - 1)).map(format.value).filter(\.isFinite).max() ?? 0
    let beyond = Numbers.floats([largest * 4, -largest * 4, .infinity])
    let saturated = try Tensor(format.type, [3], numbers: beyond, saturating: true).numbers().doubles
    #expect(saturated == (format.bits == 16 ? [.infinity, -.infinity, .infinity] : [largest, -largest, largest]))
    let others = try Tensor(format.type, [3], numbers: beyond, saturating: false).numbers().doubles
    if format.isIEEE {
      #expect(others == [.infinity, -.infinity, .infinity])
    } else if format.type == .float4e2m1 {
      #expect(others == saturated)
    } else {
      let areNaN = others.allSatisfy { $0.isNaN }
      #expect(areNaN)
    }
  }

  @Test func powersOfTwo() throws {
    let codes = (0...255).map { UInt8($0) }
    let tensor = try codes.withUnsafeBytes { try Tensor(.float8e8m0, [256], bytes: $0) }
    let values = try tensor.numbers().doubles
    for code in 0..<255 { #expect(values[code] == pow(2, Double(code - 127))) }
    #expect(values[255].isNaN)
    #expect(try Tensor(.float8e8m0, [256], numbers: .floats(values)) == tensor)
  }

  @Test(arguments: [ElementType.int2, .uint2, .int4, .uint4, .int8, .uint8, .int16, .uint16, .int32, .uint32])
  func integersKeepTheirRange(type: ElementType) throws {
    let range = try #require(type.integerRange)
    let inside = [range.lowerBound, range.upperBound, 0, 1].map(Int64.init)
    let tensor = try Tensor(type, [4], numbers: .signed(inside))
    guard case .signed(let back) = try tensor.numbers() else {
      Issue.record("\(type) does not read as integers")
      return
    }
    #expect(back == inside)
    // Narrower ones keep the low bits, as ONNX's cases have it.
    guard type.bitWidth >= 8 else { return }
    let beyond = [Double(range.upperBound) + 1000, Double(range.lowerBound) - 1000]
    let saturated = try Tensor(type, [2], numbers: .floats(beyond)).numbers().doubles
    #expect(saturated == [Double(range.upperBound), Double(range.lowerBound)])
  }

  /// By way of `Double` these would look like ties, or be rounded up to them.
  @Test func bigIntegersRoundOnce() throws {
    // 2⁶² + 2⁵⁴ is half way between two numbers of `bfloat16`; one more is nearer to the upper.
    let tie = Int64(1) << 62 + Int64(1) << 54
    let numbers = Numbers.signed([tie, tie + 1, tie - 1, -tie - 1, .max, .min])
    let result = try Tensor(.bfloat16, [6], numbers: numbers).numbers().doubles
    let (lower, upper) = (0x1p62, 0x1p62 + 0x1p55)
    #expect(result == [lower, upper, lower, -upper, 0x1p63, -0x1p63])
    let unsigned = Numbers.unsigned([1 << 63 + 1 << 55, 1 << 63 + 1 << 55 + 1])
    #expect(try Tensor(.bfloat16, [2], numbers: unsigned).numbers().doubles == [0x1p63, 0x1p63 + 0x1p56])
  }
}
