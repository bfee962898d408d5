import FXCore

/// Removes calls that give back an operand as it is: `identity`, `dropout` outside training, casts to the same type,
/// reshapes to the same shape, permutations that keep the order, multiplication by 1, a second `relu` after the first.
///
/// Every removal is exact: adding 0 stays, since it turns −0 into 0. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[4]) {
///   %a: f32[4] = identity(%x)
///   %b: f32[4] = cast(%a) {to = f32}
///   %c: f32[4] = relu(%b)
///   return %c
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4]) {
///   %c: f32[4] = relu(%x)
///   return %c
/// }
/// ```
///
/// Declines: a `dropout` whose mask is used.
public struct IdentityEliminationPass: Pass {
  public let name = "identity-elimination"

  /// There is nothing to set. The pass is repeated within one application until nothing is left to remove.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    try .untilStable { outcome in
      for id in graph.allNodes {
        let node = try graph[id]
        guard let operand = try same(as: node, graph, &outcome) else { continue }
        try graph.replace(id, byFirstResult: operand)
        outcome.change("\(node.op) removed")
      }
    }
  }

  /// The operand that equals the first result of a node, whose other results nobody uses; `nil` if there is none.
  private func same(as node: Node, _ graph: Graph, _ outcome: inout PassOutcome) throws -> Operand? {
    guard node.regions.isEmpty, let first = node.operands.first, let result = node.results.first,
      first.value != nil || first.parameter != nil
    else { return nil }
    for other in node.results.dropFirst() where try !graph.uses(of: other).isEmpty {
      if node.op == .dropout { outcome.decline(node.id, in: graph, "its mask is used") }
      return nil
    }
    let isSameType = try graph.type(of: first) == graph.type(of: result) && graph.type(of: result).hasKnownShape
    switch node.op {
    case .identity: return first
    case .dropout: return isOff(node.operand(2), graph) ? first : nil
    case .cast: return graph.type(of: first).elementType == node[Cast.to] ? first : nil
    case .reshape, .flatten, .squeeze, .unsqueeze, .expand, .tile: return isSameType ? first : nil
    case .slice:
      let steps = node.operand(4)
      return isSameType && (steps.isNone || graph.integers(of: steps)?.allSatisfy { $0 == 1 } == true) ? first : nil
    case .transpose: return keepsOrder(node, graph) ? first : nil
    case .concat, .sum, .mean, .minimum, .maximum: return node.operands.count == 1 ? first : nil
    case .split: return node.results.count == 1 && isSameType ? first : nil
    case .mul:
      if try isNeutral(1, node.operands[1], beside: first, node, graph) { return first }
      return try isNeutral(1, first, beside: node.operands[1], node, graph) ? node.operands[1] : nil
    case .div: return try isNeutral(1, node.operands[1], beside: first, node, graph) ? first : nil
    case .sub: return try isNeutral(0, node.operands[1], beside: first, node, graph) ? first : nil
    default: return node.op.has(.idempotent) && repeats(node, graph) ? first : nil
    }
  }

  /// Whether `training_mode` is known to be off.
  private func isOff(_ operand: Operand, _ graph: Graph) -> Bool { operand.isNone || graph.scalar(of: operand) == 0 }

  private func keepsOrder(_ node: Node, _ graph: Graph) -> Bool {
    if let permutation = node[Transpose.permutation] { return permutation == Array(permutation.indices) }
    return graph.type(of: node.operands[0]).shape.map { $0.rank <= 1 } ?? false
  }

  /// Whether `operand` is `number` throughout, so that the node gives `other` in its own type.
  private func isNeutral(
    _ number: Double, _ operand: Operand, beside other: Operand, _ node: Node, _ graph: Graph
  ) throws -> Bool {
    guard other.value != nil, graph.type(of: other).hasKnownShape,
      try graph.type(of: other) == graph.type(of: node.results[0])
    else { return false }
    // −0 is as neutral in a product as it is not in a difference.
    if let scalar = graph.scalar(of: operand) { return scalar == number && scalar.sign == .plus }
    guard let tensor = graph.tensor(of: operand), tensor.elementCount <= 4096 else { return false }
    return try !tensor.elementType.isComplex && tensor.strings == nil
      && tensor.numbers().doubles.allSatisfy { $0 == number && $0.sign == .plus }
  }

  /// Whether the node applies to its first operand what has just been applied.
  private func repeats(_ node: Node, _ graph: Graph) -> Bool {
    guard let before = graph.call(producing: node.operands[0]) else { return false }
    return before.op == node.op && before.attributes == node.attributes
      && before.operands.dropFirst() == node.operands.dropFirst()
  }
}
