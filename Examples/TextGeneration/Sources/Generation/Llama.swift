import FXCore
import FXTrace
import Foundation

/// Touvron et al. 2023: blocks of attention with rotated positions and of gated networks, RMS norms before both, and a cache
/// of the keys and values of tokens read before.
public struct Llama: Module {
  public struct Size: Sendable {
    public var vocabulary: Int
    public var width: Int
    public var depth: Int
    public var heads: Int
    /// The greatest number of tokens, read and written together.
    public var context: Int

    public init(vocabulary: Int, width: Int = 64, depth: Int = 2, heads: Int = 4, context: Int = 1024) {
      (self.vocabulary, self.width, self.depth, self.heads, self.context) = (vocabulary, width, depth, heads, context)
    }

    var headWidth: Int { width / heads }
  }

  public let size: Size
  let tokens: Embedding
  let blocks: [Block]
  let norm: RMSNorm
  /// The weights of `tokens`, shared.
  let head: Linear

  public init(_ size: Size) {
    self.size = size
    let table = ModuleParameter(.float32, [size.vocabulary, size.width], initializer: .normal(mean: 0, deviation: 0.02))
    tokens = Embedding(weight: table)
    blocks = (0..<size.depth).map { _ in Block(size) }
    norm = RMSNorm(size.width)
    head = Linear(weight: table)
  }

  /// Tokens, i64[1, n], and what earlier calls left for each block; nothing for tokens without a past.
  public struct Input: TensorGroup {
    var ids: SymbolicTensor
    var past: [KeyValue]

    public var tensors: [SymbolicTensor] { [ids] + past.tensors }
    public init?(tensors: [SymbolicTensor]) {
      guard let first = tensors.first, let past = [KeyValue](tensors: Array(tensors.dropFirst())) else { return nil }
      (ids, self.past) = (first, past)
    }
  }

  public struct Output: TensorGroup {
    /// f32[1, n, vocabulary]
    var logits: SymbolicTensor
    var present: [KeyValue]

    public var tensors: [SymbolicTensor] { [logits] + present.tensors }
    public init?(tensors: [SymbolicTensor]) { nil }
    init(logits: SymbolicTensor, present: [KeyValue]) { (self.logits, self.present) = (logits, present) }
  }

  /// f32[1, heads, tokens, width ÷ heads] each.
  public struct KeyValue: TensorGroup {
    var key, value: SymbolicTensor

    public var tensors: [SymbolicTensor] { [key, value] }
    public static var tensorCount: Int? { 2 }
    public init?(tensors: [SymbolicTensor]) {
      guard tensors.count == 2 else { return nil }
      self.init(key: tensors[0], value: tensors[1])
    }
    init(key: SymbolicTensor, value: SymbolicTensor) { (self.key, self.value) = (key, value) }
  }

  public func forward(_ input: Input) -> Output {
    // Token i of this call stands at position past + i and sees all positions up to its own.
    let new = positions(of: input.ids, axis: 1)
    var (own, all) = (new, new)
    if let first = input.past.first {
      let cached = positions(of: first.key, axis: 2)
      own = new + shape(of: cached)
      all = concat(cached, own, axis: 0)
    }
    let mask = all[newAxis] .<= own[0..., newAxis]

    var x = tokens(input.ids)
    var present: [KeyValue] = []
    for (index, block) in blocks.enumerated() {
      let past = input.past.indices.contains(index) ? [input.past[index]] : []
      let (y, cache) = block(x, mask, own[newAxis], past).members
      x = y
      present.append(cache)
    }
    return Output(logits: head(norm(x)), present: present)
  }

  struct Block: Module {
    let norm1, norm2: RMSNorm
    let query, key, value, output: Linear
    let gate, up, down: Linear
    /// [positions, width of a head ÷ 2]
    let cosines, sines: ModuleParameter
    let heads: Int

    init(_ size: Size) {
      let width = size.width
      (norm1, norm2) = (RMSNorm(width), RMSNorm(width))
      (query, key) = (Linear(width, width, bias: false), Linear(width, width, bias: false))
      (value, output) = (Linear(width, width, bias: false), Linear(width, width, bias: false))
      (gate, up) = (Linear(width, 3 * width, bias: false), Linear(width, 3 * width, bias: false))
      down = Linear(3 * width, width, bias: false)
      heads = size.heads
      let half = size.headWidth / 2
      let angles = (0..<size.context).flatMap { position in
        (0..<half).map { Double(position) / pow(10000, Double($0) / Double(half)) }
      }
      func table(_ function: (Double) -> Double) -> ModuleParameter {
        let tensor = try? Tensor([size.context, half], angles.map { Float(function($0)) })
        // A table that is no weight: training leaves it alone.
        return tensor.map { ModuleParameter($0, role: .constant) }
          ?? ModuleParameter(.float32, [size.context, half], role: .constant)
      }
      (cosines, sines) = (table { cos($0) }, table { sin($0) })
    }

    func forward(
      _ input: Tuple<SymbolicTensor, SymbolicTensor, SymbolicTensor, [KeyValue]>
    ) -> Tuple<SymbolicTensor, KeyValue> {
      let (x, mask, positions, past) = input.members
      let y = norm1(x)
      func split(_ z: SymbolicTensor) -> SymbolicTensor {
        permute(unflatten(z, axis: 2, [Dimension(heads), -1]), 0, 2, 1, 3)
      }
      func rotated(_ z: SymbolicTensor) -> SymbolicTensor {
        rotaryEmbedding(split(z), cosines: cosines, sines: sines, positions: positions)
      }
      var cache = KeyValue(key: rotated(key(y)), value: split(value(y)))
      if let past = past.first {
        cache = KeyValue(key: concat(past.key, cache.key, axis: 2), value: concat(past.value, cache.value, axis: 2))
      }
      let mixed = scaledDotProductAttention(rotated(query(y)), cache.key, cache.value, mask: mask)
      let z = x + output(flatten(permute(mixed, 0, 2, 1, 3), from: 2))
      let w = norm2(z)
      return Tuple(z + down(silu(gate(w)) * up(w)), cache)
    }
  }
}
