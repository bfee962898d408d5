internal import COnnx
import FXCore

/// Builds a graph of the messages of a model.
///
/// Names are resolved in frames: the graph, each subgraph, and each function call that is being inlined has one.
final class GraphReader {
  /// Where names have a meaning.
  struct Frame {
    let region: RegionID
    /// Put before labels of values inside inlined functions; empty elsewhere.
    let prefix: String
    /// The subgraphs that lead here, for messages.
    let path: [String]
    var opsets: [String: Int]
    var values: [String: Operand] = [:]
    var infos: [String: UnsafeMutablePointer<ValueInfoProto>] = [:]
    /// Attributes of the function call that is being inlined, which attributes of its body refer to.
    var arguments: [String: UnsafeMutablePointer<AttributeProto>]?
  }

  var graph: Graph
  var tensors: TensorReader
  let options: OnnxImporter
  var frames: [Frame] = []
  let functions: FunctionTable
  var activeFunctions: [FunctionTable.Key] = []
  private var nodesRead = 0
  private let nodeLimit: Int
  private static let attributeLimit = 4096
  private var unregistered: [String: Operator] = [:]

  init(_ model: ModelProto, options: OnnxImporter, tensors: TensorReader) {
    self.options = options
    self.tensors = tensors
    functions = FunctionTable(model.functionMessages)
    nodeLimit = options.nodeLimit ?? 8_000 + 16 * GraphReader.nodeCount(model)
    graph = Graph(name: text(model.graph?.pointee.name))
  }

  /// The nodes that are written in a model, those of subgraphs apart.
  private static func nodeCount(_ model: ModelProto) -> Int {
    (model.graph?.pointee.n_node ?? 0) + model.functionMessages.reduce(0) { $0 + $1.pointee.n_node }
  }

  var frame: Frame {
    _read { yield frames[frames.count - 1] }
    _modify { yield &frames[frames.count - 1] }
  }

  /// What frames inside frames may need of the machine's stack is bounded: as deep as regions may nest.
  private static let depthLimit = Graph.regionDepthLimit

  /// Makes `frame` the innermost one; the caller removes it.
  func enter(_ frame: Frame) throws(OnnxError) {
    guard frames.count < GraphReader.depthLimit else { throw OnnxError(.scopesTooDeep(limit: GraphReader.depthLimit)) }
    frames.append(frame)
  }

  // MARK: Graphs

  /// Reads the graph of the model into the body.
  /// - Parameter unbound: names of the inputs that stand for parameters.
  func readBody(_ message: GraphProto, opsets: [String: Int], unbound: Set<String>) throws(OnnxError) {
    frames = [Frame(region: graph.body, prefix: "", path: [], opsets: opsets)]
    try readInitializers(message)
    for input in message.inputs {
      let name = text(input.pointee.name)
      // Before IR version 4 initializers are listed among the inputs, and later ones may give them a default.
      if frame.values[name]?.parameter != nil { continue }
      let type = try TypeReader.type(input.pointee.type, of: name)
      if unbound.contains(name), let type = type.tensorType {
        let parameter = try wrapping { () throws(GraphError) in try graph.addParameter(name, unbound: type) }
        try define(name, .parameter(parameter))
      } else {
        try define(name, .value(try wrapping { () throws(GraphError) in try graph.addInput(name, type) }))
      }
    }
    try readNodes(message)
    var results: [Operand] = []
    for output in message.outputs { results.append(try resolve(text(output.pointee.name))) }
    let names = message.outputs.map { text($0.pointee.name) }
    try wrapping { () throws(GraphError) in try graph.setResults(of: graph.body, results, names: names) }
    try setOutputTypes(message)
  }

  /// Reads a subgraph into a region, whose arguments become the subgraph's inputs and then the captured values.
  /// - Parameter inputTypes: of the subgraph's inputs, where the message has none.
  func readSubgraph(
    _ message: GraphProto, into region: RegionID, named name: String, captures: Captures, inputTypes: [ValueType] = []
  ) throws(OnnxError) {
    let outer = frame
    try enter(
      Frame(
        region: region, prefix: outer.prefix, path: outer.path + [name], opsets: outer.opsets, arguments: outer.arguments))
    defer { frames.removeLast() }
    for (name, operand) in captures.constants { frame.values[name] = operand }
    try readInitializers(message)
    for (index, input) in message.inputs.enumerated() {
      let name = text(input.pointee.name)
      var type = try TypeReader.type(input.pointee.type, of: name)
      if type == .unknown, index < inputTypes.count { type = inputTypes[index] }
      let value = try wrapping { () throws(GraphError) in try graph.addArgument(to: region, type) }
      try define(name, .value(value))
      _ = try wrapping { () throws(GraphError) in try graph.setUniqueName(frame.prefix + name, of: value) }
    }
    for (name, outerValue) in captures.values {
      let value = try wrapping { () throws(GraphError) in
        let value = try graph.addArgument(to: region, graph.type(of: .value(outerValue)))
        try graph.setUniqueName(graph.name(of: outerValue), of: value)
        return value
      }
      try define(name, .value(value))
    }
    try readNodes(message)
    var results: [Operand] = []
    for output in message.outputs { results.append(try resolve(text(output.pointee.name))) }
    let names = message.outputs.map { Optional(text($0.pointee.name)) }
    try wrapping { () throws(GraphError) in try graph.setResults(of: region, results, names: names) }
    try setOutputTypes(message)
  }

