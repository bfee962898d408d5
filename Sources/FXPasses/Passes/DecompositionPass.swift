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
///   %node_3: f32[8, 2] = gemm(%x, @w) {transB = true}
///   %a: f32[8, 2] = relu(%node_3)
///   return %a
/// }
/// ```
///
/// Declines: calls of whose types too little is known, and cases that a rule leaves, with its reason.
public struct DecompositionPass: Pass {
  public let name: String
  public let contract = NumericContract.reassociates
  /// What operators become; those without an entry stay.
  public var decompositions: Decompositions
  /// The nodes that are decomposed, with what they become; all if `nil`.
  package var scope: Set<NodeID>?

  /// Decomposes all that has an entry. Reports call the pass `name`, so that a pipeline may hold several.
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
    if let scope { pending.removeAll { !scope.contains($0) } }
    guard !pending.isEmpty else { return outcome }
    let builder = DecompositionBuilder(graph)
    var left: [(node: NodeID, reason: String)] = []
    var changesBefore = 0
    while true {
      if pending.isEmpty {
        // What was made carries types that those before it may have lacked.
        guard outcome.changes > changesBefore, !left.isEmpty else { break }
        (pending, left, changesBefore) = (left.map(\.node), [], outcome.changes)
      }
      let id = pending.removeLast()
      // What stood in a region that was inlined is gone with it.
      guard graph.contains(id) else { continue }
      let node = try graph[id]
      guard let rule = decompositions[node.op] else { continue }
      builder.exchange(&graph)
      let reason = Result { try builder.decompose(node, by: rule) }
      builder.exchange(&graph)
      if let reason = try reason.get() {
        left.append((id, reason))
      } else {
        outcome.change("\(node.op) decomposed")
        pending += builder.added.filter(graph.contains)
      }
    }
    for (id, reason) in left { outcome.decline(id, in: graph, reason) }
    return outcome
  }
}

extension DecompositionBuilder {
  /// Puts what a rule makes in a node's place. Gives the reason if the node stays as it is.
  fileprivate func decompose(_ node: Node, by rule: Decomposition) throws -> String? {
    begin(node)
    var context = DecompositionContext(node, self)
    do {
      if let results = try rule(&context) {
        for (result, value) in zip(results, node.results) { try keepType(graph.type(of: value), of: result) }
        try replace(node, with: results)
        return nil
      }
    } catch let declined as DecompositionDeclined {
      try revert()
      return declined.reason
    } catch {
      try revert()
      throw error
    }
    try revert()
    return "too little is known of its types"
  }
}
