import FXCore

/// How numbers become integers of few bits: `x ≈ (q − zero point) × scale`.
///
/// Checked when made: scales are positive and finite, zero points are in the element type's range.
public struct QuantizationParams: Sendable, Hashable {
  /// Where the integers' range lies around the number 0.
  public enum Scheme: String, Sendable, Hashable, CaseIterable {
    /// As many integers above the zero point as below it: 0 for signed types, the middle for unsigned ones.
    case symmetric
    /// The range follows the numbers.
    case asymmetric
  }

  /// Which elements of a tensor share a scale.
  public enum Granularity: Sendable, Hashable {
    /// All elements.
    case perTensor
    /// The elements at one index of the axis.
    case perChannel(axis: Int)
    /// `size` elements after each other along the axis.
    case perBlock(axis: Int, size: Int)
  }

  /// One of the integer types of 2 to 16 bits.
  public let elementType: ElementType
  /// One per tensor, channel, or block in row-major order.
  public let scales: [Float]
  /// One per scale.
  public let zeroPoints: [Int]
  /// Which elements share a scale.
  public let granularity: Granularity

  /// - Parameter zeroPoints: those of the symmetric scheme if left out.
  /// - Throws: `QuantizationError.params`.
  public init(
    _ elementType: ElementType, scales: [Float], zeroPoints: [Int]? = nil, granularity: Granularity = .perTensor
  ) throws(QuantizationError) {
    guard QuantizationParams.elementTypes.contains(elementType), let range = elementType.integerRange else {
      throw .params(.elementType(elementType))
    }
    let middle = QuantizationParams.middle(of: elementType)
    let zeroPoints = zeroPoints ?? Array(repeating: middle, count: scales.count)
    guard !scales.isEmpty, zeroPoints.count == scales.count else {
      throw .params(.counts(scales: scales.count, zeroPoints: zeroPoints.count))
    }
    for scale in scales where !(scale > 0 && scale.isFinite) { throw .params(.scale(scale)) }
    for zeroPoint in zeroPoints where !range.contains(zeroPoint) { throw .params(.zeroPoint(zeroPoint, elementType)) }
    switch granularity {
    case .perTensor:
      guard scales.count == 1 else { throw .params(.scalesOfTensor(scales.count)) }
    case .perChannel(let axis):
      guard axis >= 0 else { throw .params(.axis(axis)) }
    case .perBlock(let axis, let size):
      guard axis >= 0 else { throw .params(.axis(axis)) }
      guard size > 0 else { throw .params(.blockSize(size)) }
    }
    (self.elementType, self.scales, self.zeroPoints, self.granularity) = (elementType, scales, zeroPoints, granularity)
  }

  /// One scale for a tensor, the element type told by bits and zero point: signed for the zero point 0 of the symmetric
  /// scheme, else unsigned.
  /// - Parameter bits: 2, 4, 8 or 16.
  /// - Throws: `QuantizationError.params`.
  public init(bits: Int, scale: Float, zeroPoint: Int = 0, scheme: Scheme = .symmetric) throws(QuantizationError) {
    let isSigned = scheme == .symmetric && zeroPoint == 0
    guard let type = QuantizationParams.elementType(bits: bits, isSigned: isSigned) else { throw .params(.bits(bits)) }
    if scheme == .symmetric, zeroPoint != QuantizationParams.middle(of: type) {
      throw .params(.notSymmetric(zeroPoint, bits: bits))
    }
    try self.init(type, scales: [scale], zeroPoints: [zeroPoint])
  }

  /// The scale and zero point for which the integers cover each range, widened to hold 0, which becomes an integer exactly.
  ///
  /// A range without extent, as constant zeros have, gets the scale 1.
  /// - Throws: `QuantizationError.params`.
  public init(
    covering ranges: [ClosedRange<Float>], as elementType: ElementType, _ scheme: Scheme,
    granularity: Granularity = .perTensor
  ) throws(QuantizationError) {
    guard let limits = elementType.integerRange, QuantizationParams.elementTypes.contains(elementType) else {
      throw .params(.elementType(elementType))
    }
    let middle = QuantizationParams.middle(of: elementType)
    var scales: [Float] = []
    var zeroPoints: [Int] = []
    for range in ranges {
      guard range.lowerBound.isFinite, range.upperBound.isFinite else { throw .params(.range(range)) }
      let (low, high) = (min(range.lowerBound, 0), max(range.upperBound, 0))
      switch scheme {
      case .symmetric:
        scales.append(QuantizationParams.usable(Double(max(-low, high)) / Double(limits.upperBound - middle)))
        zeroPoints.append(middle)
      case .asymmetric:
        let scale = QuantizationParams.usable((Double(high) - Double(low)) / Double(limits.upperBound - limits.lowerBound))
        let zeroPoint = (Double(limits.lowerBound) - Double(low) / Double(scale)).rounded(.toNearestOrEven)
        scales.append(scale)
        zeroPoints.append(min(max(Int(zeroPoint), limits.lowerBound), limits.upperBound))
      }
    }
    try self.init(elementType, scales: scales, zeroPoints: zeroPoints, granularity: granularity)
  }

  /// Scales below the smallest normal number would make integers of noise.
  private static func usable(_ scale: Double) -> Float {
    scale < Double(Float.leastNormalMagnitude) ? 1 : Float(min(scale, Double(Float.greatestFiniteMagnitude)))
  }

  // MARK: Facts

  /// The number of bits of an integer.
  public var bits: Int { elementType.bitWidth }
  /// The first scale.
  public var scale: Float { scales[0] }
  /// The first zero point.
  public var zeroPoint: Int { zeroPoints[0] }
  /// `symmetric` if all zero points are those of that scheme.
  public var scheme: Scheme {
    zeroPoints.allSatisfy { $0 == QuantizationParams.middle(of: elementType) } ? .symmetric : .asymmetric
  }

  /// The integer that the symmetric scheme has for 0.
  static func middle(of type: ElementType) -> Int { type.isSignedInteger ? 0 : 1 << (type.bitWidth - 1) }

  static let elementTypes = ElementTypes(.int2, .uint2, .int4, .uint4, .int8, .uint8, .int16, .uint16)

  static func elementType(bits: Int, isSigned: Bool) -> ElementType? {
    switch bits {
    case 2: isSigned ? .int2 : .uint2
    case 4: isSigned ? .int4 : .uint4
    case 8: isSigned ? .int8 : .uint8
    case 16: isSigned ? .int16 : .uint16
    default: nil
    }
  }
}

extension QuantizationParams: CustomStringConvertible {
  /// `u8 scale 0.1 zero point 128`, `i8 16 scales along axis 0`
  public var description: String {
    switch granularity {
    case .perTensor: "\(elementType.rawValue) scale \(scale) zero point \(zeroPoint)"
    case .perChannel(let axis): "\(elementType.rawValue) \(scales.count) scales along axis \(axis)"
    case .perBlock(let axis, let size): "\(elementType.rawValue) \(scales.count) scales along axis \(axis) in blocks of \(size)"
    }
  }
}
