internal import COnnx
import FXCore

/// What the subgraphs of a node use of the frame around it.
struct Captures {
  /// Values, which become operands of the node and arguments of its regions.
  var values: [(name: String, value: ValueID)] = []
  /// Parameters and absent operands, which regions see as they are.
  var constants: [(name: String, operand: Operand)] = []

  var operands: [Operand] { values.map { .value($0.value) } }
}

extension GraphReader {
  /// - Throws: `OnnxError` with `.undefinedValue` for a name that no frame knows.
  func captures(of subgraphs: [UnsafeMutablePointer<GraphProto>]) throws(OnnxError) -> Captures {
    var captures = Captures()
    var seen: Set<String> = []
    for subgraph in subgraphs {
      for name in NodeOrder.freeNames(subgraph.pointee) where seen.insert(name).inserted {
        let operand = try resolve(name)
        if case .value(let value) = operand {
          captures.values.append((name, value))
        } else {
          captures.constants.append((name, operand))
        }
      }
    }
    return captures
  }
}

/// What the exporter needs to know of an unregistered call with regions; no ONNX attribute can be called so.
enum SubgraphAttribute {
  /// The attributes that the regions stood in, in order.
  static let names = "onnx.subgraphs"
  /// How many of the last operands, and of every region's last arguments, are captured values.
  static let captures = "onnx.captures"
}

extension OnnxImportCall {
  /// A call of an operator that no row knows, which keeps what the node has.
  func callUnregistered(_ op: Operator) throws(OnnxError) -> [Operand] {
    guard !subgraphs.isEmpty else { return try call(op, operands, attributes: attributes, results: resultTypes) }
    let captures = try reader.captures(of: subgraphs.map(\.graph))
    var attributes = attributes
    attributes[SubgraphAttribute.names] = .strings(subgraphs.map(\.name))
    attributes[SubgraphAttribute.captures] = .int(captures.values.count)
    return try callWithRegions(
      op, operands, captures, attributes: attributes, regionCount: subgraphs.count, order: Array(subgraphs.indices))
  }

  /// The row's call with a region for each of the subgraphs called `names`, in that order.
  func callWithRegions(
    _ operands: [Operand], named names: [String], inputTypes: [ValueType] = []
  ) throws(OnnxError) -> [Operand] {
    guard let row else { throw OnnxError(.unsupported("\(opType) has no row to go by")) }
    var order: [Int] = []
    for name in names {
      guard let index = subgraphs.firstIndex(where: { $0.name == name }) else { throw OnnxError(.missingAttribute(name)) }
      order.append(index)
    }
    let captures = try reader.captures(of: order.map { subgraphs[$0].graph })
    return try callWithRegions(
      row.op, operands, captures, attributes: try schemaAttributes(row), order: order, inputTypes: inputTypes)
  }

  /// The row's call with a region for each of `names`: the subgraph of that name, or where there is none a region that
  /// returns its first argument.
  /// - Parameter argument: the type of the first argument where the model does not say it.
  func callWithOptionalRegions(
    _ operands: [Operand], named names: [String], argument: ValueType
  ) throws(OnnxError) -> [Operand] {
    guard let row else { throw OnnxError(.unsupported("\(opType) has no row to go by")) }
    let order = names.map { name in subgraphs.firstIndex { $0.name == name } }
    let captures = try reader.captures(of: order.compactMap { $0 }.map { subgraphs[$0].graph })
    let node = try reader.append(
      row.op, operands + captures.operands, try schemaAttributes(row), resultTypes, name: name, location: location)
    for (region, index) in zip(node.regions, order) {
      if let index {
        let subgraph = subgraphs[index]
        try reader.readSubgraph(
          subgraph.graph.pointee, into: region, named: "\(name.isEmpty ? opType : name).\(subgraph.name)",
          captures: captures, inputTypes: [argument])
        continue
      }
      try wrapping { () throws(GraphError) in
        let first = try reader.graph.addArgument(to: region, argument)
        for capture in captures.values {
          _ = try reader.graph.addArgument(to: region, reader.graph.type(of: .value(capture.value)))
        }
        try reader.graph.setResults(of: region, [.value(first)])
      }
    }
    return node.results.map(Operand.value)
  }

  /// A call with a region for each subgraph.
  /// - Parameter inputTypes: types of the subgraphs' inputs where the model has none.
  private func callWithRegions(
    _ op: Operator, _ operands: [Operand], _ captures: Captures, attributes: Attributes, regionCount: Int? = nil,
    order: [Int], inputTypes: [ValueType] = []
  ) throws(OnnxError) -> [Operand] {
    let node = try reader.append(
      op, operands + captures.operands, attributes, resultTypes, name: name, location: location, regionCount: regionCount)
    for (region, index) in zip(node.regions, order) {
      let subgraph = subgraphs[index]
      try reader.readSubgraph(
        subgraph.graph.pointee, into: region, named: "\(name.isEmpty ? opType : name).\(subgraph.name)",
        captures: captures, inputTypes: inputTypes)
    }
    return node.results.map(Operand.value)
  }

  /// A call of `op` whose region holds another call of `op`, whose region is the subgraph. All operands go to both.
  /// - Parameter prepare: what the inner call takes in place of the region's arguments, captures apart, and what the region
  ///   gives in place of the inner call's results.
  mutating func callNested(
    _ op: Operator, _ outerAttributes: Attributes, _ innerAttributes: Attributes, subgraph name: String,
    _ prepare: (inout OnnxImportCall, [Operand]) throws(OnnxError) -> (
      operands: [Operand], restore: ([Operand]) throws(OnnxError) -> [Operand]
    )
  ) throws(OnnxError) -> [Operand] {
    guard let subgraph = subgraphs.first(where: { $0.name == name })?.graph else { throw OnnxError(.missingAttribute(name)) }
    let captures = try reader.captures(of: [subgraph])
    let outer = try reader.append(
      op, operands + captures.operands, outerAttributes, resultTypes, name: self.name, location: location)
    guard let region = outer.regions.first else { throw OnnxError(.unsupported("\(op) has no region")) }
    let results = try reader.inRegion(region) { () throws(OnnxError) in
      var arguments: [ValueID] = []
      for _ in 0..<(operands.count + captures.values.count) {
        arguments.append(try wrapping { () throws(GraphError) in try reader.graph.addArgument(to: region) })
      }
      let innerCaptures = Captures(
        values: zip(captures.values, arguments.suffix(captures.values.count)).map { ($0.name, $1) },
        constants: captures.constants)
      let own = arguments.dropLast(captures.values.count).map(Operand.value)
      let prepared = try prepare(&self, own)
      let inner = try reader.append(
        op, prepared.operands + innerCaptures.operands, innerAttributes, resultTypes.map { _ in .unknown }, name: "",
        location: location)
      guard let body = inner.regions.first else { throw OnnxError(.unsupported("\(op) has no region")) }
      try reader.readSubgraph(subgraph.pointee, into: body, named: "\(self.name).\(name)", captures: innerCaptures)
      return try prepared.restore(inner.results.map(Operand.value))
    }
    try wrapping { () throws(GraphError) in try reader.graph.setResults(of: region, results) }
    return outer.results.map(Operand.value)
  }
}

extension GraphReader {
  /// Makes calls in `region` while `body` runs.
  func inRegion<Result>(_ region: RegionID, _ body: () throws(OnnxError) -> Result) throws(OnnxError) -> Result {
    let outer = frame
    try enter(
      Frame(region: region, prefix: outer.prefix, path: outer.path, opsets: outer.opsets, arguments: outer.arguments))
    defer { frames.removeLast() }
    return try body()
  }
}
