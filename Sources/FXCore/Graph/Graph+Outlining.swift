/// Moving nodes between regions: what turns a stretch of a body into a branch or a loop body.
extension Graph {
  /// Moves a node to the end of another region.
  ///
  /// The caller then replaces operands that the region does not see, and sees to it that nobody outside uses the results.
  /// - Throws: `GraphError.stale`, `.regionsTooDeep`.
  package mutating func relocate(_ node: NodeID, into region: RegionID) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard regions.contains(region) else { throw .stale(region) }
    if !record.regions.isEmpty { try checkDepth(inside: region, levels: levels(of: record.regions)) }
    unlink(node)
    for value in record.results {
      guard let label = values[value].name else { continue }
      regions[record.parent].labels[label] = nil
      regions[region].labels[label] = value
    }
    nodes[node].parent = region
    link(node, at: .end(of: region))
  }

  /// Adds a result to a node whose results are counted only after its regions are made.
  /// - Throws: `GraphError.stale`; `.resultCount` if the schema does not allow one more.
  package mutating func addResult(to node: NodeID, _ type: ValueType = .unknown) throws(GraphError) -> ValueID {
    guard let record = nodes.find(node) else { throw .stale(node) }
    let index = record.results.count
    try record.op.schema?.check(record.op, operandCount: record.operands.count, resultCount: index + 1)
    let value = values.insert(ValueRecord(type: type, definition: .result(of: node, index: index)))
    nodes[node].results.append(value)
    return value
  }
}

extension Graph {
  /// How many regions are inside each other in `regions`, these included.
  private func levels(of regions: [RegionID]) -> Int {
    var deepest = 0
    var pending = regions.map { (region: $0, level: 1) }
    while let (region, level) = pending.popLast() {
      deepest = max(deepest, level)
      for node in (try? nodes(in: region)) ?? [] { pending += nodes[node].regions.map { ($0, level + 1) } }
    }
    return deepest
  }

  /// Adds a copy of a node, its regions included, on other operands.
  ///
  /// Labels of values are copied where they are free. O(what the regions hold).
  /// - Throws: `GraphError.stale`, or what `append` throws: regions that would be too deep are refused there.
  @discardableResult
  package mutating func copy(
    _ id: NodeID, operands: [Operand], to point: InsertionPoint
  ) throws(GraphError) -> NodeID {
    let node = try self[id]
    var types: [ValueType] = []
    for result in node.results { types.append(try type(of: result)) }
    let copy = try append(
      node.op, operands, attributes: node.attributes, results: types, at: point, name: node.name, location: node.location,
      regionCount: node.regions.count)
    journal?.append(.copied(id, as: copy))
    let region = try self[copy].region
    for (source, target) in zip(node.results, try self[copy].results) {
      if let label = label(of: source), value(named: label, in: region) == nil { try setName(label, of: target) }
    }
    for (source, target) in zip(node.regions, try self[copy].regions) { try copyContents(of: source, into: target) }
    return copy
  }

  private mutating func copyContents(of source: RegionID, into target: RegionID) throws(GraphError) {
    var arguments: [Operand] = []
    for argument in try self.arguments(of: source) {
      arguments.append(.value(try addArgument(to: target, name: label(of: argument), try type(of: argument))))
    }
    let contents = try copyContents(of: source, arguments: arguments, to: .end(of: target))
    let names = contents.results.indices.map { ownResultName(of: source, $0) }
    try setResults(of: target, contents.results, names: names)
  }

  /// Adds copies of a region's nodes in place of a call of it.
  /// - Parameter operands: what the region's arguments become.
  /// - Returns: the copies in execution order, and what the region's results become.
  /// - Throws: `GraphError.stale`, or what `append` throws.
  package mutating func copyContents(
    of region: RegionID, arguments operands: [Operand], to point: InsertionPoint
  ) throws(GraphError) -> (nodes: [NodeID], results: [Operand]) {
    var copies: [ValueID: Operand] = [:]
    for (argument, operand) in zip(try arguments(of: region), operands) { copies[argument] = operand }
    func mapped(_ operand: Operand) -> Operand { operand.value.flatMap { copies[$0] } ?? operand }
    var nodes: [NodeID] = []
    for node in try self.nodes(in: region) {
      let copied = try copy(node, operands: self[node].operands.map(mapped), to: point)
      for (value, copy) in zip(try self[node].results, try self[copied].results) { copies[value] = .value(copy) }
      nodes.append(copied)
    }
    return (nodes, results(of: region).map(mapped))
  }
}
