/// Attention and positions. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// Vaswani et al. 2017, with the heads of keys and values shared by groups of query heads (Ainslie et al. 2023).
  ///
  /// Queries [b, h, n, d], keys [b, g, m, d] and values [b, g, m, e], or all three with heads folded into the last axis:
  /// [b, n, h·d]. A cache of past keys and values is put before the keys and values given. The mask broadcasts to
  /// [b, h, n, m]: `bool` says who takes part, numbers are added. A query for which nothing takes part gives zeros.
  public static let attention = Operator(
    "attention", .attention, "softmax(softcap(scale × q × kᵀ) + mask) × v, per head.",
    operands: ["q: A", "k: A", "v: B", "mask?: M", "past_key?: A", "past_value?: B", "nonpad_kv_seqlen?: I"],
    results: ["y: A", "present_key?: A", "present_value?: B", "qk_matmul_output?: A"],
    types: ["A": .floating, "B": .floating, "M": [.numeric, .bool], "I": .int64],
    attributes: Attention.specifications, traits: .composite, aliases: ["scaled_dot_product_attention"], onnx: "Attention",
    torch: "torch.nn.functional.scaled_dot_product_attention")
  /// Su et al. 2021. x is [b, h, n, d] or [b, n, h·d]; the caches hold a row of cosines and sines per position,
  /// [positions, d/2] if position ids are given, else [b, n, d/2].
  public static let rotaryEmbedding = Operator(
    "rotary_embedding", .attention, "Pairs of each head's elements rotated by angles that depend on the position.",
    operands: ["x", "cos_cache", "sin_cache", "position_ids?: I"], types: ["T": .floating, "I": .int64],
    attributes: [
      RotaryEmbedding.interleaved.specification, RotaryEmbedding.headCount.specification,
      RotaryEmbedding.rotatedSize.specification,
    ], traits: .composite, onnx: "RotaryEmbedding")

  /// Katharopoulos et al. 2020; gated as in Yang et al. 2023, with the delta rule as in Schlag et al. 2021.
  ///
  /// Queries [b, t, h·d], keys [b, t, g·d] and values [b, t, g·e] with heads folded in; the state is [b, g, d, e]. The decay,
  /// in logarithms, is per head [b, t, g] or per key element [b, t, g·d]; beta is [b, t, g] or [b, t, 1].
  public static let linearAttention = Operator(
    "linear_attention", .attention, "scale × q × S per head, with the state S ← exp(decay) S + k ⊗ v, or by the delta rule.",
    operands: ["query", "key", "value", "past_state?: S", "decay?", "beta?"], results: ["y", "present_state: S"],
    types: ["T": .floating, "S": .floating],
    attributes: [
      LinearAttention.chunkSize.specification, LinearAttention.keyHeadCount.specification,
      LinearAttention.queryHeadCount.specification, LinearAttention.scale.specification, LinearAttention.rule.specification,
    ], traits: .composite, onnx: "LinearAttention")

  /// Attention whose scores and probabilities go through regions (Dong et al. 2024).
  ///
  /// Queries [b, h, n, d], keys [b, g, m, d] and values [b, g, m, e]; each key head serves h ÷ g query heads. A region takes
  /// [b, h, n, m] in the softmax's element type, and then the captures; it gives as much. One that returns its first
  /// argument leaves them as they are.
  public static let flexAttention = Operator(
    "flex_attention", .attention, "prob_mod(softmax(score_mod(scale × q × kᵀ))) × v, per head.",
    operands: ["q", "k", "v", "captures...: C"], types: ["T": .floating],
    attributes: [FlexAttention.scale.specification, FlexAttention.softmaxPrecision.specification],
    regions: ["score_mod", "prob_mod"], traits: .composite, onnx: "ai.onnx.preview::FlexAttention",
    torch: "torch.nn.attention.flex_attention.flex_attention")

  package static let attentions: [Operator] = [.attention, .rotaryEmbedding, .linearAttention, .flexAttention]
}

/// The attributes of `attention`.
public enum Attention {
  /// Whether query i sees only keys up to its own position, past keys counted.
  public static let isCausal = AttributeKey<Bool>("is_causal", default: false)
  /// Needed where the operands have three axes.
  public static let queryHeadCount = AttributeKey<Int?>("q_num_heads")
  /// ONNX's `kv_num_heads`.
  public static let keyHeadCount = AttributeKey<Int?>("kv_num_heads")
  /// 1/√d if left out.
  public static let scale = AttributeKey<Float?>("scale")
  /// Scores s become `softcap × tanh(s / softcap)`; 0 for none.
  public static let softcap = AttributeKey<Float>("softcap", default: 0)
  /// ONNX's `softmax_precision`.
  public static let softmaxPrecision = AttributeKey<ElementType?>("softmax_precision")
  /// What the fourth result holds: 0 the scaled scores, 1 after softcap, 2 after the mask, 3 after softmax.
  public static let scoresMode = AttributeKey<Int>("qk_matmul_output_mode", default: 0)
  /// How many positions before its own a query sees; −1 for all.
  public static let leftWindowSize = AttributeKey<Int>("left_window_size", default: -1)
  /// How many positions after its own a query sees; −1 for all.
  public static let rightWindowSize = AttributeKey<Int>("right_window_size", default: -1)
  static let specifications = [
    isCausal.specification, queryHeadCount.specification, keyHeadCount.specification, scale.specification,
    softcap.specification, softmaxPrecision.specification, scoresMode.specification, leftWindowSize.specification,
    rightWindowSize.specification,
  ]
}

/// The attributes of `flex_attention`.
public enum FlexAttention {
  /// 1/√d if left out.
  public static let scale = AttributeKey<Float?>("scale")
  /// What the softmax is computed in; `float32` if left out, and `float64` for operands of that type.
  public static let softmaxPrecision = AttributeKey<ElementType?>("softmax_precision")

  /// The element type that scores and probabilities have.
  /// - Parameter operand: the queries'.
  package static func scoreType(_ precision: ElementType?, operand: ElementType) -> ElementType {
    precision ?? (operand == .float64 ? .float64 : .float32)
  }
}

/// The attributes of `linear_attention`.
public enum LinearAttention {
  /// A hint for kernels that work in chunks; does not change the result.
  public static let chunkSize = AttributeKey<Int>("chunk_size", default: 64)
  /// ONNX's `kv_num_heads`.
  public static let keyHeadCount = AttributeKey<Int>("kv_num_heads")
  /// ONNX's `q_num_heads`.
  public static let queryHeadCount = AttributeKey<Int>("q_num_heads")
  /// 1/√d if 0.
  public static let scale = AttributeKey<Float>("scale", default: 0)
  /// How a step changes the state: `gated` rules decay it, `delta` rules write what it lacks of the value.
  public static let rule = AttributeKey<String>(
    "update_rule", default: "gated_delta", allowed: ["linear", "gated", "delta", "gated_delta"])
}

/// The attributes of `rotary_embedding`.
public enum RotaryEmbedding {
  /// Whether pairs are neighbours rather than d/2 apart.
  public static let interleaved = AttributeKey<Bool>("interleaved", default: false)
  /// Needed where x has three axes.
  public static let headCount = AttributeKey<Int>("num_heads", default: 0)
  /// How many of a head's elements are rotated; 0 for all.
  public static let rotatedSize = AttributeKey<Int>("rotary_embedding_dim", default: 0)
}
