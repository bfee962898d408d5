import FXCore
import FXRuntime
import FXTrace
import Foundation

/// More tokens than a model has positions for.
public struct ContextIsFull: Error, Equatable, CustomStringConvertible {
  public let tokens, context: Int
  public init(tokens: Int, context: Int) { (self.tokens, self.context) = (tokens, context) }
  public var description: String { "\(tokens) tokens; the context has \(context)" }
}

/// Writes tokens one after the other with a model that keeps what it has read in a cache.
public struct Generator {
  /// Which token follows, given a score for each.
  public enum Choice: Sendable {
    /// The one with the greatest score.
    case greedy
    /// Drawn from the `top` best by softmax(score ÷ temperature).
    case sampling(temperature: Double, top: Int)
  }

  public let graph: Graph
  private let model: CompiledGraph
  private var cache: [RuntimeValue] = []
  private var random: RandomGenerator
  /// Tokens that were read so far.
  public private(set) var position = 0
  private let context: Int

  /// - Throws: `TraceError`, `ExecutionError.unboundParameters` for a model without weights.
  public init(_ llama: Llama, on backend: CPUBackend = CPUBackend(), seed: UInt64 = 0) throws {
    let size = llama.size
    let past = Shape([1, Dimension(size.heads), "past", Dimension(size.headWidth)])
    var options = TraceOptions()
    options.symbols = ["new": SymbolBounds(minimum: 1, maximum: size.context), "past": SymbolBounds(maximum: size.context)]
    let caches = (0..<size.depth).flatMap { block in
      ["key", "value"].map { TraceInput.tensor(.float32, past, name: "past.\(block).\($0)") }
    }
    graph = try trace(llama, [.tensor(.int64, [1, "new"], name: "ids")] + caches, options: options)
    model = try backend.compiled(graph)
    random = RandomGenerator(seed: seed)
    context = size.context
    // A cache of no tokens: one graph serves the first call and every later one.
    let empty = try Tensor(zeros: .float32, [1, size.heads, 0, size.headWidth])
    cache = caches.map { _ in .tensor(empty) }
  }

  /// Forgets what was read.
  public mutating func reset() throws {
    guard let shape = cache.first?.tensor?.shape else { return }
    let empty = RuntimeValue.tensor(try Tensor(zeros: .float32, [1, shape[1], 0, shape[3]]))
    cache = cache.map { _ in empty }
    position = 0
  }

  /// Reads tokens and gives the scores of what may follow the last of them.
  /// - Throws: `ContextIsFull`, `ExecutionError`.
  public mutating func read(_ tokens: [Int]) throws -> [Float] {
    guard position + tokens.count <= context else {
      throw ContextIsFull(tokens: position + tokens.count, context: context)
    }
    let results = try model.run([.tensor(try Tensor([1, tokens.count], tokens))] + cache)
    guard let logits = results.first?.tensor else { return [] }
    cache = Array(results.dropFirst())
    position += tokens.count
    return try logits.elements(Float.self).suffix(logits.shape[2])
  }

  /// Reads a beginning and writes what follows.
  public mutating func generate(after beginning: [Int], count: Int, _ choice: Choice) throws -> [Int] {
    guard count > 0 else { return [] }
    var scores = try read(beginning)
    var written: [Int] = []
    while true {
      written.append(choose(scores, choice))
      guard written.count < count else { return written }
      scores = try read(written.suffix(1))
    }
  }

  private mutating func choose(_ scores: [Float], _ choice: Choice) -> Int {
    let ranked = scores.indices.sorted { scores[$0] > scores[$1] }
    guard case .sampling(let temperature, let top) = choice, temperature > 0, let best = ranked.first else {
      return ranked.first ?? 0
    }
    let candidates = ranked.prefix(max(1, top))
    let weights = candidates.map { exp(Double(scores[$0] - scores[best]) / temperature) }
    var left = random.unit() * weights.reduce(0, +)
    for (token, weight) in zip(candidates, weights) {
      left -= weight
      if left < 0 { return token }
    }
    return best
  }
}
