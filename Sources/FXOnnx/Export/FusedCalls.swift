import FXCore

/// Fused operators are ours; ONNX sees the operators that they were made of.
enum FusedCalls {
  private static let prefix = "fused_"

  /// The graph with every call of a fused operator as calls of its base operator, the addition of the residual, and the
  /// activation. The graph itself if there is none.
  /// - Throws: `GraphError` if an operand or attribute does not fit the base operator.
  static func expanded(_ graph: Graph, operators: OperatorTable = .standard) throws(GraphError) -> Graph {
    var result = graph
    for (op, _) in graph.operatorCounts {
      guard op.domain.isEmpty, op.name.hasPrefix(prefix), op.schema?.attribute(FusedActivation.activation.name) != nil,
        let base = operators[String(op.name.dropFirst(prefix.count))]
      else { continue }
      for id in graph.nodes(calling: op) { try expand(id, base, operators, &result) }
    }
    return result
  }

  private static func expand(
    _ id: NodeID, _ base: Operator, _ operators: OperatorTable, _ graph: inout Graph
  ) throws(GraphError) {
    let node = try graph[id]
    let count = base.schema?.operands.count ?? 0
    var attributes = Attributes()
    for entry in node.attributes where base.schema?.attribute(entry.name) != nil { attributes[entry.name] = entry.value }
    var operands = Array(node.operands.prefix(count))
    while operands.last == Operand.none { operands.removeLast() }
    let type = node.results.first.map { graph.type(of: .value($0)) } ?? .unknown
    var value = try graph.call(
      base, operands, attributes: attributes, type: type, at: .before(id), location: node.location)
    if case let residual = node.operand(count), residual != .none {
      value = try graph.call(
        try operators.find("add"), [.value(value), residual], type: type, at: .before(id), location: node.location)
    }
    if let function = FusedActivation.function(named: node[FusedActivation.activation]) {
      value = try activate(value, function, node, type, operators, &graph)
    }
    try graph.replace(id, with: [.value(value)] + node.results.dropFirst().map { _ in .none })
  }

  private static func activate(
    _ value: ValueID, _ function: FusedActivation.Function, _ node: Node, _ type: ValueType, _ operators: OperatorTable,
    _ graph: inout Graph
  ) throws(GraphError) -> ValueID {
    let given = node[FusedActivation.parameters]
    let parameters = given.isEmpty ? function.defaults : given
    var operands: [Operand] = [.value(value)]
    var attributes = Attributes()
    var name = function.name
    switch name {
    case "gelu_tanh":
      name = "gelu"
      attributes["approximate"] = "tanh"
    case "clip": operands += parameters.map { $0.isInfinite ? .none : .literal(.float(Double($0))) }
    default:
      for (key, number) in zip(function.parameterNames, parameters) { attributes[key] = .float(number) }
    }
    while operands.last == Operand.none { operands.removeLast() }
    return try graph.call(
      try operators.find(name), operands, attributes: attributes, type: type, at: .before(node.id), location: node.location)
  }
}
