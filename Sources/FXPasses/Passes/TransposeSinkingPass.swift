import FXCore

/// Moves a transpose behind what works alike on all axes but the last, or on elements alone, where it meets other transposes
/// that it then becomes one with or undoes.
///
/// It passes products with a matrix, normalizations and softmax along the last axis, if that stays where it is; `split`, whose
/// axis changes; and elementwise operators whose other operands are numbers or vectors. It moves only if every way ends at a
/// transpose, so that calls only become fewer. O(nodes passed).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @w: f32[4, 5] weight
///   %a: f32[3, 2, 4] = transpose(%x) {perm = [1, 0, 2]}
///   %b: f32[3, 2, 5] = matmul(%a, @w)
///   %c: f32[3, 2, 5] = relu(%b)
///   %d: f32[2, 3, 5] = transpose(%c) {perm = [1, 0, 2]}
///   return %d
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @w: f32[4, 5] weight
///   %b: f32[2, 3, 5] = matmul(%x, @w)
///   %c: f32[2, 3, 5] = relu(%b)
///   return %c as "d"
/// }
/// ```
///
/// Declines: nothing. Transposes stay that meet no other on one of their ways, or would pass more than 32 calls.
public struct TransposeSinkingPass: Pass {
  public let name = "transpose-sinking"
  /// Kernels sum the same products, in another order of rows.
  public let contract = NumericContract.reassociates
  /// How many calls a transpose passes at most.
  public var reach = 32

  /// Moves transposes past at most 32 calls, unless `reach` is changed.
  public init() {}

  /// What a transpose passes, and where it ends.
  private struct Way {
    var passed: [NodeID] = []
    var ends: [NodeID] = []
  }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    try .untilStable { outcome in
      for id in graph.nodes(calling: .transpose).inOrder(of: graph) where graph.contains(id) {
        let node = try graph[id]
        guard let shape = graph.type(of: node.operands[0]).shape, shape.rank > 1 else { continue }
        let permutation = node[Transpose.permutation] ?? (0..<shape.rank).reversed()
        guard permutation.sorted() == Array(shape.indices) else { continue }
        var way = Way()
        guard try follow(node.results[0], permutation, graph, &way), !way.ends.isEmpty, !way.passed.isEmpty else { continue }
        try sink(node, permutation, way, &graph)
        outcome.change("transposes sunk")
      }
    }
  }

  // MARK: Finding

  /// Whether all ways from a value end at transposes.
  private func follow(_ value: ValueID, _ permutation: [Int], _ graph: Graph, _ way: inout Way) throws -> Bool {
    for use in try graph.uses(of: value) {
      guard !graph.isTerminator(use.node), way.passed.count < reach else { return false }
      let user = try graph[use.node]
      if user.op == .transpose {
        way.ends.append(user.id)
        continue
      }
      guard use.operand == 0 || user.op.has(.commutative), !way.passed.contains(user.id),
        passes(user, at: use.operand, permutation, graph)
      else { return false }
      way.passed.append(user.id)
      for result in user.results { if try !follow(result, permutation, graph, &way) { return false } }
    }
    return true
  }

  /// Whether a call does the same to its operand before a transpose as after it.
  private func passes(_ node: Node, at index: Int, _ permutation: [Int], _ graph: Graph) -> Bool {
    let rank = permutation.count
    let keepsLast = permutation.last == rank - 1
    guard node.regions.isEmpty,
      node.results.allSatisfy({ graph.type(of: .value($0)).shape?.rank == rank && graph.type(of: .value($0)).hasKnownShape })
    else { return false }
    /// Whether an operand looks the same along all axes but the last.
    func isRow(_ operand: Operand) -> Bool {
      if operand.isNone || operand.literal != nil { return true }
      guard let other = graph.type(of: operand).shape, operand.parameter != nil else { return false }
      return other.rank == 0 || (other.rank == 1 && (keepsLast || other[0].size == 1))
    }
    let others = node.operands.enumerated().filter { $0.offset != index }.map(\.element)
    switch node.op {
    case .matmul, .linear, .fusedLinear, .fusedMatmul:
      return keepsLast && index == 0 && graph.type(of: node.operands[1]).shape?.rank == 2
        && node.operands[1].value == nil && node.operands.dropFirst(2).allSatisfy(isRow)
    case .softmax, .logSoftmax: return keepsLast && (node[Softmax.axis] == -1 || node[Softmax.axis] == rank - 1)
    case .layerNormalization, .rmsNormalization:
      return keepsLast && node.results.count == 1
        && (node[LayerNormalization.axis] == -1 || node[LayerNormalization.axis] == rank - 1) && others.allSatisfy(isRow)
    case .split: return index == 0
    case .prelu: return false
    default: return node.op.has(.elementwise) && node.op.isPure && node.results.count == 1 && others.allSatisfy(isRow)
    }
  }

  // MARK: Moving

  private func sink(_ node: Node, _ permutation: [Int], _ way: Way, _ graph: inout Graph) throws {
    let rank = permutation.count
    var inverse = [Int](repeating: 0, count: rank)
    for (to, from) in permutation.enumerated() { inverse[from] = to }
    try graph.replaceAllUses(of: node.results[0], with: node.operands[0])
    try graph.erase(node.id)
    for id in way.passed {
      let passed = try graph[id]
      for result in passed.results {
        guard let type = try graph.type(of: result).tensorType, let shape = type.shape else { continue }
        try graph.setType(of: result, to: .tensor(type.elementType, Shape(inverse.map { shape[$0] })))
      }
      if passed.op == .split {
        var attributes = passed.attributes
        let axis = passed[Split.axis]
        attributes[Split.axis] = permutation[axis < 0 ? axis + rank : axis]
        try graph.setAttributes(of: id, to: attributes)
      } else if [.softmax, .logSoftmax, .layerNormalization, .rmsNormalization].contains(passed.op) {
        var attributes = passed.attributes
        attributes["axis"] = -1
        try graph.setAttributes(of: id, to: attributes)
      }
    }
    for id in way.ends {
      let end = try graph[id]
      let order = (end[Transpose.permutation] ?? (0..<rank).reversed()).map { permutation[$0] }
      if order == Array(order.indices) {
        try graph.replace(id, with: [end.operands[0]])
      } else {
        try graph.setAttributes(of: id, to: ["perm": .ints(order)])
      }
    }
  }
}
