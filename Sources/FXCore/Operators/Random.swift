/// Random numbers. Source of semantics: the ONNX operators of the same names, whose generator ONNX leaves open; here a
/// node's numbers follow from its seed, or from the executor's seed and the node if it has none.
extension Operator {
  /// Srivastava et al. 2014. Outside training x itself, with a mask that is all true. The ratio is 1/2 if left out.
  public static let dropout = Operator(
    "dropout", .random, "x with elements set to 0 at random in training, the others scaled by 1 ÷ (1 − ratio).",
    operands: ["x", "ratio?: R", "training_mode?: B"], results: ["y", "mask?: B"],
    types: ["T": [.floating, .float8], "R": [.floating, .float8], "B": .bool],
    attributes: [RandomSeed.dropout.specification], effect: .random, onnx: "Dropout", torch: "torch.nn.functional.dropout")
  /// `random_normal`: Normally distributed numbers.
  public static let randomNormal = Operator(
    "random_normal", .random, "Normally distributed numbers.", operands: [],
    types: ["T": .floating],
    attributes: [
      RandomShape.elementType.specification, RandomShape.shape.specification, RandomNormal.mean.specification,
      RandomNormal.scale.specification, RandomSeed.seed.specification,
    ], effect: .random, onnx: "RandomNormal", torch: "torch.normal")
  /// `random_normal_like`: Normally distributed numbers in the shape of x.
  public static let randomNormalLike = Operator(
    "random_normal_like", .random, "Normally distributed numbers in the shape of x.", operands: ["x"], results: ["y: U"],
    types: ["U": .floating],
    attributes: [
      RandomLike.elementType.specification, RandomNormal.mean.specification, RandomNormal.scale.specification,
      RandomSeed.seed.specification,
    ], effect: .random, onnx: "RandomNormalLike", torch: "torch.randn_like")
  /// `random_uniform`: Numbers distributed uniformly in [low, high).
  public static let randomUniform = Operator(
    "random_uniform", .random, "Numbers distributed uniformly in [low, high).", operands: [],
    types: ["T": .floating],
    attributes: [
      RandomShape.elementType.specification, RandomShape.shape.specification, RandomUniform.low.specification,
      RandomUniform.high.specification, RandomSeed.seed.specification,
    ], effect: .random, onnx: "RandomUniform", torch: "torch.rand")
  /// `random_uniform_like`: Numbers distributed uniformly in [low, high) in the shape of x.
  public static let randomUniformLike = Operator(
    "random_uniform_like", .random, "Numbers distributed uniformly in [low, high) in the shape of x.", operands: ["x"],
    results: ["y: U"], types: ["U": .floating],
    attributes: [
      RandomLike.elementType.specification, RandomUniform.low.specification, RandomUniform.high.specification,
      RandomSeed.seed.specification,
    ], effect: .random, onnx: "RandomUniformLike", torch: "torch.rand_like")
  /// `bernoulli`: 1 with the probability that x holds, else 0.
  public static let bernoulli = Operator(
    "bernoulli", .random, "1 with the probability that x holds, else 0.", operands: ["x"], results: ["y: U"],
    types: ["T": .floating, "U": [.numeric, .bool]],
    attributes: [RandomLike.elementType.specification, RandomSeed.seed.specification], effect: .random,
    onnx: "Bernoulli", torch: "torch.bernoulli")
  /// `multinomial`: Indices drawn from each row's unnormalized log-probabilities [batch, classes], as [batch, samples].
  public static let multinomial = Operator(
    "multinomial", .random,
    "Indices drawn from each row's unnormalized log-probabilities [batch, classes], as [batch, samples].",
    operands: ["x"], results: ["y: U"], types: ["T": .floating, "U": .index],
    attributes: [
      Multinomial.elementType.specification, Multinomial.sampleCount.specification, RandomSeed.seed.specification,
    ], effect: .random, onnx: "Multinomial", torch: "torch.multinomial")

  package static let randoms: [Operator] = [
    .dropout, .randomNormal, .randomNormalLike, .randomUniform, .randomUniformLike, .bernoulli, .multinomial,
  ]
}

/// Of all operators that draw random numbers; left out, the numbers follow from the executor's seed.
public enum RandomSeed {
  /// What the numbers are drawn from; drawn itself if absent.
  public static let seed = AttributeKey<Float?>("seed")
  /// ONNX gives dropout an integer seed.
  public static let dropout = AttributeKey<Int?>("seed")
}

/// Of `random_normal` and `random_uniform`.
public enum RandomShape {
  /// The element type of the result.
  public static let elementType = AttributeKey<ElementType>("dtype", default: .float32)
  /// ONNX's `shape`.
  public static let shape = AttributeKey<[Int]>("shape")
}

/// Of operators that take another tensor's shape.
public enum RandomLike {
  /// The operand's element type if left out.
  public static let elementType = AttributeKey<ElementType?>("dtype")
}

/// The attributes of `random_normal`.
public enum RandomNormal {
  /// ONNX's `mean`.
  public static let mean = AttributeKey<Float>("mean", default: 0)
  /// The standard deviation.
  public static let scale = AttributeKey<Float>("scale", default: 1)
}

/// The attributes of `random_uniform`.
public enum RandomUniform {
  /// ONNX's `low`.
  public static let low = AttributeKey<Float>("low", default: 0)
  /// ONNX's `high`.
  public static let high = AttributeKey<Float>("high", default: 1)
}

/// The attributes of `multinomial`.
public enum Multinomial {
  /// The element type of the result.
  public static let elementType = AttributeKey<ElementType>("dtype", default: .int32)
  /// ONNX's `sample_size`.
  public static let sampleCount = AttributeKey<Int>("sample_size", default: 1)
}
