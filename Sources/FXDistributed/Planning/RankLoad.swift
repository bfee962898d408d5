import FXCore

/// What a rank's graph takes, from its types.
struct RankLoad {
  let nodes: Int
  let weightBytes: Int
  let peakBytes: Int
  let operations: Int
  let seconds: Double

  init(_ graph: Graph, _ cost: CostModel) {
    let body = graph.bodyNodes
    let weights = graph.parameterIDs.reduce(0) { $0 + ((try? graph[$1])?.type.byteCount ?? 0) }
    func bytes(_ value: ValueID) -> Int { (try? graph.type(of: value))?.tensorType?.byteCount ?? 0 }
    // Values live from the node that makes them to the last that uses them; outputs and inputs to the end.
    let positions = Dictionary(uniqueKeysWithValues: body.enumerated().map { ($1, $0) })
    var changes = Array(repeating: 0, count: body.count + 2)
    for input in graph.inputs { changes[0] += bytes(input) }
    var (operations, seconds) = (0, 0.0)
    for (position, id) in body.enumerated() {
      guard let node = try? graph[id] else { continue }
      let operands = node.operands.map { graph.sizedType(of: $0) }
      let results = node.results.map { graph.sizedType(of: .value($0)) }
      if node.op.schema?.family != .collective {
        operations += CostModel.operations(node, operands, results)
        seconds += cost.seconds(node, operands: operands, results: results)
      }
      for result in node.results {
        let uses = (try? graph.uses(of: result)) ?? []
        let isOutput = uses.contains { graph.isTerminator($0.node) }
        let last = isOutput ? body.count : uses.compactMap { positions[$0.node] }.max() ?? position
        changes[position] += bytes(result)
        changes[last + 1] -= bytes(result)
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
    (self.operations, self.seconds) = (operations, seconds)
  }
}
