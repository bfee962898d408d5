import FXCore

/// A function of one tensor as a module: `Sequential(Linear(4, 8), Apply(relu), Apply { flatten($0, axis: 2) })`.
public final class Apply: Module {
  private let function: (SymbolicTensor) -> SymbolicTensor

  /// A layer that calls a function or closure. Parameters that a closure captures are not found among the module's.
  public init(_ function: @escaping (SymbolicTensor) -> SymbolicTensor) { self.function = function }

  /// A function that reports its line, such as `relu`.
  public init(
    _ function: @escaping (SymbolicTensor, String, Int) -> SymbolicTensor, fileID: String = #fileID, line: Int = #line
  ) {
    self.function = { function($0, fileID, line) }
  }

  /// What the function makes of x.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { function(x) }
}

/// max(x, 0)
public final class ReLU: StatelessModule, Sendable {
  /// A layer that calls the operator `relu`.
  public init() {}
  /// Element by element on signed numbers, integers too; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.relu) }
}

/// 1 ÷ (1 + e⁻ˣ)
public final class Sigmoid: StatelessModule, Sendable {
  /// A layer that calls the operator `sigmoid`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.sigmoid) }
}

/// tanh x
public final class Tanh: StatelessModule, Sendable {
  /// A layer that calls the operator `tanh`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.tanh) }
}

/// x sigmoid(x)
public final class SiLU: StatelessModule, Sendable {
  /// A layer that calls the operator `silu` with α = 1.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.silu) }
}

/// x Φ(x), Φ being the normal distribution, or its approximation by tanh.
public final class GELU: StatelessModule, Sendable {
  /// Whether Φ is computed by the error function or approximated by tanh.
  public let approximate: GeluApproximation

  /// A layer that calls the operator `gelu`, exact unless an approximation is asked for.
  public init(approximate: GeluApproximation = .none) { self.approximate = approximate }

  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Gelu.approximate] = approximate.rawValue
    return x.applyHere(.gelu, attributes: attributes)
  }
}

/// x < 0 ? αx : x
public final class LeakyReLU: StatelessModule, Sendable {
  /// α, the slope below 0.
  public let alpha: Float

  /// A layer that calls the operator `leaky_relu`, with a slope of 1/100 unless another is given.
  public init(alpha: Float = 0.01) { self.alpha = alpha }

  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[LeakyRelu.alpha] = alpha
    return x.applyHere(.leakyRelu, attributes: attributes)
  }
}

/// eˣ ÷ Σ eˣ along an axis. (`Softmax` names the operator's attributes.)
public final class SoftmaxLayer: StatelessModule, Sendable {
  /// The axis of the sum, counted from the end if negative.
  public let axis: Int

  /// A layer that calls the operator `softmax`, along the last axis unless another is given.
  public init(axis: Int = -1) { self.axis = axis }

  /// The shape of x stays, and its elements along the axis add up to 1. An axis out of range is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Softmax.axis] = axis
    return x.applyHere(.softmax, attributes: attributes)
  }
}

/// ln(1 + eˣ)
public final class Softplus: StatelessModule, Sendable {
  /// A layer that calls the operator `softplus`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.softplus) }
}

/// x ÷ (1 + |x|)
public final class Softsign: StatelessModule, Sendable {
  /// A layer that calls the operator `softsign`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.softsign) }
}

/// x tanh(ln(1 + eˣ))
public final class Mish: StatelessModule, Sendable {
  /// A layer that calls the operator `mish`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.mish) }
}

/// x × (x/6 + 1/2 limited to [0, 1])
public final class Hardswish: StatelessModule, Sendable {
  /// A layer that calls the operator `hard_swish`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.hardSwish) }
}

/// γ(x < 0 ? α(eˣ − 1) : x)
public final class SELU: StatelessModule, Sendable {
  /// A layer that calls the operator `selu` with its defaults, α ≈ 1.673 and γ ≈ 1.051.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.selu) }
}

/// x/6 + 1/2 limited to [0, 1]
public final class Hardsigmoid: StatelessModule, Sendable {
  /// A layer that calls the operator `hard_sigmoid` with a slope of 1/6, as PyTorch's, rather than ONNX's 1/5.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardSigmoid(x, fileID: x.file, line: x.line) }
}

/// x limited to [0, 6]
public final class ReLU6: StatelessModule, Sendable {
  /// A layer that calls the operator `clip` between 0 and 6.
  public init() {}
  /// Element by element on integers and floating-point numbers; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { relu6(x, fileID: x.file, line: x.line) }
}

/// ln sigmoid(x)
public final class LogSigmoid: StatelessModule, Sendable {
  /// A layer that computes −softplus(−x), which does not overflow.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { logSigmoid(x, fileID: x.file, line: x.line) }
}

/// x − tanh x
public final class Tanhshrink: StatelessModule, Sendable {
  /// A layer of two calls, `tanh` and `sub`.
  public init() {}
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { tanhShrink(x, fileID: x.file, line: x.line) }
}

/// x < 0 ? α(eˣ − 1) : x
public final class ELU: StatelessModule, Sendable {
  /// α: what the result approaches below 0 is −α.
  public let alpha: Float

  /// A layer that calls the operator `elu`, with α = 1 unless another is given.
  public init(alpha: Float = 1) { self.alpha = alpha }
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { elu(x, alpha: alpha, fileID: x.file, line: x.line) }
}

