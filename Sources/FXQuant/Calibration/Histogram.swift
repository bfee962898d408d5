import Foundation

/// How often numbers of each size were seen: bins of one width, a power of two, with an edge at 0.
///
/// The width doubles, and bins join in pairs, when larger numbers come, so that histograms of the same numbers are equal
/// whatever the order, and any two histograms merge. Zeros, which quantization keeps exactly, are counted apart.
public struct Histogram: Sendable, Equatable {
  /// At most so many bins on either side of 0.
  static let side = 2048

  /// A bin is 2 to this power wide.
  public private(set) var exponent = 0
  /// Bin `i` counts numbers x with i + first ≤ x ÷ width < i + first + 1.
  public private(set) var first = 0
  /// How many numbers each bin counted, from the smallest on; 4096 bins at most.
  public private(set) var bins: [Int] = []
  /// How many numbers were 0, which no bin counts.
  public private(set) var zeros = 0

  /// A histogram that has counted nothing.
  public init() {}

  /// How wide a bin is: 2 to the power of `exponent`.
  public var width: Double { Foundation.scalbn(1, exponent) }
  /// How many numbers were counted.
  public var count: Int { bins.reduce(zeros, +) }
  /// Whether nothing was counted.
  public var isEmpty: Bool { bins.isEmpty && zeros == 0 }

  /// The middle of bin `index`.
  func center(_ index: Int) -> Double { (Double(index + first) + 0.5) * width }

  /// Counts finite numbers of which the smallest and the largest are known.
  mutating func add(_ x: UnsafeBufferPointer<Float>, _ range: ClosedRange<Float>) {
    let reach = max(range.lowerBound.magnitude, range.upperBound.magnitude)
    if reach > 0 {
      makeRoom(for: reach)
      include(bin(of: range.lowerBound))
      include(bin(of: range.upperBound))
    }
    let factor = Foundation.scalbn(1, -exponent)
    let offset = first
    var zeros = 0
    bins.withUnsafeMutableBufferPointer { bins in
      for value in x {
        if value == 0 {
          zeros += 1
        } else {
          bins[Int((Double(value) * factor).rounded(.down)) - offset] += 1
        }
      }
    }
    self.zeros += zeros
  }

  private func bin(of value: Float) -> Int { Int((Double(value) * Foundation.scalbn(1, -exponent)).rounded(.down)) }

  /// Widens bins until `reach` is within `side` of them.
  private mutating func makeRoom(for reach: Float) {
    let needed = max(Int(reach.exponent) + 1 - 11, -1000)
    if bins.isEmpty { exponent = needed } else if needed > exponent { coarsen(to: needed) }
  }

  private mutating func coarsen(to exponent: Int) {
    guard exponent > self.exponent else { return }
    let shift = exponent - self.exponent
    self.exponent = exponent
    guard !bins.isEmpty else { return }
    let (start, end) = (first >> shift, (first + bins.count - 1) >> shift)
    var joined = Array(repeating: 0, count: end - start + 1)
    for (index, count) in bins.enumerated() { joined[(first + index) >> shift - start] += count }
    (first, bins) = (start, joined)
  }

  /// Adds empty bins up to one that is to be counted in.
  private mutating func include(_ bin: Int) {
    if bins.isEmpty {
      (first, bins) = (bin, [0])
    } else if bin < first {
      bins.insert(contentsOf: repeatElement(0, count: first - bin), at: 0)
      first = bin
    } else if bin >= first + bins.count {
      bins.append(contentsOf: repeatElement(0, count: bin - first - bins.count + 1))
    }
  }

  /// Adds what another histogram counted.
  public mutating func merge(_ other: Histogram) {
    zeros += other.zeros
    guard !other.bins.isEmpty else { return }
    guard !bins.isEmpty else {
      (exponent, first, bins) = (other.exponent, other.first, other.bins)
      return
    }
    var other = other
    coarsen(to: other.exponent)
    other.coarsen(to: exponent)
    include(other.first)
    include(other.first + other.bins.count - 1)
    for (index, count) in other.bins.enumerated() { bins[index + other.first - first] += count }
  }
}
