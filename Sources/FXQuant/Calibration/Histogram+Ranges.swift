import Foundation

/// Ranges that a histogram says are good to quantize.
extension Histogram {
  /// The range that holds a share of the numbers, as many being cut off below as above.
  func range(holding share: Double) -> ClosedRange<Float> {
    let total = count
    guard total > 0, !bins.isEmpty else { return 0...0 }
    let cut = Double(total) * (1 - min(max(share, 0), 1)) / 2
    // Zeros lie between the bins −1 and 0.
    func edge(_ order: some Sequence<Int>, _ zeroFirst: (Int) -> Bool) -> Int? {
      var seen = 0.0
      var isZeroCounted = false
      for index in order {
        if !isZeroCounted, zeroFirst(index + first) {
          isZeroCounted = true
          seen += Double(zeros)
          if seen > cut { return nil }
        }
        seen += Double(bins[index])
        if seen > cut { return index }
      }
      return nil
    }
    let low = edge(bins.indices) { $0 >= 0 }.map { Float(Double($0 + first) * width) } ?? 0
    let high = edge(bins.indices.reversed()) { $0 < 0 }.map { Float(Double($0 + first + 1) * width) } ?? 0
    return min(low, high)...max(low, high)
  }

  /// The range of least expected error: both ends of the full range are drawn in step by step, in turn.
  func rangeOfLeastError(
    within range: ClosedRange<Float>, levels: Int, _ scheme: QuantizationParams.Scheme
  ) -> ClosedRange<Float> {
    let steps = 64
    let shares = (1...steps).reversed().map { Double($0) / Double(steps) }
    let (low, high) = (Double(min(range.lowerBound, 0)), Double(max(range.upperBound, 0)))
    let tails = Tails(self)
    if scheme == .symmetric {
      let reach = max(-low, high)
      let best =
        shares.map { ($0, tails.expectedError(low: -reach * $0, high: reach * $0, levels: levels - 1)) }
        .min { $0.1 < $1.1 }?.0 ?? 1
      return Float(max(low, -reach * best))...Float(min(high, reach * best))
    }
    var (a, b) = (1.0, 1.0)
    for _ in 0..<3 {
      if high > 0 {
        b = shares.map { ($0, tails.expectedError(low: low * a, high: high * $0, levels: levels)) }.min { $0.1 < $1.1 }?.0 ?? 1
      }
      if low < 0 {
        a = shares.map { ($0, tails.expectedError(low: low * $0, high: high * b, levels: levels)) }.min { $0.1 < $1.1 }?.0 ?? 1
      }
    }
    return Float(low * a)...Float(high * b)
  }

  /// The range up to the threshold of least divergence of the magnitudes' distribution from its quantized form.
  func rangeOfLeastDivergence(
    within range: ClosedRange<Float>, bits: Int, _ scheme: QuantizationParams.Scheme
  ) -> ClosedRange<Float> {
    guard !bins.isEmpty else { return range.withZero }
    // Magnitudes: bins −1 and 0 are equally far from 0.
    var magnitudes = Array(repeating: 0.0, count: max(-first, first + bins.count, 1))
    for (index, count) in bins.enumerated() {
      let bin = index + first
      magnitudes[bin >= 0 ? bin : -bin - 1] += Double(count)
    }
    let isOneSided = range.lowerBound >= 0 || range.upperBound <= 0
    let levels = 1 << (scheme == .asymmetric && isOneSided ? bits : bits - 1)
    guard magnitudes.count > levels else { return range.withZero }
    let total = magnitudes.reduce(0, +)
    var best = (bins: magnitudes.count, divergence: Double.infinity)
    var inside = magnitudes[..<levels].reduce(0, +)
    let stride = max(1, (magnitudes.count - levels) / 256)
    var counted = levels
    for end in Swift.stride(from: levels, through: magnitudes.count, by: stride) {
      while counted < end {
        inside += magnitudes[counted]
        counted += 1
      }
      let divergence = divergence(Array(magnitudes[..<end]), outliers: total - inside, levels: levels)
      if divergence < best.divergence { best = (end, divergence) }
    }
    let reach = Float(Double(best.bins) * width)
    return max(range.withZero.lowerBound, -reach)...min(range.withZero.upperBound, reach)
  }

  /// Σ p log(p ÷ q) of the distribution with outliers in its last bin, and the same without them in `levels` steps.
  private func divergence(_ counts: [Double], outliers: Double, levels: Int) -> Double {
    var p = counts
    p[p.count - 1] += outliers
    var q = Array(repeating: 0.0, count: counts.count)
    for level in 0..<levels {
      let (start, end) = (level * counts.count / levels, (level + 1) * counts.count / levels)
      guard start < end else { continue }
      let filled = (start..<end).filter { p[$0] > 0 }
      guard !filled.isEmpty else { continue }
      let share = counts[start..<end].reduce(0, +) / Double(filled.count)
      for index in filled { q[index] = share }
    }
    let (sumP, sumQ) = (p.reduce(0, +), q.reduce(0, +))
    guard sumP > 0, sumQ > 0 else { return .infinity }
    var sum = 0.0
    for index in p.indices where p[index] > 0 {
      // A bin that only outliers fill has nothing in the quantized form: a small number stands for it.
      sum += p[index] / sumP * Foundation.log(p[index] / sumP / max(q[index] / sumQ, 1e-12))
    }
    return sum
  }
}

/// Sums over the bins of a histogram from which the error beyond a threshold follows at once.
private struct Tails {
  /// Σ count, Σ count x and Σ count x² over the bins before each.
  private var sums: [(count: Double, first: Double, second: Double)] = [(0, 0, 0)]
  private let histogram: Histogram

  init(_ histogram: Histogram) {
    self.histogram = histogram
    var sum = (count: 0.0, first: 0.0, second: 0.0)
    sums.reserveCapacity(histogram.bins.count + 1)
    for (index, count) in histogram.bins.enumerated() {
      let (x, count) = (histogram.center(index), Double(count))
      sum = (sum.count + count, sum.first + count * x, sum.second + count * x * x)
      sums.append(sum)
    }
  }

  /// The expected square of the error per number that is not 0 which `levels` integers over [low, high] make: the uniform
  /// error of rounding, step² ÷ 12, and the distance to the range outside.
  func expectedError(low: Double, high: Double, levels: Int) -> Double {
    guard let total = sums.last, total.count > 0 else { return 0 }
    let step = (high - low) / Double(max(levels - 1, 1))
    func place(_ x: Double) -> Int {
      let bin = (x / histogram.width - 0.5).rounded(.up) - Double(histogram.first)
      return Int(min(max(bin, 0), Double(histogram.bins.count)))
    }
    let (below, upTo) = (sums[place(low)], sums[place(high)])
    let above = (count: total.count - upTo.count, first: total.first - upTo.first, second: total.second - upTo.second)
    func distance(_ tail: (count: Double, first: Double, second: Double), _ end: Double) -> Double {
      max(0, tail.second - 2 * end * tail.first + end * end * tail.count)
    }
    return step * step / 12 + (distance(below, low) + distance(above, high)) / total.count
  }
}
