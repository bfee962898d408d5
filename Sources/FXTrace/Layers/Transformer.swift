import FXCore

/// What `MultiheadAttention` takes. For self-attention all three are one tensor.
public struct AttentionInput: TensorGroup {
  /// [target, batch, embedding], or the batch first.
  public var query: SymbolicTensor
  /// [source, batch, embedding], or the batch first.
  public var key: SymbolicTensor
  /// [source, batch, embedding], or the batch first: as many as there are keys.
  public var value: SymbolicTensor
  /// [batch, source]: true where a key is padding; numbers are added to the scores.
  public var keyPaddingMask: SymbolicTensor?
  /// [target, source] or what broadcasts to [batch, heads, target, source]: true where attention is forbidden; numbers are
  /// added to the scores.
  public var mask: SymbolicTensor?

  /// - Parameters:
  ///   - keyPaddingMask: which keys nobody looks at; none by default.
  ///   - mask: who may look at what; everybody at everything by default.
  public init(
    query: SymbolicTensor, key: SymbolicTensor, value: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil,
    mask: SymbolicTensor? = nil
  ) {
    self.query = query
    self.key = key
    self.value = value
    self.keyPaddingMask = keyPaddingMask
    self.mask = mask
  }

  public var tensors: [SymbolicTensor] { [query, key, value] + [keyPaddingMask, mask].compactMap(\.self) }

  /// A fourth tensor is the padding mask, a fifth the mask, as in PyTorch.
  public init?(tensors: [SymbolicTensor]) {
    guard (3...5).contains(tensors.count) else { return nil }
    self.init(
      query: tensors[0], key: tensors[1], value: tensors[2], keyPaddingMask: tensors.count > 3 ? tensors[3] : nil,
      mask: tensors.count > 4 ? tensors[4] : nil)
  }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> AttentionInput? {
    guard tensors.count == self.tensors.count else { return nil }
    return AttentionInput(
      query: tensors[0], key: tensors[1], value: tensors[2], keyPaddingMask: keyPaddingMask == nil ? nil : tensors[3],
      mask: mask == nil ? nil : tensors.last)
  }
}

/// Attention with heads and projections, as `torch.nn.MultiheadAttention`; it gives the output, not the weights.
public final class MultiheadAttention: Module, Sendable {
  /// [3 × embedding, embedding]: of queries, keys and values; `nil` if keys or values have another width.
  public let inputWeight: ModuleParameter?
  /// Of queries, keys and values, if they are not one.
  public let inputWeights: [ModuleParameter]
  /// [3 × embedding]: of queries, keys and values, which starts at 0; `nil` for none.
  public let inputBias: ModuleParameter?
  /// The projection of the joined heads, [embedding, embedding].
  public let output: Linear
  /// How many heads there are; they must divide the embedding, which is checked when the layer is called.
  public let heads: Int
  /// Whether tensors are [batch, time, embedding] rather than [time, batch, embedding].
  public let isBatchFirst: Bool
  /// Whether query i sees only keys up to i.
  public let isCausal: Bool

  /// - Parameters:
  ///   - keySize: the width of keys, and `valueSize` that of values; by default the embedding's.
  ///   - isCausal: whether query i sees only keys up to i.
  public init(
    _ embedding: Int, heads: Int, bias: Bool = true, keySize: Int? = nil, valueSize: Int? = nil, batchFirst: Bool = false,
    isCausal: Bool = false, elementType: ElementType = .float32
  ) {
    let widths = [embedding, keySize ?? embedding, valueSize ?? embedding]
    let isPacked = widths.allSatisfy { $0 == embedding }
    inputWeight =
      isPacked
      ? ModuleParameter(
        elementType, [3 * embedding, embedding], initializer: .xavierUniform(fanIn: embedding, fanOut: 3 * embedding)) : nil
    inputWeights =
      isPacked
      ? []
      : widths.map {
        ModuleParameter(elementType, [embedding, $0], initializer: .xavierUniform(fanIn: $0, fanOut: embedding))
      }
    inputBias = bias ? ModuleParameter(elementType, [3 * embedding], initializer: .constant(0)) : nil
    output = Linear(
      weight: ModuleParameter(elementType, [embedding, embedding], initializer: .kaimingUniform(fanIn: embedding)),
      bias: bias ? ModuleParameter(elementType, [embedding], initializer: .constant(0)) : nil)
    self.heads = heads
    isBatchFirst = batchFirst
    self.isCausal = isCausal
  }

