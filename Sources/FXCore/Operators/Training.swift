/// One step of an optimizer. Source of semantics: the operators of ONNX's domain `ai.onnx.preview.training`.
///
/// Operands are the learning rate r, the number t of steps done before, and then group by group of n tensors each: the
/// tensors x to be trained, their gradients g, and the optimizer's memory of them. Results are the new x and the new
/// memory, in the same order. g′ = g + norm_coefficient × x is the gradient with regularization.
extension Operator {
  private static func optimizer(
    _ name: String, _ summary: String, _ attributes: [AttributeSpecification], onnx: String
  ) -> Operator {
    Operator(
      name, .training, summary, operands: ["r: R", "t: I", "inputs...: V"], results: ["outputs...: V"],
      types: ["R": .init(.float32, .float64), "I": .int64], attributes: attributes,
      onnx: "ai.onnx.preview.training::" + onnx)
  }

  /// Operands x, g, h: h ← h + g′²; x ← x − r / (1 + t × decay_factor) × g′ / (√h + ε).
  public static let adagrad = optimizer(
    "adagrad", "A step of Adagrad.",
    [AdagradStep.decayFactor.specification, OptimizerStep.epsilon.specification, OptimizerStep.normCoefficient.specification],
    onnx: "Adagrad")

  /// Operands x, g, v, h: v ← αv + (1 − α)g′; h ← βh + (1 − β)g′²; x ← (1 − norm_coefficient_post)(x − ρ v / (√h + ε)),
  /// where ρ = r√(1 − βᵗ) / (1 − αᵗ), or r in the first step.
  public static let adam = optimizer(
    "adam", "A step of Adam.",
    [
      AdamStep.alpha.specification, AdamStep.beta.specification, OptimizerStep.epsilon.specification,
      OptimizerStep.normCoefficient.specification, AdamStep.normCoefficientPost.specification,
    ], onnx: "Adam")

  /// Operands x, g, v: v ← αv + βg′, β being 1 in the first step; x ← x − r v, or x − r(g′ + αv) with Nesterov's momentum.
  public static let momentum = optimizer(
    "momentum", "A step of gradient descent with momentum.",
    [
      MomentumStep.alpha.specification, MomentumStep.beta.specification, MomentumStep.mode.specification,
      MomentumStep.normCoefficient.specification,
    ], onnx: "Momentum")

  package static let training: [Operator] = [.adagrad, .adam, .momentum]
}

/// The attributes of all optimizers' steps.
public enum OptimizerStep {
  /// What is added to the variance before its root is taken.
  public static let epsilon = AttributeKey<Float>("epsilon", default: 1e-6)
  /// ONNX's `norm_coefficient`.
  public static let normCoefficient = AttributeKey<Float>("norm_coefficient", default: 0)
}

/// The attributes of steps of Adagrad.
public enum AdagradStep {
  /// ONNX's `decay_factor`.
  public static let decayFactor = AttributeKey<Float>("decay_factor", default: 0)
}

/// The attributes of steps of Adam.
public enum AdamStep {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 0.9)
  /// ONNX's `beta`.
  public static let beta = AttributeKey<Float>("beta", default: 0.999)
  /// ONNX's `norm_coefficient_post`.
  public static let normCoefficientPost = AttributeKey<Float>("norm_coefficient_post", default: 0)
}

/// The attributes of steps with momentum.
public enum MomentumStep {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha")
  /// ONNX's `beta`.
  public static let beta = AttributeKey<Float>("beta")
  /// ONNX's `mode`.
  public static let mode = AttributeKey<String>("mode", allowed: ["standard", "nesterov"])
  /// ONNX's `norm_coefficient`.
  public static let normCoefficient = AttributeKey<Float>("norm_coefficient")
}
