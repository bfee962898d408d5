import FXCore

/// Recognizes operators that exporters spell out: `gelu` in both forms, `silu`, `mish`, `hard_sigmoid`, `hard_swish`,
/// `layer_normalization`, `rms_normalization`.
///
/// What it makes is what `decompositions` and kernels know. A part that something else uses keeps the whole as it is,
/// and the outcome says so. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[4]) {
///   %a: f32[4] = div(%x, 1.4142135381698608)
///   %b: f32[4] = erf(%a)
///   %c: f32[4] = add(%b, 1.0)
///   %d: f32[4] = mul(%x, %c)
///   %e: f32[4] = mul(%d, 0.5)
///   return %e
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   %e: f32[4] = gelu(%x)
///   return %e
/// }
/// ```
///
/// Declines: operators of which something else uses a part.
public struct RecompositionPass: Pass {
  public let name = "recomposition"
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes before those that fuse what it recognizes.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for rule in CompositeRule.all {
      for root in rule.roots.flatMap({ graph.nodes(calling: $0) }).inOrder(of: graph) where graph.contains(root) {
        guard let match = rule.match(root, graph) else { continue }
        guard let call = try rule.call(match, graph) else { continue }
        guard match.isClosed(in: graph) else {
          outcome.decline(root, in: graph, "\(call.op): what is computed on the way is used elsewhere")
          continue
        }
        let node = try graph[root]
        let type = graph.type(of: .value(node.results[0]))
        let constants = call.constants.map { Operand.parameter(graph.addConstant($0, name: "ones")) }
        let result = try graph.append(
          call.op, call.operands + constants, attributes: call.attributes, results: [type], at: .before(root), name: node.name,
          location: node.location)
        try graph.replace(root, with: [.value(try graph[result].results[0])])
        try graph.eraseUnused(match.nodes)
        outcome.change("\(call.op) recognized")
      }
    }
    return outcome
  }
}

extension Graph {
  /// Erases those of `nodes` that are unused, or used by others that are erased. O(nodes²), for the few of a match.
  mutating func eraseUnused(_ nodes: [NodeID]) throws {
    var pending = nodes.filter { contains($0) }
    while true {
      let left = try pending.filter { id in
        guard try self[id].results.allSatisfy({ try uses(of: $0).isEmpty }) else { return true }
        try erase(id)
        return false
      }
      if left.count == pending.count { return }
      pending = left
    }
  }
}