  /// PyTorch's names, so that its state dictionaries load.
  public var parts: [ModulePart] {
    (inputWeight.map { [ModulePart("in_proj_weight", $0)] } ?? [])
      + zip(["q_proj_weight", "k_proj_weight", "v_proj_weight"], inputWeights).map { ModulePart($0, $1) }
      + (inputBias.map { [ModulePart("in_proj_bias", $0)] } ?? []) + [ModulePart("out_proj", output)]
  }

  /// [target, batch, embedding] → the same shape, or the batch first. Heads that do not divide the embedding are a mistake.
  public func forward(_ input: AttentionInput) -> SymbolicTensor {
    let x = input.query
    if let width = x.dimension(-1).size, heads < 1 || width % heads != 0 {
      return x.mistake("MultiheadAttention", "the embedding of \(width) cannot be divided among \(heads) heads")
    }
    var projected = projections(input)
    if !isBatchFirst { projected = projected.map { $0.exchanging(0, 1) } }
    var attributes = Attributes()
    attributes[Attention.queryHeadCount] = heads
    attributes[Attention.keyHeadCount] = heads
    attributes[Attention.isCausal] = isCausal
    let operands = Array(projected.dropFirst()) + (mask(input).map { [$0] } ?? [])
    let mixed = projected[0].applyHere(.attention, operands, attributes: attributes)
    return output.callAsFunction(isBatchFirst ? mixed : mixed.exchanging(0, 1), fileID: x.file, line: x.line)
  }

  /// Attention of a tensor to itself.
  public func callAsFunction(
    _ x: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil, mask: SymbolicTensor? = nil, fileID: String = #fileID,
    line: Int = #line
  ) -> SymbolicTensor {
    callAsFunction(
      AttentionInput(query: x, key: x, value: x, keyPaddingMask: keyPaddingMask, mask: mask), fileID: fileID, line: line)
  }

  /// Attention of queries to keys and their values.
  public func callAsFunction(
    _ query: SymbolicTensor, _ key: SymbolicTensor, _ value: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil,
    mask: SymbolicTensor? = nil, fileID: String = #fileID, line: Int = #line
  ) -> SymbolicTensor {
    callAsFunction(
      AttentionInput(query: query, key: key, value: value, keyPaddingMask: keyPaddingMask, mask: mask), fileID: fileID,
      line: line)
  }

  private func projections(_ input: AttentionInput) -> [SymbolicTensor] {
    let x = input.query
    let sources = [input.query, input.key, input.value]
    if let inputWeight, sources.allSatisfy({ $0.operand == x.operand }) {
      return x.applyHere(.linear, [inputWeight] + (inputBias.map { [$0] } ?? [])).thirds(axis: -1)
    }
    let weights = inputWeight.map { x.lift($0).thirds(axis: 0) } ?? inputWeights.map { x.lift($0) }
    let biases = inputBias.map { x.lift($0).thirds(axis: 0) }
    return sources.indices.map { index in
      sources[index].applyHere(.linear, [weights[index]] + (biases.map { [$0[index]] } ?? []))
    }
  }

