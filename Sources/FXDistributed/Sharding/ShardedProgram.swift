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
  /// How the micro-batches' values of a result are combined when all are done. What uses it is of the update.
  var microReductions: [ValueID: Reduction] = [:]
  /// For each output that is the next value of a weight the input that is its value now.
  var weights: [Int: ValueID] = [:]
  var phases: [NodeID: Phase] = [:]
  /// Nodes that the model's outputs need: all that is not made for the next values of weights alone.
  var modelNodes: Set<NodeID> = []
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

  func phase(of node: NodeID) -> Phase { phases[node] ?? .forward }

  /// When a value is there: a combination of micro-batches when all are done.
  func phase(of operand: Operand) -> Phase {
    guard let value = operand.value else { return .forward }
    if microReductions[value] != nil { return .update }
    return ((try? graph.producer(of: value)) ?? nil).map(phase(of:)) ?? .forward
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
