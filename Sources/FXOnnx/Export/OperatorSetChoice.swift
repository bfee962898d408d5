import FXCore

/// Which operator set a graph is written in.
struct OperatorSetChoice {
  let operators: OnnxOperators
  /// What the user asked for.
  let wanted: Int?

  /// The operator set of each domain that calls of the graph are of.
  /// - Throws: `OnnxError` with `.operatorSet` for one that cannot be written.
  func operatorSets(for graph: Graph) throws(OnnxError) -> [String: Int] {
    var sets: [String: Int] = [:]
    var last: [String: Int] = [:]
    for (op, _) in graph.operatorCounts {
      guard let row = operators.row(for: op), !row.form.domain.isEmpty else { continue }
      let domain = row.form.domain
      let given = sets[domain] ?? graph.operatorSets[domain] ?? operators.newest[domain] ?? 1
      sets[domain] = max(given, row.form.since, latest(row, in: graph))
      if let end = row.form.last { last[domain] = min(last[domain] ?? end, end) }
    }
    // Calls that need a later one than others allow are the writer's to name.
    for (domain, end) in last { sets[domain] = sets[domain].map { min($0, end) } }
    sets[""] = try operatorSet(for: graph)
    return sets
  }

  /// The one that is asked for; else the one the graph was read with or the default, or a later one that calls and
  /// element types need.
  /// - Throws: `OnnxError` with `.operatorSet` for one that cannot be written.
  func operatorSet(for graph: Graph) throws(OnnxError) -> Int {
    let newest = operators.newest[""] ?? OnnxExporter.defaultOperatorSet
    let allowed = OnnxOperators.oldestWritten...newest
    if let wanted {
      guard allowed.contains(wanted) else { throw OnnxError(.operatorSet(version: wanted, allowed: allowed)) }
      return wanted
    }
    var needed = max(graph.operatorSets[""] ?? OnnxExporter.defaultOperatorSet, OnnxOperators.oldestWritten)
    for (op, _) in graph.operatorCounts {
      guard let row = operators.row(for: op), row.form.domain.isEmpty else { continue }
      needed = max(needed, row.form.since, latest(row, in: graph))
    }
    for type in elementTypes(of: graph) { needed = max(needed, OnnxElementType.operatorSet(type)) }
    return min(needed, newest)
  }

  /// What the attributes and operands that calls of the row's operator use need.
  private func latest(_ row: OnnxOperator, in graph: Graph) -> Int {
    guard !row.form.later.isEmpty || !row.form.laterOperands.isEmpty else { return 0 }
    let defaults = row.form.later.map { name, since in
      let ours = row.form.ours(name)
      return (name: ours, since: since, value: row.op.schema?.attribute(ours)?.defaultValue)
    }
    var needed = 0
    for node in graph.nodes(calling: row.op).compactMap({ try? graph[$0] }) {
      for (name, since, value) in defaults where since > needed {
        if let given = node.attributes[name], given != value { needed = since }
      }
      for (index, since) in row.form.laterOperands where since > needed && node.operand(index) != .none { needed = since }
    }
    return needed
  }

  private func elementTypes(of graph: Graph) -> Set<ElementType> {
    var types: Set<ElementType> = []
    func note(_ type: ValueType) {
      switch type {
      case .tensor(let tensor): types.insert(tensor.elementType)
      case .sequence(let inner), .optional(let inner), .map(_, let inner): note(inner)
      case .unknown: break
      }
    }
    for value in graph.inputs { note(graph.type(of: .value(value))) }
    for id in graph.parameterIDs { note(graph.type(of: .parameter(id))) }
    for id in graph.allNodes {
      guard let node = try? graph[id] else { continue }
      for value in node.results { note(graph.type(of: .value(value))) }
    }
    return types
  }
}
