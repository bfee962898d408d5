extension Graph {
  // MARK: Inputs and outputs

  /// Adds an input to the graph.
  /// - Throws: `GraphError.duplicateName`.
  @discardableResult
  public mutating func addInput(_ name: String, _ type: ValueType = .unknown) throws(GraphError) -> ValueID {
    try addArgument(to: body, name: name, type)
  }

  /// Adds an argument to a region.
  /// - Throws: `GraphError.stale`, `.duplicateName`.
  @discardableResult
  public mutating func addArgument(
    to region: RegionID, name: String? = nil, _ type: ValueType = .unknown
  ) throws(GraphError) -> ValueID {
    guard regions.contains(region) else { throw .stale(region) }
    if let name, value(named: name, in: region) != nil { throw .duplicateName(name) }
    let index = regions[region].arguments.count
    let value = values.insert(ValueRecord(type: type, definition: .argument(of: region, index: index)))
    regions[region].arguments.append(value)
    if let name {
      relabel(value, name, in: region)
    } else if regions[region].labels["arg_\(index)"] != nil {
      try setUniqueName("arg_\(index)_", of: value)
    }
    return value
  }

  /// Adds an output to the graph, called `name` or as its value is.
  /// - Throws: `GraphError.stale`, `.notVisible`, `.duplicateOutput`.
  public mutating func addOutput(_ operand: Operand, name: String? = nil) throws(GraphError) {
    try setResults(of: body, outputs + [operand], names: outputNames.map(Optional.some) + [name])
  }

  /// Adds a value as an output of the graph, called `name` or as the value is.
  /// - Throws: `GraphError.stale`, `.notVisible`, `.duplicateOutput`.
  public mutating func addOutput(_ value: ValueID, name: String? = nil) throws(GraphError) {
    try addOutput(.value(value), name: name)
  }

  /// Sets what a region returns.
  /// - Parameter names: names of the results where they differ from the values' names.
  /// - Throws: `GraphError.stale`, `.notVisible`; `.duplicateOutput` if two results of the body have one name.
  public mutating func setResults(of region: RegionID, _ results: [Operand], names: [String?] = []) throws(GraphError) {
    guard let record = regions.find(region) else { throw .stale(region) }
    for operand in results { try checkVisible(operand, in: region) }
    let all = results.indices.map { $0 < names.count ? names[$0] : nil }
    if region == body {
      var seen: Set<String> = []
      for (index, operand) in results.enumerated() {
        let name = all[index] ?? text(of: operand)
        guard seen.insert(name).inserted else { throw .duplicateOutput(name) }
      }
    }
    replaceOperands(of: record.terminator, with: results)
    regions[region].resultNames = zip(all, results).map { name, operand in
      guard let value = operand.value, let name, self.name(of: value) == name else { return name }
      return nil
    }
  }

  /// The names of the outputs.
  public var outputNames: [String] { resultNames(of: body) }

  /// The names of a region's results; empty for a stale id.
  public func resultNames(of region: RegionID) -> [String] {
    guard let record = regions.find(region) else { return [] }
    return results(of: region).enumerated().map { index, operand in
      (index < record.resultNames.count ? record.resultNames[index] : nil) ?? text(of: operand)
    }
  }

  /// Whether result `index` of a region has a name of its own.
  func ownResultName(of region: RegionID, _ index: Int) -> String? {
    let names = regions[region].resultNames
    return index < names.count ? names[index] : nil
  }

  // MARK: Nodes

  /// Adds a call of `op`.
  ///
  /// Attributes are checked against the schema and defaults filled in. Result types may be given; shape inference
  /// fills them otherwise. A node whose schema lists regions gets them empty. O(operands).
  /// - Parameters:
  ///   - results: the results' types, which also says how many there are; by default the required results, of unknown type.
  ///   - point: where; by default at the end of the body.
  ///   - regionCount: how many regions an unregistered operator owns.
  /// - Throws: `GraphError` for a stale id, an operand of another region, a wrong number of operands or results, an
  ///   attribute the schema does not allow, or regions nested deeper than `regionDepthLimit`.
  @discardableResult
  public mutating func append(
    _ op: Operator, _ operands: [Operand], attributes: Attributes = [:], results: [ValueType]? = nil,
    at point: InsertionPoint? = nil, name: String? = nil, location: Location? = nil, regionCount: Int? = nil
  ) throws(GraphError) -> NodeID {
    try check(isCallable: op)
    let point = point ?? .end(of: body)
    let region = try self.region(of: point)
    for operand in operands { try checkVisible(operand, in: region) }
    var all = attributes
    var regionCount = regionCount ?? 0
    var resultTypes = results ?? [.unknown]
    if let schema = op.schema {
      all = try schema.complete(attributes, of: op)
      regionCount = schema.regions.count
      if results == nil { resultTypes = Array(repeating: .unknown, count: schema.resultCount.lowerBound) }
      try schema.check(op, operandCount: operands.count, resultCount: resultTypes.count)
    }
    if regionCount > 0 { try checkDepth(inside: region) }
    let node = insertRecord(op, operands, all, resultTypes.count, region: region, at: point)
    for (result, type) in zip(nodes[node].results, resultTypes) { values[result].type = type }
    nodes[node].name = name
    nodes[node].location = location
    for _ in 0..<regionCount { nodes[node].regions.append(makeRegion(owner: node)) }
    return node
  }

  /// Adds a call with one result and returns the result: see `append`.
  /// - Parameters:
  ///   - type: the result's type.
  ///   - name: what the result is called.
  /// - Throws: what `append` throws; `GraphError.duplicateName` if a value of the region is called so. The graph is then as
  ///   before.
  public mutating func call(
    _ op: Operator, _ operands: [Operand], attributes: Attributes = [:], type: ValueType = .unknown,
    at point: InsertionPoint? = nil, name: String? = nil, location: Location? = nil
  ) throws(GraphError) -> ValueID {
    let region = try self.region(of: point ?? .end(of: body))
    if let name, value(named: name, in: region) != nil { throw .duplicateName(name) }
    let node = try append(op, operands, attributes: attributes, results: [type], at: point, location: location)
    let result = nodes[node].results[0]
    if let name { try setName(name, of: result) }
    return result
  }

  /// Adds another region to a node of an unregistered operator.
  /// - Throws: `GraphError.stale`.
  public mutating func addRegion(to node: NodeID) throws(GraphError) -> RegionID {
    guard let record = nodes.find(node) else { throw .stale(node) }
    try checkDepth(inside: record.parent)
    let region = makeRegion(owner: node)
    nodes[node].regions.append(region)
    return region
  }

  // MARK: Parts

  /// How many regions may be inside each other, the body included. What walks a graph does so by recursion, and stacks of
  /// threads are small.
  public static let regionDepthLimit = 64

  /// - Parameter levels: of regions inside each other that a node in `region` is to own.
  /// - Throws: `GraphError.regionsTooDeep`.
  func checkDepth(inside region: RegionID, levels: Int = 1) throws(GraphError) {
    var depth = 1 + levels
    var outer = regions[region].owner
    while let owner = outer, depth <= Graph.regionDepthLimit {
      depth += 1
      outer = regions[nodes[owner].parent].owner
    }
    guard depth <= Graph.regionDepthLimit else { throw .regionsTooDeep(limit: Graph.regionDepthLimit) }
  }

  @discardableResult
  mutating func makeRegion(owner: NodeID?) -> RegionID {
    // The terminator names its region, the region its terminator: the region's id is known before it is inserted.
    let placeholder = NodeID(index: .max, generation: .max)
    let region = regions.insert(RegionRecord(owner: owner, terminator: placeholder))
    let terminator = nodes.insert(
      NodeRecord(op: .output, operands: [], usePositions: [], results: [], attributes: [:], serial: .max, parent: region))
    regions[region].terminator = terminator
    return region
  }

  func region(of point: InsertionPoint) throws(GraphError) -> RegionID {
    switch point {
    case .end(let region):
      guard regions.contains(region) else { throw .stale(region) }
      return region
    case .before(let node), .after(let node):
      guard let record = nodes.find(node) else { throw .stale(node) }
      return record.parent
    }
  }

  /// Inserts a record with checked parts and registers its uses.
  mutating func insertRecord(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, _ resultCount: Int, region: RegionID,
    at point: InsertionPoint
  ) -> NodeID {
    let node = nodes.insert(
      NodeRecord(
        op: op, operands: operands, usePositions: [], results: [], attributes: attributes, serial: nextSerial, parent: region))
    nextSerial += 1
    callCount += 1
    addUses(of: node)
    nodes[node].results.reserveCapacity(resultCount)
    for index in 0..<resultCount {
      let value = values.insert(ValueRecord(type: .unknown, definition: .result(of: node, index: index)))
      nodes[node].results.append(value)
    }
    addToIndex(node)
    link(node, at: point)
    return node
  }

  /// Terminators are made with their regions and never called.
  func check(isCallable op: Operator) throws(GraphError) {
    guard !op.has(.terminator) else { throw .unknownOperator(op.description, suggestions: []) }
  }

  func checkVisible(_ operand: Operand, in region: RegionID) throws(GraphError) {
    switch operand {
    case .value(let value):
      guard let record = values.find(value) else { throw .stale(value) }
      let home =
        switch record.definition {
        case .result(let node, _): nodes[node].parent
        case .argument(let region, _): region
        }
      guard home == region else { throw .notVisible(name(of: value)) }
    case .parameter(let parameter):
      guard parameters.contains(parameter) else { throw .stale(parameter) }
    case .literal, .none: break
    }
  }

  /// How an operand is called in messages and result names.
  public func text(of operand: Operand) -> String {
    switch operand {
    case .value(let value): name(of: value)
    case .parameter(let parameter): parameters.find(parameter)?.name ?? parameter.description
    case .literal(let literal): literal.description
    case .none: "none"
    }
  }
}

