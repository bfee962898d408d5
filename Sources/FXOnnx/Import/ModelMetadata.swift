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
  /// Names of the inputs that are parameters to which nothing is bound, one a line.
  static let unbound = "fx.unbound_parameters"
  static let prefix = "onnx."

  static func read(_ model: ModelProto, into graph: inout Graph) {
    func note(_ key: String, _ value: String) {
      if !value.isEmpty { graph.metadata[key] = value }
    }
    for (key, value) in model.metadata.pairs where key != unbound { graph.metadata[key] = value }
    note(producerName, text(model.producer_name))
    note(producerVersion, text(model.producer_version))
    note(domain, text(model.domain))
    if model.has_model_version != 0, model.model_version != 0 { note(modelVersion, String(model.model_version)) }
    note(docString, text(model.doc_string))
    guard let message = model.graph?.pointee else { return }
    note(graphDocString, text(message.doc_string))
    for (key, value) in message.metadata.pairs { note(graphProperty + key, value) }
    for info in Array(message.inputs) + Array(message.outputs) {
      note(valueDocString + text(info.pointee.name), text(info.pointee.doc_string))
    }
  }
}

extension ModelMetadata {
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
    var properties = graph.metadata.filter { !$0.key.hasPrefix(prefix) && $0.key != unbound }
      .map { (key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
    if !names.isEmpty { properties.append((unbound, names.joined(separator: "\n"))) }
    model.pointee.metadata_props = try builder.entries(properties)
    model.pointee.n_metadata_props = properties.count
  }
}
