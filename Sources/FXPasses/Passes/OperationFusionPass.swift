import FXCore

/// Takes what follows a `linear`, `gemm`, `matmul` or `conv` into it: a bias, a residual that is added, an activation.
///
/// A bias goes where the operator takes one; a term of the result's shape, or a row that is a parameter, becomes the
/// residual of the fused operator. A result that others use, or that is an output, stays, and the outcome says so. O(nodes).
///
/// Activations that are spelled out are recognized by `RecompositionPass`, which comes first in the pipelines.
///
/// Before:
/// ```
/// graph @main(%x: f32[8, 4]) {
///   parameter @w: f32[2, 4] weight
///   %a: f32[8, 2] = linear(%x, @w)
///   %b: f32[8, 2] = relu(%a)
///   return %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[8, 4]) {
///   parameter @w: f32[2, 4] weight
///   %b: f32[8, 2] = fused_linear(%x, @w) {activation = "relu"}
///   return %b
/// }
/// ```
///
/// Declines: results that others use or that are outputs, and terms that are not known to have the result's shape or that
/// of a row of it.
public struct OperationFusionPass: Pass {
  public let name = "operation-fusion"
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines only dead-code elimination comes after the pass.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.allNodes where graph.contains(id) {
      guard let layer = FusableLayer[try graph[id].op] else { continue }
      var current = id
      while let next = try absorb(into: current, layer, &graph, &outcome) { current = next }
    }
    return outcome
  }

  /// Takes one user of the node's result into the node. Returns the node that is there then; `nil` if nothing was taken.
  private func absorb(
    into id: NodeID, _ layer: FusableLayer, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws -> NodeID? {
    let node = try graph[id]
    let result = node.results[0]
    guard layer.admits(node, graph), FusableLayer.activation(of: node).isEmpty else { return nil }
    let users = try graph.uses(of: result).filter { !graph.isTerminator($0.node) }
    var candidates = users
    if let reason = try graph.reasonToKeep(result) {
      // Say so only where fusion would have been possible.
      candidates = []
      for use in users where try isFusable(use, node, layer, graph) {
        outcome.decline(use.node, in: graph, "\(node.op) '\(graph.name(of: id))': \(reason)")
      }
    }
    guard let use = candidates.first else { return nil }
    let user = try graph[use.node]
    if use.operand == 0, let activation = FusableActivation(user, in: graph) {
      outcome.change("\(activation.name) fused")
      return try fuse(node, layer, user: user, activation, &graph)
    }
    guard user.op == .add, user.operands.count == 2 else { return nil }
    return try absorb(term: user.operands[1 - use.operand], added: user, node, layer, &graph, &outcome)
  }

  private func isFusable(_ use: Use, _ node: Node, _ layer: FusableLayer, _ graph: Graph) throws -> Bool {
    let user = try graph[use.node]
    if user.op == .add { return term(user.operands[1 - use.operand], addedBy: user, to: node, layer, graph) != nil }
    return use.operand == 0 && FusableActivation(user, in: graph) != nil
  }

  // MARK: Activations

  /// Puts the fused form of `node` in the place of `user`.
  private func fuse(
    _ node: Node, _ layer: FusableLayer, user: Node, _ activation: FusableActivation, _ graph: inout Graph
  ) throws -> NodeID {
    var attributes = node.attributes
    attributes[FusedActivation.activation] = activation.name
    attributes[FusedActivation.parameters] = activation.parameters
    return try replace(user, by: layer.fused, node.operands, attributes, node, &graph)
  }

  /// Puts a form of `node` in the place of `user`, and erases both.
  private func replace(
    _ user: Node, by op: Operator, _ operands: [Operand], _ attributes: Attributes, _ node: Node, _ graph: inout Graph
  ) throws -> NodeID {
    let fused = try graph.append(
      op, operands, attributes: attributes, results: [try graph.type(of: user.results[0])], at: .before(user.id),
      name: user.name ?? node.name, location: node.location ?? user.location)
    try graph.replace(user.id, with: [.value(try graph[fused].results[0])])
    try graph.erase(node.id)
    return fused
  }

  // MARK: Terms

  /// Where a term that is added to the node's result would go.
  private enum Place {
    case bias(Operand)
    /// A parameter that adds per channel, in a shape that is not the bias's.
    case channels(ParameterID)
    case residual
  }

  private func absorb(
    term: Operand, added user: Node, _ node: Node, _ layer: FusableLayer, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws -> NodeID? {
    guard let place = self.term(term, addedBy: user, to: node, layer, graph) else {
      if node.operand(layer.residual).isNone, term.value != nil || term.parameter != nil {
        outcome.decline(
          user.id, in: graph, "its other operand is not known to have the shape of the result of \(node.op), or of a row of it")
      }
      return nil
    }
    var operands = node.operands
    var op = node.op
    let position: Int
    switch place {
    case .bias(let operand): (position, operands) = (layer.bias ?? 0, operands.set(layer.bias ?? 0, operand))
    case .channels(let parameter):
      let tensor = try graph[parameter].tensor
      guard let vector = try tensor?.reshaped([tensor?.elementCount ?? 0]) else { return nil }
      let bias = graph.addConstant(vector, name: try graph[parameter].name + ".bias")
      (position, operands) = (layer.bias ?? 0, operands.set(layer.bias ?? 0, .parameter(bias)))
    case .residual:
      op = layer.fused
      (position, operands) = (layer.residual, operands.set(layer.residual, term))
    }
    outcome.change(position == layer.residual ? "additions fused" : "biases fused")
    return try replace(user, by: op, operands, node.attributes, node, &graph)
  }

  /// Where a term goes; `nil` if it cannot be taken in.
  private func term(
    _ term: Operand, addedBy user: Node, to node: Node, _ layer: FusableLayer, _ graph: Graph
  ) -> Place? {
    guard let result = graph.type(of: .value(node.results[0])).tensorType, let shape = result.shape,
      let type = graph.type(of: term).tensorType, type.elementType == result.elementType, let other = type.shape,
      node.operand(layer.residual).isNone, user.op == .add, fits(other, shape)
    else { return nil }
    guard let parameter = term.parameter else { return other == shape ? .residual : nil }
    if let bias = layer.bias, node.operand(bias).isNone, let channels = channelAxis(of: layer, shape) {
      // What is before the channels must be of size 1, what is after them too.
      let axis = channels - (shape.rank - other.rank)
      let isPerChannel =
        other.indices.contains(axis) && other[axis] == shape[channels]
        && other.indices.allSatisfy { $0 == axis || other[$0].size == 1 }
      if isPerChannel, !(node.op == .gemm && node[Gemm.beta] != 1) {
        if other.rank == 1 { return .bias(term) }
        if graph.tensor(of: .parameter(parameter)) != nil { return .channels(parameter) }
      }
    }
    // Kernels add a tensor of the result's shape or one row; anything else would be slower inside than outside.
    let isRow = layer.base != .conv && other.last == shape.last && other.dropLast().allSatisfy { $0.size == 1 }
    return other == shape || isRow ? .residual : nil
  }

  /// Whether a term is known to broadcast to the result, which it then does not enlarge.
  private func fits(_ term: Shape, _ result: Shape) -> Bool {
    term.rank <= result.rank
      && zip(term, result.suffix(term.rank)).allSatisfy { $0.size == 1 || ($0 == $1 && !$0.isUnknown) }
  }

  /// The axis of a result that a bias runs along.
  private func channelAxis(of layer: FusableLayer, _ shape: Shape) -> Int? {
    let axis = layer.base == .conv ? 1 : shape.rank - 1
    return shape.indices.contains(axis) ? axis : nil
  }
}

extension [Operand] {
  /// The operands with one set; what lies between is left out.
  fileprivate func set(_ index: Int, _ operand: Operand) -> [Operand] {
    var result = self
    while result.count <= index { result.append(.none) }
    result[index] = operand
    return result
  }
}
