import FXCore
import FXTrace

/// Applies rewrite rules until none matches: one engine for all local rewrites.
///
/// Calls that could end a match are visited in execution order; what a rewrite made, and what uses it, is visited again.
/// O(nodes + rewrites × users within the deepest pattern's reach).
///
/// Before, with `RewriteRule("double", replace: { x in x + x }, with: { x in x * 2.0 })`:
/// ```
/// graph @main(%x: f32[4]) {
///   %y: f32[4] = add(%x, %x)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   %y: f32[4] = mul(%x, 2.0)
///   return %y
/// }
/// ```
///
/// Declines: matches of which something else uses a part, more than whose first result is used, or for which the rule's
/// condition does not hold.
public struct RewritePass: Pass {
  public let name: String
  /// The rules, by priority: of those that match at a call the first is applied.
  public let rules: [RewriteRule]
  /// Rules that undo each other are stopped after this many rewrites for each node of the graph.
  public var rewritesPerNode = 8

  /// Applies rules. Reports call the pass `name`, so that a pipeline may hold several.
  public init(_ rules: [RewriteRule], name: String = "rewrite") {
    self.rules = rules
    self.name = name
  }

  public var contract: NumericContract { rules.reduce(.exact) { $0.followed(by: $1.contract) } }

  /// - Throws: `RewriteError` for a rule that makes mistakes, or rules that go on for ever.
  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var byRoot: [Operator: [(rule: RewriteRule, pattern: GraphPattern)]] = [:]
    var reach = 1
    for rule in rules {
      let pattern = try rule.compiled()
      guard let root = pattern.rootOperator else { continue }
      byRoot[root, default: []].append((rule, pattern))
      reach = max(reach, pattern.depth)
    }
    var budget = rewritesPerNode * max(64, graph.nodeCount)
    var queue = Array(byRoot.keys.flatMap { graph.nodes(calling: $0) }.inOrder(of: graph).reversed())
    var queued = Set(queue)
    while let id = queue.popLast() {
      queued.remove(id)
      guard graph.contains(id), let candidates = byRoot[try graph[id].op] else { continue }
      for (rule, pattern) in candidates {
        guard let match = pattern.match(id, in: graph) else { continue }
        guard match.isClosed(in: graph) else {
          outcome.decline(id, in: graph, "\(rule.name): what is computed on the way is used elsewhere")
          continue
        }
        guard try graph[id].results.dropFirst().allSatisfy({ try graph.uses(of: $0).isEmpty }) else {
          outcome.decline(id, in: graph, "\(rule.name): more than its first result is used")
          continue
        }
        guard rule.condition(RewriteMatch(match, graph, rule.arity)) else {
          outcome.decline(id, in: graph, "\(rule.name): its condition does not hold")
          continue
        }
        guard budget > 0 else { throw RewriteError(rule: rule.name, reason: "it is applied again and again") }
        budget -= 1
        let changed = try apply(rule, match, to: &graph)
        outcome.change(rule.name)
        for next in try changed.flatMap({ try users(of: $0, within: reach, in: graph) })
        where try byRoot[graph[next].op] != nil && queued.insert(next).inserted {
          queue.append(next)
        }
        break
      }
    }
    return outcome
  }

  /// Puts the replacement in the match's place, and gives its calls.
  private func apply(_ rule: RewriteRule, _ match: GraphPattern.Match, to graph: inout Graph) throws -> [NodeID] {
    let root = try graph[match.root]
    let type = graph.type(of: .value(root.results[0]))
    let about = RewriteMatch(match, graph, rule.arity)
    let writer = GraphWriter(graph, region: root.region, before: match.root)
    graph = Graph()
    writer.setLocation(root.location)
    let operands = about.operands.map(writer.tensor)
    let result: Operand
    let added: [NodeID]
    do {
      (result, added) = try writer.recording { try writer.operand(rule.replacement(operands, about)) }
    } catch {
      graph = writer.graph
      throw RewriteError(rule: rule.name, reason: "the replacement at '\(about.name)': \(error)")
    }
    graph = try writer.finish()
    if let value = result.value, try graph.producer(of: value) != nil, case .unknown = graph.type(of: result) {
      try graph.setType(of: value, to: type)
    }
    try graph.replace(match.root, byFirstResult: result)
    try graph.eraseUnused(match.nodes)
    return added
  }

  /// A node and those that use it directly or through up to `distance` calls.
  private func users(of node: NodeID, within distance: Int, in graph: Graph) throws -> [NodeID] {
    var found: [NodeID] = graph.contains(node) ? [node] : []
    var edge = found
    for _ in 0..<distance {
      edge = try edge.flatMap { id in try graph[id].results.flatMap { try graph.uses(of: $0).map(\.node) } }
        .filter { !graph.isTerminator($0) }
      found += edge
    }
    return found
  }
}
