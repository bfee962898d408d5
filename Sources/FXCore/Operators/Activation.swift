/// Nonlinearities. Source of semantics: the ONNX operators of the same names, where no paper is named.
extension Operator {
  /// - Parameter torch: PyTorch's name, or the module where ours is found.
  private static func activation(
    _ name: String, _ summary: String, _ types: ElementTypes = .floating, attributes: [AttributeSpecification] = [],
    traits: OperatorTraits = .composite, aliases: [String] = [], onnx: String, torch: String? = "torch.nn.functional."
  ) -> Operator {
    Operator(
      name, .activation, summary, operands: ["x"], types: ["T": types], attributes: attributes,
      traits: [.elementwise, traits], aliases: aliases, onnx: onnx, torch: torch.map { $0.hasSuffix(".") ? $0 + name : $0 })
  }

  private static func normalized(_ name: String, _ summary: String, traits: OperatorTraits, onnx: String) -> Operator {
    Operator(
      name, .activation, summary, operands: ["x"], types: ["T": .floating], attributes: [Softmax.axis.specification],
      traits: traits, onnx: onnx, torch: "torch.nn.functional.\(name)")
  }

  /// `relu`: max(x, 0)
  public static let relu = activation(
    "relu", "max(x, 0)", .signedNumeric, traits: [.core, .idempotent], onnx: "Relu")
  /// `leaky_relu`: x < 0 ? αx : x.
  public static let leakyRelu = activation(
    "leaky_relu", "x < 0 ? αx : x", attributes: [LeakyRelu.alpha.specification], onnx: "LeakyRelu")
  /// He et al. 2015. The slope broadcasts to x.
  public static let prelu = Operator(
    "prelu", .activation, "x < 0 ? slope × x : x", operands: ["x", "slope"], types: ["T": .wideNumeric],
    traits: [.elementwise, .composite], onnx: "PRelu", torch: "torch.nn.functional.prelu")
  /// `thresholded_relu`: x > α ? x : 0.
  public static let thresholdedRelu = activation(
    "thresholded_relu", "x > α ? x : 0", attributes: [ThresholdedRelu.alpha.specification], onnx: "ThresholdedRelu",
    torch: "torch.nn.functional.threshold")
  /// `sigmoid`: 1 ÷ (1 + e⁻ˣ)
  public static let sigmoid = activation("sigmoid", "1 ÷ (1 + e⁻ˣ)", traits: .core, onnx: "Sigmoid", torch: "torch.sigmoid")
  /// `tanh`: tanh x.
  public static let tanh = activation("tanh", "tanh x", traits: .core, onnx: "Tanh", torch: "torch.tanh")
  /// Hendrycks and Gimpel 2016.
  public static let gelu = activation(
    "gelu", "x Φ(x), Φ being the normal distribution; or its approximation by tanh.",
    attributes: [Gelu.approximate.specification], onnx: "Gelu")
  /// Clevert et al. 2015.
  public static let elu = activation(
    "elu", "x < 0 ? α(eˣ − 1) : x", attributes: [Elu.alpha.specification], onnx: "Elu")
  /// Klambauer et al. 2017.
  public static let selu = activation(
    "selu", "γ(x < 0 ? α(eˣ − 1) : x)", attributes: [Selu.alpha.specification, Selu.gamma.specification], onnx: "Selu")
  /// Barron 2017.
  public static let celu = activation(
    "celu", "max(0, x) + min(0, α(e^(x/α) − 1))", attributes: [Celu.alpha.specification], onnx: "Celu")
  /// `softplus`: ln(1 + eˣ)
  public static let softplus = activation("softplus", "ln(1 + eˣ)", onnx: "Softplus")
  /// `softsign`: x ÷ (1 + |x|)
  public static let softsign = activation("softsign", "x ÷ (1 + |x|)", onnx: "Softsign")
  /// `hard_sigmoid`: αx + β limited to [0, 1].
  public static let hardSigmoid = activation(
    "hard_sigmoid", "αx + β limited to [0, 1]",
    attributes: [HardSigmoid.alpha.specification, HardSigmoid.beta.specification], onnx: "HardSigmoid",
    torch: "torch.nn.functional.hardsigmoid")
  /// Howard et al. 2019.
  public static let hardSwish = activation(
    "hard_swish", "x × (x/6 + 1/2 limited to [0, 1])", onnx: "HardSwish", torch: "torch.nn.functional.hardswish")
  /// Misra 2019.
  public static let mish = activation("mish", "x tanh(ln(1 + eˣ))", onnx: "Mish")
  /// Ramachandran et al. 2017.
  public static let silu = activation(
    "silu", "x sigmoid(αx)", attributes: [Silu.alpha.specification], aliases: ["swish"], onnx: "Swish")
  /// Hendrycks and Gimpel 2016, section 2: Φ by the logistic function.
  public static let quickGelu = activation(
    "quick_gelu", "x sigmoid(αx), α being 1.702 if not given", attributes: [QuickGelu.alpha.specification],
    onnx: "com.microsoft::QuickGelu", torch: nil)
  /// Shazeer 2020. The shapes must be equal.
  public static let swiglu = Operator(
    "swiglu", .activation, "a sigmoid(αa) × b", operands: ["a", "b"], types: ["T": .floating],
    attributes: [Silu.alpha.specification], traits: [.elementwise, .composite], onnx: "SwiGLU")
  /// `shrink`: x < −λ ? x + bias : x > λ ? x − bias : 0.
  public static let shrink = activation(
    "shrink", "x < −λ ? x + bias : x > λ ? x − bias : 0", .numeric,
    attributes: [Shrink.bias.specification, Shrink.lambda.specification], onnx: "Shrink",
    torch: "torch.nn.functional.softshrink")

