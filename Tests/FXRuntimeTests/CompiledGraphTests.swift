import FXCore
import FXTestSupport
import Testing

@testable import FXRuntime

@Suite struct CompiledGraphTests {
  /// Calls that nobody uses, and some of the results of one, without the passes that remove them.
  @Test func unusedResults() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [4]))
    _ = try graph.call(.exp, [.value(x)])
    let parts = try graph.append(
      .split, [.value(x), .parameter(graph.addConstant(ints(1, 2, 1)))], results: [.unknown, .unknown, .unknown])
    try graph.addOutput(graph[parts].results[1])
    let backend = CPUBackend(.init(optimizes: false))
    #expect(try backend.compiled(graph).run([.tensor(ramp([4]))]) == [.tensor(f([2], [1, 2]))])
  }

  /// x[batch, 4] → exp → neg → + x, `depth` times.
  private func chain(_ depth: Int, symbol: SymbolBounds? = nil) throws -> Graph {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, ["batch", 4]))
    if let symbol { graph.symbols["batch"] = symbol }
    var value = x
    for _ in 0..<depth {
      let e = try graph.call(.exp, [.value(value)])
      let n = try graph.call(.neg, [.value(e)])
      value = try graph.call(.add, [.value(n), .value(x)])
    }
    try graph.addOutput(value, name: "y")
    return graph
  }

  private func input(_ rows: Int, seed: UInt64 = 1) throws -> Tensor {
    var random = RandomSource(seed: seed)
    return try Tensor([rows, 4], (0..<rows * 4).map { _ in Float(random.below(1000)) / 500 - 1 })
  }

  @Test(arguments: [1, 2, 7]) func agreesWithTheReferenceAtEveryBatch(rows: Int) throws {
    let graph = try chain(5)
    let x = try input(rows)
    let expected = try ReferenceExecutor().run(graph, x)[0].elements(Float.self)
    let actual = try CPUBackend().run(graph, x)[0].elements(Float.self)
    for (a, b) in zip(actual, expected) { #expect(abs(a - b) <= 1e-5 * max(1, abs(b))) }
  }

  @Test func memoryIsReusedAndCapped() throws {
    let x = try input(8)
    let short = try CPUBackend().compiled(chain(4)).planSummary(for: [.tensor(x)])
    let long = try CPUBackend().compiled(chain(40)).planSummary(for: [.tensor(x)])
    // A longer chain needs no more memory: what is done with is used again.
    #expect(long.peakBytes == short.peakBytes)
    let capped = try CPUBackend(.init(memoryLimit: long.peakBytes - 1)).compiled(chain(40))
    #expect(throws: ExecutionError.memoryLimit(needed: long.peakBytes, limit: long.peakBytes - 1)) {
      try capped.run([.tensor(x)])
    }
    _ = try CPUBackend(.init(memoryLimit: long.peakBytes)).compiled(chain(40)).run([.tensor(x)])
  }

  @Test func resultsAreWrittenOver() throws {
    let compiled = try CPUBackend(.init(threads: 1)).compiled(chain(3))
    let (a, b) = (RuntimeValue.tensor(try input(8, seed: 1)), RuntimeValue.tensor(try input(8, seed: 2)))
    let (first, second) = (try compiled.run([a]), try compiled.run([b]))
    var results = try compiled.run([a])
    let address = results[0].tensor?.unsafeBytes
    try compiled.run([b], into: &results)
    #expect(results == second)
    #expect(results[0].tensor?.unsafeBytes == address, "nobody else held it")
    let held = results
    try compiled.run([a], into: &results)
    #expect(results == first)
    #expect(held == second, "what somebody holds stays as it is")
    // A result that is the next run's input.
    let next = try compiled.run(results)
    try compiled.run(results, into: &results)
    #expect(results == next)
    // Other sizes, and what is no tensor.
    try compiled.run([.tensor(input(3))], into: &results)
    #expect(results[0].tensor?.shape == [3, 4])
    results = [.sequence([], element: .unknown), a]
    try compiled.run([a], into: &results)
    #expect(results == first)
    #expect(throws: ExecutionError.self) { try compiled.run([], into: &results) }
  }

  @Test func wrongInputsAreNamed() throws {
    let compiled = try CPUBackend().compiled(chain(1, symbol: SymbolBounds(minimum: 2, maximum: 8, divisor: 2)))
    let cases: [(RuntimeValue, String)] = [
      (
        .tensor(try Tensor([2, 3], [Float](repeating: 0, count: 6))),
        "input 'x' is f32[batch, 4], f32[2, 3] was given"
      ),
      (.tensor(Tensor(vector: [1, 2])), "input 'x' is f32[batch, 4], i64[2] was given"),
      (
        .tensor(try input(3)),
        "input 'x' has size 3 in dimension 0, but 'batch' is 2...8, a multiple of 2"
      ),
    ]
    for (value, message) in cases {
      #expect { try compiled.run([value]) } throws: { "\($0)" == message }
    }
    #expect { try compiled.run([]) } throws: { "\($0)" == "the graph has 1 inputs (x), 0 were given" }
  }

  @Test func unboundParametersAreNamed() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [2]))
    let w = try graph.addParameter("w", unbound: TensorType(.float32, [2]))
    try graph.addOutput(graph.call(.add, [.value(x), .parameter(w)]))
    let value = RuntimeValue.tensor(Tensor(vector: [1, 2] as [Float]))
    #expect(throws: ExecutionError.unboundParameters(["w"])) { try CPUBackend().run(graph, inputs: [value]) }
    try graph.bind("w", to: Tensor(vector: [10, 20] as [Float]))
    #expect(try CPUBackend().run(graph, inputs: [value]) == [.tensor(Tensor(vector: [11, 22] as [Float]))])
  }

  @Test func concurrentRunsDoNotDisturbEachOther() async throws {
    let graph = try chain(12)
    let compiled = try CPUBackend(.init(threads: 2)).compiled(graph)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for seed in 0..<8 {
        group.addTask {
          for round in 0..<20 {
            let x = try self.input(1 + (seed + round) % 3, seed: UInt64(seed * 100 + round))
            let expected = try CPUBackend(.init(threads: 1)).compiled(graph).run([.tensor(x)])
            #expect(try compiled.run([.tensor(x)]) == expected)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Inputs, constants and views that are outputs, outputs named twice: what comes back belongs to the caller.
  @Test func outputsThatNoKernelWrites() throws {
    var graph = Graph()
    let x = try graph.addInput("x", .tensor(.float32, [4]))
    let c = graph.addConstant(Tensor(vector: [5, 6] as [Float]))
    let y = try graph.call(.neg, [.value(x)])
    try graph.addOutput(x, name: "same")
    try graph.addOutput(.parameter(c), name: "constant")
    try graph.addOutput(y, name: "y")
    try graph.addOutput(y, name: "again")
    let input = Tensor(vector: [1, 2, 3, 4] as [Float])
    let negated = Tensor(vector: [-1, -2, -3, -4] as [Float])
    let compiled = try CPUBackend().compiled(graph)
    for _ in 0..<2 {
      #expect(
        try compiled.run([.tensor(input)]) == [
          .tensor(input), .tensor(Tensor(vector: [5, 6] as [Float])), .tensor(negated), .tensor(negated),
        ])
    }
  }

  /// Another number of threads is meant from there on; copies and graphs compiled before keep theirs.
  @Test func threadsMayChange() {
    var backend = CPUBackend(.init(threads: 1))
    let copy = backend
    backend.options.seed = 3
    #expect(backend.pool === copy.pool)
    backend.options.threads = 3
    #expect(backend.pool.size == 3 && copy.pool.size == 1)
  }
}
