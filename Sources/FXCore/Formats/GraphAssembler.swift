/// Builds a graph from the parts that a file lists, for every format.
///
/// What a file may get wrong about operators, attributes, counts and names is checked here once. Operands are ids of
/// values that the assembler itself made, so the readers check indices and names and nothing else.
///
/// A node may use a value that is defined after it: any graph that can be made can be read back. The verifier is what
/// rejects such a graph.
struct GraphAssembler {
  private(set) var graph: Graph
  private let operators: OperatorTable
  /// Nodes whose number shows nowhere, because all results have labels. They get one when all that show are known.
  private var unnumbered: [NodeID] = []
  private var resolved: [String: Operator] = [:]

  init(name: String, operators: OperatorTable) {
    graph = Graph(name: name)
    self.operators = operators
  }

  // MARK: Operators

  /// The operator that a file names.
  /// - Throws: `GraphError.unknownOperator` for a registered operator that the table lacks.
  mutating func findOperator(
    _ name: String, domain: String, version: Int, isRegistered: Bool
  ) throws(GraphError) -> Operator {
    let full = domain.isEmpty ? name : "\(domain)::\(name)"
    guard isRegistered else {
      let key = "?\(domain.utf8.count) \(full)@\(version)"
      if let op = resolved[key] { return op }
      let op = Operator(unregistered: name, domain: domain, version: version)
      resolved[key] = op
      return op
    }
    let op = try operators.find(full)
    guard !op.has(.terminator) else { throw .unknownOperator(full, suggestions: []) }
    guard op.version == version else { throw .unknownOperator("\(full)@\(version)", suggestions: ["\(full)@\(op.version)"]) }
    return op
  }

  // MARK: Parts

  /// Adds an argument. A name that the argument would have without a label gives none.
  /// - Throws: `GraphError.duplicateName`.
  mutating func addArgument(to region: RegionID, name: String?, type: ValueType) throws(GraphError) -> ValueID {
    let index = graph.regions[region].arguments.count
    let value = graph.values.insert(ValueRecord(type: type, definition: .argument(of: region, index: index)))
    graph.regions[region].arguments.append(value)
    if let name, name != "arg_\(index)" { try label(value, name, in: region) }
    return value
  }

  private mutating func label(_ value: ValueID, _ name: String, in region: RegionID) throws(GraphError) {
    guard graph.regions[region].labels[name] == nil else { throw .duplicateName(name) }
    graph.relabel(value, name, in: region)
  }

  /// Adds a call at the end of a region.
  /// - Parameters:
  ///   - attributes: those that differ from the schema's defaults, at least.
  ///   - serial: the number that unlabelled results show.
  ///   - labels: of the results; shorter if the last have none.
  /// - Throws: `GraphError` if the operator's schema does not allow the call.
  mutating func addNode(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, results: [ValueType], labels: [String?],
    serial: UInt32?, name: String?, location: Location?, to region: RegionID
  ) throws(GraphError) -> NodeID {
    var all = attributes
    if let schema = op.schema {
      all = try schema.complete(attributes, of: op)
      try schema.check(op, operandCount: operands.count, resultCount: results.count)
    }
    let nextSerial = graph.nextSerial
    let node = graph.insertRecord(op, operands, all, results.count, region: region, at: .end(of: region))
    graph.nextSerial = nextSerial
    for (index, type) in results.enumerated() {
      let value = graph.nodes[node].results[index]
      graph.values[value].type = type
      if index < labels.count, let label = labels[index] { try self.label(value, label, in: region) }
    }
    graph.nodes[node].name = name
    graph.nodes[node].location = location
    if let serial, serial < Graph.serialLimit {
      graph.nodes[node].serial = serial
      graph.nextSerial = max(graph.nextSerial, serial + 1)
    } else {
      unnumbered.append(node)
    }
    return node
  }

  /// Adds the next region of a node.
  /// - Throws: `GraphError.regionsTooDeep`.
  mutating func addRegion(to owner: NodeID) throws(GraphError) -> RegionID {
    try graph.checkDepth(inside: graph.nodes[owner].parent)
    let region = graph.makeRegion(owner: owner)
    graph.nodes[owner].regions.append(region)
    return region
  }

  /// Whether the node owns as many regions as its operator says.
  func checkRegions(of node: NodeID) throws(GraphError) {
    guard let schema = graph.nodes[node].op.schema else { return }
    let count = graph.nodes[node].regions.count
    guard count == schema.regions.count else {
      throw .regionCount(graph.nodes[node].op.description, expected: schema.regions.count, actual: count)
    }
  }

  /// Sets an operand that was not known when the node was added.
  mutating func setOperand(_ index: Int, of node: NodeID, to operand: Operand) {
    graph.replaceOperand(index, of: node, with: operand)
  }

  /// Sets what a region returns; `names` where they differ from the operands' own.
  mutating func setResults(of region: RegionID, _ results: [Operand], names: [String?]) {
    let terminator = graph.regions[region].terminator
    graph.replaceOperands(of: terminator, with: results)
    graph.regions[region].resultNames = zip(results, names).map { operand, name in
      name == graph.text(of: operand) ? nil : name
    }
  }

  /// - Throws: `GraphError.duplicateName`; `.bindingType` if the tensor does not fit the type.
  mutating func addParameter(
    _ name: String, role: Parameter.Role, type: TensorType, tensor: Tensor?
  ) throws(GraphError) -> ParameterID {
    if let tensor, !type.admits(tensor.type) { throw .bindingType(name, expected: type, actual: tensor.type) }
    let id = try graph.addParameter(name, unbound: type, role: role)
    graph.parameters[id].tensor = tensor
    return id
  }

  mutating func setFacts(
    metadata: [String: String], operatorSets: [String: Int], symbols: [String: SymbolBounds],
    constraints: [DimensionConstraint]
  ) {
    graph.metadata = metadata
    graph.operatorSets = operatorSets
    graph.symbols = symbols
    graph.constraints = constraints
  }

  // MARK: The end

  /// Whether no two values of the region are called the same, labels among themselves aside: `label` checks those.
  /// - Throws: `GraphError.duplicateName`.
  func checkNames(of region: RegionID) throws(GraphError) {
    let record = graph.regions[region]
    for (index, value) in record.arguments.enumerated()
    where graph.values[value].name == nil && record.labels["arg_\(index)"] != nil {
      throw .duplicateName("arg_\(index)")
    }
    // Numbers that rise cannot repeat; only others need to be remembered. Two nodes may have one number as long as
    // the names of their results differ: one of them may show `node_3`, the other only `node_3.1`.
    var last: Int64 = -1
    var areRising = true
    var next = record.first
    while let node = next {
      next = graph.nodes[node].next
      guard graph.nodes[node].results.contains(where: { graph.values[$0].name == nil }) else { continue }
      let serial = Int64(graph.nodes[node].serial)
      if serial <= last { areRising = false }
      last = serial
    }
    guard !areRising || record.labels.keys.contains(where: { Graph.serial(in: $0) != nil }) else { return }
    var seen: Set<String> = []
    next = record.first
    while let node = next {
      next = graph.nodes[node].next
      for value in graph.nodes[node].results where graph.values[value].name == nil {
        let name = graph.name(of: value)
        guard record.labels[name] == nil, seen.insert(name).inserted else { throw .duplicateName(name) }
      }
    }
  }

  /// The graph, when all parts are there.
  mutating func finish() -> Graph {
    for node in unnumbered {
      graph.nodes[node].serial = graph.nextSerial
      graph.nextSerial += 1
    }
    unnumbered = []
    return graph
  }
}
