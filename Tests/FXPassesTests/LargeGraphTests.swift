import FXCore
import FXPasses
import FXRuntime
import Testing

/// Shapes of graphs at which a quadratic step would be noticed.
struct LargeGraphTests {
  private static let count = 4_000
  private static let vector = ValueType.tensor(.float32, [4])

  /// x → f → f → …
  private func chain(_ op: Operator, from operand: Operand, in graph: inout Graph) throws -> Operand {
    var value = operand
    for _ in 0..<Self.count { value = .value(try graph.call(op, [value], type: Self.vector)) }
    return value
  }

  private func empty() throws -> (graph: Graph, x: Operand, c: Operand) {
    var graph = Graph()
    let x = Operand.value(try graph.addInput("x", Self.vector))
    let c = Operand.parameter(graph.addConstant(Tensor(vector: [1, 2, 3, 4] as [Float]), name: "c"))
    return (graph, x, c)
  }

  private func check(_ pass: any Pass, _ graph: inout Graph, calls: Int, changes: Int) throws {
    let outcome = try pass.apply(to: &graph)
    try graph.verify()
    #expect(graph.bodyNodes.count == calls && outcome.changes == changes, "\(pass.name): \(outcome)")
    #expect(try pass.apply(to: &graph).changes == 0)
  }

  @Test func chains() throws {
    let passes: [any Pass] = [
      DeadCodeEliminationPass(removesParameters: false), CommonSubexpressionEliminationPass(),
      ConstantFoldingPass(executor: ReferenceExecutor()),
    ]
    for pass in passes {
      var (graph, x, c) = try empty()
      let live = try chain(.sin, from: x, in: &graph)
      _ = try chain(.cos, from: x, in: &graph)
      let constant = try chain(.neg, from: c, in: &graph)
      try graph.addOutput(live, name: "y")
      try graph.addOutput(constant, name: "z")
      switch pass.name {
      case "dead-code-elimination": try check(pass, &graph, calls: 2 * Self.count, changes: Self.count)
      case "constant-folding": try check(pass, &graph, calls: 2 * Self.count, changes: Self.count)
      default: try check(pass, &graph, calls: 3 * Self.count, changes: 0)
      }
    }
  }

  /// Many equal users of one value, and one user of many.
  @Test func stars() throws {
    var (graph, x, _) = try empty()
    var rays: [Operand] = []
    for _ in 0..<Self.count { rays.append(.value(try graph.call(.sin, [x], type: Self.vector))) }
    let sum = try graph.call(.maximum, rays, type: Self.vector)
    try graph.addOutput(sum, name: "y")
    try check(CommonSubexpressionEliminationPass(), &graph, calls: 2, changes: Self.count - 1)
    try check(DeadCodeEliminationPass(), &graph, calls: 2, changes: 1)
  }

  /// Many calls beside each other, each with constants of its own.
  @Test func wide() throws {
    var (graph, x, _) = try empty()
    var results: [Operand] = []
    for index in 0..<Self.count {
      let constant = graph.addConstant(Tensor(vector: [Float(index % 100), 1, 2, 3]))
      let folded = try graph.call(.neg, [.parameter(constant)], type: Self.vector)
      let value = try graph.call(.add, [x, .value(folded)], type: Self.vector)
      results.append(.value(value))
    }
    try graph.setResults(of: graph.body, results)
    try check(ConstantFoldingPass(executor: ReferenceExecutor()), &graph, calls: Self.count, changes: Self.count)
    let outcome = try CommonSubexpressionEliminationPass().apply(to: &graph)
    #expect(outcome["constants merged"] == Self.count - 100 && outcome["calls merged"] == Self.count - 100)
    try graph.verify()
    #expect(graph.outputs.count == Self.count && graph.bodyNodes.count == 100)
  }
}
