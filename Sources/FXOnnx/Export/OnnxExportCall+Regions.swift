internal import COnnx
import FXCore

extension OnnxExportCall {
  /// The attribute `name` as a number of operands, 0 where there is none.
  func count(_ name: String) -> Int {
    if case .int(let value) = node.attributes[name] { min(max(value, 0), node.operands.count) } else { 0 }
  }

  /// Adds an ONNX node whose subgraphs are the call's regions, in order.
  /// - Parameters:
  ///   - names: the subgraphs' attributes; `nil` for a region that is not written.
  ///   - captured: how many of the last operands are captured values.
  func emit(
    _ opType: String, domain: String = "", _ inputs: [String], named names: [String?], captured: Int,
    attributes: Attributes = [:]
  ) throws(OnnxError) {
    guard names.count == node.regions.count else { throw OnnxError(.unsupported("it has \(node.regions.count) regions")) }
    let attributeWriter = AttributeWriter(builder: writer.builder)
    var messages: [UnsafeMutablePointer<AttributeProto>] = []
    for entry in attributes { messages.append(try attributeWriter.message(entry.name, entry.value)) }
    for (name, region) in zip(names, node.regions) {
      guard let name else { continue }
      let graph = try writer.subgraph(
        region, name: "\(results.first ?? "")_\(name)", captured: max(captured, 0), outer: node.operands)
      messages.append(try attributeWriter.message(name, [graph], isList: false))
    }
    var inputs = inputs
    while inputs.last == "" { inputs.removeLast() }
    try writer.emit(opType, domain, inputs, messages, results, for: node)
  }

  /// Whether the region does nothing but return its first argument.
  func isIdentity(_ region: RegionID) throws(OnnxError) -> Bool {
    try wrapping { () throws(GraphError) in
      guard let first = try writer.graph.arguments(of: region).first else { return false }
      return writer.graph.results(of: region) == [.value(first)]
    }
  }

  /// Writes a region's nodes in place, its arguments being the values called `arguments`, and returns the results' names.
  func inline(_ region: RegionID, _ arguments: [String]) throws(OnnxError) -> [String] {
    try writer.inline(region, arguments)
  }

  /// Adds a Loop without trip count.
  /// - Parameters:
  ///   - condition: the name of the value that says whether the first iteration runs.
  ///   - body: writes an iteration over the states' names, and returns the names of the next condition and states.
  func emitLoop(
    _ condition: [String], _ states: [String], _ body: ([String]) throws(OnnxError) -> [String]
  ) throws(OnnxError) {
    let types = node.operands.prefix(states.count).map { type(of: $0) }
    let graph = try writer.loopBody(name: "\(results.first ?? "")_body", stateTypes: types, body)
    let attribute = try AttributeWriter(builder: writer.builder).message("body", [graph], isList: false)
    try writer.emit("Loop", "", [""] + condition.prefix(1) + states, [attribute], results, for: node)
  }
}

extension GraphWriter {
  func inline(_ region: RegionID, _ arguments: [String]) throws(OnnxError) -> [String] {
    // A region may be written more than once, under new names each time.
    try forgetNames(in: region)
    let values = try wrapping { () throws(GraphError) in try graph.arguments(of: region) }
    guard values.count == arguments.count else {
      throw OnnxError(.unsupported("a region has \(values.count) arguments, \(arguments.count) are given"))
    }
    for (value, name) in zip(values, arguments) { names.set(name, of: value) }
    try writeNodes(of: region)
    var results: [String] = []
    for operand in graph.results(of: region) { results.append(try name(of: operand)) }
    return results
  }

  private func forgetNames(in region: RegionID) throws(OnnxError) {
    try wrapping { () throws(GraphError) in
      var pending = [region]
      while let region = pending.popLast() {
        for value in try graph.arguments(of: region) { names.forget(value) }
        for id in try graph.nodes(in: region) {
          let node = try graph[id]
          for value in node.results { names.forget(value) }
          pending += node.regions
        }
      }
    }
  }

  /// The body of a Loop: iteration number, condition and states in, condition and states out.
  func loopBody(
    name: String, stateTypes: [ValueType], _ body: ([String]) throws(OnnxError) -> [String]
  ) throws(OnnxError) -> UnsafeMutablePointer<GraphProto> {
    let message = try openGraph(name: name)
    let types = TypeWriter(builder: builder)
    var inputs = [
      try types.valueInfo(names.unique("\(name)_iteration"), .tensor(.int64, [])),
      try types.valueInfo(names.unique("\(name)_condition"), .tensor(.bool, [])),
    ]
    var states: [String] = []
    for type in stateTypes {
      let state = names.unique("\(name)_state")
      states.append(state)
      inputs.append(try types.valueInfo(state, type.tensorType.map { .tensor($0.elementType, nil) } ?? type))
    }
    var outputs: [UnsafeMutablePointer<ValueInfoProto>] = []
    for (index, source) in try body(states).enumerated() {
      let copy = names.unique("\(name)_next")
      try emit("Identity", "", [source], [], [copy], for: nil)
      let type: ValueType = index == 0 ? .tensor(.bool, []) : stateTypes[min(index - 1, stateTypes.count - 1)]
      outputs.append(try types.valueInfo(copy, type.tensorType.map { .tensor($0.elementType, nil) } ?? type))
    }
    try finish(message, inputs, outputs)
    return message
  }
}
