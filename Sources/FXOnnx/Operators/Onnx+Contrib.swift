import FXCore

/// The domain of ONNX Runtime's own operators. Those that operators of ours express are read as these, so that every pass,
/// kernel and target knows them, and are written as ONNX's own; the others have operators of the same form.
extension OnnxForm {
  static let contrib: [OnnxForm] = [
    vendor("MultiHeadAttention", normalize: unpackHeads),
    OnnxForm(
      "GroupQueryAttention", domain: "com.microsoft",
      ignored: [
        "kv_cache_bit_width", "qk_norm_epsilon", "q_norm_epsilon", "k_norm_epsilon", "k_quant_type", "v_quant_type",
        "qk_output",
      ], normalize: plainCache),
    OnnxForm("MatMulNBits", domain: "com.microsoft", ignored: ["accuracy_level", "weight_prepacked"]),
  ]

  static let readAsContrib: [(op: String, form: OnnxForm)] = [
    ("gelu", vendor("Gelu")),
    ("gelu", vendor("BiasGelu", importing: biasGelu)),
    ("gelu", vendor("FastGelu", importing: fastGelu)),
    ("layer_normalization", vendor("SkipLayerNormalization", importing: skipLayerNormalization)),
    ("layer_normalization", vendor("EmbedLayerNormalization", importing: embedLayerNormalization)),
    ("rms_normalization", OnnxForm("SimplifiedLayerNormalization", normalize: oneResult)),
    ("rms_normalization", vendor("SimplifiedLayerNormalization", normalize: oneResult)),
    ("rms_normalization", vendor("SkipSimplifiedLayerNormalization", importing: skipRmsNormalization)),
    ("fused_conv", vendor("FusedConv", normalize: ourActivation)),
    ("fused_gemm", vendor("FusedGemm", normalize: ourActivation)),
    ("rotary_embedding", vendor("RotaryEmbedding", importing: rotaryEmbedding)),
    ("multi_head_attention", vendor("Attention", importing: attention)),
    ("multi_head_attention", vendor("QAttention", importing: quantizedAttention)),
  ]

  static func vendor(_ opType: String, normalize: Normalize? = nil, importing: Import? = nil) -> OnnxForm {
    OnnxForm(opType, domain: "com.microsoft", normalize: normalize, importing: importing)
  }

  // MARK: Activations

  private static func biasGelu(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let sum = try call.call(try call.op("add"), [call.operand(0), call.operand(1)])
    return try call.call(try call.op("gelu"), sum, results: call.resultTypes)
  }

  private static func fastGelu(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    var x = [call.operand(0)]
    if call.operand(1) != .none { x = try call.call(try call.op("add"), [x[0], call.operand(1)]) }
    return try call.call(try call.op("gelu"), x, attributes: ["approximate": "tanh"], results: call.resultTypes)
  }

  private static let activations = [
    "Relu": "relu", "LeakyRelu": "leaky_relu", "Sigmoid": "sigmoid", "Tanh": "tanh", "Clip": "clip",
    "HardSigmoid": "hard_sigmoid", "Elu": "elu", "Softplus": "softplus", "HardSwish": "hard_swish", "Gelu": "gelu",
  ]

  /// Names the activation as fused operators of ours do, with its parameters as a list.
  private static func ourActivation(_ call: inout OnnxImportCall) throws(OnnxError) {
    var parameters: [Float] = []
    for name in ["activation_alpha", "activation_beta", "activation_gamma"] {
      if let number = try call.takeFloat(name) { parameters.append(number) }
    }
    guard let name = try call.takeString("activation"), !name.isEmpty else { return }
    guard let ours = activations[name], let function = FusedActivation.function(named: ours) else {
      throw OnnxError(.unsupported("the fused activation \(name)"))
    }
    call.attributes[FusedActivation.activation.name] = .string(ours)
    // Some writers list numbers that the activation does not have.
    if parameters.count >= function.parameterNames.count, !function.parameterNames.isEmpty {
      call.attributes[FusedActivation.parameters.name] = .floats(Array(parameters.prefix(function.parameterNames.count)))
    }
  }

  // MARK: Normalization

  /// Operands 0 and 1, and another if it is there, added up.
  private static func addedUp(_ call: OnnxImportCall, bias: Int) throws(OnnxError) -> Operand {
    let add = try call.op("add")
    let sum = try call.call(add, [call.operand(0), call.operand(1)])[0]
    return call.operand(bias) == .none ? sum : try call.call(add, [sum, call.operand(bias)])[0]
  }

  private static func takeEpsilon(_ call: inout OnnxImportCall) throws(OnnxError) -> AttributeValue {
    .float(try call.takeFloat("epsilon") ?? 1e-12)
  }

