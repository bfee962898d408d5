import FXCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#endif

/// What a parameter holds before training.
public enum Initializer: Sendable, Hashable {
  /// One number for all elements.
  case constant(Double)
  /// Uniform in [low, high).
  case uniform(low: Double, high: Double)
  /// Normally distributed with a mean and a standard deviation (Box and Muller 1958).
  case normal(mean: Double, deviation: Double)

  /// Uniform within ±1/√fanIn: what `torch.nn.Linear` and the convolutions start weights and biases with.
  ///
  /// Source: He et al. 2015 with negative slope √5, as PyTorch calls it: √(6 ÷ ((1 + 5) × fanIn)).
  /// - Parameter fanIn: how many elements of the input one element of the result depends on.
  public static func kaimingUniform(fanIn: Int) -> Initializer {
    let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
    return .uniform(low: -bound, high: bound)
  }

  /// Normal with mean 0 and deviation √(2 ÷ fanIn), for layers before a relu. Source: He et al. 2015.
  public static func kaimingNormal(fanIn: Int) -> Initializer {
    .normal(mean: 0, deviation: fanIn > 0 ? (2 / Double(fanIn)).squareRoot() : 0)
  }

  /// Uniform within ±√(6 ÷ (fanIn + fanOut)). Source: Glorot and Bengio 2010.
  public static func xavierUniform(fanIn: Int, fanOut: Int) -> Initializer {
    let sum = Double(fanIn) + Double(fanOut)
    let bound = sum > 0 ? (6 / sum).squareRoot() : 0
    return .uniform(low: -bound, high: bound)
  }

  /// Normal with mean 0 and deviation √(2 ÷ (fanIn + fanOut)). Source: Glorot and Bengio 2010.
  public static func xavierNormal(fanIn: Int, fanOut: Int) -> Initializer {
    let sum = Double(fanIn) + Double(fanOut)
    return .normal(mean: 0, deviation: sum > 0 ? (2 / sum).squareRoot() : 0)
  }

  /// What a parameter of this shape starts with where nobody says: weights of rank 2 and above by `kaimingUniform` over
  /// all dimensions but the first, the rest zeros.
  public static func standard(for shape: [Int]) -> Initializer {
    shape.count >= 2 ? .kaimingUniform(fanIn: fanIn(of: shape)) : .constant(0)
  }

  /// How many elements of the input one element of the result depends on, for a weight of this shape: the product of all
  /// dimensions but the first. Of sizes that no tensor can have, which is for `tensor` to refuse, the largest number.
  static func fanIn(of weight: [Int]) -> Int {
    weight.dropFirst().reduce(1) { product, size in
      let (next, isTooLarge) = product.multipliedReportingOverflow(by: size)
      return isTooLarge ? .max : next
    }
  }

  /// A tensor drawn from the stream `name` of `seed`.
  /// - Throws: `TensorError.badShape`; `TensorError.conversion` for string and complex element types.
  public func tensor(_ type: TensorType, _ shape: [Int], seed: UInt64, name: String) throws(TensorError) -> Tensor {
    var generator = RandomGenerator(seed: seed, stream: name)
    let count = try Tensor.elementCount(of: shape, type.elementType)
    let numbers = [Double](unsafeUninitializedCapacity: count) { buffer, initialized in
      for index in 0..<count { buffer[index] = draw(&generator) }
      initialized = count
    }
    return try Tensor(type.elementType, shape, numbers: .floats(numbers))
  }

  private func draw(_ generator: inout RandomGenerator) -> Double {
    switch self {
    case .constant(let value): return value
    case .uniform(let low, let high): return low + (high - low) * generator.unit()
    case .normal(let mean, let deviation):
      // Box and Muller 1958; 1 − u is never zero.
      let radius = (-2 * log(1 - generator.unit())).squareRoot()
      return mean + deviation * radius * cos(2 * .pi * generator.unit())
    }
  }
}
