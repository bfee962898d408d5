internal import COnnx
import FXCore

/// Builds the messages of a model of a graph.
final class GraphWriter {
  /// A graph message under construction.
  struct Container {
    var nodes: [UnsafeMutablePointer<NodeProto>] = []
    var valueInfos: [UnsafeMutablePointer<ValueInfoProto>] = []
  }

  let graph: Graph
  let operators: OnnxOperators
  private let operatorSets: [String: Int]
  let operatorSet: Int
  let builder: MessageBuilder
  var includesValueInfos = true
  var names = NameTable()
  private var nodeNames = NameTable()
  private var containers: [Container] = []
  private var initializers: [UnsafeMutablePointer<TensorProto>] = []
  private var literals: [String: String] = [:]
  private var domains: Set<String> = [""]
  private var usedParameters: Set<ParameterID> = []
  private var offenders: [OnnxError.Unmapped] = []

  /// Bytes that may be written twice.
  private static let smallConstant = 1024
  /// Each region nests three messages deeper: node, attribute, graph.
  private static let depthLimit = 30

  /// - Parameter operatorSets: the version of each domain to be written; the empty domain's must be among them.
  init(_ graph: Graph, operators: OnnxOperators, operatorSets: [String: Int]) throws(OnnxError) {
    self.graph = graph
    self.operators = operators
    self.operatorSets = operatorSets
    operatorSet = operatorSets[""] ?? OnnxExporter.defaultOperatorSet
    builder = try MessageBuilder()
  }

  // MARK: Model

  func model(name: String) throws(OnnxError) -> UnsafeMutablePointer<ModelProto> {
    let message = try builder.message(fxonnx__model_proto__init)
    message.pointee.graph = try body(name: name)
    guard offenders.isEmpty else { throw OnnxError(.unmapped(offenders)) }
    message.pointee.has_ir_version = 1
    message.pointee.ir_version = GraphWriter.irVersion(operatorSet)
    var opsets: [UnsafeMutablePointer<OperatorSetProto>] = []
    for domain in domains.sorted() {
      let opset = try builder.message(fxonnx__operator_set_id_proto__init)
      opset.pointee.domain = try builder.string(domain)
      opset.pointee.has_version = 1
      opset.pointee.version = Int64(version(of: domain))
      opsets.append(opset)
    }
    message.pointee.opset_import = try builder.messages(opsets)
    message.pointee.n_opset_import = opsets.count
    try ModelMetadata.write(graph, unbound: unboundNames, to: message, builder)
    return message
  }

  private func version(of domain: String) -> Int {
    operatorSets[domain] ?? graph.operatorSets[domain] ?? operators.newest[domain] ?? 1
  }

  /// The IR version with which an operator set came out.
  private static func irVersion(_ operatorSet: Int) -> Int64 {
    switch operatorSet {
    case ...14: 7
    case 15...18: 8
    case 19...20: 9
    case 21...22: 10
    case 23: 11
    case 24: 12
    case 25...27: 13
    default: 14
    }
  }

  // MARK: Graphs

  private func body(name: String) throws(OnnxError) -> UnsafeMutablePointer<GraphProto> {
    let message = try builder.message(fxonnx__graph_proto__init)
    message.pointee.name = try builder.string(name.isEmpty ? "main" : name)
    try nameBody()
    let types = TypeWriter(builder: builder)
    var inputs: [UnsafeMutablePointer<ValueInfoProto>] = []
    for value in graph.inputs {
      let type = graph.type(of: .value(value))
      // ONNX wants a type for every input; untyped tracing is about numbers.
      inputs.append(try valueInfo(names[value] ?? "", type == .unknown ? .tensor(.float32, nil) : type, types))
    }
    containers.append(Container())
    try writeNodes(of: graph.body)
    var outputs: [UnsafeMutablePointer<ValueInfoProto>] = []
    for (operand, name) in zip(graph.outputs, graph.outputNames) {
      if operand.value.map({ self.name(of: $0) }) != name { try copy(operand, to: name) }
      outputs.append(try valueInfo(name, graph.type(of: operand), types))
    }
    // Weights that nothing uses are part of the model; those that older operator sets write as attributes are not.
    usedParameters.formUnion(graph.unusedParameters)
    for id in graph.parameterIDs where usedParameters.contains(id) {
      guard let parameter = try? graph[id], let name = names[id] else { continue }
      if let tensor = parameter.tensor {
        initializers.append(try TensorWriter(builder: builder).message(tensor, name: name))
      } else {
        inputs.append(try types.valueInfo(name, .tensor(parameter.type)))
      }
    }
    try finish(message, inputs, outputs)
    message.pointee.initializer = try builder.messages(initializers)
    message.pointee.n_initializer = initializers.count
    if let doc = graph.metadata[ModelMetadata.graphDocString] { message.pointee.doc_string = try builder.string(doc) }
    let properties = ModelMetadata.graphProperties(graph)
    message.pointee.metadata_props = try builder.entries(properties)
    message.pointee.n_metadata_props = properties.count
    let annotations = try ModelMetadata.annotations(graph, names, builder)
    message.pointee.quantization_annotation = try builder.messages(annotations)
    message.pointee.n_quantization_annotation = annotations.count
    return message
  }

