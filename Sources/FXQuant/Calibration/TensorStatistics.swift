import FXCore

/// What was observed of a value while the graph ran on samples.
public struct TensorStatistics: Sendable, Equatable {
  /// The smallest and the largest number.
  public private(set) var range: ClosedRange<Float>
  /// The mean of the samples' smallest and of their largest numbers.
  public private(set) var averageRange: ClosedRange<Float>
  /// How many samples there were.
  public private(set) var sampleCount: Int
  /// How often numbers of each size were seen.
  public private(set) var histogram: Histogram
  /// The smallest and the largest number at each index of an axis, where they were asked for.
  public private(set) var channels: Channels?

  /// Ranges along an axis.
  public struct Channels: Sendable, Equatable {
    /// The axis, counted from the front.
    public let axis: Int
    /// The smallest and the largest number at each index of the axis.
    public internal(set) var ranges: [ClosedRange<Float>]
  }

  /// - Parameter axis: along which ranges are kept per index; counted from the end if negative.
  /// - Returns: `nil` for a tensor without elements or with numbers that are not finite.
  public init?(_ tensor: Tensor, channelAxis axis: Int? = nil) throws {
    let x = try tensor.converted(to: .float32)
    guard x.elementCount > 0 else { return nil }
    let elements = try x.elements(Float.self)
    var (low, high, sum) = (elements[0], elements[0], Float(0))
    for value in elements {
      low = min(low, value)
      high = max(high, value)
      sum += value * 0
    }
    // 0 times what is not finite is NaN.
    guard sum == 0 else { return nil }
    range = low...high
    averageRange = range
    sampleCount = 1
    histogram = Histogram()
    elements.withUnsafeBufferPointer { histogram.add($0, low...high) }
    guard let axis, case let axis = axis < 0 ? axis + x.shape.count : axis, x.shape.indices.contains(axis) else { return }
    channels = Channels(axis: axis, ranges: elements.ranges(along: axis, of: x.shape))
  }

  /// Adds what was observed elsewhere of the same value, or of one that is to share its parameters. Ranges per index stay
  /// where both have as many along the same axis.
  public mutating func merge(_ other: TensorStatistics) {
    range = min(range.lowerBound, other.range.lowerBound)...max(range.upperBound, other.range.upperBound)
    let (own, others) = (Float(sampleCount), Float(other.sampleCount))
    func mean(_ a: Float, _ b: Float) -> Float { (a * own + b * others) / (own + others) }
    averageRange =
      mean(
        averageRange.lowerBound, other.averageRange.lowerBound)...mean(
        averageRange.upperBound, other.averageRange.upperBound)
    sampleCount += other.sampleCount
    histogram.merge(other.histogram)
    if var channels, let more = other.channels, more.axis == channels.axis, more.ranges.count == channels.ranges.count {
      for (index, range) in more.ranges.enumerated() {
        let old = channels.ranges[index]
        channels.ranges[index] = min(old.lowerBound, range.lowerBound)...max(old.upperBound, range.upperBound)
      }
      self.channels = channels
    } else {
      channels = nil
    }
  }

  /// Whether all numbers are equal.
  public var isConstant: Bool { range.lowerBound == range.upperBound }
}

extension Array where Element == Float {
  /// The smallest and the largest number at each index of an axis of a tensor with these elements.
  func ranges(along axis: Int, of shape: [Int]) -> [ClosedRange<Float>] {
    let (size, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    guard size > 0, inner > 0, !isEmpty else { return [] }
    var low = [Float](repeating: .infinity, count: size)
    var high = [Float](repeating: -.infinity, count: size)
    for row in 0..<count / inner {
      let channel = row % size
      for index in row * inner..<(row + 1) * inner {
        low[channel] = Swift.min(low[channel], self[index])
        high[channel] = Swift.max(high[channel], self[index])
      }
    }
    return zip(low, high).map { $0 <= $1 ? $0...$1 : 0...0 }
  }
}
