import FXCore
import FXTrace

/// Radford et al. 2019: a stack of blocks that read tokens left to right, with a cache of the keys and values of tokens
/// read before. One graph serves the first call, whose cache is empty, and every later one.
struct GPT2: Module {
  let tokens: Embedding
  let positions: Embedding
  let blocks: [Block]
  let norm: LayerNorm
  /// The weights of `tokens`, shared.
  let head: Linear

  init(vocabulary: Int, context: Int, width: Int, depth: Int, heads: Int) {
    tokens = Embedding(count: vocabulary, size: width)
    positions = Embedding(count: context, size: width)
    blocks = (0..<depth).map { _ in Block(width, heads: heads) }
    norm = LayerNorm(width)
    head = Linear(weight: tokens.weight)
  }

  struct Input: TensorGroup {
    /// [batch, sequence]
    var ids: SymbolicTensor
    var past: [KeyValue]

    var tensors: [SymbolicTensor] { [ids] + past.tensors }
    init?(tensors: [SymbolicTensor]) {
      guard let first = tensors.first, let past = [KeyValue](tensors: Array(tensors.dropFirst())) else { return nil }
      (ids, self.past) = (first, past)
    }
  }

  struct Output: TensorGroup {
    /// [batch, sequence, vocabulary]
    var logits: SymbolicTensor
    var present: [KeyValue]

    init(logits: SymbolicTensor, present: [KeyValue]) { (self.logits, self.present) = (logits, present) }
    var tensors: [SymbolicTensor] { [logits] + present.tensors }
    init?(tensors: [SymbolicTensor]) {
      guard let first = tensors.first, let present = [KeyValue](tensors: Array(tensors.dropFirst())) else { return nil }
      self.init(logits: first, present: present)
    }
  }

  /// [batch, heads, tokens, width ÷ heads] each.
  struct KeyValue: TensorGroup {
    var key, value: SymbolicTensor

    init(key: SymbolicTensor, value: SymbolicTensor) { (self.key, self.value) = (key, value) }
    var tensors: [SymbolicTensor] { [key, value] }
    static var tensorCount: Int? { 2 }
    init?(tensors: [SymbolicTensor]) {
      guard tensors.count == 2 else { return nil }
      self.init(key: tensors[0], value: tensors[1])
    }
  }

  func forward(_ input: Input) -> Output {
    // Token i of this call stands at position past + i and sees all positions up to its own.
    let cached = FXTrace.positions(of: input.past[0].key, axis: 2)
    let all = FXTrace.positions(of: concat(cached, FXTrace.positions(of: input.ids, axis: 1), axis: 0), axis: 0)
    let own = FXTrace.positions(of: input.ids, axis: 1) + shape(of: cached)
    let mask = all[newAxis] .<= own[0..., newAxis]

    var x = tokens(input.ids) + positions(own)
    var present: [KeyValue] = []
    for (block, past) in zip(blocks, input.past) {
      let (y, cache) = block(x, mask, past).members
      x = y
      present.append(cache)
    }
    return Output(logits: head(norm(x)), present: present)
  }

  struct Block: Module {
    let norm1, norm2: LayerNorm
    let attention: Attention
    let expand, contract: Linear

    init(_ width: Int, heads: Int) {
      norm1 = LayerNorm(width)
      attention = Attention(width, heads: heads)
      norm2 = LayerNorm(width)
      expand = Linear(width, 4 * width)
      contract = Linear(4 * width, width)
    }

    func forward(_ input: Tuple<SymbolicTensor, SymbolicTensor, KeyValue>) -> Tuple<SymbolicTensor, KeyValue> {
      let (x, mask, past) = input.members
      let (attended, cache) = attention(norm1(x), mask, past).members
      let y = x + attended
      return Tuple(y + contract(gelu(expand(norm2(y)), approximate: .tanh)), cache)
    }
  }

  struct Attention: Module {
    let qkv, output: Linear
    let heads: Int

    init(_ width: Int, heads: Int) {
      qkv = Linear(width, 3 * width)
      output = Linear(width, width)
      self.heads = heads
    }

    func forward(_ input: Tuple<SymbolicTensor, SymbolicTensor, KeyValue>) -> Tuple<SymbolicTensor, KeyValue> {
      let (x, mask, past) = input.members
      let parts = chunk(qkv(x), 3, axis: 2).map { part in
        permute(unflatten(part, axis: 2, [Dimension(heads), -1]), 0, 2, 1, 3)
      }
      let key = concat(past.key, parts[1], axis: 2)
      let value = concat(past.value, parts[2], axis: 2)
      let mixed = scaledDotProductAttention(parts[0], key, value, mask: mask)
      return Tuple(output(flatten(permute(mixed, 0, 2, 1, 3), from: 2)), KeyValue(key: key, value: value))
    }
  }
}
