import FXCore

/// Expresses composite operators by others, until none with a decomposition is left. O(nodes made).
///
/// Before:
/// ```
/// graph @main(%x: f32[8, 4]) {
///   parameter @w: f32[2, 4] weight
///   %a: f32[8, 2] = fused_linear(%x, @w) {activation = "relu"}
///   return %a
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[8, 4]) {
///   parameter @w: f32[2, 4] weight
///   %node_2: f32[8, 2] = gemm(%x, @w) {transB = true}
///   %a: f32[8, 2] = relu(%node_2)
///   return %a
/// }
/// ```
public struct DecompositionPass: Pass {
  public let name: String
  public let contract = NumericContract.reassociates
  public var decompositions: Decompositions

  public init(_ decompositions: Decompositions = .standard, name: String = "decomposition") {
    self.decompositions = decompositions
    self.name = name
  }

  /// Takes fused operators apart and leaves all others: what undoes `OperationFusionPass`.
  public static let defusion = DecompositionPass(.fused, name: "defusion")

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var pending: [NodeID] = decompositions.operators.flatMap { graph.nodes(calling: $0) }
    while let id = pending.popLast() {
      let node = try graph[id]
      guard let rule = decompositions[node.op] else { continue }
      var context = DecompositionContext(node)
      context.exchange(&graph)
      let results = Result { try rule(&context) }
      context.exchange(&graph)
      guard let results = try results.get() else {
        outcome.decline(id, in: graph, "too little is known of its types")
        continue
      }
      try graph.replace(id, with: results)
      outcome.change("\(node.op) decomposed")
      pending += context.added
    }
    return outcome
  }
}
