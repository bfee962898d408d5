import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

/// One trace, one compilation, any batch and sequence.
@Suite struct SymbolicTransformerTests {
  struct Attention: Module {
    let heads: Int
    let width: Int
    let query, key, value, output: Linear

    init(_ width: Int, heads: Int) {
      (self.width, self.heads) = (width, heads)
      (query, key, value, output) = (Linear(width, width), Linear(width, width), Linear(width, width), Linear(width, width))
    }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let (batch, sequence) = (x.dimension(0), x.dimension(1))
      func split(_ x: SymbolicTensor) -> SymbolicTensor {
        transpose(reshape(x, [batch, sequence, Dimension(heads), Dimension(width / heads)]), [0, 2, 1, 3])
      }
      let (q, k, v) = (split(query(x)), split(key(x)), split(value(x)))
      let scores = matmul(q, transpose(k, [0, 1, 3, 2])) * (1 / Double(width / heads).squareRoot())
      let mixed = transpose(matmul(softmax(scores), v), [0, 2, 1, 3])
      return output(reshape(mixed, [batch, sequence, Dimension(width)]))
    }
  }

  struct Block: Module {
    let attention: Attention
    let attentionNorm, feedForwardNorm: LayerNorm
    let up, down: Linear

    init(_ width: Int) {
      attention = Attention(width, heads: 4)
      (attentionNorm, feedForwardNorm) = (LayerNorm([width]), LayerNorm([width]))
      (up, down) = (Linear(width, 4 * width), Linear(4 * width, width))
    }

    func forward(_ x: SymbolicTensor) -> SymbolicTensor {
      let attended = x + attention(attentionNorm(x))
      return attended + down(gelu(up(feedForwardNorm(attended))))
    }
  }

  static func model() throws -> Graph {
    let model = Sequential(Block(16), Block(16))
    try model.initializeParameters(seed: 3)
    var options = TraceOptions()
    options.symbols = ["batch": SymbolBounds(minimum: 1, maximum: 64), "sequence": SymbolBounds(minimum: 1, maximum: 512)]
    return try trace(model, .tensor(.float32, ["batch", "sequence", 16]), options: options)
  }

  static func input(_ batch: Int, _ sequence: Int) throws -> Tensor {
    try Tensor([batch, sequence, 16], (0..<batch * sequence * 16).map { Float(($0 * 7919) % 1009) / 504.5 - 1 })
  }

  @Test func oneGraphRunsEverySize() throws {
    let graph = try Self.model()
    #expect(graph.type(of: graph.outputs[0]).description == "f32[batch, sequence, 16]")
    let compiled = try CPUBackend().compiled(graph)
    for (batch, sequence) in [(1, 1), (1, 128), (7, 33), (1, 1), (32, 512)] {
      let x = try Self.input(batch, sequence)
      let result = try #require(compiled.run([.tensor(x)])[0].tensor)
      #expect(result.shape == [batch, sequence, 16])
      // The largest size takes the slow executor minutes: there one sentence of the batch is compared.
      let (count, few) = batch * sequence > 1000 ? (1, try Self.first(x)) : (batch, x)
      let expected: [Float] = try ReferenceExecutor().run(graph, few)[0].elements()
      let actual: [Float] = try result.elements()
      let largest = zip(actual, expected).map { abs($0 - $1) }.max() ?? 0
      #expect(largest < 1e-4, "\(batch) × \(sequence), of which \(count): \(largest)")
    }
  }

  private static func first(_ x: Tensor) throws -> Tensor {
    let elements: [Float] = try x.elements()
    return try Tensor([1] + x.shape.dropFirst(), Array(elements.prefix(elements.count / x.shape[0])))
  }

  @Test(arguments: [
    ([1, 513, 16], "input 'x' has size 513 in dimension 1, but 'sequence' is 1...512"),
    ([65, 8, 16], "input 'x' has size 65 in dimension 0, but 'batch' is 1...64"),
    ([2, 8, 15], "input 'x' is f32[batch, sequence, 16], f32[2, 8, 15] was given"),
    ([0, 8, 16], "input 'x' has size 0 in dimension 0, but 'batch' is 1...64"),
  ]) func badSizesAreRefused(shape: [Int], message: String) throws {
    let compiled = try CPUBackend().compiled(Self.model())
    do {
      _ = try compiled.run([.tensor(try Tensor(zeros: .float32, shape))])
      Issue.record("no error")
    } catch {
      #expect("\(error)" == message)
    }
  }

  /// The optimizer keeps the symbols.
  @Test func optimizationKeepsSizesOpen() throws {
    var graph = try Self.model()
    try PassManager.aggressiveOptimizationPasses(executor: CPUBackend()).run(&graph)
    let x = try Self.input(2, 5)
    let (optimized, plain) = (try CPUBackend().run(graph, x)[0], try CPUBackend().run(Self.model(), x)[0])
    #expect(zip(try optimized.elements(Float.self), try plain.elements(Float.self)).allSatisfy { abs($0 - $1) < 1e-5 })
    #expect(optimized.shape == [2, 5, 16])
  }
}
