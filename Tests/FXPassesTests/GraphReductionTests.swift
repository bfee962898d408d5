import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

/// Passes that are wrong on purpose, each in its way: validation must name them and show them on a small graph.
@Suite struct GraphReductionTests {
  /// Another operator.
  struct WrongOperator: Pass {
    let name = "wrong-operator"
    func apply(to graph: inout Graph) throws -> PassOutcome {
      var outcome = PassOutcome()
      for node in graph.nodes(calling: .tanh) {
        try graph.setOperator(of: node, to: .sigmoid)
        outcome.change("calls spoilt")
      }
      return outcome
    }
  }

  /// Another axis, which shows only where sizes differ.
  struct WrongAxis: Pass {
    let name = "wrong-axis"
    func apply(to graph: inout Graph) throws -> PassOutcome {
      var outcome = PassOutcome()
      for node in graph.nodes(calling: .softmax) {
        try graph.setAttributes(of: node, to: ["axis": 0])
        outcome.change("calls spoilt")
      }
      return outcome
    }
  }

  /// Takes (a + b) + b for a + b: wrong for a pattern of two calls only.
  struct WrongPattern: Pass {
    let name = "wrong-pattern"
    func apply(to graph: inout Graph) throws -> PassOutcome {
      try RewritePass([RewriteRule("lost", replace: { a, b in a + b + b }, with: { a, b in a + b })]).apply(to: &graph)
    }
  }

  /// 60 blocks with a part for each of the passes in the middle.
  static func graph() throws -> Graph {
    try trace([.tensor(.float32, ["n", 6], name: "x"), .tensor(.float32, [6, 6], name: "w")]) { x in
      var y = x[0]
      for block in 0..<60 {
        y = relu(matmul(y, x[1]) * 0.3) + sin(y)
        if block == 20 { y = tanh(y) }
        if block == 30 { y = softmax(y, axis: 1) }
        if block == 40 { y = exp(y) + x[0] + x[0] }
      }
      return [y, mean(y)]
    }
  }

  static let passes: [any Pass] = [WrongOperator(), WrongAxis(), WrongPattern()]

  @Test(arguments: 0..<3) func wrongPassesAreShownSmall(index: Int) throws {
    let pass = Self.passes[index]
    var graph = try Self.graph()
    let before = graph
    var manager = PassManager([DeadCodeEliminationPass(), pass])
    manager.validation = PassValidation(
      executor: ReferenceExecutor(), sampler: InputSampler(seed: 2, sizes: ["n": 3]))
    do {
      try manager.run(&graph)
      Issue.record("\(pass.name) went through")
    } catch PassError.outputsDiffer(let name, _, _, let reduced) {
      #expect(name == pass.name)
      let small = try #require(reduced)
      #expect(small.callCount <= 3, "\(small.graph)")
      // What is shown is true: it runs, and the pass changes it.
      var changed = small.graph
      try pass.apply(to: &changed)
      let results = try [small.graph, changed].map { try ReferenceExecutor().run($0, inputs: small.inputs) }
      #expect(results[0] != results[1])
      #expect(try Graph(text: small.graph.text()) == small.graph)
    }
    #expect(graph == before)
  }

  @Test func propertiesOfAnyKind() throws {
    let graph = try Self.graph()
    let inputs = try InputSampler(seed: 1, sizes: ["n": 2]).inputs(of: graph)
    let reduced = try GraphReduction(executor: ReferenceExecutor()).reduce(graph, inputs) { graph, _ in
      !graph.nodes(calling: .softmax).isEmpty
    }
    #expect(reduced.callCount == 1)
    #expect(try ReferenceExecutor().run(reduced.graph, inputs: reduced.inputs)[0].type.description == "f32[2, 6]")
  }
}