  /// The masks in the operator's terms: true for who takes part, or numbers to add.
  private func mask(_ input: AttentionInput) -> SymbolicTensor? {
    let padding = input.keyPaddingMask.map { $0.apply(.unsqueeze, [Tensor(vector: [1, 2])]) }
    guard let mask = input.mask else { return padding.map { $0.elementType == .bool ? .!$0 : $0 } }
    guard let padding else { return mask.elementType == .bool ? .!mask : mask }
    if mask.elementType == .bool, padding.elementType == .bool { return .!mask.apply(.or, [padding]) }
    return added(mask, like: padding) + added(padding, like: mask)
  }

  /// A mask as numbers to add, of the other mask's type.
  private func added(_ mask: SymbolicTensor, like other: SymbolicTensor) -> SymbolicTensor {
    guard mask.elementType == .bool else { return mask }
    let zero = Tensor(Float(0))
    return mask.choose(-Double.infinity, (try? zero.converted(to: other.elementType ?? .float32)) ?? zero)
  }
}

extension SymbolicTensor {
  /// Three equal parts along an axis.
  fileprivate func thirds(axis: Int) -> [SymbolicTensor] {
    var attributes = Attributes()
    attributes[Split.axis] = axis
    attributes[Split.outputCount] = 3
    return applyAll(.split, attributes: attributes, resultCount: 3)
  }
}

/// What layers of a transformer compute between their two projections.
public enum TransformerActivation: Sendable {
  /// max(x, 0)
  case relu
  /// x Φ(x), Φ being the normal distribution.
  case gelu

  var op: Operator { self == .relu ? .relu : .gelu }
}

/// A sequence, and who may look at what: see `AttentionInput`.
public struct EncoderInput: TensorGroup {
  /// [time, batch, embedding], or the batch first.
  public var x: SymbolicTensor
  /// [batch, time]: true where a step is padding; numbers are added to the scores.
  public var keyPaddingMask: SymbolicTensor?
  /// [time, time] or what broadcasts to [batch, heads, time, time]: true where attention is forbidden; numbers are added.
  public var mask: SymbolicTensor?

  /// A sequence in which, without masks, every step sees every other.
  public init(_ x: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil, mask: SymbolicTensor? = nil) {
    self.x = x
    self.keyPaddingMask = keyPaddingMask
    self.mask = mask
  }

  public var tensors: [SymbolicTensor] { [x] + [keyPaddingMask, mask].compactMap(\.self) }

  /// A second tensor is the padding mask, a third the mask.
  public init?(tensors: [SymbolicTensor]) {
    guard (1...3).contains(tensors.count) else { return nil }
    self.init(
      tensors[0], keyPaddingMask: tensors.count > 1 ? tensors[1] : nil, mask: tensors.count > 2 ? tensors[2] : nil)
  }

  public func replacingTensors(_ tensors: [SymbolicTensor]) -> EncoderInput? {
    guard tensors.count == self.tensors.count else { return nil }
    return EncoderInput(
      tensors[0], keyPaddingMask: keyPaddingMask == nil ? nil : tensors[1], mask: mask == nil ? nil : tensors.last)
  }
}

/// Self-attention and a network of two projections, each with a residual and a norm, as `torch.nn.TransformerEncoderLayer`.
public final class TransformerEncoderLayer: Module, Sendable {
  /// Of the sequence to itself.
  public let attention: MultiheadAttention
  /// From the embedding to the width inside the network.
  public let linear1: Linear
  /// Back to the embedding.
  public let linear2: Linear
  /// The norm of the attention.
  public let norm1: LayerNorm
  /// The norm of the network.
  public let norm2: LayerNorm
  /// What stands between the two projections; `relu` by default.
  public let activation: TransformerActivation
  /// Whether norms stand before attention and network rather than after their residuals; false by default.
  public let normFirst: Bool