  private func readInitializers(_ message: GraphProto) throws(OnnxError) {
    for info in message.valueInfos { frame.infos[text(info.pointee.name)] = info }
    for initializer in message.initializers {
      let name = text(initializer.pointee.name)
      try define(name, try parameter(try tensors.tensor(initializer.pointee), name))
    }
    for initializer in message.sparseInitializers {
      let name = text(initializer.pointee.values?.pointee.name)
      try define(name, try parameter(try tensors.tensor(initializer.pointee, name: name), name))
    }
  }

  private func parameter(_ tensor: Tensor, _ name: String) throws(OnnxError) -> Operand {
    // Trained numbers are floating-point; integers of a graph are its shapes, axes and indices.
    let role: Parameter.Role = tensor.elementType.isFloatingPoint && !tensor.shape.isEmpty ? .weight : .constant
    let taken = graph.parameter(named: frame.prefix + name) != nil
    if role == .constant || taken { return .parameter(graph.addConstant(tensor, name: frame.prefix + name)) }
    return .parameter(
      try wrapping { () throws(GraphError) in
        try graph.addParameter(frame.prefix + name, tensor, role: role)
      })
  }

  private func setOutputTypes(_ message: GraphProto) throws(OnnxError) {
    for output in message.outputs {
      let name = text(output.pointee.name)
      guard let value = frame.values[name]?.value else { continue }
      let type = try TypeReader.type(output.pointee.type, of: name)
      if type != .unknown, graph.type(of: .value(value)) == .unknown {
        try wrapping { () throws(GraphError) in try graph.setType(of: value, to: type) }
      }
    }
  }

  // MARK: Names

  func resolve(_ name: String) throws(OnnxError) -> Operand {
    guard let operand = frame.values[name] else { throw OnnxError(.undefinedValue(name)) }
    return operand
  }

  func define(_ name: String, _ operand: Operand) throws(OnnxError) {
    guard frame.values.updateValue(operand, forKey: name) == nil else { throw OnnxError(.duplicateValue(name)) }
  }

  /// Gives a node's results the names and types that the model has for them.
  func bind(_ outputs: [String], _ results: [Operand], unlabelled: Set<String> = []) throws(OnnxError) {
    for (name, operand) in zip(outputs, results) where !name.isEmpty {
      try define(name, operand)
      guard case .value(let value) = operand, !unlabelled.contains(name) else { continue }
      try wrapping { () throws(GraphError) in
        // An argument, or a result that has the name of another output already, keeps its name.
        guard case .result(let node, _) = try graph.definition(of: value), try graph[node].region == frame.region,
          graph.label(of: value) == nil
        else { return }
        if frame.prefix.isEmpty {
          try graph.setName(name, of: value)
        } else {
          try graph.setUniqueName(frame.prefix + name, of: value)
        }
      }
    }
  }

  func resultTypes(_ outputs: [String]) throws(OnnxError) -> [ValueType] {
    var types: [ValueType] = []
    types.reserveCapacity(outputs.count)
    for name in outputs {
      if !name.isEmpty, let info = frame.infos[name] {
        types.append(try TypeReader.type(info.pointee.type, of: name))
      } else {
        types.append(.unknown)
      }
    }
    return types
  }

  // MARK: Nodes

  private func readNodes(_ message: GraphProto) throws(OnnxError) {
    for entry in try NodeOrder.entries(message.nodes) {
      do throws(OnnxError) {
        try bind(entry.outputs, try read(entry))
      } catch {
        throw error.at(node: place(of: entry))
      }
    }
  }

  func place(of entry: NodeEntry) -> OnnxError.Node {
    let node = entry.message.pointee
    return OnnxError.Node(
      opType: text(node.op_type), name: text(node.name), output: entry.outputs.first ?? "", path: frame.path)
  }

