import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

extension TutorialTests {
  @Suite struct OptimizationPasses {
    func applyOptimizationPasses() throws -> Graph {
      var graph = try createSimpleGraph()

      // Apply operation fusion
      let fusionPass = OperationFusionPass()
      try fusionPass.apply(to: &graph)

      // Apply dead code elimination
      let dcePass = DeadCodeEliminationPass()
      try dcePass.apply(to: &graph)

      // Apply constant folding, with whatever runs graphs
      let cfPass = ConstantFoldingPass(executor: CPUBackend())
      try cfPass.apply(to: &graph)

      // Apply common subexpression elimination
      let csePass = CommonSubexpressionEliminationPass()
      try csePass.apply(to: &graph)

      print("Optimized graph has \(graph.nodeCount) nodes")
      return graph
    }

    @Test func individualPasses() throws {
      var graph = try applyOptimizationPasses()
      #expect(graph.nodeCount == 3)
      #expect(try graph.bodyNodes.map { try graph[$0].op } == [.fusedLinear])
      let (before, x) = (try TutorialTests.model(), try TutorialTests.rows())
      for name in ["node_0.weight", "node_0.bias"] {
        let (from, to) = (try #require(before.parameter(named: name)), try #require(graph.parameter(named: name)))
        try graph.bind(to, to: #require(before[from].tensor))
      }
      for executor in [ReferenceExecutor(), CPUBackend()] as [any GraphExecutor] {
        #expect(try areNear(executor.run(graph, x)[0].elements(), TutorialTests.expected(before, x)))
      }
    }

    func optimizeWithPassManager() throws -> PassReport {
      var graph = try createSimpleGraph()

      // Create default optimization pipeline
      let passManager = PassManager.defaultOptimizationPasses(executor: CPUBackend())

      // Run all passes
      let report = try passManager.run(&graph)

      print("Optimization complete!\n\(report)")
      return report
    }

    func aggressiveOptimization() throws -> PassReport {
      var graph = try createSimpleGraph()

      // Use aggressive optimization pipeline
      let passManager = PassManager.aggressiveOptimizationPasses(executor: CPUBackend())
      let report = try passManager.run(&graph)

      print("Aggressive optimization complete!")
      return report
    }

    @Test func passManager() throws {
      let (byDefault, aggressive) = (try optimizeWithPassManager(), try aggressiveOptimization())
      #expect(byDefault.nodesBefore == 4 && byDefault.nodesAfter == 3)
      #expect(aggressive.nodesAfter <= byDefault.nodesAfter && aggressive.isStable)
    }

    @Test func validation() throws {
      var model = try TutorialTests.model()
      let before = model
      var passManager = PassManager.defaultOptimizationPasses(executor: CPUBackend())
      passManager.validation = PassValidation(executor: ReferenceExecutor())
      try passManager.run(&model)

      #expect(model.nodeCount == 3)
      let x = try TutorialTests.rows()
      #expect(try areNear(CPUBackend().run(model, x)[0].elements(), TutorialTests.expected(before, x)))
    }

    struct CustomOptimizationPass: Pass {
      let name = "custom_optimization"
      let contract = NumericContract.approximates(bound: 1)  // how far outputs may be off

      @discardableResult
      func apply(to graph: inout Graph) throws -> PassOutcome {
        // Custom optimization logic
        var outcome = PassOutcome()

        for id in graph.allNodes {
          let node = try graph[id]
          if node.op == .relu {
            // Example: replace relu with leaky_relu for better gradients
            try graph.setOperator(of: id, to: .leakyRelu)
            outcome.change("activations replaced")
          }
        }

        print("Applied \(outcome.changes) custom optimizations")
        return outcome
      }
    }

    func useCustomPass() throws -> Graph {
      var graph = try createSimpleGraph()
      let customPass = CustomOptimizationPass()
      try customPass.apply(to: &graph)
      return graph
    }

    private let activations: [Float] = [-2, -0.5, 0, 3]
    private let leaky: [Float] = [-0.02, -0.005, 0, 3]

    @Test func customPass() throws {
      let replaced = try useCustomPass()
      #expect(try replaced.bodyNodes.map { try replaced[$0].op } == [.linear, .leakyRelu])
      var graph = try trace(ReLU(), .tensor(.float32, ["n"]))
      try CustomOptimizationPass().apply(to: &graph)
      #expect(try areNear(CPUBackend().run(graph, Tensor(vector: activations))[0].elements(), leaky))
      let node = graph.bodyNodes[0]
      #expect(throws: GraphError.self) { try graph.setOperator(of: node, to: OperatorTable.standard.find("leaky_rely")) }
      #expect(throws: GraphError.self, "another number of operands") { try graph.setOperator(of: node, to: .add) }
    }

    @Test func rewriteRule() throws {
      var graph = try trace(ReLU(), .tensor(.float32, ["n"]))
      let rule = RewriteRule("leaky", replace: { x in relu(x) }, with: { x in maximum(x, x * 0.01) })
      let outcome = try RewritePass([rule]).apply(to: &graph)

      #expect(outcome.changes == 1)
      #expect(try areNear(CPUBackend().run(graph, Tensor(vector: activations))[0].elements(), leaky))
    }
  }
}
