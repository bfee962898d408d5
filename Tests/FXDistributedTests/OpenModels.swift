import FXCore
import FXTrace

/// Networks of the sizes people use, without weights: plans need none.
enum OpenModels {
  static let names = ["mlp", "resnet18", "bert_mini", "gpt2"]

  static func graph(_ name: String) throws -> Graph {
    switch name {
    case "mlp": try trace(Digits(), .tensor(.float32, ["batch", 784], name: "x"))
    case "resnet18": try trace(ResNet18(), .tensor(.float32, ["batch", 3, 224, 224], name: "x"))
    case "bert_mini":
      try trace(
        Bert(vocabulary: 30_522, width: 256, depth: 4, heads: 4, length: 128), .tensor(.int64, ["batch", 128], name: "ids"))
    default:
      try trace(
        GPT2(vocabulary: 50_257, width: 768, depth: 12, heads: 12, length: 64), .tensor(.int64, ["batch", 64], name: "ids"))
    }
  }

  struct Digits: Module {
    let first = Linear(784, 512)
    let second = Linear(512, 256)
    let third = Linear(256, 16)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { third(relu(second(relu(first(x))))) }
  }

  /// He et al. 2015.
  struct ResNet18: Module {
    struct Block: Module {
      let first, second: Conv2d
      let firstNorm, secondNorm: BatchNorm2d
      let shortcut: Conv2d?
      let shortcutNorm: BatchNorm2d?

      init(_ input: Int, _ output: Int) {
        first = Conv2d(input, output, kernel: 3, stride: input == output ? 1 : 2, padding: 1, bias: false)
        second = Conv2d(output, output, kernel: 3, padding: 1, bias: false)
        (firstNorm, secondNorm) = (BatchNorm2d(output), BatchNorm2d(output))
        shortcut = input == output ? nil : Conv2d(input, output, kernel: 1, stride: 2, bias: false)
        shortcutNorm = input == output ? nil : BatchNorm2d(output)
      }

      func forward(_ x: SymbolicTensor) -> SymbolicTensor {
        let y = secondNorm(second(relu(firstNorm(first(x)))))
        guard let shortcut, let shortcutNorm else { return relu(y + x) }
        return relu(y + shortcutNorm(shortcut(x)))
      }
    }

    let stem = Conv2d(3, 64, kernel: 7, stride: 2, padding: 3, bias: false)
    let norm = BatchNorm2d(64)
    let blocks = [
      Block(64, 64), Block(64, 64), Block(64, 128), Block(128, 128), Block(128, 256), Block(256, 256), Block(256, 512),
      Block(512, 512),
    ]
    let output = Linear(512, 1000)

    func forward(_ images: SymbolicTensor) -> SymbolicTensor {
      var x = maxPool2d(relu(norm(stem(images))), kernel: 3, stride: 2, padding: 1)
      for block in blocks { x = block(x) }
      return output(mean(x, axes: [2, 3]))
    }
  }

  /// Queries, keys and values by heads of 64.
  struct Attention: Module {
    let query, key, value, output: Linear
    let heads, length: Int

    init(_ width: Int, heads: Int, length: Int) {
      (query, key, value, output) = (Linear(width, width), Linear(width, width), Linear(width, width), Linear(width, width))
      (self.heads, self.length) = (heads, length)
    }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      func apart(_ y: SymbolicTensor) -> SymbolicTensor {
        y.reshape([-1, Dimension(length), Dimension(heads), 64]).transpose([0, 2, 1, 3])
      }
      let scores = softmax(matmul(apart(query(x)), apart(key(x)).transpose([0, 1, 3, 2])) * 0.125, axis: -1)
      return output(
        matmul(scores, apart(value(x))).transpose([0, 2, 1, 3]).reshape([-1, Dimension(length), Dimension(heads * 64)]))
    }
  }

  struct Layer: Module {
    let attention: Attention
    let firstNorm, secondNorm: LayerNorm
    let up, down: Linear
    /// Norms stand before what they belong to, as in GPT-2, or behind, as in BERT.
    let isBefore: Bool

    init(_ width: Int, heads: Int, length: Int, isBefore: Bool) {
      attention = Attention(width, heads: heads, length: length)
      (firstNorm, secondNorm) = (LayerNorm([width]), LayerNorm([width]))
      (up, down) = (Linear(width, 4 * width), Linear(4 * width, width))
      self.isBefore = isBefore
    }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      guard isBefore else {
        let y = firstNorm(x + attention(x))
        return secondNorm(y + down(gelu(up(y))))
      }
      let y = x + attention(firstNorm(x))
      return y + down(gelu(up(secondNorm(y))))
    }
  }

  /// Devlin et al. 2018, in the small size of Turc et al. 2019.
  struct Bert: Module {
    let tokens, positions: Embedding
    let norm: LayerNorm
    let layers: [Layer]

    init(vocabulary: Int, width: Int, depth: Int, heads: Int, length: Int) {
      (tokens, positions) = (Embedding(count: vocabulary, size: width), Embedding(count: length, size: width))
      norm = LayerNorm([width])
      layers = (0..<depth).map { _ in Layer(width, heads: heads, length: length, isBefore: false) }
    }

    func forward(_ ids: SymbolicTensor) -> SymbolicTensor {
      var x = norm(tokens(ids) + positions(FXTrace.positions(of: ids, axis: 1)))
      for layer in layers { x = layer(x) }
      return x
    }
  }

  /// Radford et al. 2019.
  struct GPT2: Module {
    let tokens, positions: Embedding
    let layers: [Layer]
    let norm: LayerNorm
    let head: Linear

    init(vocabulary: Int, width: Int, depth: Int, heads: Int, length: Int) {
      (tokens, positions) = (Embedding(count: vocabulary, size: width), Embedding(count: length, size: width))
      layers = (0..<depth).map { _ in Layer(width, heads: heads, length: length, isBefore: true) }
      norm = LayerNorm([width])
      head = Linear(weight: tokens.weight)
    }

    func forward(_ ids: SymbolicTensor) -> SymbolicTensor {
      var x = tokens(ids) + positions(FXTrace.positions(of: ids, axis: 1))
      for layer in layers { x = layer(x) }
      return head(norm(x))
    }
  }
}
