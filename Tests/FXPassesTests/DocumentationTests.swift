import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

/// The examples of `docs/Passes.md` that other tests do not hold.
struct DocumentationTests {
  @Test func rewriteRules() throws {
    var graph = try graph(
      """
      graph @main(%a: f32[2, 2], %b: f32[2, 2], %c: f32[2, 2]) {
        %p: f32[2, 2] = matmul(%a, %b)
        %q: f32[2, 2] = matmul(%a, %c)
        %s: f32[2, 2] = add(%p, %q)
        %t: f32[2, 2] = pow(%s, 2.0)
        return %t
      }
      """)
    let before = graph
    let factored = RewriteRule(
      "factored", replace: { a, b, c in matmul(a, b) + matmul(a, c) }, with: { a, b, c in matmul(a, b + c) })
    let square = RewriteRule(
      "square", replace: { x, p in pow(x, p) }, where: { $0.numbers[1] == 2 }, with: { x, _ in x * x })
    let outcome = try RewritePass([factored, square]).apply(to: &graph)
    #expect(outcome.description == "1 factored, 1 square" && outcome.declined.isEmpty)
    try expectEqualOutputs(before, graph, .reassociates)
  }

  @Test func gradientsAndTraining() throws {
    var graph = try graph(
      """
      graph @main(%x: f32[2]) {
        parameter @w: f32[2] weight = [3.0, 4.0]
        %d: f32[2] = sub(%x, @w)
        %s: f32[2] = mul(%d, %d)
        %loss: f32[] = reduce_sum(%s) {keepdims = false}
        return %loss
      }
      """)
    let gradient = try graph.gradient(of: "loss", wrt: ["x", "w"])
    #expect(gradient.outputNames == ["loss", "x_gradient", "w_gradient"])
    let x = try Tensor([2], [1, 1] as [Float])
    let slopes = try ReferenceExecutor().run(gradient, x)
    #expect(try slopes[1].elements(Float.self) == [-4, -6])
    #expect(try slopes[2].elements(Float.self) == [4, 6])
    var trainer = try Trainer(TrainingStep(graph, loss: "loss", optimizer: Adam(learningRate: 0.05)), on: CPUBackend())
    for _ in 0..<200 { try trainer.train(x) }
    try trainer.apply(to: &graph)
    let loss = try ReferenceExecutor().run(graph, x)[0].elements(Float.self)[0]
    #expect(loss < 1e-3)
  }

  @Test func patternsAndDecompositions() throws {
    var graph = try graph(
      """
      graph @main(%x: f32[2], %y: f32[2]) {
        %a: f32[2] = sigmoid(%x)
        %b: f32[2] = mul(%a, %x)
        %c: f32[2] = mul(%a, %y)
        %d: f32[2] = silu(%y)
        %e: f32[2] = silu(%y) {alpha = 2.0}
        return %b, %c, %d, %e
      }
      """)
    let before = graph
    let x = GraphPattern.operand("x")
    let silu = GraphPattern.call(.mul, [x, .call(.sigmoid, [x])])
    let matches = graph.nodes(calling: .mul).compactMap { silu.match($0, in: graph) }
    let match = try #require(matches.first)
    #expect(matches.count == 1 && match.operands["x"] == .value(graph.inputs[0]) && match.nodes.count == 2)
    #expect(!match.isClosed(in: graph), "the sigmoid has another user")

    var decompositions = Decompositions.standard
    decompositions[.silu] = { context in
      let x = context.operand(0)
      guard context[Silu.alpha] == 1 else { return nil }
      return [try context.call(.mul, [x, try context.call(.sigmoid, [x])])]
    }
    let outcome = try DecompositionPass(decompositions).apply(to: &graph)
    #expect(outcome.changes == 1 && outcome.declined.map(\.node) == ["e"])
    try graph.verify()
    try expectEqualOutputs(before, graph, .reassociates)
  }

  @Test func validatesWithGivenSizes() throws {
    var graph = try graph("graph @main(%x: f32[batch, 4]) {\n%y: f32[batch, 4] = identity(%x)\nreturn %y\n}")
    var manager = PassManager.defaultOptimizationPasses(executor: ReferenceExecutor())
    manager.validation = PassValidation(
      executor: ReferenceExecutor(), sampler: InputSampler(seed: 1, sizes: ["batch": 3]), samples: 2)
    #expect(try manager.run(&graph).nodesAfter == 2)
  }
}
