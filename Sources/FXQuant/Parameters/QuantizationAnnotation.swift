import FXCore

/// What somebody decided of a node before the graph is quantized: parameters of its first result, and whether its weights are
/// quantized.
///
/// Annotations are stored in the graph's metadata by the node's name, so that passes keep them as long as they keep the
/// node, and the text, JSON, binary and ONNX formats carry them.
public struct QuantizationAnnotation: Sendable, Hashable {
  /// The node that the decision is about.
  public let node: NodeID
  /// The parameters of the node's first result; `nil` where calibration finds them.
  public var params: QuantizationParams?
  /// Whether the weights of the node are quantized.
  public var quantizesWeights: Bool

  /// A decision about a node: without parameters calibration finds them, and weights are quantized unless said.
  public init(_ node: NodeID, _ params: QuantizationParams? = nil, quantizesWeights: Bool = true) {
    (self.node, self.params, self.quantizesWeights) = (node, params, quantizesWeights)
  }
}

extension Graph {
  static let annotationPrefix = "fx.quantization."

  /// Stores an annotation, in place of an earlier one of the node. A node without a name gets the one it is called by.
  /// - Throws: `GraphError.stale`.
  public mutating func annotate(_ annotation: QuantizationAnnotation) throws {
    let node = try self[annotation.node]
    let name = name(of: annotation.node)
    // Numbers are given anew when a graph is read; labels stay.
    if let first = node.results.first, node.name == nil { try setUniqueName(name, of: first) }
    metadata[Graph.annotationPrefix + self.name(of: annotation.node)] = annotation.text
  }

  /// The annotations of nodes that are still there, in the order of the nodes. O(nodes).
  /// - Throws: `QuantizationError.annotation` for one that does not read.
  public func quantizationAnnotations() throws -> [QuantizationAnnotation] {
    guard metadata.keys.contains(where: { $0.hasPrefix(Graph.annotationPrefix) }) else { return [] }
    return try allNodes.compactMap { id in
      let name = name(of: id)
      guard let text = metadata[Graph.annotationPrefix + name] else { return nil }
      guard let annotation = QuantizationAnnotation(id, text: text) else {
        throw QuantizationError.annotation(node: name, text: text)
      }
      return annotation
    }
  }

  /// Removes all annotations.
  public mutating func removeQuantizationAnnotations() {
    metadata = metadata.filter { !$0.key.hasPrefix(Graph.annotationPrefix) }
  }
}

extension QuantizationAnnotation {
  /// `weights u8 tensor 0.1 128`: whether weights are quantized, then element type, granularity, scales and zero points.
  var text: String {
    var words = [quantizesWeights ? "weights" : "activations"]
    if let params {
      words.append(params.elementType.rawValue)
      switch params.granularity {
      case .perTensor: words.append("tensor")
      case .perChannel(let axis): words.append("channel:\(axis)")
      case .perBlock(let axis, let size): words.append("block:\(axis):\(size)")
      }
      words.append(params.scales.map(\.description).joined(separator: ","))
      words.append(params.zeroPoints.map(\.description).joined(separator: ","))
    }
    return words.joined(separator: " ")
  }

  init?(_ node: NodeID, text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard let first = words.first, first == "weights" || first == "activations" else { return nil }
    self.init(node, quantizesWeights: first == "weights")
    if words.count == 1 { return }
    guard words.count == 5, let type = ElementType(rawValue: words[1]) else { return nil }
    let parts = words[2].split(separator: ":").map(String.init)
    let numbers = parts.dropFirst().compactMap(Int.init)
    let granularity: QuantizationParams.Granularity
    switch (parts.first, numbers.count) {
    case ("tensor", 0): granularity = .perTensor
    case ("channel", 1): granularity = .perChannel(axis: numbers[0])
    case ("block", 2): granularity = .perBlock(axis: numbers[0], size: numbers[1])
    default: return nil
    }
    let scales = words[3].split(separator: ",").map { Float($0) }
    let zeroPoints = words[4].split(separator: ",").map { Int($0) }
    guard !scales.contains(nil), !zeroPoints.contains(nil) else { return nil }
    guard
      let params = try? QuantizationParams(
        type, scales: scales.compactMap(\.self), zeroPoints: zeroPoints.compactMap(\.self), granularity: granularity)
    else { return nil }
    self.params = params
  }
}
