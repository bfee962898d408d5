import FXCore
import FXRuntime
import FXTrace
import Generation
import Testing

@Suite struct GenerationTests {
  static func model(seed: UInt64) throws -> Llama {
    let llama = Llama(.init(vocabulary: 17, width: 32, depth: 2, heads: 4, context: 64))
    try llama.initializeParameters(seed: seed)
    return llama
  }

  /// Reading at once, in pieces and token by token gives the same scores.
  @Test(arguments: [1, 2, 3]) func cacheChangesNothing(seed: UInt64) throws {
    let tokens = (0..<24).map { ($0 * 7 + Int(seed)) % 17 }
    var whole = try Generator(Self.model(seed: seed))
    let expected = try whole.read(tokens)
    for pieces in [[24], [5, 19], [1, 1, 20, 2], Array(repeating: 1, count: 24)] {
      var generator = try Generator(Self.model(seed: seed))
      var (start, scores): (Int, [Float]) = (0, [])
      for piece in pieces {
        scores = try generator.read(Array(tokens[start..<start + piece]))
        start += piece
      }
      #expect(generator.position == 24)
      for (a, b) in zip(scores, expected) { #expect((a - b).magnitude < 1e-4) }
    }
  }

  /// Later tokens do not change what was said of earlier ones: the slow executor agrees with the fast one.
  @Test func isCausal() throws {
    let llama = try Self.model(seed: 4)
    let generator = try Generator(llama)
    let empty = RuntimeValue.tensor(try Tensor(zeros: .float32, [1, 4, 0, 8]))
    let caches = Array(repeating: empty, count: 4)
    func scores(_ tokens: [Int]) throws -> [Float] {
      let inputs = [RuntimeValue.tensor(try Tensor([1, tokens.count], tokens))] + caches
      return try #require(ReferenceExecutor().run(generator.graph, inputs: inputs)[0].tensor).elements()
    }
    let (short, long) = (try scores([1, 2, 3]), try scores([1, 2, 3, 16, 5]))
    for (a, b) in zip(short, long) { #expect((a - b).magnitude < 1e-5) }
    var fast = try Generator(llama)
    for (a, b) in zip(try fast.read([1, 2, 3]), short.suffix(17)) { #expect((a - b).magnitude < 1e-4) }
  }

  @Test func learnsByHeart() throws {
    let text = "to be or not to be, that is"
    let characters = Characters(of: text)
    let llama = Llama(.init(vocabulary: characters.all.count, width: 32, depth: 1, heads: 2, context: 64))
    try llama.initializeParameters(seed: 3)
    let tokens = characters.tokens(text)
    var teacher = try Teacher(llama, tokens: tokens)
    #expect(try teacher.teach(until: 0.02, limit: 600) <= 0.02)
    var generator = try Generator(llama)
    let written = try generator.generate(after: [tokens[0]], count: tokens.count - 1, .greedy)
    #expect(characters.text([tokens[0]] + written) == text)
  }

  /// The same seed draws the same tokens; the best alone is what greedy writes.
  @Test func sampling() throws {
    func write(_ seed: UInt64, _ choice: Generator.Choice) throws -> [Int] {
      var generator = try Generator(Self.model(seed: 5), seed: seed)
      return try generator.generate(after: [1, 2], count: 20, choice)
    }
    let choice = Generator.Choice.sampling(temperature: 1, top: 10)
    #expect(try write(1, choice) == write(1, choice))
    #expect(try write(1, choice) != write(2, choice))
    #expect(try write(1, .sampling(temperature: 1, top: 1)) == write(1, .greedy))
  }

  @Test func contextIsLimited() throws {
    var generator = try Generator(Self.model(seed: 6))
    #expect(throws: ContextIsFull(tokens: 65, context: 64)) {
      try generator.read(Array(repeating: 1, count: 65))
    }
  }
}
