/// Attention as ONNX Runtime's domain `com.microsoft` has it, which optimized and generative models hold.
extension Operator {
  /// Queries [b, n, h·d], keys [b, m, h·d] and values [b, m, h·e]; keys and values may have heads apart: [b, h, m, d]. The
  /// bias is one vector for queries, keys and values together. Caches [b, h, p, d] are put before the keys and values.
  ///
  /// The padding mask says which keys take part: i32[b] how many, i32[2b] where they end and then where they start,
  /// i32[b, m] or i32[b, n, m] one by one, not 0 being yes. The attention bias broadcasts to [b, h, n, m].
  public static let multiHeadAttention = Operator(
    "multi_head_attention", .attention, "softmax(scale × q × kᵀ + masks) × v, per head, with heads folded into the last axis.",
    operands: [
      "query", "key", "value", "bias?", "key_padding_mask?: M", "attention_bias?", "past_key?", "past_value?",
    ],
    results: ["y", "present_key?", "present_value?"], types: ["T": .floating, "M": .init(.int32)],
    attributes: [
      MultiHeadAttention.headCount.specification, MultiHeadAttention.scale.specification,
      MultiHeadAttention.filterValue.specification, MultiHeadAttention.isCausal.specification,
    ], traits: .composite, onnx: "com.microsoft::MultiHeadAttention")

  /// Queries [b, n, h·d], keys and values [b, n, g·d], or all three packed into the first operand: [b, n, (h + 2g)·d].
  ///
  /// Image i has `seqlens_k[i] + 1` keys, past ones included. A cache [b, g, c, d] holds them from its start on; the result's
  /// caches have room for `total_sequence_length`, or as much as those given. With `do_rotary` queries and keys are turned by
  /// the angles of the caches [positions, d/2]. A sink is a score per head that takes its part of the softmax and gives none.
  public static let groupQueryAttention = Operator(
    "group_query_attention", .attention, "Causal attention with a cache, whose key heads are shared by groups of query heads.",
    operands: [
      "query", "key?", "value?", "past_key?", "past_value?", "seqlens_k: M", "total_sequence_length: M", "cos_cache?",
      "sin_cache?", "position_ids?: I", "attention_bias?", "head_sink?",
    ],
    results: ["y", "present_key", "present_value"], types: ["T": .floating, "M": .init(.int32), "I": .int64],
    attributes: [
      MultiHeadAttention.headCount.specification, GroupQueryAttention.keyHeadCount.specification,
      MultiHeadAttention.scale.specification, GroupQueryAttention.softcap.specification,
      GroupQueryAttention.windowSize.specification, GroupQueryAttention.rotates.specification,
      GroupQueryAttention.isInterleaved.specification, GroupQueryAttention.hasSmoothSoftmax.specification,
    ], traits: .composite, onnx: "com.microsoft::GroupQueryAttention")

  package static let contribAttentions: [Operator] = [.multiHeadAttention, .groupQueryAttention]
}

/// The attributes of `multi_head_attention`.
public enum MultiHeadAttention {
  /// ONNX's `num_heads`.
  public static let headCount = AttributeKey<Int>("num_heads")
  /// 1/√d if left out or 0.
  public static let scale = AttributeKey<Float?>("scale")
  /// What is added to the scores of keys that the padding mask leaves out.
  public static let filterValue = AttributeKey<Float>("mask_filter_value", default: -10000)
  /// Whether query i sees only keys up to its own position, past keys counted.
  public static let isCausal = AttributeKey<Bool>("unidirectional", default: false)
}

/// The attributes of `group_query_attention`.
public enum GroupQueryAttention {
  /// ONNX's `kv_num_heads`.
  public static let keyHeadCount = AttributeKey<Int>("kv_num_heads")
  /// Scores s become `softcap × tanh(s / softcap)`; 0 for none.
  public static let softcap = AttributeKey<Float>("softcap", default: 0)
  /// How many keys a query sees at most, its own position's the last; −1 for all.
  public static let windowSize = AttributeKey<Int>("local_window_size", default: -1)
  /// ONNX's `do_rotary`.
  public static let rotates = AttributeKey<Bool>("do_rotary", default: false)
  /// Whether rotated pairs are neighbours rather than half the rotated size apart.
  public static let isInterleaved = AttributeKey<Bool>("rotary_interleaved", default: false)
  /// 1 for a sink with the score 0 in every head.
  public static let hasSmoothSoftmax = AttributeKey<Int>("smooth_softmax", default: -1)
}
