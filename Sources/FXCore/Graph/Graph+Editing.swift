extension Graph {
  // MARK: Operands

  /// Replaces one operand. O(1).
  /// - Throws: `GraphError.stale`, `.notVisible`, `.operandIndex`.
  public mutating func setOperand(_ index: Int, of node: NodeID, to operand: Operand) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard record.operands.indices.contains(index) else { throw .operandIndex(name(of: node), index, record.operands.count) }
    try checkVisible(operand, in: record.parent)
    replaceOperand(index, of: node, with: operand)
  }

  /// Replaces all operands. O(operands).
  /// - Throws: `GraphError.stale`, `.notVisible`, `.operandCount`.
  public mutating func setOperands(of node: NodeID, to operands: [Operand]) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    for operand in operands { try checkVisible(operand, in: record.parent) }
    try record.op.schema?.check(record.op, operandCount: operands.count, resultCount: record.results.count)
    replaceOperands(of: node, with: operands)
  }

  /// Makes every use of `value` a use of `operand`. O(uses).
  ///
  /// An output that was called by its value's name keeps that name.
  /// - Throws: `GraphError.stale`, `.notVisible`.
  public mutating func replaceAllUses(of value: ValueID, with operand: Operand) throws(GraphError) {
    let region = try region(of: value)
    try checkVisible(operand, in: region)
    guard operand != .value(value) else { return }
    journal?.append(.replaced(value, by: operand))
    let outputName = name(of: value)
    while let use = values[value].uses.last {
      if nodes[use.node].op === Operator.output, region == body {
        keepResultName(use.operand, outputName, in: region)
      }
      replaceOperand(use.operand, of: use.node, with: operand)
    }
  }

  private mutating func keepResultName(_ index: Int, _ name: String, in region: RegionID) {
    while regions[region].resultNames.count <= index { regions[region].resultNames.append(nil) }
    if regions[region].resultNames[index] == nil { regions[region].resultNames[index] = name }
  }

  // MARK: Nodes

  /// Replaces what the node calls, keeping operands and results: `relu` becomes `leaky_relu`.
  /// - Parameter attributes: of the new operator; by default its defaults.
  /// - Throws: `GraphError.stale`, or what `append` throws if the operands do not fit the operator.
  public mutating func setOperator(of node: NodeID, to op: Operator, attributes: Attributes = [:]) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard record.op !== Operator.output else { throw .inUse(name(of: node), by: "its region") }
    try check(isCallable: op)
    var all = attributes
    if let schema = op.schema {
      all = try schema.complete(attributes, of: op)
      try schema.check(op, operandCount: record.operands.count, resultCount: record.results.count)
      guard schema.regions.count == record.regions.count else {
        throw .regionCount(op.description, expected: schema.regions.count, actual: record.regions.count)
      }
    }
    removeFromIndex(node)
    nodes[node].op = op
    nodes[node].attributes = all
    addToIndex(node)
  }

  /// Replaces the node's attributes; defaults are filled in.
  /// - Throws: `GraphError.stale`, `.badAttribute`.
  public mutating func setAttributes(of node: NodeID, to attributes: Attributes) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    nodes[node].attributes = try record.op.schema?.complete(attributes, of: record.op) ?? attributes
  }

  /// Sets the type of a value.
  /// - Throws: `GraphError.stale`.
  public mutating func setType(of value: ValueID, to type: ValueType) throws(GraphError) {
    guard values.contains(value) else { throw .stale(value) }
    values[value].type = type
  }

  /// - Throws: `GraphError.stale`.
  public mutating func setLocation(of node: NodeID, to location: Location?) throws(GraphError) {
    guard nodes.contains(node) else { throw .stale(node) }
    nodes[node].location = location
  }

  /// Removes a node and its regions. O(operands and what the regions hold).
  /// - Throws: `GraphError.stale`; `.inUse` if a result is used.
  public mutating func erase(_ node: NodeID) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard record.op !== Operator.output else { throw .inUse(name(of: node), by: "its region") }
    for result in record.results {
      if let use = values[result].uses.first { throw .inUse(name(of: result), by: name(of: use.node)) }
    }
    remove(node)
  }

  /// Replaces a node's results by operands and erases it. Result labels move to the replacing values if those have none.
  /// - Throws: `GraphError.stale`, `.notVisible`, `.resultCount`; `.inUse` if an operand is a result of the node itself.
  public mutating func replace(_ node: NodeID, with operands: [Operand]) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard operands.count == record.results.count else {
      throw .resultCount(record.op.description, expected: record.results.count...record.results.count, actual: operands.count)
    }
    for operand in operands {
      try checkVisible(operand, in: record.parent)
      if let value = operand.value, record.results.contains(value) { throw .inUse(name(of: value), by: "its replacement") }
    }
    for (result, operand) in zip(record.results, operands) { try replaceAllUses(of: result, with: operand) }
    let labels = record.results.map { values[$0].name }
    remove(node)
    for (label, operand) in zip(labels, operands) {
      guard let label, let value = operand.value, values[value].name == nil,
        case .result = values[value].definition
      else { continue }
      relabel(value, label, in: record.parent)
    }
  }

  /// Moves a node within its region.
  /// - Throws: `GraphError.stale`; `.notVisible` if the point is in another region.
  public mutating func move(_ node: NodeID, to point: InsertionPoint) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    guard record.op !== Operator.output else { throw .inUse(name(of: node), by: "its region") }
    guard try region(of: point) == record.parent else { throw .notVisible(name(of: node)) }
    if case .before(node) = point { return }
    if case .after(node) = point { return }
    unlink(node)
    link(node, at: point)
  }

  /// Removes the results at `indices` of a node whose operator takes any number of results. O(results).
  ///
  /// Outputs that are called by the name of a later result keep their names.
  /// - Throws: `GraphError.stale`; `.inUse` if one of them is used; `.resultCount` if the operator needs more results.
  public mutating func removeResults(of node: NodeID, at indices: Set<Int>) throws(GraphError) {
    guard let record = nodes.find(node) else { throw .stale(node) }
    let doomed = record.results.indices.filter(indices.contains)
    for index in doomed {
      let value = record.results[index]
      if let use = values[value].uses.first { throw .inUse(name(of: value), by: name(of: use.node)) }
    }
    let remaining = record.results.count - doomed.count
    try record.op.schema?.check(record.op, operandCount: record.operands.count, resultCount: remaining)
    var kept: [ValueID] = []
    for (index, value) in record.results.enumerated() {
      if indices.contains(index) {
        relabel(value, nil, in: record.parent)
        values.remove(value)
        continue
      }
      if values[value].name == nil, index != kept.count, record.parent == body {
        let outputName = name(of: value)
        for use in values[value].uses where use.node == regions[body].terminator {
          keepResultName(use.operand, outputName, in: body)
        }
      }
      values[value].definition = .result(of: node, index: kept.count)
      kept.append(value)
    }
    nodes[node].results = kept
  }

  /// Removes the arguments at `indices` of a region that a node owns, or inputs of the body.
  /// - Throws: `GraphError.stale`; `.inUse` if one of them is used.
  public mutating func removeArguments(of region: RegionID, at indices: Set<Int>) throws(GraphError) {
    guard let record = regions.find(region) else { throw .stale(region) }
    for index in indices where record.arguments.indices.contains(index) {
      let value = record.arguments[index]
      if let use = values[value].uses.first { throw .inUse(name(of: value), by: name(of: use.node)) }
    }
    var kept: [ValueID] = []
    for (index, value) in record.arguments.enumerated() {
      if indices.contains(index) {
        if let name = values[value].name { regions[region].labels[name] = nil }
        values.remove(value)
      } else {
        values[value].definition = .argument(of: region, index: kept.count)
        kept.append(value)
      }
    }
    regions[region].arguments = kept
    // An argument that moved up may now be called as another value is labelled.
    for (index, value) in kept.enumerated()
    where values[value].name == nil && regions[region].labels["arg_\(index)"] != nil {
      try setUniqueName("arg_\(index)_", of: value)
    }
  }
}