  private static func skipLayerNormalization(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let epsilon = try takeEpsilon(&call)
    let sum = try addedUp(call, bias: 4)
    // Runtimes leave the statistics of a call with a sum empty.
    let wantsStatistics = (2...3).contains(call.resultCount)
    let results = try call.call(
      try call.op("layer_normalization"), [sum, call.operand(2)] + (call.operand(3) == .none ? [] : [call.operand(3)]),
      attributes: ["epsilon": epsilon],
      results: Array(call.resultTypes.prefix(wantsStatistics ? call.resultCount : 1)))
    return wantsStatistics ? results : [results[0], .none, .none, sum]
  }

  private static func skipRmsNormalization(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    if (2...3).contains(call.resultCount) { throw statisticsWanted }
    let epsilon = try takeEpsilon(&call)
    let sum = try addedUp(call, bias: 3)
    let results = try call.call(
      try call.op("rms_normalization"), [sum, call.operand(2)], attributes: ["epsilon": epsilon],
      results: Array(call.resultTypes.prefix(1)))
    return [results[0], .none, .none, sum]
  }

  private static func oneResult(_ call: inout OnnxImportCall) throws(OnnxError) {
    if call.resultCount > 1 { throw statisticsWanted }
  }

  private static let statisticsWanted = OnnxError(.unsupported("the statistics of a normalization without mean as results"))

  private static func embedLayerNormalization(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    try embedded(&call)
  }

  /// The sum of embeddings of words, positions and segments, normalized; how long each text is; the sum.
  static func embedded(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let epsilon = try takeEpsilon(&call)
    let (gather, add) = (try call.op("gather"), try call.op("add"))
    let ids = call.operand(0)
    let words = try call.call(gather, [call.operand(2), ids])[0]
    let positions: Operand
    if call.operand(8) == .none {
      let length = try call.call(try call.op("shape"), [ids], attributes: ["start": 1, "end": 2])
      let zero = call.constant(indices: [0], name: "\(call.name)_zero")
      positions = try call.call(try call.op("slice"), [call.operand(3), zero] + length + [zero])[0]
    } else {
      positions = try call.call(gather, [call.operand(3), call.operand(8)])[0]
    }
    var sum = try call.call(add, [words, positions])[0]
    if call.operand(1) != .none, call.operand(4) != .none {
      let segments = try call.call(gather, [call.operand(4), call.operand(1)])[0]
      sum = try call.call(add, [sum, segments])[0]
    }
    let result = try call.call(
      try call.op("layer_normalization"), [sum, call.operand(5), call.operand(6)],
      attributes: ["epsilon": epsilon], results: Array(call.resultTypes.prefix(1)))
    guard call.resultCount > 1 else { return result }
    // Without a mask the lengths are 0.
    let mask = call.operand(7) == .none ? try call.call(try call.op("sub"), [ids, ids])[0] : call.operand(7)
    let axis = call.constant(indices: [1], name: "\(call.name)_axis")
    let lengths = try call.call(try call.op("reduce_sum"), [mask, axis], attributes: ["keepdims": .bool(false)])
    return result + lengths + [sum]
  }

  // MARK: Attention

  private static func rotaryEmbedding(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    if try call.takeInt("is_packed_batching") ?? 0 != 0 { throw OnnxError(.unsupported("packed batches of RotaryEmbedding")) }
    let scale = try call.takeFloat("scale") ?? 1
    guard scale == 1 else { throw OnnxError(.unsupported("RotaryEmbedding scaled by \(scale)")) }
    let (x, cosines) = (call.operand(0), call.operand(2))
    var heads = try call.takeInt("num_heads") ?? 0
    let rotated = try call.takeInt("rotary_embedding_dim") ?? 0
    let isInterleaved = try call.takeInt("interleaved") ?? 0 != 0
    if heads == 0, rotated == 0, let shape = call.type(of: x).shape, shape.rank == 3, let size = shape[2].size,
      let half = call.type(of: cosines).shape?.dimensions.last?.size, half > 0
    {
      // Whole heads are rotated, so the caches say how long those are.
      heads = size / half / 2
    }
    guard let rank = call.type(of: call.operand(1)).shape?.rank else {
      throw OnnxError(.unsupported("RotaryEmbedding with position ids of unknown rank"))
    }
    let positions = rank == 1 ? try consecutive(from: call.operand(1), beside: x, &call) : call.operand(1)
    return try call.call(
      try call.op("rotary_embedding"), [x, cosines, call.operand(3), positions],
      attributes: [
        "num_heads": .int(heads), "rotary_embedding_dim": .int(rotated), "interleaved": .bool(isInterleaved),
      ], results: call.resultTypes)
  }

