import FXCore

/// A function of one tensor as a module: `Sequential(Linear(4, 8), Apply(relu), Apply { flatten($0, axis: 2) })`.
public final class Apply: Module {
  private let function: (SymbolicTensor) -> SymbolicTensor

  public init(_ function: @escaping (SymbolicTensor) -> SymbolicTensor) { self.function = function }

  /// A function that reports its line, such as `relu`.
  public init(
    _ function: @escaping (SymbolicTensor, String, Int) -> SymbolicTensor, fileID: String = #fileID, line: Int = #line
  ) {
    self.function = { function($0, fileID, line) }
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { function(x) }
}

/// max(x, 0)
public final class ReLU: Module, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.relu) }
}

/// 1 ÷ (1 + e⁻ˣ)
public final class Sigmoid: Module, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.sigmoid) }
}

/// tanh x
public final class Tanh: Module, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.tanh) }
}

/// x sigmoid(x)
public final class SiLU: Module, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.silu) }
}

/// x Φ(x), Φ being the normal distribution, or its approximation by tanh.
public final class GELU: Module, Sendable {
  public let approximate: GeluApproximation

  public init(approximate: GeluApproximation = .none) { self.approximate = approximate }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Gelu.approximate] = approximate.rawValue
    return x.applyHere(.gelu, attributes: attributes)
  }
}

/// x < 0 ? αx : x
public final class LeakyReLU: Module, Sendable {
  public let alpha: Float

  public init(alpha: Float = 0.01) { self.alpha = alpha }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[LeakyRelu.alpha] = alpha
    return x.applyHere(.leakyRelu, attributes: attributes)
  }
}

/// eˣ ÷ Σ eˣ along an axis. (`Softmax` names the operator's attributes.)
public final class SoftmaxLayer: Module, Sendable {
  public let axis: Int

  public init(axis: Int = -1) { self.axis = axis }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Softmax.axis] = axis
    return x.applyHere(.softmax, attributes: attributes)
  }
}

/// Each image as one row: [n, c, h, w] becomes [n, c·h·w]. (`Flatten` names the operator's attributes.)
public final class FlattenLayer: Module, Sendable {
  public let axis: Int

  public init(axis: Int = 1) { self.axis = axis }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Flatten.axis] = axis
    return x.applyHere(.flatten, attributes: attributes)
  }
}

/// Elements set to 0 with probability `ratio` while `isTraining`, the others scaled by 1 ÷ (1 − ratio); else x itself.
public final class Dropout: Module, Sendable {
  public let ratio: Float
  public let isTraining: Bool

  public init(ratio: Float = 0.5, isTraining: Bool = false) {
    self.ratio = ratio
    self.isTraining = isTraining
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    x.applyHere(.dropout, [Tensor(ratio), Tensor(isTraining)])
  }
}
