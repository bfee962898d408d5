/// Operators that bring elements to a common mean and scale. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// Ioffe and Szegedy 2015. In training the statistics are the batch's own, over all axes but the channels', and the
  /// running ones follow as results: `running × momentum + batch × (1 − momentum)`, the variance without Bessel's correction.
  public static let batchNormalization = Operator(
    "batch_normalization", .normalization, "(x − mean) ÷ √(variance + ε) × scale + bias, per channel of x [n, c, ...].",
    operands: ["x", "scale: P", "bias: P", "mean: S", "variance: S"],
    results: ["y", "running_mean?: S", "running_variance?: S"],
    types: ["T": .floating, "P": .floating, "S": .floating],
    attributes: [
      BatchNormalization.epsilon.specification, BatchNormalization.momentum.specification,
      BatchNormalization.trainingMode.specification,
    ], traits: .composite, aliases: ["batch_norm"], onnx: "BatchNormalization", torch: "torch.nn.functional.batch_norm")
  /// Ba et al. 2016.
  public static let layerNormalization = Operator(
    "layer_normalization", .normalization,
    "(x − mean) ÷ √(variance + ε) × scale + bias, statistics over the axes from `axis` on.",
    operands: ["x", "scale", "bias?"], results: ["y", "mean?: U", "inv_std_dev?: U"],
    types: ["T": .floating, "U": .init(.float32, .bfloat16)], attributes: LayerNormalization.specifications,
    traits: .composite, aliases: ["layer_norm"], onnx: "LayerNormalization", torch: "torch.nn.functional.layer_norm")
  /// Zhang and Sennrich 2019.
  public static let rmsNormalization = Operator(
    "rms_normalization", .normalization, "x ÷ √(mean of x² + ε) × scale, the mean over the axes from `axis` on.",
    operands: ["x", "scale: V"], results: ["y: V"], types: ["T": .floating, "V": .floating],
    attributes: LayerNormalization.specifications, traits: .composite, aliases: ["rms_norm"], onnx: "RMSNormalization",
    torch: "torch.nn.functional.rms_norm")
  /// Wu and He 2018.
  public static let groupNormalization = Operator(
    "group_normalization", .normalization,
    "(x − mean) ÷ √(variance + ε) × scale + bias, statistics per image and group of channels of x [n, c, ...].",
    operands: ["x", "scale", "bias"], types: ["T": .floating],
    attributes: [
      GroupNormalization.epsilon.specification, GroupNormalization.groupCount.specification,
      GroupNormalization.stashType.specification,
    ], traits: .composite, aliases: ["group_norm"], onnx: "GroupNormalization", torch: "torch.nn.functional.group_norm")
  /// Ulyanov et al. 2016.
  public static let instanceNormalization = Operator(
    "instance_normalization", .normalization,
    "(x − mean) ÷ √(variance + ε) × scale + bias, statistics per image and channel of x [n, c, ...].",
    operands: ["x", "scale", "bias"], types: ["T": .floating], attributes: [InstanceNormalization.epsilon.specification],
    traits: .composite, aliases: ["instance_norm"], onnx: "InstanceNormalization",
    torch: "torch.nn.functional.instance_norm")
  /// Where the norm is 0, so is the result.
  public static let lpNormalization = Operator(
    "lp_normalization", .normalization, "x ÷ its p-norm along an axis.", operands: ["x"], types: ["T": .floating],
    attributes: [LpNormalization.axis.specification, LpNormalization.p.specification], traits: .composite,
    onnx: "LpNormalization", torch: "torch.nn.functional.normalize")
  /// Krizhevsky et al. 2012: local response normalization over neighbouring channels of x [n, c, ...].
  public static let lrn = Operator(
    "lrn", .normalization, "x ÷ (bias + α/size × Σ x² over `size` neighbouring channels)^β", operands: ["x"],
    types: ["T": .floating],
    attributes: [
      LocalResponseNormalization.alpha.specification, LocalResponseNormalization.beta.specification,
      LocalResponseNormalization.bias.specification, LocalResponseNormalization.size.specification,
    ], traits: .composite, aliases: ["local_response_norm"], onnx: "LRN", torch: "torch.nn.functional.local_response_norm")
  /// `mean_variance_normalization`: (x − mean) ÷ (√variance + 10⁻⁹), statistics over the axes.
  public static let meanVarianceNormalization = Operator(
    "mean_variance_normalization", .normalization, "(x − mean) ÷ (√variance + 10⁻⁹), statistics over the axes.",
    operands: ["x"], types: ["T": .floating], attributes: [MeanVarianceNormalization.axes.specification],
    traits: .composite, onnx: "MeanVarianceNormalization")

  package static let normalizations: [Operator] = [
    .batchNormalization, .layerNormalization, .rmsNormalization, .groupNormalization, .instanceNormalization,
    .lpNormalization, .lrn, .meanVarianceNormalization,
  ]
}

/// The attributes of `batch_normalization`.
public enum BatchNormalization {
  /// What is added to the variance before its root is taken.
  public static let epsilon = AttributeKey<Float>("epsilon", default: 1e-5)
  /// The weight of the running statistics against the batch's.
  public static let momentum = AttributeKey<Float>("momentum", default: 0.9)
  /// ONNX's `training_mode`.
  public static let trainingMode = AttributeKey<Bool>("training_mode", default: false)
}

/// Of `layer_normalization` and `rms_normalization`.
public enum LayerNormalization {
  /// The first axis that is normalized.
  public static let axis = AttributeKey<Int>("axis", default: -1)
  /// What is added to the variance before its root is taken.
  public static let epsilon = AttributeKey<Float>("epsilon", default: 1e-5)
  /// What statistics are computed in, and the element type of those that are results.
  public static let stashType = AttributeKey<ElementType>("stash_type", default: .float32)
  static let specifications = [axis.specification, epsilon.specification, stashType.specification]
}

/// The attributes of `group_normalization`.
public enum GroupNormalization {
  /// What is added to the variance before its root is taken.
  public static let epsilon = AttributeKey<Float>("epsilon", default: 1e-5)
  /// ONNX's `num_groups`.
  public static let groupCount = AttributeKey<Int>("num_groups")
  /// ONNX's `stash_type`.
  public static let stashType = AttributeKey<ElementType>("stash_type", default: .float32)
}

/// The attributes of `instance_normalization`.
public enum InstanceNormalization {
  /// What is added to the variance before its root is taken.
  public static let epsilon = AttributeKey<Float>("epsilon", default: 1e-5)
}

/// The attributes of `lp_normalization`.
public enum LpNormalization {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: -1)
  /// 1 or 2.
  public static let p = AttributeKey<Int>("p", default: 2)
}

/// The attributes of local response normalization.
public enum LocalResponseNormalization {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1e-4)
  /// ONNX's `beta`.
  public static let beta = AttributeKey<Float>("beta", default: 0.75)
  /// ONNX's `bias`.
  public static let bias = AttributeKey<Float>("bias", default: 1)
  /// How many channels are summed: ⌊(size − 1) / 2⌋ before, ⌈(size − 1) / 2⌉ after, and the channel itself.
  public static let size = AttributeKey<Int>("size")
}

/// The attributes of `mean_variance_normalization`.
public enum MeanVarianceNormalization {
  /// The axes; negative ones count from the last.
  public static let axes = AttributeKey<[Int]>("axes", default: [0, 2, 3])
}