  /// Writes a region as a graph.
  /// - Parameter captured: how many of the region's last arguments stand for `outer`, the owner's last operands.
  func subgraph(
    _ region: RegionID, name: String, captured: Int, outer: [Operand]
  ) throws(OnnxError) -> UnsafeMutablePointer<GraphProto> {
    let message = try openGraph(name: name)
    let types = TypeWriter(builder: builder)
    let arguments = try wrapping { () throws(GraphError) in try graph.arguments(of: region) }
    var inputs: [UnsafeMutablePointer<ValueInfoProto>] = []
    for value in arguments.dropLast(captured) {
      names.set(names.unique(graph.name(of: value)), of: value)
      inputs.append(try types.valueInfo(names[value] ?? "", graph.type(of: .value(value))))
    }
    for (value, operand) in zip(arguments.suffix(captured), outer.suffix(captured)) {
      names.set(try self.name(of: operand), of: value)
    }
    try writeNodes(of: region)
    var outputs: [UnsafeMutablePointer<ValueInfoProto>] = []
    var seen: Set<String> = []
    for (operand, name) in zip(graph.results(of: region), graph.resultNames(of: region)) {
      // A result that is not computed inside, or stands there twice, takes a node of its own.
      var source = ""
      if let value = operand.value, try isResult(value, of: region) { source = self.name(of: value) }
      if source.isEmpty || !seen.insert(source).inserted {
        source = names.unique(name)
        try copy(operand, to: source)
      }
      outputs.append(try types.valueInfo(source, graph.type(of: operand)))
    }
    try finish(message, inputs, outputs)
    return message
  }

  /// Begins a graph inside the one that is being written; `finish` ends it.
  func openGraph(name: String) throws(OnnxError) -> UnsafeMutablePointer<GraphProto> {
    guard containers.count < GraphWriter.depthLimit else {
      throw OnnxError(.nestedTooDeep(limit: GraphWriter.depthLimit))
    }
    let message = try builder.message(fxonnx__graph_proto__init)
    message.pointee.name = try builder.string(name)
    containers.append(Container())
    return message
  }

  /// Adds a node that gives the operand another name: a small constant as itself, so that reading finds it again.
  private func copy(_ operand: Operand, to name: String) throws(OnnxError) {
    if let tensor = try constantTensor(of: operand, in: nil, at: 0), tensor.byteCount <= GraphWriter.smallConstant {
      let value = try AttributeWriter(builder: builder).message("value", .tensor(tensor))
      try emit("Constant", "", [], [value], [name], for: nil)
    } else {
      try emit("Identity", "", [try self.name(of: operand)], [], [name], for: nil)
    }
  }

  private func isResult(_ value: ValueID, of region: RegionID) throws(OnnxError) -> Bool {
    try wrapping { () throws(GraphError) in
      guard try graph.producer(of: value) != nil else { return false }
      return try graph.region(of: value) == region
    }
  }

  func finish(
    _ message: UnsafeMutablePointer<GraphProto>, _ inputs: [UnsafeMutablePointer<ValueInfoProto>],
    _ outputs: [UnsafeMutablePointer<ValueInfoProto>]
  ) throws(OnnxError) {
    let container = containers.removeLast()
    message.pointee.node = try builder.messages(container.nodes)
    message.pointee.n_node = container.nodes.count
    message.pointee.value_info = try builder.messages(container.valueInfos)
    message.pointee.n_value_info = container.valueInfos.count
    message.pointee.input = try builder.messages(inputs)
    message.pointee.n_input = inputs.count
    message.pointee.output = try builder.messages(outputs)
    message.pointee.n_output = outputs.count
  }

  private func valueInfo(
    _ name: String, _ type: ValueType, _ types: TypeWriter
  ) throws(OnnxError) -> UnsafeMutablePointer<ValueInfoProto> {
    let info = try types.valueInfo(name, type)
    if let doc = graph.metadata[ModelMetadata.valueDocString + name] { info.pointee.doc_string = try builder.string(doc) }
    return info
  }

