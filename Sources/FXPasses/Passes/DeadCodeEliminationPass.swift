import FXCore

/// Removes what no output depends on: calls, and what owners of regions carry for nobody (results, captures, loop state).
///
/// Calls with effects stay, with what they need; so do inputs. Unregistered operators count as having effects.
/// Parameters that nothing refers to any more go too. O(graph).
///
/// Before:
/// ```
/// graph @main(%x: f32[4]) {
///   %a = relu(%x)
///   %b = exp(%x)
///   return %a
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   %a = relu(%x)
///   return %a
/// }
/// ```
///
/// Declines: nothing.
public struct DeadCodeEliminationPass: Pass {
  public let name = "dead-code-elimination"
  /// Whether parameters that nothing refers to are removed.
  public var removesParameters: Bool

  /// Removes unused parameters too, unless told otherwise.
  public init(removesParameters: Bool = true) { self.removesParameters = removesParameters }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    let live = try Liveness(of: graph)
    try sweep(&graph, live, &outcome)
    if removesParameters { outcome.change("parameters removed", graph.removeUnusedParameters()) }
    return outcome
  }

  private enum Step {
    case visit(NodeID)
    /// All nodes inside have been visited; the slots are to be taken off.
    case leave(NodeID, [RegionSlots.Slot])
  }

  /// Visits nodes last to first, so that users go before what they use.
  private func sweep(_ graph: inout Graph, _ live: Liveness, _ outcome: inout PassOutcome) throws {
    var steps = graph.bodyNodes.map(Step.visit)
    while let step = steps.popLast() {
      switch step {
      case .visit(let id) where !live.contains(id):
        try graph.erase(id)
        outcome.change("nodes removed")
      case .visit(let id):
        let node = try graph[id]
        guard !node.regions.isEmpty else { continue }
        let dead = try live.deadSlots(of: node, in: graph)
        try removeResults(of: dead, from: node, &graph, &outcome)
        steps.append(.leave(id, dead))
        for region in node.regions { steps += try graph.nodes(in: region).map(Step.visit) }
      case .leave(let id, let dead): try removeOperands(of: dead, from: graph[id], &graph, &outcome)
      }
    }
  }

  /// Takes what dead slots return out of regions and off the node, so that what computes it can go.
  private func removeResults(
    of dead: [RegionSlots.Slot], from node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    for (index, region) in node.regions.enumerated() {
      let doomed = Set(dead.flatMap(\.regionResults).filter { $0.region == index }.map(\.index))
      guard !doomed.isEmpty else { continue }
      let results = graph.results(of: region)
      let names = graph.resultNames(of: region)
      let kept = results.indices.filter { !doomed.contains($0) }
      try graph.setResults(of: region, kept.map { results[$0] }, names: kept.map { names[$0] })
    }
    let results = Set(dead.compactMap(\.result))
    guard !results.isEmpty else { return }
    try graph.removeResults(of: node.id, at: results)
    outcome.change("unused results removed", results.count)
  }

  /// Takes captures and states that nothing inside uses off the node.
  private func removeOperands(
    of dead: [RegionSlots.Slot], from node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    let operands = Set(dead.compactMap(\.operand))
    guard !operands.isEmpty else { return }
    for (index, region) in node.regions.enumerated() {
      let arguments = dead.flatMap(\.arguments).filter { $0.region == index }.map(\.index)
      try graph.removeArguments(of: region, at: Set(arguments))
    }
    let kept = node.operands.indices.filter { !operands.contains($0) }
    try graph.setOperands(of: node.id, to: kept.map { node.operands[$0] })
    try RegionSlots.didRemove(dead, from: node, in: &graph)
    outcome.change("captures removed", operands.count)
  }
}
