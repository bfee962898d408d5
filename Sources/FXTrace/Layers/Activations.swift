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
public final class ReLU: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.relu) }
}

/// 1 ÷ (1 + e⁻ˣ)
public final class Sigmoid: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.sigmoid) }
}

/// tanh x
public final class Tanh: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.tanh) }
}

/// x sigmoid(x)
public final class SiLU: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.silu) }
}

/// x Φ(x), Φ being the normal distribution, or its approximation by tanh.
public final class GELU: StatelessModule, Sendable {
  public let approximate: GeluApproximation

  public init(approximate: GeluApproximation = .none) { self.approximate = approximate }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Gelu.approximate] = approximate.rawValue
    return x.applyHere(.gelu, attributes: attributes)
  }
}

/// x < 0 ? αx : x
public final class LeakyReLU: StatelessModule, Sendable {
  public let alpha: Float

  public init(alpha: Float = 0.01) { self.alpha = alpha }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[LeakyRelu.alpha] = alpha
    return x.applyHere(.leakyRelu, attributes: attributes)
  }
}

/// eˣ ÷ Σ eˣ along an axis. (`Softmax` names the operator's attributes.)
public final class SoftmaxLayer: StatelessModule, Sendable {
  public let axis: Int

  public init(axis: Int = -1) { self.axis = axis }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Softmax.axis] = axis
    return x.applyHere(.softmax, attributes: attributes)
  }
}

/// ln(1 + eˣ)
public final class Softplus: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.softplus) }
}

/// x ÷ (1 + |x|)
public final class Softsign: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.softsign) }
}

/// x tanh(ln(1 + eˣ))
public final class Mish: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.mish) }
}

/// x × (x/6 + 1/2 limited to [0, 1])
public final class Hardswish: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.hardSwish) }
}

/// γ(x < 0 ? α(eˣ − 1) : x)
public final class SELU: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.selu) }
}

/// x/6 + 1/2 limited to [0, 1]
public final class Hardsigmoid: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardSigmoid(x, fileID: x.file, line: x.line) }
}

/// x limited to [0, 6]
public final class ReLU6: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { relu6(x, fileID: x.file, line: x.line) }
}

/// ln sigmoid(x)
public final class LogSigmoid: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { logSigmoid(x, fileID: x.file, line: x.line) }
}

/// x − tanh x
public final class Tanhshrink: StatelessModule, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { tanhShrink(x, fileID: x.file, line: x.line) }
}

/// x < 0 ? α(eˣ − 1) : x
public final class ELU: StatelessModule, Sendable {
  public let alpha: Float

  public init(alpha: Float = 1) { self.alpha = alpha }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { elu(x, alpha: alpha, fileID: x.file, line: x.line) }
}

/// max(0, x) + min(0, α(e^(x/α) − 1))
public final class CELU: StatelessModule, Sendable {
  public let alpha: Float

  public init(alpha: Float = 1) { self.alpha = alpha }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { celu(x, alpha: alpha, fileID: x.file, line: x.line) }
}

/// x limited to [lower, upper]
public final class Hardtanh: StatelessModule, Sendable {
  public let lower: Double
  public let upper: Double

  public init(lower: Double = -1, upper: Double = 1) {
    self.lower = lower
    self.upper = upper
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardTanh(x, lower, upper, fileID: x.file, line: x.line) }
}

/// x > threshold ? x : value
public final class Threshold: StatelessModule, Sendable {
  public let threshold: Double
  public let value: Double

  public init(threshold: Double, value: Double) {
    self.threshold = threshold
    self.value = value
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    FXTrace.threshold(x, threshold, value, fileID: x.file, line: x.line)
  }
}

/// x moved toward zero by λ; zero where |x| ≤ λ
public final class Softshrink: StatelessModule, Sendable {
  public let lambda: Float

  public init(lambda: Float = 0.5) { self.lambda = lambda }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { softShrink(x, lambda: lambda, fileID: x.file, line: x.line) }
}

/// x where |x| > λ, else 0
public final class Hardshrink: StatelessModule, Sendable {
  public let lambda: Float

  public init(lambda: Float = 0.5) { self.lambda = lambda }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardShrink(x, lambda: lambda, fileID: x.file, line: x.line) }
}

/// a × sigmoid(b), a and b being the halves of x along an axis
public final class GLU: StatelessModule, Sendable {
  public let axis: Int

  public init(axis: Int = -1) { self.axis = axis }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { glu(x, axis: axis, fileID: x.file, line: x.line) }
}

/// softmax(−x) along an axis
public final class Softmin: StatelessModule, Sendable {
  public let axis: Int

  public init(axis: Int = -1) { self.axis = axis }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmin(x, axis: axis, fileID: x.file, line: x.line) }
}

/// x − ln Σ eˣ along an axis
public final class LogSoftmax: StatelessModule, Sendable {
  public let axis: Int

  public init(axis: Int = -1) { self.axis = axis }
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { logSoftmax(x, axis: axis, fileID: x.file, line: x.line) }
}

/// x < 0 ? weight × x : x, with a learned weight for all or one for each channel of [n, c, ...].
public final class PReLU: Module, Sendable {
  /// [count]
  public let weight: ModuleParameter

  public init(count: Int = 1, initial: Double = 0.25, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, [count], initializer: .constant(initial))
  }

  public var parts: [ModulePart] { .parameters(("weight", weight)) }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { prelu(x, weight: weight, fileID: x.file, line: x.line) }
}

/// Elements set to 0 with probability `ratio` while `isTraining`, the others scaled by 1 ÷ (1 − ratio); else x itself.
public final class Dropout: StatelessModule, Sendable {
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