  // MARK: Names

  /// Names of inputs and outputs are the model's interface and come first; everything else gives way.
  private func nameBody() throws(OnnxError) {
    for value in graph.inputs { names.set(graph.name(of: value), of: value) }
    for (operand, name) in zip(graph.outputs, graph.outputNames) {
      names.reserve(name)
      if let value = operand.value, names[value] == nil { names.set(name, of: value) }
    }
    for id in graph.parameterIDs {
      guard let parameter = try? graph[id] else { continue }
      names.set(names.unique(parameter.name), of: id)
    }
  }

  private var unboundNames: [String] {
    graph.parameterIDs.compactMap { id in
      usedParameters.contains(id) && (try? graph[id])?.isBound == false ? names[id] : nil
    }
  }

  func name(of operand: Operand, in node: Node? = nil, at index: Int = 0) throws(OnnxError) -> String {
    switch operand {
    case .none: return ""
    case .value(let value): return name(of: value)
    case .parameter(let parameter):
      usedParameters.insert(parameter)
      return names[parameter] ?? ""
    case .literal(let literal):
      let key = "\(literalType(literal, in: node, at: index).rawValue) \(literal)"
      if let name = literals[key] { return name }
      guard let tensor = try constantTensor(of: operand, in: node, at: index) else { return "" }
      let name = try constant(tensor, name: "literal")
      literals[key] = name
      return name
    }
  }

  private func name(of value: ValueID) -> String {
    if let name = names[value] { return name }
    let name = names.unique(graph.name(of: value))
    names.set(name, of: value)
    return name
  }

  private func literalType(_ literal: Literal, in node: Node?, at index: Int) -> ElementType {
    node?.elementType(ofLiteral: literal, at: index) { graph.type(of: $0).elementType } ?? literal.defaultElementType
  }

  /// The tensor of a bound parameter or a literal.
  func constantTensor(of operand: Operand, in node: Node?, at index: Int) throws(OnnxError) -> Tensor? {
    guard case .literal(let literal) = operand else { return graph.tensor(of: operand) }
    do {
      return try literal.tensor(literalType(literal, in: node, at: index))
    } catch {
      throw OnnxError(.tensor("literal", error))
    }
  }

  func constant(_ tensor: Tensor, name: String) throws(OnnxError) -> String {
    let name = names.unique(name)
    initializers.append(try TensorWriter(builder: builder).message(tensor, name: name))
    return name
  }

  // MARK: Nodes

  func writeNodes(of region: RegionID) throws(OnnxError) {
    for id in try wrapping({ () throws(GraphError) in try graph.nodes(in: region) }) {
      let node = try wrapping { () throws(GraphError) in try graph[id] }
      do throws(OnnxError) {
        try write(node)
      } catch {
        guard case .unsupported(let reason) = error.problem else { throw error.at(node: place(of: node)) }
        offenders.append(.init(op: node.op.description, node: graph.name(of: id), reason: reason))
      }
      try writeValueInfos(of: node)
    }
  }

  private func place(of node: Node) -> OnnxError.Node {
    OnnxError.Node(opType: node.op.description, name: graph.name(of: node.id), output: "")
  }

  private func write(_ node: Node) throws(OnnxError) {
    let row = operators.row(for: node.op)
    let version = row.map { self.version(of: $0.form.domain) } ?? operatorSet
    var call = OnnxExportCall(
      writer: self, row: row, node: node, version: version, results: try resultNames(of: node))
    if let row {
      let (name, domain) = (row.form.opType, row.form.domain.isEmpty ? "" : " of \(row.form.domain)")
      guard row.form.since <= version else {
        throw OnnxError(.unsupported("\(name) needs operator set \(row.form.since)\(domain)"))
      }
      if let last = row.form.last, version > last {
        throw OnnxError(.unsupported("\(name) ended with operator set \(last)\(domain), other calls need \(version)"))
      }
      if let exporting = row.form.exporting { try exporting(&call) } else { try call.emitAsDescribed() }
    } else if node.op.isRegistered {
      throw OnnxError(.unsupported("ONNX has no such operator"))
    } else {
      try writeUnregistered(call)
    }
  }

  private func resultNames(of node: Node) throws(OnnxError) -> [String] {
    var result: [String] = []
    for (index, value) in node.results.enumerated() {
      // One of many may not be left out: ONNX Runtime crashes where a Loop's is.
      let arity = node.op.schema.map { $0.result(index)?.arity ?? .required } ?? .optional
      let uses = try wrapping { () throws(GraphError) in try graph.uses(of: value) }
      let isBlank = arity == .optional && uses.isEmpty && graph.label(of: value) == nil && node.results.count > 1
      result.append(isBlank ? "" : name(of: value))
    }
    return result
  }

