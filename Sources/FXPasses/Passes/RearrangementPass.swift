import FXCore

/// Makes of reshapes and transposes after each other the fewest that do the same: at most one of each. A transpose that moves
/// only axes of size 1 becomes a reshape.
///
/// Axes are followed back through the chain, split where a reshape splits them. A value on the way that others use stays, and
/// then the chain behind it does not count. O(nodes × length of chains).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 20]) {
///   parameter @apart: i64[4] constant = [2, 3, 4, 5]
///   parameter @folded: i64[3] constant = [3, 2, 20]
///   %a: f32[2, 3, 4, 5] = reshape(%x, @apart)
///   %b: f32[3, 2, 4, 5] = transpose(%a) {perm = [1, 0, 2, 3]}
///   %c: f32[3, 2, 20] = reshape(%b, @folded)
///   return %c
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 20]) {
///   %c: f32[3, 2, 20] = transpose(%x) {perm = [1, 0, 2]}
///   return %c
/// }
/// ```
///
/// Declines: nothing. Chains that would not become shorter, and shapes that are not known, are left.
public struct RearrangementPass: Pass {
  public let name = "rearrangement"

  /// There is nothing to set. The pass is repeated within one application until no chain becomes shorter.
  public init() {}

  private static let moves: Set<Operator> = [.reshape, .flatten, .squeeze, .unsqueeze, .transpose]

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    try .untilStable { outcome in
      // From the last of each chain back: what is replaced first leaves least behind.
      for id in graph.allNodes.reversed() where graph.contains(id) {
        let node = try graph[id]
        guard Self.moves.contains(node.op), let result = node.results.first else { continue }
        let type = try graph.type(of: result)
        guard type.hasKnownShape, let shape = type.shape else { continue }
        let trace = AxisTrace(.value(result), sizes: shape.dimensions, atoms: Array(shape.indices), in: graph)
        guard let (plan, gone) = try best(trace, shape, graph) else { continue }
        let new = try graph.insert(plan, before: id)
        try graph.replace(id, with: [new])
        try graph.eraseUnused(gone)
        outcome.change("rearrangements shortened")
      }
    }
  }

  /// The way that saves most calls, and the calls that go with it; `nil` if none saves any.
  private func best(_ trace: AxisTrace, _ shape: Shape, _ graph: Graph) throws -> (Rearrangement, [NodeID])? {
    var found: (plan: Rearrangement, gone: [NodeID], saved: Int)?
    var gone: [NodeID] = []
    // Calls behind which nobody else looks.
    var isPrivate = true
    for (index, point) in trace.points.enumerated() where index > 0 {
      let before = trace.points[index - 1].operand
      guard let call = graph.call(producing: before) else { break }
      if index > 1 { isPrivate = isPrivate && before.value.map(graph.isUsedOnce) ?? false }
      if isPrivate, index > 1 { gone.append(call.id) }
      guard let plan = trace.rearrangement(of: point, to: shape.indices.map { [$0] }, in: graph) else { continue }
      if index == 1 {
        if plan.permutation == nil, graph.call(producing: before)?.op == .transpose { found = (plan, [], 0) }
        continue
      }
      let saved = 1 + gone.count - plan.callCount
      if saved > found?.saved ?? 0 { found = (plan, gone, saved) }
    }
    return found.map { ($0.plan, $0.gone) }
  }
}
