import FXCore
import FXTrace

/// Devlin et al. 2019, with the names that published weights have; what gives a vector per sentence is the mean of the
/// tokens' vectors, at length 1 (Reimers and Gurevych 2019).
package struct Bert: Module {
  /// The part of `config.json` that says what the network is.
  package struct Size: Decodable {
    var vocab_size = 64
    var hidden_size = 32
    var num_hidden_layers = 2
    var num_attention_heads = 4
    var intermediate_size = 64
    var max_position_embeddings = 64
    var type_vocab_size = 2
    var layer_norm_eps: Float = 1e-12

    package init() {}
  }

  let embeddings: Embeddings
  let layers: [Layer]

  package init(_ size: Size) {
    embeddings = Embeddings(size)
    layers = (0..<size.num_hidden_layers).map { _ in Layer(size) }
  }

  package var parts: [ModulePart] {
    [ModulePart("embeddings", embeddings)] + layers.enumerated().map { ModulePart("encoder.layer.\($0)", $1) }
  }

  /// - Parameter input: tokens, i64[batch, n], and which of them are some: bool[batch, n].
  /// - Returns: f32[batch, width]
  package func forward(_ input: Tuple<SymbolicTensor, SymbolicTensor>) -> SymbolicTensor {
    let (ids, isToken) = input.members
    let mask = isToken[0..., newAxis, newAxis, 0...]
    let x = layers.reduce(embeddings(ids)) { x, layer in layer(x, mask) }
    let weight = isToken.cast(to: .float32)[0..., 0..., newAxis]
    return normalize(sum(x * weight, axes: [1]) / sum(weight, axes: [1]), axis: 1)
  }

  struct Embeddings: Module {
    let words, positions, types: Embedding
    let norm: LayerNorm

    init(_ size: Size) {
      words = Embedding(count: size.vocab_size, size: size.hidden_size)
      positions = Embedding(count: size.max_position_embeddings, size: size.hidden_size)
      types = Embedding(count: size.type_vocab_size, size: size.hidden_size)
      norm = LayerNorm(size.hidden_size, epsilon: size.layer_norm_eps)
    }

    var parts: [ModulePart] {
      [
        ModulePart("word_embeddings", words), ModulePart("position_embeddings", positions),
        ModulePart("token_type_embeddings", types), ModulePart("LayerNorm", norm),
      ]
    }

    /// Every token is of the first type: a sentence alone is no pair.
    func forward(_ ids: SymbolicTensor) -> SymbolicTensor {
      norm(words(ids) + positions(FXTrace.positions(of: ids, axis: 1)) + types(zeros(like: ids)))
    }
  }

  struct Layer: Module {
    let query, key, value, output: Linear
    let attentionNorm, norm: LayerNorm
    let up, down: Linear
    let heads: Int

    init(_ size: Size) {
      let width = size.hidden_size
      (query, key, value) = (Linear(width, width), Linear(width, width), Linear(width, width))
      output = Linear(width, width)
      attentionNorm = LayerNorm(width, epsilon: size.layer_norm_eps)
      norm = LayerNorm(width, epsilon: size.layer_norm_eps)
      up = Linear(width, size.intermediate_size)
      down = Linear(size.intermediate_size, width)
      heads = size.num_attention_heads
    }

    var parts: [ModulePart] {
      [
        ModulePart("attention.self.query", query), ModulePart("attention.self.key", key),
        ModulePart("attention.self.value", value), ModulePart("attention.output.dense", output),
        ModulePart("attention.output.LayerNorm", attentionNorm), ModulePart("intermediate.dense", up),
        ModulePart("output.dense", down), ModulePart("output.LayerNorm", norm),
      ]
    }

    func forward(_ input: Tuple<SymbolicTensor, SymbolicTensor>) -> SymbolicTensor {
      let (x, mask) = input.members
      func split(_ y: SymbolicTensor) -> SymbolicTensor {
        permute(unflatten(y, axis: 2, [Dimension(heads), -1]), 0, 2, 1, 3)
      }
      let mixed = scaledDotProductAttention(split(query(x)), split(key(x)), split(value(x)), mask: mask)
      let y = attentionNorm(x + output(flatten(permute(mixed, 0, 2, 1, 3), from: 2)))
      return norm(y + down(gelu(up(y))))
    }
  }
}
