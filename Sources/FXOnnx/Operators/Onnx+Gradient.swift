import FXCore

/// `Gradient` names tensors of its graph: what is differentiated, and with respect to which. The region of ours holds what
/// lies between them.
extension OnnxForm {
  static let gradient: [OnnxForm] = [
    OnnxForm(
      "Gradient", domain: "ai.onnx.preview.training", importing: importGradient, exporting: exportGradient)
  ]

  private static func importGradient(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    guard case .strings(let xs)? = call.take("xs") else { throw OnnxError(.missingAttribute("xs")) }
    guard let y = try call.takeString("y") else { throw OnnxError(.missingAttribute("y")) }
    var zs: [String] = []
    if let value = call.take("zs") {
      guard case .strings(let names) = value else { throw OnnxError(.attributeKind("zs", expected: "a list of texts")) }
      zs = names
    }
    guard call.operands.count == xs.count + zs.count else {
      throw OnnxError(
        .attributeValue("xs", reason: "and zs name \(xs.count + zs.count) tensors for \(call.operands.count) inputs"))
    }
    return try call.callGradient(from: xs + zs, of: y, count: xs.count)
  }

  private static func exportGradient(_ call: inout OnnxExportCall) throws(OnnxError) {
    guard let region = call.node.regions.first else { throw OnnxError(.unsupported("it has no region")) }
    let operands = try call.operandNames()
    let count = call.node.results.count
    guard count <= operands.count else { throw OnnxError(.unsupported("it has more results than operands")) }
    var arguments = operands
    for index in 0..<count { arguments[index] = try call.emit("Identity", [operands[index]]) }
    let results = try call.inline(region, arguments)
    guard let y = results.first else { throw OnnxError(.unsupported("its region has no result")) }
    try call.emit(
      "Gradient", domain: "ai.onnx.preview.training", Array(operands[..<count]),
      attributes: ["xs": .strings(Array(arguments[..<count])), "y": .string(y)], outputs: call.results)
  }
}

extension OnnxImportCall {
  /// A `gradient` whose region is what computes `y` from the tensors `names`.
  fileprivate func callGradient(from names: [String], of y: String, count: Int) throws(OnnxError) -> [Operand] {
    guard let row else { throw OnnxError(.unsupported("\(opType) has no row to go by")) }
    var arguments: [Operand] = []
    for name in names { arguments.append(try reader.resolve(name)) }
    let target = try reader.resolve(y)
    let (nodes, captured) = try reader.slice(to: target, from: Set(arguments))
    let node = try reader.append(
      row.op, operands + captured, ["with_respect_to": .int(count)], resultTypes, name: name, location: location)
    guard let region = node.regions.first else { throw OnnxError(.unsupported("\(row.op) has no region")) }
    try wrapping { () throws(GraphError) in
      var copies: [Operand: Operand] = [:]
      for (operand, inside) in zip(operands + captured, arguments + captured) {
        let argument = try reader.graph.addArgument(to: region, reader.graph.type(of: operand))
        if copies[inside] == nil { copies[inside] = .value(argument) }
      }
      for id in nodes {
        let original = try reader.graph[id]
        let copy = try reader.graph.copy(
          id, operands: original.operands.map { copies[$0] ?? $0 }, to: .end(of: region))
        for (value, result) in zip(original.results, try reader.graph[copy].results) { copies[.value(value)] = .value(result) }
      }
      try reader.graph.setResults(of: region, [copies[target] ?? target])
    }
    return node.results.map(Operand.value)
  }
}

extension GraphReader {
  /// The nodes of the frame's region through which `target` depends on `sources`, in execution order, and the other values
  /// that they use.
  fileprivate func slice(
    to target: Operand, from sources: Set<Operand>
  ) throws(OnnxError) -> (nodes: [NodeID], captured: [Operand]) {
    try wrapping { () throws(GraphError) in
      var dependent = sources
      var candidates: [NodeID] = []
      for id in try graph.nodes(in: frame.region) {
        let node = try graph[id]
        // A named tensor is where the slice starts, whatever made it.
        guard node.operands.contains(where: dependent.contains), !node.results.contains(where: { sources.contains(.value($0)) })
        else { continue }
        candidates.append(id)
        for result in node.results { dependent.insert(.value(result)) }
      }
      var needed: Set<Operand> = [target]
      var nodes: [NodeID] = []
      for id in candidates.reversed() {
        let node = try graph[id]
        guard node.results.contains(where: { needed.contains(.value($0)) }) else { continue }
        nodes.append(id)
        needed.formUnion(node.operands)
      }
      nodes.reverse()
      var captured: [Operand] = []
      var seen = dependent
      var used = [target]
      for id in nodes { used += try graph[id].operands }
      for operand in used where operand.value != nil && seen.insert(operand).inserted { captured.append(operand) }
      return (nodes, captured)
    }
  }
}
