/// Moving nodes between regions: what turns a stretch of a body into a branch or a loop body.
extension Graph {
  /// Moves a node to the end of another region.
  ///
  /// The caller then replaces operands that the region does not see, and sees to it that nobody outside uses the results.
  /// - Throws: `GraphError.stale`.
  package mutating func relocate(_ node: NodeID, into region: RegionID) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard regions.contains(region) else { throw .stale(region) }
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
