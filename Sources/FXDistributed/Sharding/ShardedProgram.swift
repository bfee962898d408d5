import FXCore

/// A graph with decisions: how every value lies on the mesh, and how every node is computed there.
struct ShardedProgram: Sendable {
  /// How one node is computed.
  struct Step: Sendable {
    var rule: ShardingRule
    /// For each factor the axes along which it is cut.
    var factorAxes: [[String]]
    /// How operands must lie; `nil` for what is no tensor of known sizes.
    var operands: [ShardingSpec?]
    /// The axes over which results are combined, and how.
    var combined: (axes: [String], reduction: Reduction)?
    /// Whether every rank computes all of it.
    var isWhole: Bool
  }

  let graph: Graph
  /// The mesh of ranks, with an axis for micro-batches before the others if there are any.
  let mesh: Mesh
  var specs: [ValueID: ShardingSpec] = [:]
  var steps: [NodeID: Step] = [:]
  /// How the micro-batches' values of an output are combined; other outputs are joined, or are all the same.
  var microReductions: [ValueID: Reduction] = [:]
  /// What stayed whole although something it uses was cut: operators, with the number of calls.
  var wholeCounts: [String: Int] = [:]

  /// How an operand lies; `nil` for what is no tensor of known sizes.
  func spec(of operand: Operand) -> ShardingSpec? {
    switch operand {
    case .value(let value): return specs[value]
    case .parameter(let id): return graph.sizes(of: .parameter(id)).map { .replicated(rank: $0.count) }
    case .literal: return ShardingSpec([])
    case .none: return nil
    }
  }

  /// The sizes of an operand's part on one rank.
  func localSizes(of operand: Operand, _ spec: ShardingSpec) -> [Int] {
    spec.local(graph.sizes(of: operand) ?? [], on: mesh)
  }
}

extension Graph {
  /// The sizes of a tensor; `nil` if they are not known or the operand is no tensor.
  func sizes(of operand: Operand) -> [Int]? { sizedType(of: operand)?.shape?.sizes }
}
