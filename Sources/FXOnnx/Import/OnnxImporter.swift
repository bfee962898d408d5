internal import COnnx
import FXCore

/// Reads ONNX models as graphs.
///
/// Every operator set is normalised to the newest form; functions are inlined; subgraphs become regions with explicit
/// captures; operators without a row are kept as unregistered operators of their domain. Weights stay in the mapped
/// file. Names, types, doc strings and metadata survive, and so do training information, devices and quantization
/// annotations: what a graph has no place for is in `Graph.metadata` under keys that begin with `onnx.`, from where the
/// exporter writes it again. Left out are what PyTorch writes into nodes for debugging (it becomes their locations),
/// notes on nodes without a name, and notes on tensors, on types and on the graphs inside nodes.
public struct OnnxImporter: Sendable {
  /// The rows by which nodes are read; a program registers its own here.
  public var operators = OnnxOperators.standard
  /// Whether external data may lie outside the model's directory.
  public var allowsExternalDataOutside = false
  /// The most nodes that a model may have with its functions inlined; by default 8,000 and 16 for each that is written,
  /// so that functions which call each other cannot multiply without end.
  public var nodeLimit: Int?

  /// Bytes that the sparse tensors of a model, which become dense, may take beside four times those they are stored in.
  public var denseLimit = OnnxImporter.defaultDenseLimit
  static let defaultDenseLimit = 32 << 20

  /// An importer with the standard rows and limits, which reads external data from the model's directory only.
  public init() {}

  /// Reads the model file at `path`.
  /// - Throws: `OnnxError` that names the file, and the node where there is one.
  public func graph(path: String) throws(OnnxError) -> Graph { try graph(from: OnnxDocument(path: path)) }

  /// Reads a model.
  /// - Throws: `OnnxError` that names the file, and the node where there is one.
  public func graph(from document: OnnxDocument) throws(OnnxError) -> Graph {
    do throws(OnnxError) {
      return try withExtendedLifetime(document) { () throws(OnnxError) in try read(document) }
    } catch {
      guard let path = document.path else { throw error }
      throw error.at(path: path)
    }
  }

  private func read(_ document: OnnxDocument) throws(OnnxError) -> Graph {
    let model = document.model.pointee
    guard let message = model.graph else { throw OnnxError(.noGraph) }
    let opsets = try operatorSets(model)
    let directory = document.path.map { path in
      path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
    let reader = GraphReader(
      model, options: self,
      tensors: TensorReader(
        input: document.input, owner: document,
        externalData: ExternalData(directory: directory, allowsOutside: allowsExternalDataOutside),
        denseBytesLeft: denseLimit))
    let unbound = model.metadata.pairs.first { $0.key == ModelMetadata.unbound }?.value ?? ""
    try reader.readBody(message.pointee, opsets: opsets, unbound: Set(unbound.split(separator: "\n").map(String.init)))
    reader.graph.operatorSets = opsets
    try ModelMetadata.read(model, into: &reader.graph)
    return reader.graph
  }

  func operatorSet(
    _ message: UnsafeMutablePointer<OperatorSetProto>
  ) throws(OnnxError) -> (domain: String, version: Int) {
    let domain = GraphReader.normalized(text(message.pointee.domain))
    let version = Int(message.pointee.version)
    guard version >= 1 else { throw OnnxError(.badOperatorSet(domain: domain, version: version)) }
    if let newest = operators.newest[domain], version > newest {
      throw OnnxError(.operatorSetTooNew(domain: domain, version: version, newest: newest))
    }
    return (domain, version)
  }

  private func operatorSets(_ model: ModelProto) throws(OnnxError) -> [String: Int] {
    var opsets: [String: Int] = [:]
    for opset in model.opsets {
      let (domain, version) = try operatorSet(opset)
      opsets[domain] = version
    }
    // Models of IR version 1 and 2 may leave the list out; the first operator set is meant.
    if opsets.isEmpty { opsets[""] = 1 }
    return opsets
  }
}
