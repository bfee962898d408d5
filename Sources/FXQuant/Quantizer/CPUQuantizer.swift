import FXCore

/// The default quantizer, for the CPU backend's integer kernels: products and convolutions with known weights, products of
/// two activations, and what lies between two of them and works on integers just as well (pooling, sums, concatenation,
/// reshaping).
///
/// A value is quantized where a quantized node reads it. A node that only feeds nodes in floating point stays so: integers
/// there would cost accuracy and gain nothing.
public struct CPUQuantizer: Quantizer {
  /// How operands that are computed become integers.
  public var activation: QuantizationSpec
  /// How known weights become integers.
  public var weight: QuantizationSpec
  /// Whether weights have a scale per output channel.
  public var isPerChannel: Bool
  /// Whether known biases become 32-bit integers, as the fused integer kernels take them.
  public var quantizesBias: Bool
  /// Whether products of two activations, as attention has them, are quantized.
  public var quantizesActivationProducts: Bool
  /// Names of nodes that stay in floating point.
  public var excluded: Set<String>

  /// By default `uint8` activations over the range of least error, `int8` weights per channel, and biases in 32 bits.
  public init(
    activation: QuantizationSpec = QuantizationSpec(.uint8, .asymmetric, observer: .meanSquaredError),
    weight: QuantizationSpec = QuantizationSpec(.int8, .symmetric), isPerChannel: Bool = true, quantizesBias: Bool = true,
    quantizesActivationProducts: Bool = true, excluded: Set<String> = []
  ) {
    (self.activation, self.weight, self.isPerChannel) = (activation, weight, isPerChannel)
    (self.quantizesBias, self.quantizesActivationProducts) = (quantizesBias, quantizesActivationProducts)
    self.excluded = excluded
  }

  public func annotate(_ graph: Graph) throws -> QuantizationPlan {
    var plan = QuantizationPlan()
    var quantized: Set<NodeID> = []
    let annotations = Dictionary(
      try graph.quantizationAnnotations().map { ($0.node, $0) }, uniquingKeysWith: { first, _ in first })
    for id in graph.allNodes {
      let node = try graph[id]
      guard let layer = QuantizableLayer(node, in: graph) else { continue }
      if let reason = try reasonToKeep(layer, graph, annotations[id]) {
        plan.kept.append(.init(id, reason))
        continue
      }
      var operands: [Int: OperandQuantization] = [:]
      for index in layer.activations { operands[index] = .activation(activation) }
      if let index = layer.weight {
        operands[index] = .weight(weight, axis: isPerChannel ? layer.channelAxis : nil)
      }
      if quantizesBias, let index = layer.bias, let w = layer.weight, graph.tensor(of: node.operand(index)) != nil {
        operands[index] = .bias(x: 0, w: w)
      }
      plan.nodes.append(NodeQuantization(id, operands: operands))
      quantized.insert(id)
    }
    // From the end: a node between is worth quantizing if all that read it are quantized.
    for id in graph.bodyNodes.reversed() where !quantized.contains(id) {
      let node = try graph[id]
      guard let between = IntegerOperator(node, in: graph), !excluded.contains(graph.name(of: id)) else { continue }
      guard try isRead(node, by: quantized, graph) else { continue }
      quantized.insert(id)
      // An activation right behind what computes its operand is part of that: integers between them would cost accuracy.
      if between.isActivation, let value = node.operands[0].value, try graph.producer(of: value) != nil,
        try graph.uses(of: value).count == 1
      {
        continue
      }
      let operands = Dictionary(uniqueKeysWithValues: between.operands.map { ($0, OperandQuantization.activation(activation)) })
      plan.nodes.append(NodeQuantization(id, operands: operands, sharesParams: between.movesNumbers))
    }
    let order = Dictionary(uniqueKeysWithValues: graph.allNodes.enumerated().map { ($1, $0) })
    plan.nodes.sort { order[$0.node, default: 0] < order[$1.node, default: 0] }
    return plan
  }

  private func reasonToKeep(
    _ layer: QuantizableLayer, _ graph: Graph, _ annotation: QuantizationAnnotation?
  ) throws -> String? {
    let node = layer.node
    if excluded.contains(graph.name(of: node.id)) { return "excluded by name" }
    if let annotation, !annotation.quantizesWeights { return "annotated to keep its weights" }
    if node.region != graph.body { return "it is inside a branch or loop" }
    if layer.weight == nil, !quantizesActivationProducts { return "both operands are computed" }
    for index in layer.activations {
      if let type = graph.type(of: node.operand(index)).elementType, type != .float32 {
        return "operand \(index) is \(type.rawValue), not f32"
      }
    }
    if let index = layer.weight {
      guard graph.type(of: node.operand(index)).elementType == .float32 else { return "its weights are not f32" }
      if graph.type(of: node.operand(index)).shape?.sizes?.contains(0) == true { return "its weights have no elements" }
    }
    return layer.reasonToKeep
  }

  /// Whether quantized nodes alone read a node's only result.
  private func isRead(_ node: Node, by quantized: Set<NodeID>, _ graph: Graph) throws -> Bool {
    guard node.results.count == 1, let result = node.results.first else { return false }
    let uses = try graph.uses(of: result)
    return !uses.isEmpty && uses.allSatisfy { quantized.contains($0.node) }
  }
}
