import FXCore
import FXPasses
import FXTrace
import Foundation

/// Models that tests divide, with weights drawn from a fixed seed.
enum DistributedModels {
  static let names = ["mlp", "cnn", "transformer", "embedding"]

  /// - Parameter isBound: whether the weights are there.
  static func model(_ name: String, isBound: Bool = true) throws -> Graph {
    var graph =
      switch name {
      case "mlp": try trace(MLP(), .tensor(.float32, ["batch", 16], name: "x"))
      case "cnn": try trace(CNN(), .tensor(.float32, ["batch", 4, 8, 8], name: "x"))
      case "transformer": try trace(Encoder(), .tensor(.float32, ["batch", 6, 16], name: "x"))
      default: try trace(Tokens(), .tensor(.int64, ["batch", 6], name: "x"))
      }
    if isBound { try graph.initializeParameters(seed: 7) }
    return graph
  }

  struct MLP: Module {
    let first = Linear(16, 32)
    let second = Linear(32, 24)
    let third = Linear(24, 8)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { softmax(third(relu(second(gelu(first(x))))), axis: -1) }
  }

  struct CNN: Module {
    let first = Conv2d(4, 8, kernel: 3, padding: 1)
    let second = Conv2d(8, 8, kernel: 3, padding: 1)
    let output = Linear(32, 8)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let y = maxPool2d(relu(first(x)), kernel: 2)
      return output(maxPool2d(relu(second(y) + y), kernel: 2).flatten())
    }
  }

  struct Encoder: Module {
    let query = Linear(16, 16)
    let key = Linear(16, 16)
    let value = Linear(16, 16)
    let mixed = Linear(16, 16)
    let norm = LayerNorm([16])
    let up = Linear(16, 32)
    let down = Linear(32, 16)

    func heads(_ x: SymbolicTensor) -> SymbolicTensor { x.reshape([-1, 6, 4, 4]).transpose([0, 2, 1, 3]) }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let (q, k, v) = (heads(query(x)), heads(key(x)), heads(value(x)))
      let scores = softmax(matmul(q, k.transpose([0, 1, 3, 2])) * 0.5, axis: -1)
      let attended = matmul(scores, v).transpose([0, 2, 1, 3]).reshape([-1, 6, 16])
      let y = norm(mixed(attended) + x)
      return down(gelu(up(y))) + y
    }
  }

  struct Tokens: Module {
    let table = Embedding(count: 20, size: 16)
    let encoder = Encoder()

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { encoder(table(x)) }
  }
}

extension DistributedModels {
  /// Rows of four tokens, scored against eight classes.
  struct Classifier: Module {
    let table = Embedding(count: 20, size: 16)
    let norm = LayerNorm([16])
    let hidden = Linear(16, 32)
    let output = Linear(32, 8)

    func forward(_ x: SymbolicTensor) -> SymbolicTensor { output(gelu(hidden(mean(norm(table(x)), axes: [1])))) }
  }

  /// A training step of `mlp`, `cnn` or `tokens` on rows and what they should give.
  static func step(_ name: String) throws -> TrainingStep {
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let input: TraceInput =
      switch name {
      case "cnn": .tensor(.float32, ["batch", 4, 8, 8], name: "x")
      case "tokens": .tensor(.int64, ["batch", 4], name: "x")
      default: .tensor(.float32, ["batch", 16], name: "x")
      }
    let targets = TraceInput.tensor(.float32, ["batch", 8], name: "targets")
    func loss(_ scores: SymbolicTensor, _ targets: SymbolicTensor) -> [SymbolicTensor] {
      [mean(sum(logSoftmax(scores) * targets, axes: [1])) * -1.0]
    }
    var graph =
      switch name {
      case "cnn": try trace(CNN(), [input, targets], options: options) { model, x in loss(model(x[0]), x[1]) }
      case "tokens": try trace(Classifier(), [input, targets], options: options) { model, x in loss(model(x[0]), x[1]) }
      default: try trace(MLP(), [input, targets], options: options) { model, x in loss(model(x[0]), x[1]) }
      }
    try graph.initializeParameters(seed: 3)
    return try TrainingStep(graph, loss: "loss", optimizer: SGD(learningRate: 0.05, momentum: 0.9))
  }

  /// Eight rows; row r of each batch is of class r.
  static func batch(_ name: String, _ index: Int) throws -> [Tensor] {
    let shape = name == "cnn" ? [8, 4, 8, 8] : [8, 16]
    let count = shape.reduce(1, *)
    var state = UInt64(index + 1)
    let numbers = (0..<count).map { position -> Float in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let noise = Float(state >> 40) / Float(1 << 24) - 0.5
      return noise + (position % 8 == position / (count / 8) ? 1 : 0)
    }
    let targets = (0..<64).map { Float($0 % 8 == $0 / 8 ? 1 : 0) }
    if name == "tokens" {
      let tokens = (0..<32).map { position in Int64(position % 4 == 0 ? position / 4 : 8 + (position * 7 + index) % 12) }
      return [try Tensor([8, 4], tokens), try Tensor([8, 8], targets)]
    }
    return [try Tensor(shape, numbers), try Tensor([8, 8], targets)]
  }
}
