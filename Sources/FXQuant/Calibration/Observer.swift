import FXCore

/// How what was observed of a value becomes the range that its integers cover.
public enum Observer: Sendable, Hashable {
  /// From the smallest to the largest number.
  case minMax
  /// From the mean of the samples' smallest numbers to the mean of their largest: outliers of single samples count less.
  case movingAverage
  /// What holds this share of the numbers, as many being cut off below as above.
  case percentile(Double)
  /// The range with the least expected square of the error, which weighs rounding against cutting off.
  case meanSquaredError
  /// The threshold at which the quantized distribution tells most of the real one: the least Kullback-Leibler divergence.
  ///
  /// Source: Migacz 2017, "8-bit Inference with TensorRT".
  case entropy

  /// The range.
  /// - Parameters:
  ///   - elementType: what is quantized to, which says how fine the integers are.
  public func range(
    of statistics: TensorStatistics, as elementType: ElementType, _ scheme: QuantizationParams.Scheme
  ) -> ClosedRange<Float> {
    switch self {
    case .minMax: statistics.range
    case .movingAverage: statistics.averageRange
    case .percentile(let share): statistics.histogram.range(holding: share).clamped(to: statistics.range.withZero)
    case .meanSquaredError:
      statistics.histogram.rangeOfLeastError(within: statistics.range, levels: 1 << elementType.bitWidth, scheme)
    case .entropy: statistics.histogram.rangeOfLeastDivergence(within: statistics.range, bits: elementType.bitWidth, scheme)
    }
  }

  /// The parameters of one scale for the value.
  public func params(
    of statistics: TensorStatistics, as elementType: ElementType, _ scheme: QuantizationParams.Scheme
  ) throws(QuantizationError) -> QuantizationParams {
    try QuantizationParams(covering: [range(of: statistics, as: elementType, scheme)], as: elementType, scheme)
  }

  /// `min-max`, `moving-average`, `mse`, `entropy`, or `percentile` with the share in percent: `percentile:99.9`.
  public init?(name: String) {
    switch name {
    case "min-max": self = .minMax
    case "moving-average": self = .movingAverage
    case "mse": self = .meanSquaredError
    case "entropy": self = .entropy
    case "percentile": self = .percentile(0.99999)
    default:
      guard name.hasPrefix("percentile:"), let percent = Double(name.dropFirst(11)), percent > 0, percent <= 100 else {
        return nil
      }
      self = .percentile(percent / 100)
    }
  }
}

extension ClosedRange<Float> {
  var withZero: ClosedRange<Float> { Swift.min(lowerBound, 0)...Swift.max(upperBound, 0) }
}
