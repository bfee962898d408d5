import FXCore

/// Products and a softmax that together are attention, and what stands between them:
/// `softmax(factor × q × kᵀ + masks) × v`.
struct AttentionCore {
  /// The product of queries and keys: [b, h, n, m].
  let scores: Node
  /// The product of probabilities and values: [b, h, n, e].
  let result: Node
  /// What the scores are multiplied by before masks are added.
  let factor: Double
  /// What is added to the scores, the last first.
  let masks: [Mask]
  /// The softmax, the products and what lies between them.
  let nodes: [NodeID]

  enum Mask {
    case added(Operand)
    /// Scores are replaced by a number too small to count where the condition has this value.
    case replaced(condition: Operand, where: Bool, by: Operand)
  }

  /// Why a softmax between two products is not taken for attention.
  struct Reason: Error { let text: String }

  /// - Returns: `nil` for a softmax that is not between two products.
  /// - Throws: `Reason` for one that is, with something in between that attention does not do.
  init?(around softmax: Node, in graph: Graph) throws {
    guard let shape = graph.type(of: .value(softmax.results[0])).shape,
      softmax[Softmax.axis] == -1 || softmax[Softmax.axis] == shape.rank - 1,
      let (result, after) = try AttentionCore.product(after: softmax, in: graph)
    else { return nil }
    var nodes = [softmax.id] + after
    var masks: [Mask] = []
    var (factor, isScaled) = (1.0, false)
    var operand = softmax.operands[0]
    while true {
      guard let node = graph.call(producing: operand) else { return nil }
      nodes.append(node.id)
      if node.op == .matmul {
        (scores, self.result, self.factor, self.masks, self.nodes) = (node, result, factor, masks, nodes)
        guard nodes.allSatisfy({ $0 == result.id || AttentionCore.isPassedOn($0, within: nodes, graph) }) else {
          throw Reason(text: "scores or probabilities are used elsewhere too")
        }
        return
      }
      switch node.op {
      case .add:
        guard let index = AttentionCore.indexOfScores(node, graph) else { return nil }
        if isScaled { throw Reason(text: "the sum of scores and mask is scaled") }
        masks.append(.added(node.operands[1 - index]))
        operand = node.operands[index]
      case .mul, .div:
        guard let (scaled, number) = graph.scaling(node) else { return nil }
        (factor, isScaled, operand) = (factor * number, true, scaled)
      case .where_:
        guard let index = [1, 2].first(where: { AttentionCore.leadsToProduct(node.operands[$0], graph) }) else { return nil }
        guard let filler = graph.scalar(of: node.operands[3 - index]), filler <= -1e30 else {
          throw Reason(text: "scores are replaced by what is not a very small number")
        }
        if isScaled { throw Reason(text: "the masked scores are scaled") }
        masks.append(.replaced(condition: node.operands[0], where: index == 2, by: node.operands[3 - index]))
        operand = node.operands[index]
      default: return nil
      }
    }
  }

  /// The product that a softmax's result goes to, and the calls between that make 0 of what is not a number.
  private static func product(after softmax: Node, in graph: Graph) throws -> (Node, [NodeID])? {
    var value = softmax.results[0]
    var passed: [NodeID] = []
    let users = try graph.uses(of: value).map(\.node)
    if users.count == 2, let test = try users.map({ try graph[$0] }).first(where: { $0.op == .isNaN }),
      let choice = try users.map({ try graph[$0] }).first(where: { $0.op == .where_ }),
      choice.operands == [.value(test.results[0]), choice.operands[1], .value(value)],
      graph.scalar(of: choice.operands[1]) == 0
    {
      passed = [test.id, choice.id]
      value = choice.results[0]
    }
    let uses = try graph.uses(of: value)
    guard uses.count == 1, uses[0].operand == 0, !graph.isTerminator(uses[0].node) else {
      return nil
    }
    let node = try graph[uses[0].node]
    return node.op == .matmul ? (node, passed + [node.id]) : nil
  }

  /// Whether nothing outside uses what a node computes.
  private static func isPassedOn(_ id: NodeID, within nodes: [NodeID], _ graph: Graph) -> Bool {
    (try? graph[id].results.allSatisfy { try graph.uses(of: $0).allSatisfy { nodes.contains($0.node) } }) ?? false
  }

  private static func indexOfScores(_ node: Node, _ graph: Graph) -> Int? {
    [0, 1].first { leadsToProduct(node.operands[$0], graph) }
  }

  /// Whether a product lies behind an operand, with nothing but masks and factors between.
  private static func leadsToProduct(_ operand: Operand, _ graph: Graph, depth: Int = 6) -> Bool {
    guard depth > 0, let node = graph.call(producing: operand) else { return false }
    switch node.op {
    case .matmul: return true
    case .add, .mul, .div, .where_:
      return node.operands.contains { leadsToProduct($0, graph, depth: depth - 1) }
    default: return false
    }
  }
}
