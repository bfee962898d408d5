import FXCore
import FXPasses
import FXRuntime
import FXTrace

/// A text as numbers: every character that occurs is a token.
public struct Characters: Sendable {
  public let all: [Character]
  private let numbers: [Character: Int]

  public init(of text: String) {
    all = Set(text).sorted()
    numbers = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1, $0) })
  }

  /// Characters that did not occur in the text are left out.
  public func tokens(_ text: String) -> [Int] { text.compactMap { numbers[$0] } }
  public func text(_ tokens: [Int]) -> String { String(tokens.filter(all.indices.contains).map { all[$0] }) }
}

/// Teaches a model a text until it knows it by heart: the same module, traced from tokens to the loss.
public struct Teacher {
  private var trainer: Trainer
  private let input, target: Tensor
  private let llama: Llama

  /// - Throws: `TraceError`, `DifferentiationError`, `TensorError`.
  public init(_ llama: Llama, tokens: [Int], on backend: CPUBackend = CPUBackend()) throws {
    self.llama = llama
    let count = tokens.count - 1
    input = try Tensor([1, count], Array(tokens.dropLast()))
    target = Tensor(vector: Array(tokens.dropFirst()))
    var options = TraceOptions()
    options.outputNames = ["loss"]
    let inputs = [TraceInput.like(input, name: "ids"), .like(target, name: "next")]
    let model = try trace(llama, inputs, options: options) { llama, tensors in
      guard let ids = Llama.Input(tensors: [tensors[0]]) else { return [] }
      return [crossEntropy(llama(ids).logits[0], tensors[1])]
    }
    trainer = try Trainer(TrainingStep(model, loss: "loss", optimizer: Adam(learningRate: 3e-3)), on: backend)
  }

  public var stepCount: Int { trainer.stepCount }

  /// Steps until the loss is below `goal`, `limit` at most; the model has the weights then.
  /// - Returns: the last loss, in nats a token.
  public mutating func teach(until goal: Double, limit: Int, progress: (Int, Double) -> Void = { _, _ in }) throws -> Double {
    var loss = Double.infinity
    while loss > goal, trainer.stepCount < limit {
      loss = try trainer.train(input, target)
      progress(trainer.stepCount, loss)
    }
    let tensors = trainer.tensors
    for (path, parameter) in llama.parameters { try tensors[path].map { try parameter.bind($0) } }
    return loss
  }
}