  /// `softmax`: eˣ ÷ Σ eˣ along an axis.
  public static let softmax = normalized("softmax", "eˣ ÷ Σ eˣ along an axis", traits: .core, onnx: "Softmax")
  /// `log_softmax`: x − ln Σ eˣ along an axis.
  public static let logSoftmax = normalized(
    "log_softmax", "x − ln Σ eˣ along an axis", traits: .composite, onnx: "LogSoftmax")
  /// `hardmax`: 1 at the first of the largest elements along an axis, else 0.
  public static let hardmax = Operator(
    "hardmax", .activation, "1 at the first of the largest elements along an axis, else 0.", operands: ["x"],
    types: ["T": .floating], attributes: [Softmax.axis.specification], traits: .composite, onnx: "Hardmax")

  package static let activations: [Operator] = [
    .relu, .leakyRelu, .prelu, .thresholdedRelu, .sigmoid, .tanh, .gelu, .elu, .selu, .celu, .softplus, .softsign,
    .hardSigmoid, .hardSwish, .mish, .silu, .quickGelu, .swiglu, .shrink, .softmax, .logSoftmax, .hardmax,
  ]
}

/// The attributes of `leaky_relu`.
public enum LeakyRelu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 0.01)
}

/// The attributes of `thresholded_relu`.
public enum ThresholdedRelu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1)
}

/// The attributes of `gelu`.
public enum Gelu {
  /// ONNX's `approximate`.
  public static let approximate = AttributeKey<String>("approximate", default: "none", allowed: ["none", "tanh"])
}

/// The attributes of `elu`.
public enum Elu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1)
}

/// The attributes of `selu`.
public enum Selu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1.67326319217681884765625)
  /// ONNX's `gamma`.
  public static let gamma = AttributeKey<Float>("gamma", default: 1.05070102214813232421875)
}

/// The attributes of `celu`.
public enum Celu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1)
}

/// The attributes of `hard_sigmoid`.
public enum HardSigmoid {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 0.2)
  /// ONNX's `beta`.
  public static let beta = AttributeKey<Float>("beta", default: 0.5)
}

/// The attributes of `silu`.
public enum Silu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1)
}

/// The attributes of `quick_gelu`.
public enum QuickGelu {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1.702)
}

/// The attributes of `shrink`.
public enum Shrink {
  /// ONNX's `bias`.
  public static let bias = AttributeKey<Float>("bias", default: 0)
  /// ONNX's `lambd`.
  public static let lambda = AttributeKey<Float>("lambd", default: 0.5)
}

/// Of `softmax`, `log_softmax` and `hardmax`.
public enum Softmax {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: -1)
}
