internal import COnnx
import FXCore

/// The facts of a model that a graph keeps in its metadata: the model's own `metadata_props` under their own keys,
/// and the following.
enum ModelMetadata {
  static let producerName = "onnx.producer_name"
  static let producerVersion = "onnx.producer_version"
  static let domain = "onnx.domain"
  static let modelVersion = "onnx.model_version"
  static let docString = "onnx.doc_string"
  static let graphDocString = "onnx.graph.doc_string"
  /// Followed by a key of the graph's `metadata_props`.
  static let graphProperty = "onnx.graph.metadata."
  /// Followed by the name of an input or output.
  static let valueDocString = "onnx.doc_string."
  /// Followed by the name of a node. Stack traces are locations instead.
  static let nodeDocString = "onnx.node.doc_string."
  /// Followed by the name of a node: its `metadata_props`, as `EntryList` writes them. PyTorch's are locations instead.
  static let nodeProperty = "onnx.node.metadata."
  /// Followed by the name of a node: its `device_configurations`, as a `NodeProto` in base64.
  static let nodeDevices = "onnx.node.devices."
  /// Followed by the name of a tensor: its quantization annotation, as `EntryList` writes it.
  static let quantization = "onnx.quantization."
  /// Training information and devices, as a `ModelProto` in base64.
  static let messages = "onnx.messages"
  /// Names of the inputs that are parameters to which nothing is bound, one a line.
  static let unbound = "fx.unbound_parameters"
  static let prefix = "onnx."

  /// - Throws: `OnnxError` if what is kept in messages cannot be packed, or `ShapeFacts` cannot be read.
  static func read(_ model: ModelProto, into graph: inout Graph) throws(OnnxError) {
    func note(_ key: String, _ value: String) {
      if !value.isEmpty { graph.metadata[key] = value }
    }
    for (key, value) in model.metadata.pairs where key != unbound {
      if key == ShapeFacts.key { try ShapeFacts.read(value, into: &graph) } else { graph.metadata[key] = value }
    }
    note(producerName, text(model.producer_name))
    note(producerVersion, text(model.producer_version))
    note(domain, text(model.domain))
    if model.has_model_version != 0, model.model_version != 0 { note(modelVersion, String(model.model_version)) }
    note(docString, text(model.doc_string))
    if model.n_training_info > 0 || model.n_configuration > 0 {
      var kept = ModelProto()
      fxonnx__model_proto__init(&kept)
      (kept.training_info, kept.n_training_info) = (model.training_info, model.n_training_info)
      (kept.configuration, kept.n_configuration) = (model.configuration, model.n_configuration)
      graph.metadata[messages] = try base64(&kept)
    }
    guard let message = model.graph?.pointee else { return }
    for annotation in Messages<Fxonnx__TensorAnnotation>(message.quantization_annotation, message.n_quantization_annotation) {
      let pairs = Messages<EntryProto>(
        annotation.pointee.quant_parameter_tensor_names, annotation.pointee.n_quant_parameter_tensor_names)
      note(quantization + text(annotation.pointee.tensor_name), EntryList.text(pairs.pairs))
    }
    note(graphDocString, text(message.doc_string))
    for (key, value) in message.metadata.pairs { note(graphProperty + key, value) }
    for info in Array(message.inputs) + Array(message.outputs) {
      note(valueDocString + text(info.pointee.name), text(info.pointee.doc_string))
    }
  }
}

extension ModelMetadata {
  /// What node metadata a graph keeps as it is.
  static func readNode(_ node: NodeProto, into graph: inout Graph) throws(OnnxError) {
    guard node.n_metadata_props > 0 || node.n_device_configurations > 0 else { return }
    let name = text(node.name)
    guard !name.isEmpty else { return }
    var pairs: [(key: String, value: String)] = []
    for entry in node.metadata {
      guard let key = entry.pointee.key, !NodeLocation.isDebugging(key) else { continue }
      pairs.append((text(key), text(entry.pointee.value)))
    }
    if !pairs.isEmpty { graph.metadata[nodeProperty + name] = EntryList.text(pairs) }
    guard node.n_device_configurations > 0 else { return }
    var kept = NodeProto()
    fxonnx__node_proto__init(&kept)
    (kept.device_configurations, kept.n_device_configurations) = (node.device_configurations, node.n_device_configurations)
    graph.metadata[nodeDevices + name] = try base64(&kept)
  }

  private static func base64(_ message: UnsafeRawPointer) throws(OnnxError) -> String {
    try Wire.pack(message).withUnsafeBytes { Base64.encode($0) }
  }

  /// The `metadata_props` of the graph message, sorted by key.
  static func graphProperties(_ graph: Graph) -> [(key: String, value: String)] {
    graph.metadata.filter { $0.key.hasPrefix(graphProperty) }
      .map { (key: String($0.key.dropFirst(graphProperty.count)), value: $0.value) }.sorted { $0.key < $1.key }
  }

  /// Writes what `read` keeps.
  static func write(
    _ graph: Graph, unbound names: [String], to model: UnsafeMutablePointer<ModelProto>, _ builder: MessageBuilder
  ) throws(OnnxError) {
    model.pointee.producer_name = try builder.string(graph.metadata[producerName] ?? "swift-fx")
    model.pointee.producer_version = try builder.optionalString(graph.metadata[producerVersion] ?? "")
    model.pointee.domain = try builder.optionalString(graph.metadata[domain] ?? "")
    model.pointee.doc_string = try builder.optionalString(graph.metadata[docString] ?? "")
    if let version = graph.metadata[modelVersion].flatMap({ Int64($0) }) {
      model.pointee.has_model_version = 1
      model.pointee.model_version = version
    }
    var properties = graph.metadata.filter { !$0.key.hasPrefix(prefix) && $0.key != unbound && $0.key != ShapeFacts.key }
      .map { (key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
    if let facts = ShapeFacts.text(of: graph) { properties.append((ShapeFacts.key, facts)) }
    if !names.isEmpty { properties.append((unbound, names.joined(separator: "\n"))) }
    model.pointee.metadata_props = try builder.entries(properties)
    model.pointee.n_metadata_props = properties.count
    guard let kept: UnsafeMutablePointer<ModelProto> = try builder.message(FXONNX_MODEL, graph.metadata[messages]) else {
      return
    }
    (model.pointee.training_info, model.pointee.n_training_info) = (kept.pointee.training_info, kept.pointee.n_training_info)
    (model.pointee.configuration, model.pointee.n_configuration) = (kept.pointee.configuration, kept.pointee.n_configuration)
  }

  /// The quantization annotations of tensors that the written model has.
  static func annotations(
    _ graph: Graph, _ names: NameTable, _ builder: MessageBuilder
  ) throws(OnnxError) -> [UnsafeMutablePointer<Fxonnx__TensorAnnotation>] {
    var messages: [UnsafeMutablePointer<Fxonnx__TensorAnnotation>] = []
    for (key, value) in graph.metadata.sorted(by: { $0.key < $1.key }) where key.hasPrefix(quantization) {
      let (tensor, pairs) = (String(key.dropFirst(quantization.count)), EntryList.entries(value))
      guard names.contains(tensor) else { continue }
      let message = try builder.message(fxonnx__tensor_annotation__init)
      message.pointee.tensor_name = try builder.string(tensor)
      message.pointee.quant_parameter_tensor_names = try builder.entries(pairs)
      message.pointee.n_quant_parameter_tensor_names = pairs.count
      messages.append(message)
    }
    return messages
  }
}
