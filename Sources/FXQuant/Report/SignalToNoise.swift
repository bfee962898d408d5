import FXCore
import Foundation

/// Signal to quantization noise: 10 log₁₀(Σ x² ÷ Σ (x − y)²) in decibels, summed up over samples.
public struct SignalToNoise: Sendable, Equatable {
  /// Σ x².
  public private(set) var signal = 0.0
  /// Σ (x − y)²; infinite after tensors of different shapes.
  public private(set) var noise = 0.0

  /// A ratio that has seen nothing.
  public init() {}

  /// Adds a tensor and what it became. Numbers that are not finite in the first are left out.
  public mutating func add(_ x: Tensor, _ y: Tensor) throws {
    guard x.shape == y.shape else { return noise = .infinity }
    if x.elementType == .float32, y.elementType == .float32 {
      let (a, b) = (try x.elements(Float.self), try y.elements(Float.self))
      for index in a.indices where a[index].isFinite { add(Double(a[index]), Double(b[index])) }
      return
    }
    let (a, b) = (try x.numbers().doubles, try y.numbers().doubles)
    for index in a.indices where a[index].isFinite { add(a[index], b[index]) }
  }

  private mutating func add(_ x: Double, _ y: Double) {
    signal += x * x
    noise += (x - y) * (x - y)
  }

  /// Infinite where nothing differs; NaN where there is neither signal nor noise.
  public var decibels: Double { noise == 0 ? (signal == 0 ? .nan : .infinity) : 10 * Foundation.log10(signal / noise) }
}
