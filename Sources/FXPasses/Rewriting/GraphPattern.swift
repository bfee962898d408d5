import FXCore

/// Calls to look for: a tree whose leaves are operands, in which one name stands for one operand wherever it occurs.
public indirect enum GraphPattern: Sendable {
  /// An operand that is left out.
  case none
  /// Any operand that is there.
  case operand(String)
  /// A bound parameter or a literal.
  case constant(String)
  /// A literal or one-element constant of this value, up to the rounding of its type; a literal up to that of `f32`.
  case number(Double)
  /// A constant equal to this tensor.
  case tensor(Tensor)
  /// A call of the operator with these operands at least; the first two in either order if it is commutative.
  /// A label stands for one call wherever it occurs.
  case call(Operator, [GraphPattern], attributes: Attributes? = nil, label: String? = nil)

  /// What a pattern was found to stand for.
  public struct Match: Sendable {
    /// The node that the match was asked for: the call whose result is the pattern's.
    public let root: NodeID
    /// What the names of operands stand for.
    public fileprivate(set) var operands: [String: Operand] = [:]
    /// The calls by the labels that the pattern gives them.
    public fileprivate(set) var calls: [String: Node] = [:]
    /// All calls that were matched, users before what they use, each once.
    public fileprivate(set) var nodes: [NodeID]
  }

  /// The depth of the tree of calls; 0 for an operand.
  var depth: Int {
    guard case .call(_, let operands, _, _) = self else { return 0 }
    return 1 + (operands.map(\.depth).max() ?? 0)
  }

  /// The operator that a match ends with.
  var rootOperator: Operator? {
    if case .call(let op, _, _, _) = self { op } else { nil }
  }

  /// The match with `node` as its root; `nil` if there is none.
  public func match(_ node: NodeID, in graph: Graph) -> Match? {
    guard let root = try? graph[node] else { return nil }
    let start = Match(root: node, nodes: [])
    return PatternSearch(graph: graph).alternatives(self, root).lazy.compactMap { goals in
      PatternSearch(graph: graph).solve(goals, start.adding(root, of: self))
    }.first
  }
}

extension GraphPattern.Match {
  fileprivate func adding(_ node: Node, of pattern: GraphPattern) -> Self {
    var result = self
    if !nodes.contains(node.id) { result.nodes.append(node.id) }
    if case .call(_, _, _, let label?) = pattern { result.calls[label] = node }
    return result
  }

  /// Whether the results of all calls but the root's are used by calls of the match only, so that they can go with it.
  public func isClosed(in graph: Graph) -> Bool {
    let members = Set(nodes)
    return nodes.allSatisfy { id in
      guard id != root, let results = try? graph[id].results else { return id == root }
      return results.allSatisfy { result in
        (try? graph.uses(of: result))?.allSatisfy { members.contains($0.node) } ?? false
      }
    }
  }
}

/// Satisfies goals one by one, going back where a choice of operand order leads nowhere.
private struct PatternSearch {
  typealias Goal = (pattern: GraphPattern, operand: Operand)
  let graph: Graph

  func solve(_ goals: [Goal], _ match: GraphPattern.Match) -> GraphPattern.Match? {
    guard let (pattern, operand) = goals.last else { return match }
    let rest = Array(goals.dropLast())
    switch pattern {
    case .number(let number):
      return isNumber(number, operand) ? solve(rest, match) : nil
    case .none: return operand.isNone ? solve(rest, match) : nil
    case .tensor(let tensor):
      return graph.tensor(of: operand) == tensor ? solve(rest, match) : nil
    case .constant(let name):
      guard graph.tensor(of: operand) != nil || operand.literal != nil else { return nil }
      return bind(name, operand, match).flatMap { solve(rest, $0) }
    case .operand(let name):
      guard !operand.isNone else { return nil }
      return bind(name, operand, match).flatMap { solve(rest, $0) }
    case .call(_, _, _, let label):
      guard let node = graph.call(producing: operand), node.results.first.map(Operand.value) == operand else { return nil }
      if let label, let known = match.calls[label] { return known.id == node.id ? solve(rest, match) : nil }
      for more in alternatives(pattern, node) {
        if let found = solve(rest + more, match.adding(node, of: pattern)) { return found }
      }
      return nil
    }
  }

  /// What the operands of `node` must be for it to be the call that `pattern` describes; empty if it is another.
  func alternatives(_ pattern: GraphPattern, _ node: Node) -> [[Goal]] {
    guard case .call(let op, let patterns, let attributes, _) = pattern, node.op == op,
      node.operands.count >= patterns.count, attributes == nil || attributes == node.attributes
    else { return [] }
    let inOrder = Array(zip(patterns, node.operands)).map { Goal($0, $1) }
    guard patterns.count == 2, op.has(.commutative) else { return [inOrder] }
    return [inOrder, [Goal(patterns[0], node.operands[1]), Goal(patterns[1], node.operands[0])]]
  }

  private func bind(_ name: String, _ operand: Operand, _ match: GraphPattern.Match) -> GraphPattern.Match? {
    if let known = match.operands[name] { return known == operand ? match : nil }
    var match = match
    match.operands[name] = operand
    return match
  }

  private func isNumber(_ number: Double, _ operand: Operand) -> Bool {
    guard let value = graph.scalar(of: operand) else { return false }
    let precision =
      switch graph.tensor(of: operand)?.elementType {
      case .float16: 0x1p-10
      case .bfloat16: 0x1p-7
      case .float64: 0x1p-49
      default: 0x1p-20
      }
    return (value - number).magnitude <= precision * number.magnitude
  }
}
