import FXCore

/// What a rank's graph takes, from its types.
struct RankLoad {
  let nodes: Int
  let weightBytes: Int
  /// For one micro-batch.
  let peakBytes: Int
  /// Of what a micro-batch's forward pass leaves for its backward pass.
  let heldBytes: Int
  /// Of all micro-batches.
  let operations: Int
  let seconds: Double

  /// - Parameter state: names of inputs that are weights.
  init(_ program: RankProgram, microBatches: Int, state: Set<String>, _ cost: CostModel) {
    let graph = program.graph
    let body = graph.bodyNodes
    var weights = graph.parameterIDs.reduce(0) { $0 + ((try? graph[$1])?.type.byteCount ?? 0) }
    let (forward, both) = (program.passes.forward, program.passes.forward + program.passes.backward)
    func bytes(_ value: ValueID) -> Int { (try? graph.type(of: value))?.tensorType?.byteCount ?? 0 }
    // Values live from the node that makes them to the last that uses them; outputs and inputs to the end.
    let positions = Dictionary(uniqueKeysWithValues: body.enumerated().map { ($1, $0) })
    var changes = Array(repeating: 0, count: body.count + 2)
    for input in graph.inputs where !((try? graph.uses(of: input)) ?? []).isEmpty {
      if state.contains(graph.name(of: input)) { weights += bytes(input) } else { changes[0] += bytes(input) }
    }
    var (operations, seconds, held) = (0, 0.0, 0)
    for (position, id) in body.enumerated() {
      guard let node = try? graph[id] else { continue }
      let operands = node.operands.map { graph.sizedType(of: $0) }
      let results = node.results.map { graph.sizedType(of: .value($0)) }
      if node.op.schema?.family != .collective {
        let turns = position < both ? microBatches : 1
        operations = operations.saturating(plus: CostModel.operations(node, operands, results).saturating(times: turns))
        seconds += cost.seconds(node, operands: operands, results: results) * Double(turns)
      }
      for result in node.results {
        let uses = (try? graph.uses(of: result)) ?? []
        let isOutput = uses.contains { graph.isTerminator($0.node) }
        let last = isOutput ? body.count : uses.compactMap { positions[$0.node] }.max() ?? position
        changes[position] += bytes(result)
        changes[last + 1] -= bytes(result)
        if position < forward, uses.contains(where: { (forward..<both).contains(positions[$0.node] ?? 0) }) {
          held += bytes(result)
        }
      }
    }
    var (alive, peak) = (0, 0)
    for change in changes {
      alive += change
      peak = max(peak, alive)
    }
    nodes = body.count
    weightBytes = weights
    peakBytes = weights + peak
    heldBytes = held
    (self.operations, self.seconds) = (operations, seconds)
  }
}
