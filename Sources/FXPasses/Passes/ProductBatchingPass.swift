import FXCore

/// Makes one product of several that read the same operand, such as those of queries, keys and values, and splits its result.
///
/// Taken are `matmul` by matrices and `linear`, the weights of each being a parameter of the same type. The joined weights are
/// a `concat` of parameters, which folding makes a constant. In no pipeline: the parts must be worth more in one product than
/// their copying costs, which the executor knows. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @q: f32[4, 6] weight
///   parameter @k: f32[4, 5] weight
///   %a: f32[2, 3, 6] = matmul(%x, @q)
///   %b: f32[2, 3, 5] = matmul(%x, @k)
///   return %a, %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @q: f32[4, 6] weight
///   parameter @k: f32[4, 5] weight
///   parameter @sizes: i64[2] constant = [6, 5]
///   %node_2: f32[4, 11] = concat(@q, @k) {axis = 1}
///   %node_3: f32[2, 3, 11] = matmul(%x, %node_2)
///   %a: f32[2, 3, 6], %b: f32[2, 3, 5] = split(%node_3, @sizes) {axis = -1}
///   return %a, %b
/// }
/// ```
///
/// Declines: a `linear` with a bias beside one without, which stand for themselves.
public struct ProductBatchingPass: Pass {
  public let name = "product-batching"
  /// Kernels may sum wider products in another order.
  public let contract = NumericContract.reassociates

  /// There is nothing to set: all products that can be joined are.
  public init() {}

  fileprivate struct Key: Hashable {
    let region: RegionID
    let value: ValueID
    let op: Operator
    let elementType: ElementType
    let depth: Int
    let hasBias: Bool
  }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for op in [Operator.matmul, .linear] {
      var groups: [Key: [Node]] = [:]
      var order: [Key] = []
      for id in graph.nodes(calling: op).inOrder(of: graph) {
        let node = try graph[id]
        guard let key = key(of: node, graph) else { continue }
        if groups[key] == nil { order.append(key) }
        groups[key, default: []].append(node)
      }
      for key in order {
        guard let nodes = groups[key] else { continue }
        if nodes.count > 1 {
          try batch(nodes, key, &graph)
          outcome.change("products joined", nodes.count)
        } else if op == .linear, groups[Key(key, hasBias: !key.hasBias)] != nil {
          outcome.decline(nodes[0].id, in: graph, "its neighbours \(key.hasBias ? "lack" : "have") a bias")
        }
      }
    }
    return outcome
  }

  private func key(of node: Node, _ graph: Graph) -> Key? {
    guard let value = node.operands[0].value, node.operands[1].parameter != nil,
      let weight = graph.type(of: node.operands[1]).tensorType, let sizes = weight.shape?.sizes, sizes.count == 2,
      sizes.allSatisfy({ $0 > 0 }), let rank = graph.type(of: .value(value)).shape?.rank, rank >= 2,
      node.operand(2).isNone || graph.type(of: node.operand(2)).shape?.rank == 1,
      node.operand(2).isNone || node.operand(2).parameter != nil
    else { return nil }
    return Key(
      region: node.region, value: value, op: node.op, elementType: weight.elementType,
      depth: node.op == .matmul ? sizes[0] : sizes[1], hasBias: !node.operand(2).isNone)
  }

  private func batch(_ nodes: [Node], _ key: Key, _ graph: inout Graph) throws {
    let first = nodes[0].id
    let axis = key.op == .matmul ? 1 : 0
    let widths = nodes.compactMap { graph.type(of: $0.operands[1]).shape?.sizes?[axis] }
    let weights = try graph.insert(
      .concat, nodes.map { $0.operands[1] }, attributes: [Concat.axis.name: .int(axis)], before: first)
    // As it is now: a product joined before may have made it.
    var operands = [try graph[first].operands[0], .value(weights)]
    if key.hasBias {
      operands.append(
        .value(
          try graph.insert(.concat, nodes.map { $0.operands[2] }, attributes: [Concat.axis.name: 0], before: first)))
    }
    let product = try graph.insert(key.op, operands, before: first)
    let sizes = graph.addConstant(Tensor(vector: widths), name: "sizes")
    let split = try graph.append(
      .split, [.value(product), .parameter(sizes)], attributes: [Split.axis.name: -1],
      results: try nodes.map { try graph.type(of: $0.results[0]) }, at: .before(first), location: nodes[0].location)
    for (node, result) in zip(nodes, try graph[split].results) { try graph.replace(node.id, with: [.value(result)]) }
  }
}

extension ProductBatchingPass.Key {
  fileprivate init(_ other: Self, hasBias: Bool) {
    self.init(
      region: other.region, value: other.value, op: other.op, elementType: other.elementType, depth: other.depth,
      hasBias: hasBias)
  }
}