  /// The positions [batch, length] of x [batch, ..., length, size] that start at a given one in every text.
  private static func consecutive(
    from start: Operand, beside x: Operand, _ call: inout OnnxImportCall
  ) throws(OnnxError) -> Operand {
    let (shape, squeeze) = (try call.op("shape"), try call.op("squeeze"))
    let batch = try call.call(shape, [x], attributes: ["start": 0, "end": 1])[0]
    let length = try call.call(shape, [x], attributes: ["start": -2, "end": -1])[0]
    let first = try call.call(squeeze, [start])[0]
    let end = try call.call(try call.op("add"), [first, try call.call(squeeze, [length])[0]])[0]
    let one = call.constant(Tensor(Int64(1)), name: "\(call.name)_one")
    let row = try call.call(try call.op("range"), [first, end, one])[0]
    let sizes = try call.call(try call.op("concat"), [batch, length], attributes: ["axis": 0])[0]
    return try call.call(try call.op("expand"), [row, sizes])[0]
  }

  /// Takes apart queries, keys and values that come packed: [b, n, h, 3, d], or [b, m, h, 2, d] without the queries.
  private static func unpackHeads(_ call: inout OnnxImportCall) throws(OnnxError) {
    let first = call.operand(1) == .none ? 0 : 1
    guard call.operand(2) == .none else { return }
    let count = 3 - first
    let parts = try call.call(
      try call.op("split"), [call.operand(first)], attributes: ["axis": 3, "num_outputs": .int(count)],
      results: Array(repeating: .unknown, count: count))
    let folded = call.constant(indices: [0, 0, -1], name: "\(call.name)_folded")
    for (index, part) in parts.enumerated() {
      call.setOperand(first + index, try call.call(try call.op("reshape"), [part, folded])[0])
    }
  }

  private static func plainCache(_ call: inout OnnxImportCall) throws(OnnxError) {
    if try call.takeInt("causal") ?? 1 == 0 { throw OnnxError(.unsupported("GroupQueryAttention that is not causal")) }
    if try call.takeInt("sliding_window_cache") ?? 0 != 0 {
      throw OnnxError(.unsupported("GroupQueryAttention with a cache that slides"))
    }
  }

  private static func attention(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let product = try call.call(try call.op("matmul"), [call.operand(0), call.operand(1)])[0]
    return try attention(
      product, bias: call.operand(2), mask: call.operand(3), past: call.operand(4), scoreBias: call.operand(5), &call)
  }

  private static func quantizedAttention(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    let product = try call.scaledProduct(
      call.operand(0), call.operand(1), scales: [call.operand(3), call.operand(4)],
      zeroPoints: [call.operand(6), call.operand(7)])
    return try attention(
      product, bias: call.operand(2), mask: call.operand(5), past: call.operand(8), scoreBias: .none, &call)
  }

  /// Attention on queries, keys and values side by side along the last axis, with both caches in one tensor.
  private static func attention(
    _ product: Operand, bias: Operand, mask: Operand, past: Operand, scoreBias: Operand, _ call: inout OnnxImportCall
  ) throws(OnnxError) -> [Operand] {
    for name in ["past_present_share_buffer", "do_rotary"] where try call.takeInt(name) ?? 0 != 0 {
      throw OnnxError(.unsupported("\(call.opType) with \(name)"))
    }
    _ = try call.takeInt("rotary_embedding_dim")
    guard call.operands.count <= (call.opType == "Attention" ? 6 : 9) else {
      throw OnnxError(.unsupported("\(call.opType) with caches that are shared"))
    }
    let split = try call.op("split")
    let sum = bias == .none ? product : try call.call(try call.op("add"), [product, bias])[0]
    let three = Array(repeating: ValueType.unknown, count: 3)
    let parts: [Operand]
    if let sizes = try call.takeInts("qkv_hidden_sizes"), !sizes.isEmpty {
      let widths = call.constant(indices: sizes, name: "\(call.name)_widths")
      parts = try call.call(split, [sum, widths], attributes: ["axis": -1], results: three)
    } else {
      parts = try call.call(split, [sum], attributes: ["axis": -1, "num_outputs": 3], results: three)
    }
    let zero = call.constant(indices: [0], name: "\(call.name)_zero")
    var caches: [Operand] = []
    if past != .none {
      let both = try call.call(
        split, [past], attributes: ["axis": 0, "num_outputs": 2], results: [.unknown, .unknown])
      for cache in both { caches += try call.call(try call.op("squeeze"), [cache, zero]) }
    }
    var operands = parts + [.none, mask, scoreBias] + caches
    while operands.last == Operand.none { operands.removeLast() }
    let op = try call.op("multi_head_attention")
    var attributes = Attributes()
    for name in ["num_heads", "scale", "mask_filter_value"] { attributes[name] = call.take(name) }
    attributes["unidirectional"] = .bool(try call.takeInt("unidirectional") ?? 0 != 0)
    let wantsCaches = call.resultCount > 1
    let results = try call.call(
      op, operands, attributes: attributes,
      results: Array(call.resultTypes.prefix(1)) + (wantsCaches ? [.unknown, .unknown] : []))
    guard wantsCaches else { return results }
    var halves: [Operand] = []
    for cache in results.dropFirst() { halves += try call.call(try call.op("unsqueeze"), [cache, zero]) }
    return [results[0]] + (try call.call(try call.op("concat"), halves, attributes: ["axis": 0]))
  }
}
