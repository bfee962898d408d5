internal import COnnx
import FXCore

/// Writes graphs as ONNX models.
///
/// Calls without a counterpart are an error that lists all of them. The newest form of an operator is our own; an older
/// operator set is written in its older forms. Weights are referenced, not copied, until they are written.
public struct OnnxExporter: Sendable {
  /// The rows by which calls are written; a program registers its own here.
  public var operators = OnnxOperators.standard
  /// The operator set to write; by default the one the graph was read with, or 21, and a newer one where a call needs it.
  public var operatorSet: Int?
  /// Whether types of intermediate values are written.
  public var includesValueInfos = true

  /// The operator set of graphs that were not read from ONNX: current tools know it.
  public static let defaultOperatorSet = 21

  /// An exporter with the standard rows.
  /// - Parameter operatorSet: the default domain's operator set to write: see the property.
  public init(operatorSet: Int? = nil) { self.operatorSet = operatorSet }

  /// The graph as a model.
  /// - Parameter name: the graph's name in the model; by default its own.
  /// - Throws: `OnnxError` with `.unmapped` listing every call that ONNX cannot express; `.operatorSet` for one that
  ///   cannot be written; `.nestedTooDeep`.
  public func export(_ graph: Graph, name: String? = nil) throws(OnnxError) -> OnnxDocument {
    let graph = try wrapping { () throws(GraphError) in try FusedCalls.expanded(graph) }
    let choice = OperatorSetChoice(operators: operators, wanted: operatorSet)
    let writer = try GraphWriter(graph, operators: operators, operatorSets: try choice.operatorSets(for: graph))
    writer.includesValueInfos = includesValueInfos
    let model = try writer.model(name: name ?? graph.name)
    return OnnxDocument(model, builder: writer.builder)
  }

}

/// The graph as an ONNX model: see `OnnxExporter`.
/// - Throws: `OnnxError`.
public func exportToOnnx(_ graph: Graph, name: String? = nil) throws(OnnxError) -> OnnxDocument {
  try OnnxExporter().export(graph, name: name)
}

extension Graph {
  /// The ONNX model of the graph in protobuf's JSON form, weights included in base64: see `OnnxDocument.json`.
  /// - Throws: `OnnxError`.
  public func toOnnxJSON() throws(OnnxError) -> String { try exportToOnnx(self).json() }
}
