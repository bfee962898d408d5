extension Graph {
  /// Checks the graph's consistency. O(nodes + operands).
  /// - Throws: `VerificationError` with the first fault.
  public func verify(_ level: VerificationLevel = .typed) throws(VerificationError) {
    var structure = StructureVerifier(self)
    try structure.verify()
    guard level >= .typed else { return }
    try verifySymbols()
    for id in allNodes { try verifyTypes(id, level) }
  }

  func fault(_ fault: VerificationFault, at node: NodeID? = nil) -> VerificationError {
    VerificationError(
      fault: fault, node: node.map { name(of: $0) }, op: node.flatMap { nodes.find($0)?.op.description },
      location: node.flatMap { nodes.find($0)?.location })
  }

  /// Each bound and each constraint by itself; what they say together is for FXShapes, and checked by compiling.
  private func verifySymbols() throws(VerificationError) {
    for (name, bounds) in symbols.sorted(by: { $0.key < $1.key }) {
      guard bounds.minimum >= 0, bounds.divisor >= 1, let least = bounds.leastSize, least <= bounds.maximum ?? .max else {
        throw fault(.symbolBounds(name, bounds))
      }
    }
    for constraint in constraints {
      guard !constraint.left.isUnknown, !constraint.right.isUnknown, constraint.isConstantlyFalse == false else {
        throw fault(.constraint(constraint))
      }
    }
  }

  private func verifyTypes(_ id: NodeID, _ level: VerificationLevel) throws(VerificationError) {
    let record = nodes[id]
    guard let schema = record.op.schema else {
      if level >= .executable { throw fault(.unregisteredOperator, at: id) }
      return
    }
    guard schema.operandCount.contains(record.operands.count) else {
      throw fault(.operandCount(expected: schema.operandCount, actual: record.operands.count), at: id)
    }
    guard schema.resultCount.contains(record.results.count) else {
      throw fault(.resultCount(expected: schema.resultCount, actual: record.results.count), at: id)
    }
    guard schema.regions.count == record.regions.count else {
      throw fault(.regionCount(expected: schema.regions.count, actual: record.regions.count), at: id)
    }
    do { _ = try schema.complete(record.attributes, of: record.op) } catch { throw fault(.attribute(error), at: id) }
    try verifyElementTypes(id, record, schema)
    guard level >= .executable else { return }
    for operand in record.operands {
      if let parameter = operand.parameter.flatMap(parameters.find), !parameter.isBound {
        throw fault(.unboundParameter(parameter.name), at: id)
      }
    }
  }

  private func verifyElementTypes(_ id: NodeID, _ record: NodeRecord, _ schema: OperatorSchema) throws(VerificationError) {
    // Few variables per operator: a list beats a dictionary.
    var bound: [(variable: String, type: ElementType)] = []
    func check(_ specification: OperandSpecification, _ type: ElementType?) throws(VerificationError) {
      guard let type else { return }
      if let allowed = schema.typeVariables[specification.typeVariable], !allowed.contains(type) {
        throw fault(.elementType(operand: specification.name, allowed: allowed, actual: type), at: id)
      }
      // The operands of a variadic specification may differ where the operator says nothing of their type.
      guard specification.arity != .variadic || schema.typeVariables[specification.typeVariable] != nil else { return }
      if let known = bound.first(where: { $0.variable == specification.typeVariable }) {
        guard known.type == type else {
          throw fault(.elementTypesDiffer(variable: specification.typeVariable, known.type, type), at: id)
        }
      } else {
        bound.append((specification.typeVariable, type))
      }
    }
    for (index, operand) in record.operands.enumerated() {
      guard let specification = schema.operand(index) else { continue }
      if operand.isNone, specification.arity == .required { throw fault(.missingOperand(specification.name), at: id) }
      try check(specification, type(of: operand).elementType)
    }
    for (index, result) in record.results.enumerated() {
      guard let specification = schema.result(index) else { continue }
      try check(specification, values[result].type.elementType)
    }
  }
}

extension SymbolBounds {
  /// The least multiple of the divisor from the minimum on, for bounds that are not negative; `nil` if it exceeds `Int`.
  fileprivate var leastSize: Int? {
    let rest = minimum % divisor
    let (least, isTooLarge) = minimum.addingReportingOverflow(rest == 0 ? 0 : divisor - rest)
    return isTooLarge ? nil : least
  }
}

/// Checks ids, links and use lists.
private struct StructureVerifier {
  let graph: Graph
  /// Where each value is defined: its region, and its position in execution order.
  private var places: [(region: RegionID, position: Int)?]
  private var position = 0
  private var usesSeen = 0

  init(_ graph: Graph) {
    self.graph = graph
    places = Array(repeating: nil, count: graph.values.capacity)
  }