  /// Makes the calls that stand for a node and returns an operand for each of its outputs.
  func read(_ entry: NodeEntry) throws(OnnxError) -> [Operand] {
    nodesRead += 1
    guard nodesRead <= nodeLimit else { throw OnnxError(.tooManyNodes(limit: nodeLimit)) }
    let node = entry.message.pointee
    let opType = text(node.op_type)
    let domain = GraphReader.normalized(text(node.domain))
    var operands: [Operand] = []
    operands.reserveCapacity(entry.inputs.count)
    for name in entry.inputs { operands.append(name.isEmpty ? .none : try resolve(name)) }

    let key = FunctionTable.Key(domain: domain, name: opType, overload: text(node.overload))
    if let function = functions[key] {
      return try inline(function.pointee, key, entry, operands)
    }
    guard let version = frame.opsets[domain] else { throw OnnxError(.noOperatorSet(domain: domain)) }
    let row = options.operators.row(opType, domain: domain)
    guard node.n_attribute <= GraphReader.attributeLimit else {
      throw OnnxError(.unsupported("more than \(GraphReader.attributeLimit) attributes"))
    }
    var attributes = Attributes()
    var subgraphs: [(name: String, graph: UnsafeMutablePointer<GraphProto>)] = []
    for attribute in node.attributes {
      let name = text(attribute.pointee.name)
      guard let message = try referred(attribute) else { continue }
      if let value = try AttributeReader.value(message.pointee, name: name, tensors: &tensors) {
        attributes[name] = value
      }
      for subgraph in AttributeReader.subgraphs(message.pointee) { subgraphs.append((name, subgraph)) }
    }
    if domain.isEmpty, opType == "Constant" { return [try constant(attributes, entry.outputs.first ?? "")] }
    let types = try resultTypes(entry.outputs)
    let location = NodeLocation.location(node)
    if location?.line ?? 0 == 0, node.doc_string != nil, node.name != nil {
      graph.metadata[ModelMetadata.nodeDocString + text(node.name)] = text(node.doc_string)
    }
    try ModelMetadata.readNode(node, into: &graph)
    var call = OnnxImportCall(
      reader: self, row: row, opType: opType, domain: domain, version: version, name: text(node.name),
      location: location, operands: operands, attributes: attributes,
      resultCount: entry.outputs.count, resultTypes: types, subgraphs: subgraphs)
    guard let row else { return try call.callUnregistered(unregisteredOperator(opType, domain, version)) }
    try call.promoteFormerAttributes(row)
    try row.form.normalize?(&call)
    let results: [Operand]
    if let importing = row.form.importing { results = try importing(&call) } else { results = try call.callAsDescribed() }
    guard results.count >= entry.outputs.count else {
      throw OnnxError(.resultCount(entry.outputs.count, allowed: 0...results.count))
    }
    return results
  }

  /// The attribute, or the one of the enclosing function call that it refers to; `nil` if that call leaves it out.
  private func referred(
    _ attribute: UnsafeMutablePointer<AttributeProto>
  ) throws(OnnxError) -> UnsafeMutablePointer<AttributeProto>? {
    let reference = text(attribute.pointee.ref_attr_name)
    guard !reference.isEmpty else { return attribute }
    guard let arguments = frame.arguments else { throw OnnxError(.attributeReference(reference)) }
    return arguments[reference]
  }

  private func unregisteredOperator(_ opType: String, _ domain: String, _ version: Int) -> Operator {
    let key = "\(domain)::\(opType)"
    if let op = unregistered[key] { return op }
    let op = Operator(unregistered: opType, domain: domain.isEmpty ? "ai.onnx" : domain, version: version)
    unregistered[key] = op
    return op
  }

  func append(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, _ results: [ValueType], name: String,
    location: Location?, regionCount: Int? = nil
  ) throws(OnnxError) -> Node {
    try wrapping { () throws(GraphError) in
      let node = try graph.append(
        op, operands, attributes: attributes, results: results, at: .end(of: frame.region),
        name: name.isEmpty ? nil : name, location: location, regionCount: regionCount)
      return try graph[node]
    }
  }

  /// `ai.onnx` is another name of the default domain.
  static func normalized(_ domain: String) -> String { domain == "ai.onnx" ? "" : domain }
}

/// Runs `body`, with errors of the graph as errors of the import.
func wrapping<Result>(_ body: () throws(GraphError) -> Result) throws(OnnxError) -> Result {
  do {
    return try body()
  } catch {
    throw OnnxError(.graph(error))
  }
}