  private func writeUnregistered(_ call: OnnxExportCall) throws(OnnxError) {
    let node = call.node
    if GraphReader.normalized(node.op.domain).isEmpty, node.op.version != operatorSet {
      throw OnnxError(.unsupported("it is known by name only, in operator set \(node.op.version)"))
    }
    var attributes: [UnsafeMutablePointer<AttributeProto>] = []
    let attributeWriter = AttributeWriter(builder: builder)
    for entry in node.attributes where entry.name != SubgraphAttribute.names && entry.name != SubgraphAttribute.captures {
      attributes.append(try attributeWriter.message(entry.name, entry.value))
    }
    var captured = 0
    if case .int(let count) = node.attributes[SubgraphAttribute.captures] { captured = max(count, 0) }
    if case .strings(let subgraphNames) = node.attributes[SubgraphAttribute.names] {
      guard subgraphNames.count == node.regions.count else {
        throw OnnxError(.unsupported("its regions and \(SubgraphAttribute.names) disagree"))
      }
      var lists: [(name: String, graphs: [UnsafeMutablePointer<GraphProto>])] = []
      for (name, region) in zip(subgraphNames, node.regions) {
        let graph = try subgraph(region, name: name, captured: captured, outer: node.operands)
        if let last = lists.indices.last, lists[last].name == name {
          lists[last].graphs.append(graph)
        } else {
          lists.append((name, [graph]))
        }
      }
      for list in lists {
        attributes.append(try attributeWriter.message(list.name, list.graphs, isList: list.graphs.count > 1))
      }
    } else if !node.regions.isEmpty {
      throw OnnxError(.unsupported("nothing says which attributes its regions are"))
    }
    let inputs = try call.operandNames().dropLast(captured)
    try emit(node.op.name, GraphReader.normalized(node.op.domain), Array(inputs), attributes, call.results, for: node)
  }

  /// Adds a node; `node` is the call that it is written for, whose label and place it takes.
  func emit(
    _ opType: String, _ domain: String, _ inputs: [String], _ attributes: [UnsafeMutablePointer<AttributeProto>],
    _ outputs: [String], for node: Node?
  ) throws(OnnxError) {
    let message = try builder.message(fxonnx__node_proto__init)
    message.pointee.op_type = try builder.string(opType)
    message.pointee.domain = try builder.optionalString(domain)
    message.pointee.input = try builder.strings(inputs)
    message.pointee.n_input = inputs.count
    message.pointee.output = try builder.strings(outputs)
    message.pointee.n_output = outputs.count
    message.pointee.attribute = try builder.messages(attributes)
    message.pointee.n_attribute = attributes.count
    if let node {
      let isMain = node.results.first.flatMap { names[$0] } == outputs.first || node.results.isEmpty
      // ONNX Runtime refuses a model in which two nodes have one name.
      var entries = node.location.map(NodeLocation.entries) ?? []
      if isMain, let label = node.name, !label.isEmpty {
        message.pointee.name = try builder.string(nodeNames.unique(label))
        if let doc = graph.metadata[ModelMetadata.nodeDocString + label] {
          message.pointee.doc_string = try builder.optionalString(doc)
        }
        entries += graph.metadata[ModelMetadata.nodeProperty + label].map(EntryList.entries) ?? []
        let devices = graph.metadata[ModelMetadata.nodeDevices + label]
        if let kept: UnsafeMutablePointer<NodeProto> = try builder.message(FXONNX_NODE, devices) {
          message.pointee.device_configurations = kept.pointee.device_configurations
          message.pointee.n_device_configurations = kept.pointee.n_device_configurations
        }
      }
      message.pointee.metadata_props = try builder.entries(entries)
      message.pointee.n_metadata_props = entries.count
    }
    domains.insert(domain)
    containers[containers.count - 1].nodes.append(message)
  }

  private func writeValueInfos(of node: Node) throws(OnnxError) {
    guard includesValueInfos else { return }
    for value in node.results {
      let type = graph.type(of: .value(value))
      guard type != .unknown, let name = names[value] else { continue }
      // Outputs have their own entries; two would contradict each other if one changed.
      let uses = try wrapping { () throws(GraphError) in try graph.uses(of: value) }
      if uses.contains(where: { graph.isTerminator($0.node) }) { continue }
      let info = try TypeWriter(builder: builder).valueInfo(name, type)
      if info.pointee.type != nil { containers[containers.count - 1].valueInfos.append(info) }
    }
  }
}