// MARK: - Links and uses

extension Graph {
  /// Removes a node whose results have no uses outside it, with all that its regions hold.
  private mutating func remove(_ node: NodeID) {
    unlink(node)
    for result in nodes[node].results {
      if let name = values[result].name { regions[nodes[node].parent].labels[name] = nil }
    }
    var doomed = [node]
    var doomedRegions: [RegionID] = []
    var position = 0
    while position < doomed.count {
      for region in nodes[doomed[position]].regions {
        doomedRegions.append(region)
        doomed.append(regions[region].terminator)
        var next = regions[region].first
        while let inner = next {
          doomed.append(inner)
          next = nodes[inner].next
        }
      }
      position += 1
    }
    // Doomed nodes use each other's results, so all uses go before any value.
    for id in doomed { removeUses(of: id) }
    for id in doomed {
      if nodes[id].op !== Operator.output {
        removeFromIndex(id)
        callCount -= 1
      }
      for result in nodes[id].results { values.remove(result) }
      nodes.remove(id)
    }
    for region in doomedRegions {
      for argument in regions[region].arguments { values.remove(argument) }
      regions.remove(region)
    }
  }

  mutating func link(_ node: NodeID, at point: InsertionPoint) {
    let region = nodes[node].parent
    let previous: NodeID?
    let next: NodeID?
    switch point {
    case .end: (previous, next) = (regions[region].last, nil)
    case .before(let other) where other == regions[region].terminator: (previous, next) = (regions[region].last, nil)
    case .before(let other): (previous, next) = (nodes[other].previous, other)
    case .after(let other) where other == regions[region].terminator: (previous, next) = (regions[region].last, nil)
    case .after(let other): (previous, next) = (other, nodes[other].next)
    }
    nodes[node].previous = previous
    nodes[node].next = next
    if let previous { nodes[previous].next = node } else { regions[region].first = node }
    if let next { nodes[next].previous = node } else { regions[region].last = node }
  }

