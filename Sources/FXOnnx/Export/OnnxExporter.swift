internal import COnnx
import FXCore

/// Writes graphs as ONNX models.
///
/// Calls without a counterpart are an error that lists all of them. The newest form of an operator is our own; an older
/// operator set is written in its older forms. Weights are referenced, not copied, until they are written.
public struct OnnxExporter: Sendable {
  public var operators = OnnxOperators.standard
  /// The operator set to write; by default the one the graph was read with, or 21, and a newer one where a call needs it.
  public var operatorSet: Int?
  /// Whether types of intermediate values are written.
  public var includesValueInfos = true

  /// The operator set of graphs that were not read from ONNX: current tools know it.
  public static let defaultOperatorSet = 21

  public init(operatorSet: Int? = nil) { self.operatorSet = operatorSet }

  /// The graph as a model.
  /// - Parameter name: the graph's name in the model; by default its own.
  /// - Throws: `OnnxError` with `.unmapped` listing every call that ONNX cannot express; `.operatorSet` for one that
  ///   cannot be written; `.nestedTooDeep`.
  public func export(_ graph: Graph, name: String? = nil) throws(OnnxError) -> OnnxDocument {
    let graph = try wrapping { () throws(GraphError) in try FusedCalls.expanded(graph) }
    let writer = try GraphWriter(graph, operators: operators, operatorSet: try chooseOperatorSet(graph))
    writer.includesValueInfos = includesValueInfos
    let model = try writer.model(name: name ?? graph.name)
    return OnnxDocument(model, builder: writer.builder)
  }

  private func chooseOperatorSet(_ graph: Graph) throws(OnnxError) -> Int {
    let newest = operators.newest[""] ?? OnnxExporter.defaultOperatorSet
    let allowed = OnnxOperators.oldestWritten...newest
    if let operatorSet {
      guard allowed.contains(operatorSet) else { throw OnnxError(.operatorSet(version: operatorSet, allowed: allowed)) }
      return operatorSet
    }
    let wanted = graph.operatorSets[""] ?? OnnxExporter.defaultOperatorSet
    var needed = max(wanted, OnnxOperators.oldestWritten)
    for (op, _) in graph.operatorCounts {
      guard let row = operators.row(for: op), row.form.domain.isEmpty else { continue }
      needed = max(needed, row.form.since)
      let calls = row.form.laterOperands.isEmpty ? [] : graph.nodes(calling: op)
      for (index, since) in row.form.laterOperands where since > needed {
        if calls.contains(where: { ((try? graph[$0])?.operand(index) ?? .none) != .none }) { needed = since }
      }
      guard let schema = op.schema, !row.form.later.isEmpty else { continue }
      for (name, since) in row.form.later where since > needed {
        let ours = row.form.ours(name)
        let defaultValue = schema.attribute(ours)?.defaultValue
        let isUsed = graph.nodes(calling: op).contains { id in
          guard let value = (try? graph[id])?.attributes[ours] else { return false }
          return value != defaultValue
        }
        if isUsed { needed = since }
      }
    }
    return min(needed, newest)
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
