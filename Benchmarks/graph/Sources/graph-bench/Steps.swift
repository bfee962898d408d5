import FXCore
import FXPasses
import FXRuntime

/// What is measured: an action on a graph of the workload, which it may keep as it is or copy and change.
struct Step {
  let name: String
  /// Milliseconds that the action takes on `graph`, a workload of `calls` calls.
  let measure: (_ graph: Graph, _ calls: Int) throws -> Double

  init(_ name: String, _ action: @escaping (_ graph: Graph, _ calls: Int) throws -> Void) {
    self.name = name
    measure = { graph, calls in try milliseconds { try action(graph, calls) } }
  }

  /// A pass on a copy, the copying included.
  init(_ pass: any Pass, _ name: String) {
    self.init(name, from: { $0 }) { _ = try pass.apply(to: &$0) }
  }

  /// An action that needs something prepared, which is not measured.
  init<Prepared>(
    _ name: String, from prepare: @escaping (Graph) throws -> Prepared, _ action: @escaping (inout Prepared) throws -> Void
  ) {
    self.name = name
    measure = { graph, _ in
      var prepared = try prepare(graph)
      return try milliseconds { try action(&prepared) }
    }
  }
}

func milliseconds(_ body: () throws -> Void) rethrows -> Double {
  let start = ContinuousClock.now
  try body()
  let elapsed = (ContinuousClock.now - start).components
  return Double(elapsed.seconds) * 1e3 + Double(elapsed.attoseconds) / 1e15
}

extension Step {
  static var all: [Step] {
    [
      Step("build") { _, calls in _ = try makeGraph(calls: calls) },
      Step("verify") { graph, _ in try graph.verify(.executable) },
      Step("edit", from: { $0 }) { graph in
        // The copy that the first edit makes, then a new operator for a tenth of the nodes.
        for node in graph.nodes(calling: .sin) { try graph.setOperator(of: node, to: .cos) }
      },
      Step(DeadCodeEliminationPass(), "dead code"),
      Step(CommonSubexpressionEliminationPass(), "common subexpressions"),
      Step(ConstantFoldingPass(executor: ReferenceExecutor()), "constant folding"),
      Step("print") { graph, _ in _ = graph.text() },
    ]
  }
}