/// max(0, x) + min(0, α(e^(x/α) − 1))
public final class CELU: StatelessModule, Sendable {
  /// α: what the result approaches below 0 is −α, with a slope of 1 at 0 whatever α is.
  public let alpha: Float

  /// A layer that calls the operator `celu`, with α = 1 unless another is given.
  public init(alpha: Float = 1) { self.alpha = alpha }
  /// Element by element on floating-point tensors; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { celu(x, alpha: alpha, fileID: x.file, line: x.line) }
}

/// x limited to [lower, upper]
public final class Hardtanh: StatelessModule, Sendable {
  /// The least result, −1 by default.
  public let lower: Double
  /// The largest result, 1 by default.
  public let upper: Double

  /// A layer that calls the operator `clip` between two bounds.
  public init(lower: Double = -1, upper: Double = 1) {
    self.lower = lower
    self.upper = upper
  }

  /// Element by element on integers and floating-point numbers; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardTanh(x, lower, upper, fileID: x.file, line: x.line) }
}

/// x > threshold ? x : value
public final class Threshold: StatelessModule, Sendable {
  /// Elements at most this large are replaced.
  public let threshold: Double
  /// What replaces them.
  public let value: Double

  /// A layer of a comparison and a choice, as `torch.nn.Threshold`.
  public init(threshold: Double, value: Double) {
    self.threshold = threshold
    self.value = value
  }

  /// Element by element on integers and floating-point numbers; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    FXTrace.threshold(x, threshold, value, fileID: x.file, line: x.line)
  }
}

/// x moved toward zero by λ; zero where |x| ≤ λ
public final class Softshrink: StatelessModule, Sendable {
  /// λ: how far elements move, and up to which magnitude they become 0.
  public let lambda: Float

  /// A layer that calls the operator `shrink` with λ as its bias too; λ is 1/2 unless given.
  public init(lambda: Float = 0.5) { self.lambda = lambda }
  /// Element by element on integers and floating-point numbers; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { softShrink(x, lambda: lambda, fileID: x.file, line: x.line) }
}

/// x where |x| > λ, else 0
public final class Hardshrink: StatelessModule, Sendable {
  /// λ: the largest magnitude that becomes 0.
  public let lambda: Float

  /// A layer that calls the operator `shrink` without a bias; λ is 1/2 unless given.
  public init(lambda: Float = 0.5) { self.lambda = lambda }
  /// Element by element on integers and floating-point numbers; the shape and type of x stay.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { hardShrink(x, lambda: lambda, fileID: x.file, line: x.line) }
}

/// a × sigmoid(b), a and b being the halves of x along an axis
public final class GLU: StatelessModule, Sendable {
  /// The axis that is halved, counted from the end if negative.
  public let axis: Int

  /// A gated linear unit (Dauphin et al. 2016) along the last axis unless another is given.
  public init(axis: Int = -1) { self.axis = axis }
  /// […, 2k, …] → […, k, …]: the first half along the axis, times the sigmoid of the second.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { glu(x, axis: axis, fileID: x.file, line: x.line) }
}

/// softmax(−x) along an axis
public final class Softmin: StatelessModule, Sendable {
  /// The axis of the sum, counted from the end if negative.
  public let axis: Int

  /// A layer that negates and calls the operator `softmax`, along the last axis unless another is given.
  public init(axis: Int = -1) { self.axis = axis }
  /// The shape of x stays, and its elements along the axis add up to 1: the smallest of x becomes the largest.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmin(x, axis: axis, fileID: x.file, line: x.line) }
}

/// x − ln Σ eˣ along an axis
public final class LogSoftmax: StatelessModule, Sendable {
  /// The axis of the sum, counted from the end if negative.
  public let axis: Int

  /// A layer that calls the operator `log_softmax`, along the last axis unless another is given.
  public init(axis: Int = -1) { self.axis = axis }
  /// The shape of x stays; the result is ln softmax(x), without the loss of precision.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { logSoftmax(x, axis: axis, fileID: x.file, line: x.line) }
}

/// x < 0 ? weight × x : x, with a learned weight for all or one for each channel of [n, c, ...].
public final class PReLU: Module, Sendable {
  /// [count]
  public let weight: ModuleParameter

  /// A layer of `count` weights that start at `initial`: one for all elements, or one for each channel.
  public init(count: Int = 1, initial: Double = 0.25, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, [count], initializer: .constant(initial))
  }

  public var parts: [ModulePart] { .parameters(("weight", weight)) }

  /// The shape of x stays. A `count` other than 1 must be the number of channels, else it is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { prelu(x, weight: weight, fileID: x.file, line: x.line) }
}

/// Elements set to 0 with probability `ratio` while `isTraining`, the others scaled by 1 ÷ (1 − ratio); else x itself.
public final class Dropout: StatelessModule, Sendable {
  /// The probability that an element becomes 0, in [0, 1).
  public let ratio: Float
  /// Whether elements are dropped; otherwise x passes as it is.
  public let isTraining: Bool

  /// A layer that calls the operator `dropout`: by default with a ratio of 1/2, and for inference.
  public init(ratio: Float = 0.5, isTraining: Bool = false) {
    self.ratio = ratio
    self.isTraining = isTraining
  }

  /// The shape and type of x stay; the ratio and the mode are constant operands of the call.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    x.applyHere(.dropout, [Tensor(ratio), Tensor(isTraining)])
  }
}
