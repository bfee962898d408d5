import FXCore

/// Puts the branch that is taken in the place of a `cond` whose predicate is known, and the steps of a short `loop` whose number
/// is known in the place of the loop.
///
/// A loop is unrolled if nothing can end it early and all steps together are at most `nodeLimit` nodes. Branches that are not
/// taken go, with what only they needed left to dead-code elimination. O(nodes made).
///
/// Before:
/// ```
/// graph @main(%x: f32[4]) {
///   parameter @p: bool[] constant = [true]
///   %y: f32[4] = cond(@p, %x) then(%s: f32[4]) {
///     %a: f32[4] = relu(%s)
///     return %a
///   } else(%s: f32[4]) {
///     %b: f32[4] = neg(%s)
///     return %b
///   }
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   parameter @p: bool[] constant = [true]
///   %a: f32[4] = relu(%x)
///   return %a as "y"
/// }
/// ```
///
/// Declines: loops that what they compute may end, that have effects or draw numbers, or would become too many nodes.
public struct ControlFlowSimplificationPass: Pass {
  public let name = "control-flow-simplification"
  /// How many nodes a loop may become.
  public var nodeLimit: Int

  /// Unrolls loops that become at most `nodeLimit` nodes.
  public init(nodeLimit: Int = 64) { self.nodeLimit = nodeLimit }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    // What is inlined may hold branches and loops that are known now; those inside regions are visited before it.
    try .untilStable { outcome in
      for op in [Operator.cond, .loop] {
        for id in graph.nodes(calling: op).inOrder(of: graph).reversed() where graph.contains(id) {
          op == .cond ? try takeBranch(id, &graph, &outcome) : try unroll(id, &graph, &outcome)
        }
      }
    }
  }

  private func takeBranch(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard let predicate = graph.scalar(of: node.operands[0]) else { return }
    let branch = node.regions[predicate == 0 ? 1 : 0]
    let (_, results) = try graph.copyContents(of: branch, arguments: Array(node.operands.dropFirst()), to: .before(id))
    try graph.replace(id, with: results)
    outcome.change("branches taken")
  }

  private func unroll(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard let count = graph.scalar(of: node.operands[0]), case .int(let states)? = node.attributes["state_count"],
      let body = node.regions.first, node.operand(1).isNone || graph.scalar(of: node.operand(1)) == 1
    else { return }
    let arguments = try graph.arguments(of: body)
    let again = graph.results(of: body)[0]
    guard again == .value(arguments[1]) || graph.scalar(of: again) == 1 else {
      return outcome.decline(id, in: graph, "what it computes may end it")
    }
    let scanned = node.results.count - states
    guard let nodes = try pureNodes(of: body, in: graph) else {
      return outcome.decline(id, in: graph, "what it does is more than computing")
    }
    let size = nodes + 2 * scanned
    guard count >= 0, count * Double(max(size, 1)) <= Double(nodeLimit) else {
      return outcome.decline(id, in: graph, "\(Int(min(count, 1e9))) steps would be more than \(nodeLimit) nodes")
    }
    guard count > 0 || scanned == 0 else { return outcome.decline(id, in: graph, "it collects nothing") }
    let yes = graph.addConstant(try Tensor(.bool, [], numbers: .signed([1])), name: "true")
    var values = Array(node.operands[2..<2 + states])
    let captures = Array(node.operands[(2 + states)...])
    var rows = [[Operand]](repeating: [], count: scanned)
    for step in 0..<Int(count) {
      let index = graph.addConstant(Tensor(Int64(step)), name: "step")
      let operands = [.parameter(index), .parameter(yes)] + values + captures
      let results = try graph.copyContents(of: body, arguments: operands, to: .before(id)).results
      values = Array(results[1..<1 + states])
      for (place, result) in results[(1 + states)...].enumerated() { rows[place].append(result) }
    }
    var collected: [Operand] = []
    for row in rows {
      let axis = graph.addConstant(Tensor(vector: [0]), name: "axis")
      let parts = try row.map { Operand.value(try graph.insert(.unsqueeze, [$0, .parameter(axis)], before: id)) }
      collected.append(.value(try graph.insert(.concat, parts, attributes: [Concat.axis.name: 0], before: id)))
    }
    try graph.replace(id, with: values + collected)
    outcome.change("loops unrolled")
  }

  /// How many nodes a region has with those inside it; `nil` if one has effects, or draws numbers, which every step draws anew.
  private func pureNodes(of region: RegionID, in graph: Graph) throws -> Int? {
    var (count, pending) = (0, [region])
    while let next = pending.popLast() {
      for id in try graph.nodes(in: next) {
        count += 1
        guard try graph[id].op.isPure else { return nil }
        pending += try graph[id].regions
      }
    }
    return count
  }
}