  mutating func verify() throws(VerificationError) {
    var pending = [graph.body]
    var calls = 0
    var regions = 0
    while let region = pending.popLast() {
      guard let record = graph.regions.find(region) else { throw graph.fault(.bookkeeping("a node owns an erased region")) }
      regions += 1
      try define(record.arguments, in: region, of: record)
      var previous: NodeID?
      var next = record.first
      while let id = next {
        guard let node = graph.nodes.find(id) else { throw graph.fault(.bookkeeping("a region links an erased node")) }
        guard node.parent == region, node.previous == previous else {
          throw graph.fault(.bookkeeping("links of the node list"), at: id)
        }
        calls += 1
        guard calls <= graph.callCount else { throw graph.fault(.bookkeeping("more nodes are linked than exist"), at: id) }
        try checkOperands(of: id, node, in: region)
        for (index, result) in node.results.enumerated() {
          guard graph.values.find(result)?.definition == .result(of: id, index: index) else {
            throw graph.fault(.bookkeeping("result \(index) does not name its node"), at: id)
          }
          places[Int(result.index)] = (region, position)
          position += 1
        }
        guard let list = graph.operatorIndex[node.op], node.operatorPosition < list.count, list[node.operatorPosition] == id
        else { throw graph.fault(.bookkeeping("the operator index misses the node"), at: id) }
        for inner in node.regions {
          guard graph.regions.find(inner)?.owner == id else { throw graph.fault(.bookkeeping("a region's owner"), at: id) }
          pending.append(inner)
        }
        previous = id
        next = node.next
      }
      guard record.last == previous else { throw graph.fault(.bookkeeping("the end of the node list")) }
      guard let terminator = graph.nodes.find(record.terminator) else { throw graph.fault(.bookkeeping("a region's end")) }
      try checkOperands(of: record.terminator, terminator, in: region)
      for (index, operand) in terminator.operands.enumerated() where operand.isNone {
        throw graph.fault(.absentResult(index))
      }
    }
    guard calls == graph.callCount else { throw graph.fault(.bookkeeping("\(graph.callCount - calls) nodes are in no region")) }
    guard regions == graph.regions.count else { throw graph.fault(.bookkeeping("a region has no owner")) }
    try checkUseCounts()
  }

  private mutating func define(
    _ arguments: [ValueID], in region: RegionID, of record: RegionRecord
  ) throws(VerificationError) {
    for (index, argument) in arguments.enumerated() {
      guard graph.values.find(argument)?.definition == .argument(of: region, index: index) else {
        throw graph.fault(.bookkeeping("argument \(index) does not name its region"))
      }
      places[Int(argument.index)] = (region, position)
      position += 1
    }
    for (label, value) in record.labels where graph.values.find(value)?.name != label {
      throw graph.fault(.bookkeeping("the label '\(label)'"))
    }
  }

  private mutating func checkOperands(of id: NodeID, _ node: NodeRecord, in region: RegionID) throws(VerificationError) {
    guard node.usePositions.count == node.operands.count else { throw graph.fault(.bookkeeping("use positions"), at: id) }
    for (index, operand) in node.operands.enumerated() {
      switch operand {
      case .value(let value):
        guard let record = graph.values.find(value) else { throw graph.fault(.staleOperand(index), at: id) }
        guard let place = places[Int(value.index)] else {
          if (try? graph.region(of: value)) == region {
            throw graph.fault(.usedBeforeDefinition(index, graph.name(of: value)), at: id)
          }
          throw graph.fault(.foreignOperand(index, graph.name(of: value)), at: id)
        }
        guard place.region == region else { throw graph.fault(.foreignOperand(index, graph.name(of: value)), at: id) }
        let use = Int(node.usePositions[index])
        guard use < record.uses.count, record.uses[use] == Use(node: id, operand: index) else {
          throw graph.fault(.bookkeeping("the use list of '\(graph.name(of: value))'"), at: id)
        }
        usesSeen += 1
      case .parameter(let parameter):
        guard graph.parameters.contains(parameter) else { throw graph.fault(.staleParameter(index), at: id) }
      case .literal, .none: break
      }
    }
  }

  /// Every recorded use was met as an operand, so equal totals mean that no list holds more.
  private func checkUseCounts() throws(VerificationError) {
    var total = 0
    var values = 0
    for id in graph.values.ids {
      total += graph.values[id].uses.count
      values += 1
      guard places[Int(id.index)] != nil else {
        throw graph.fault(.bookkeeping("'\(graph.name(of: id))' is defined nowhere"))
      }
    }
    guard total == usesSeen, values == graph.values.count else { throw graph.fault(.bookkeeping("a use list holds erased uses")) }
  }
}
