import FXCore

/// What the outputs and the effects of a graph depend on.
///
/// Followed through regions slot by slot, so that a loop state that only feeds itself is not alive. O(graph).
struct Liveness {
  private var nodes = IDSet<NodeID>()
  private var values = IDSet<ValueID>()
  private var slots: [NodeID: RegionSlots] = [:]

  /// - Throws: `GraphError` for a graph that does not verify.
  init(of graph: Graph) throws {
    var analysis = LivenessAnalysis(graph: graph)
    try analysis.run()
    (nodes, values, slots) = (analysis.nodes, analysis.values, analysis.slots)
  }

  func contains(_ id: NodeID) -> Bool { nodes.contains(id) }
  func contains(_ id: ValueID) -> Bool { values.contains(id) }

  /// The slots of `node` that nothing alive depends on.
  func deadSlots(of node: Node, in graph: Graph) throws -> [RegionSlots.Slot] {
    guard let slots = slots[node.id] else { return [] }
    let arguments = try node.regions.map { try graph.arguments(of: $0) }
    return slots.slots.filter { slot in
      !slot.arguments.contains { contains(arguments[$0.region][$0.index]) }
        && !(slot.result.map { contains(node.results[$0]) } ?? false)
    }
  }
}

/// Marks what is alive, from what the outputs and effects use backwards.
private struct LivenessAnalysis {
  let graph: Graph
  private(set) var nodes = IDSet<NodeID>()
  private(set) var values = IDSet<ValueID>()
  private(set) var slots: [NodeID: RegionSlots] = [:]
  private var pendingNodes: [NodeID] = []
  private var pendingValues: [ValueID] = []

  init(graph: Graph) { self.graph = graph }

  mutating func run() throws {
    for operand in graph.outputs { mark(operand) }
    for id in graph.allNodes where hasEffects(try graph[id].op) { mark(id) }
    while true {
      if let node = pendingNodes.popLast() {
        try follow(graph[node])
      } else if let value = pendingValues.popLast() {
        try follow(value)
      } else {
        return
      }
    }
  }

  /// Whether calls of `op` stay even if nobody uses their results. Nobody knows what an unregistered operator does.
  private func hasEffects(_ op: Operator) -> Bool {
    switch op.schema?.effect {
    case .pure, .random: false
    case .io, .collective, nil: true
    }
  }

  private mutating func mark(_ id: NodeID) {
    guard nodes.insert(id) else { return }
    pendingNodes.append(id)
  }

  private mutating func mark(_ operand: Operand) {
    guard let id = operand.value, values.insert(id) else { return }
    pendingValues.append(id)
  }

  private mutating func follow(_ node: Node) throws {
    if let owner = try graph.owner(of: node.region) { mark(owner) }
    if node.regions.isEmpty {
      for operand in node.operands { mark(operand) }
    } else if let slots = RegionSlots(node, in: graph) {
      self.slots[node.id] = slots
      for index in slots.fixedOperands { mark(node.operands[index]) }
      for place in slots.fixedResults { mark(graph.results(of: node.regions[place.region])[place.index]) }
    } else {
      for operand in node.operands { mark(operand) }
      for region in node.regions { for result in graph.results(of: region) { mark(result) } }
    }
  }

  private mutating func follow(_ value: ValueID) throws {
    switch try graph.definition(of: value) {
    case .result(let id, let index):
      mark(id)
      let node = try graph[id]
      guard !node.regions.isEmpty, let slot = try slots(of: node)?.slot(ofResult: index) else { return }
      follow(slot, of: node)
    case .argument(let region, let index):
      guard let owner = try graph.owner(of: region) else { return }
      let node = try graph[owner]
      guard let position = node.regions.firstIndex(of: region),
        let slot = try slots(of: node)?.slot(ofArgument: .init(region: position, index: index))
      else { return }
      follow(slot, of: node)
    }
  }

  private mutating func slots(of node: Node) throws -> RegionSlots? {
    if let known = slots[node.id] { return known }
    slots[node.id] = RegionSlots(node, in: graph)
    return slots[node.id]
  }

  private mutating func follow(_ slot: RegionSlots.Slot, of node: Node) {
    if let operand = slot.operand { mark(node.operands[operand]) }
    for place in slot.regionResults { mark(graph.results(of: node.regions[place.region])[place.index]) }
  }
}
