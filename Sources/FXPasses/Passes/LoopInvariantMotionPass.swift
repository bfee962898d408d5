import FXCore

/// Moves what every step of a loop computes anew from the same operands in front of the loop.
///
/// Moved are calls that cannot fail on operands of their types, from captures and parameters of `loop`, `while_loop` and `scan`;
/// the loop captures the results instead. A call of parameters alone is left to constant folding. O(nodes × depth of loops).
///
/// Before:
/// ```
/// graph @main(%n: i64[], %x: f32[], %y: f32[]) {
///   %z: f32[] = loop(%n, none, %x, %y) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[], %k: f32[]) {
///     %e: f32[] = exp(%k)
///     %t: f32[] = add(%s, %e)
///     return %c, %t
///   }
///   return %z
/// }
/// ```
/// After:
/// ```
/// graph @main(%n: i64[], %x: f32[], %y: f32[]) {
///   %node_3: f32[] = exp(%y)
///   %z: f32[] = loop(%n, none, %x, %y, %node_3) {state_count = 1} body(%i: i64[], %c: bool[], %s: f32[], %k: f32[], %arg_4: f32[]) {
///     %t: f32[] = add(%s, %arg_4)
///     return %c, %t
///   }
///   return %z
/// }
/// ```
///
/// Declines: calls that may fail, since a loop of no steps never makes them, and those whose types are not known.
public struct LoopInvariantMotionPass: Pass {
  public let name = "loop-invariant-motion"

  /// There is nothing to set. Inner loops are visited first, so that a call may leave several.
  public init() {}

  private static let loops: [Operator] = [.loop, .whileLoop, .scan]
  /// Besides elementwise operators: what computes a result for all operands whose types fit.
  private static let total: Set<Operator> = [.matmul, .linear, .gemm, .transpose, .softmax, .logSoftmax, .layerNormalization]

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    // Inner loops first, so that what they gain goes on outwards.
    for id in graph.allNodes.reversed() where Self.loops.contains(try graph[id].op) {
      for region in try graph[id].regions {
        for inner in try graph.nodes(in: region) {
          guard let operands = try invariantOperands(of: inner, region, loop: graph[id], graph) else { continue }
          try hoist(inner, operands, region, loop: id, &graph)
          outcome.change("invariant calls moved")
        }
      }
    }
    return outcome
  }

  /// What a call's operands are outside the loop; `nil` if they change from step to step, or the call must stay.
  private func invariantOperands(of id: NodeID, _ region: RegionID, loop: Node, _ graph: Graph) throws -> [Operand]? {
    let node = try graph[id]
    guard node.op.isPure, node.regions.isEmpty, node.op.has(.elementwise) || Self.total.contains(node.op),
      // A division of integers fails where the divisor is 0, which a loop without steps never finds out.
      ![.div, .mod].contains(node.op) || graph.type(of: node.operands[0]).elementType?.isFloatingPoint == true,
      node.operands.contains(where: { $0.value != nil }), node.results.count == 1,
      let slots = RegionSlots(loop, in: graph), let index = loop.regions.firstIndex(of: region),
      // Nothing but types that are known says that a call cannot fail.
      try node.results.allSatisfy({ try graph.type(of: $0).hasKnownShape }),
      node.operands.allSatisfy({ $0.value == nil || graph.type(of: $0).hasKnownShape })
    else { return nil }
    let arguments = try graph.arguments(of: region)
    var operands: [Operand] = []
    for operand in node.operands {
      guard let value = operand.value else {
        operands.append(operand)
        continue
      }
      guard let place = arguments.firstIndex(of: value),
        let slot = slots.slot(ofArgument: RegionSlots.Place(region: index, index: place)), slot.regionResults.isEmpty,
        let outer = slot.operand
      else { return nil }
      operands.append(loop.operands[outer])
    }
    return operands
  }

  private func hoist(
    _ id: NodeID, _ operands: [Operand], _ region: RegionID, loop: NodeID, _ graph: inout Graph
  ) throws {
    let node = try graph[id]
    let type = try graph.type(of: node.results[0])
    let moved = try graph.append(
      node.op, operands, attributes: node.attributes, results: [type], at: .before(loop), name: node.name,
      location: node.location)
    graph.journal?.append(.copied(id, as: moved))
    var argument: ValueID?
    for place in try graph[loop].regions {
      let added = try graph.addArgument(to: place, type)
      if place == region { argument = added }
    }
    try graph.setOperands(of: loop, to: graph[loop].operands + [.value(try graph[moved].results[0])])
    guard let argument else { return }
    try graph.replace(id, with: [.value(argument)])
  }
}