extension OperatorSchema {
  /// The attributes with defaults filled in.
  /// - Throws: `GraphError.badAttribute` for an unknown name, a wrong kind, a string that is not allowed, or a missing one.
  func complete(_ given: Attributes, of op: Operator) throws(GraphError) -> Attributes {
    if given.isEmpty, !attributes.contains(where: \.isRequired) { return defaultAttributes }
    var all = defaultAttributes
    for entry in given {
      guard let specification = attribute(entry.name) else {
        throw .badAttribute(
          op.description, entry.name, .unknown(suggestions: attributes.map(\.name).nearest(to: entry.name)))
      }
      guard entry.value.kind == specification.kind else {
        throw .badAttribute(op.description, entry.name, .kind(expected: specification.kind, actual: entry.value.kind))
      }
      if case .string(let text) = entry.value, !specification.allowed.isEmpty, !specification.allowed.contains(text) {
        throw .badAttribute(op.description, entry.name, .value(text, allowed: specification.allowed))
      }
      all[entry.name] = entry.value
    }
    for specification in attributes where specification.isRequired && all[specification.name] == nil {
      throw .badAttribute(op.description, specification.name, .missing)
    }
    return all
  }

  func check(_ op: Operator, operandCount: Int, resultCount: Int) throws(GraphError) {
    guard self.operandCount.contains(operandCount) else {
      throw .operandCount(op.description, expected: self.operandCount, actual: operandCount)
    }
    guard self.resultCount.contains(resultCount) else {
      throw .resultCount(op.description, expected: self.resultCount, actual: resultCount)
    }
  }
}