  /// - Parameter normFirst: whether norms stand before attention and network rather than after their residuals.
  public init(
    _ size: Int, heads: Int, feedForward: Int = 2048, activation: TransformerActivation = .relu, epsilon: Float = 1e-5,
    batchFirst: Bool = false, normFirst: Bool = false, bias: Bool = true, isCausal: Bool = false,
    elementType: ElementType = .float32
  ) {
    attention = MultiheadAttention(
      size, heads: heads, bias: bias, batchFirst: batchFirst, isCausal: isCausal, elementType: elementType)
    linear1 = Linear(size, feedForward, bias: bias, elementType: elementType)
    linear2 = Linear(feedForward, size, bias: bias, elementType: elementType)
    norm1 = LayerNorm(size, epsilon: epsilon, bias: bias, elementType: elementType)
    norm2 = LayerNorm(size, epsilon: epsilon, bias: bias, elementType: elementType)
    self.activation = activation
    self.normFirst = normFirst
  }

  /// PyTorch's names, so that its state dictionaries load.
  public var parts: [ModulePart] {
    [
      ModulePart("self_attn", attention), ModulePart("linear1", linear1), ModulePart("linear2", linear2),
      ModulePart("norm1", norm1), ModulePart("norm2", norm2),
    ]
  }

  /// The sequence's shape stays: norm(x + attention(x)), then norm(x + network(x)); or x + attention(norm(x)), ….
  public func forward(_ input: EncoderInput) -> SymbolicTensor {
    let (file, line) = (input.x.file, input.x.line)
    func attend(_ x: SymbolicTensor) -> SymbolicTensor {
      attention(x, keyPaddingMask: input.keyPaddingMask, mask: input.mask, fileID: file, line: line)
    }
    func network(_ x: SymbolicTensor) -> SymbolicTensor {
      let inner = linear1.callAsFunction(x, fileID: file, line: line).applyHere(activation.op)
      return linear2.callAsFunction(inner, fileID: file, line: line)
    }
    func norm(_ layer: LayerNorm, _ x: SymbolicTensor) -> SymbolicTensor { layer.callAsFunction(x, fileID: file, line: line) }
    guard !normFirst else {
      let x = input.x + attend(norm(norm1, input.x))
      return x + network(norm(norm2, x))
    }
    let x = norm(norm1, input.x + attend(input.x))
    return norm(norm2, x + network(x))
  }

  /// Encodes a sequence: see `EncoderInput` for the masks.
  public func callAsFunction(
    _ x: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil, mask: SymbolicTensor? = nil, fileID: String = #fileID,
    line: Int = #line
  ) -> SymbolicTensor {
    callAsFunction(EncoderInput(x, keyPaddingMask: keyPaddingMask, mask: mask), fileID: fileID, line: line)
  }
}

/// Encoder layers one after another and a last norm, as `torch.nn.TransformerEncoder`.
public final class TransformerEncoder: Module, Sendable {
  /// In the order in which they are applied.
  public let layers: [TransformerEncoderLayer]
  /// What the last layer's result goes through; `nil` for none.
  public let norm: LayerNorm?

  /// A stack of layers, each with weights of its own, and a last norm if one is given.
  public init(_ layers: [TransformerEncoderLayer], norm: LayerNorm? = nil) {
    self.layers = layers
    self.norm = norm
  }

  /// The sequence's shape stays; all layers get the same masks.
  public func forward(_ input: EncoderInput) -> SymbolicTensor {
    let (file, line) = (input.x.file, input.x.line)
    let x = layers.reduce(input.x) {
      $1($0, keyPaddingMask: input.keyPaddingMask, mask: input.mask, fileID: file, line: line)
    }
    return norm?.callAsFunction(x, fileID: file, line: line) ?? x
  }

  /// Encodes a sequence: see `EncoderInput` for the masks.
  public func callAsFunction(
    _ x: SymbolicTensor, keyPaddingMask: SymbolicTensor? = nil, mask: SymbolicTensor? = nil, fileID: String = #fileID,
    line: Int = #line
  ) -> SymbolicTensor {
    callAsFunction(EncoderInput(x, keyPaddingMask: keyPaddingMask, mask: mask), fileID: fileID, line: line)
  }
}
