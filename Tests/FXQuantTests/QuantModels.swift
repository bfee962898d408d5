import FXCore
import FXQuant
import FXRuntime
import FXTestSupport
import FXTrace

/// Small models whose parts quantization treats in different ways.
enum QuantModels {
  struct Residual: Module {
    let first = Conv2d(3, 8, kernel: 3, padding: 1)
    let norm = BatchNorm2d(8)
    let second = Conv2d(8, 8, kernel: 3, padding: 1)
    let third = Conv2d(16, 8, kernel: 1)
    let output = Linear(8, 10)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let a = relu(norm(first(x)))
      let b = relu(second(a) + a)
      let c = maxPool2d(concat(a, b, axis: 1), kernel: 2)
      return output(globalAveragePool(relu(third(c))).flatten())
    }
  }

  /// Convolutions, a normalization, a residual sum, a concatenation, poolings and a linear layer.
  static func residual() throws -> Graph {
    var graph = try trace(Residual(), .tensor(.float32, ["n", 3, 8, 8], name: "image"))
    try graph.initializeParameters(seed: 5)
    return graph
  }

  struct Attention: Module {
    let norm = LayerNorm([16])
    let query = Linear(16, 16)
    let key = Linear(16, 16, bias: false)
    let value = Linear(16, 16)
    let hidden = Linear(16, 32)
    let output = Linear(32, 4)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let y = norm(x)
      let scores = matmul(query(y), key(y).transpose([0, 2, 1])) * 0.25
      let mixed = x + matmul(softmax(scores, axis: -1), value(y))
      return output(gelu(hidden(mixed)))
    }
  }

  /// A self-attention, then two linear layers.
  static func attention() throws -> Graph {
    var graph = try trace(Attention(), .tensor(.float32, ["n", 6, 16], name: "tokens"))
    try graph.initializeParameters(seed: 6)
    return graph
  }

  static func samples(_ graph: Graph, count: Int, seed: UInt64 = 1) throws -> [[Tensor]] {
    var random = RandomSource(seed: seed)
    return try (0..<count).map { _ in
      try graph.inputs.map { input in
        let shape = try (graph.type(of: input).shape ?? []).map { $0.size ?? 2 }
        return try Tensor(shape, (0..<shape.reduce(1, *)).map { _ in Float(random.double(in: -1...1)) })
      }
    }
  }

  /// The outputs of two graphs on samples, in decibels of signal to noise.
  static func decibels(_ a: Graph, _ b: Graph, _ samples: [[Tensor]]) throws -> Double {
    var ratio = SignalToNoise()
    let backend = CPUBackend()
    for sample in samples {
      let x = try backend.run(a, inputs: sample.map(RuntimeValue.tensor))[0].tensor
      let y = try backend.run(b, inputs: sample.map(RuntimeValue.tensor))[0].tensor
      if let x, let y { try ratio.add(x, y) }
    }
    return ratio.decibels
  }
}
