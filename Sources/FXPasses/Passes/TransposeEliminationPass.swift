import FXCore

/// Composes permutations of axes that follow each other, removes those that undo each other, and lets products read
/// transposed matrices: `gemm` by its attributes, `matmul` as `linear`, so that no weight is copied. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   %a: f32[4, 2, 3] = transpose(%x) {perm = [2, 0, 1]}
///   %b: f32[2, 3, 4] = transpose(%a) {perm = [1, 2, 0]}
///   %c: f32[2, 3, 4] = relu(%b)
///   return %c
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   %c: f32[2, 3, 4] = relu(%x)
///   return %c
/// }
/// ```
///
/// Declines: nothing. Permutations of tensors whose rank is not known are left.
public struct TransposeEliminationPass: Pass {
  public let name = "transpose-elimination"
  /// Kernels may sum in another order for a transposed operand.
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes before constant folding, which would copy weights.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.nodes(calling: .transpose).inOrder(of: graph) where graph.contains(id) {
      let node = try graph[id]
      guard let inner = graph.call(producing: node.operands[0]), inner.op == .transpose,
        let outerAxes = permutation(of: node, graph), let innerAxes = permutation(of: inner, graph),
        outerAxes.count == innerAxes.count, outerAxes.allSatisfy(innerAxes.indices.contains)
      else { continue }
      let axes = outerAxes.map { innerAxes[$0] }
      if axes == Array(axes.indices) {
        try graph.replace(id, with: [inner.operands[0]])
        outcome.change("transposes undone", 2)
      } else {
        try graph.setOperand(0, of: id, to: inner.operands[0])
        try graph.setAttributes(of: id, to: ["perm": .ints(axes)])
        outcome.change("transposes composed")
      }
      try eraseIfUnused(inner, &graph)
    }
    for id in graph.nodes(calling: .gemm) { try readTransposed(id, &graph, &outcome) }
    for id in graph.nodes(calling: .matmul) { try makeLinear(id, &graph, &outcome) }
    for id in graph.nodes(calling: .scaledMatmul) { try nameLinear(id, &graph, &outcome) }
    return outcome
  }

  private func readTransposed(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    for (index, key) in [Gemm.transA, Gemm.transB].enumerated() {
      let node = try graph[id]
      guard let inner = graph.call(producing: node.operand(index)), inner.op == .transpose,
        permutation(of: inner, graph) == [1, 0]
      else { continue }
      var attributes = node.attributes
      attributes[key] = !node[key]
      try graph.setAttributes(of: id, to: attributes)
      try graph.setOperand(index, of: id, to: inner.operands[0])
      try eraseIfUnused(inner, &graph)
      outcome.change("transposes read by gemm")
    }
  }

  private func makeLinear(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    guard let inner = try graph.call(producing: graph[id].operands[1]), inner.op == .transpose,
      permutation(of: inner, graph) == [1, 0]
    else { return }
    try graph.setOperand(1, of: id, to: inner.operands[0])
    try graph.setOperator(of: id, to: .linear)
    try eraseIfUnused(inner, &graph)
    outcome.change("products made linear")
  }

  /// ONNX Runtime's product with a transposed matrix, for which there is no kernel of its own.
  private func nameLinear(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard node[Gemm.alpha] == 1, !node[Gemm.transA], !node[ScaledMatmul.transBatchA], !node[ScaledMatmul.transBatchB],
      graph.type(of: node.operands[1]).shape?.rank == 2, graph.type(of: node.operands[0]).shape?.rank ?? 0 > 1
    else { return }
    try graph.setOperator(of: id, to: node[Gemm.transB] ? .linear : .matmul)
    outcome.change("products made linear")
  }

  private func permutation(of node: Node, _ graph: Graph) -> [Int]? {
    node[Transpose.permutation] ?? graph.type(of: node.operands[0]).shape.map { Array((0..<$0.rank).reversed()) }
  }

  private func eraseIfUnused(_ node: Node, _ graph: inout Graph) throws {
    if try node.results.allSatisfy({ try graph.uses(of: $0).isEmpty }) { try graph.erase(node.id) }
  }
}

extension [NodeID] {
  /// The nodes in execution order. O(graph).
  func inOrder(of graph: Graph) -> [NodeID] {
    guard count > 1 else { return self }
    let members = Set(self)
    return graph.allNodes.filter(members.contains)
  }
}
