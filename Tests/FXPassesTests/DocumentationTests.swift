import FXCore
import FXPasses
import FXRuntime
import Testing

/// The examples of `docs/Passes.md` that other tests do not hold.
struct DocumentationTests {
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