  mutating func unlink(_ node: NodeID) {
    let (previous, next, region) = (nodes[node].previous, nodes[node].next, nodes[node].parent)
    if let previous { nodes[previous].next = next } else { regions[region].first = next }
    if let next { nodes[next].previous = previous } else { regions[region].last = previous }
  }

  mutating func addToIndex(_ node: NodeID) {
    let op = nodes[node].op
    nodes[node].operatorPosition = operatorIndex[op]?.count ?? 0
    operatorIndex[op, default: []].append(node)
  }

  mutating func removeFromIndex(_ node: NodeID) {
    let (op, position) = (nodes[node].op, nodes[node].operatorPosition)
    guard let last = operatorIndex[op]?.popLast(), last != node else { return }
    operatorIndex[op]?[position] = last
    nodes[last].operatorPosition = position
  }

  mutating func addUses(of node: NodeID) {
    let operands = nodes[node].operands
    nodes[node].usePositions.reserveCapacity(operands.count)
    for (index, operand) in operands.enumerated() {
      nodes[node].usePositions.append(addUse(operand, node, index))
    }
  }

  private mutating func addUse(_ operand: Operand, _ node: NodeID, _ index: Int) -> UInt32 {
    guard case .value(let value) = operand else { return 0 }
    values[value].uses.append(Use(node: node, operand: index))
    return UInt32(truncatingIfNeeded: values[value].uses.count - 1)
  }

  /// Removes one use by putting the last of the value's uses in its place.
  private mutating func removeUse(_ node: NodeID, _ index: Int) {
    guard case .value(let value) = nodes[node].operands[index] else { return }
    let position = nodes[node].usePositions[index]
    guard let last = values[value].uses.popLast(), Int(position) < values[value].uses.count else { return }
    values[value].uses[Int(position)] = last
    nodes[last.node].usePositions[last.operand] = position
  }

  mutating func removeUses(of node: NodeID) {
    for index in nodes[node].operands.indices {
      removeUse(node, index)
      nodes[node].operands[index] = .none
    }
  }

  mutating func replaceOperand(_ index: Int, of node: NodeID, with operand: Operand) {
    removeUse(node, index)
    nodes[node].operands[index] = operand
    nodes[node].usePositions[index] = addUse(operand, node, index)
  }

  mutating func replaceOperands(of node: NodeID, with operands: [Operand]) {
    removeUses(of: node)
    nodes[node].operands = operands
    nodes[node].usePositions = []
    addUses(of: node)
  }
}
