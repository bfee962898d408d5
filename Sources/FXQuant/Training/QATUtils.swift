import FXCore
import FXPasses
import FXShapes
import Foundation

/// Training with quantization in the loop: the graph computes with rounded numbers while gradients change exact ones.
///
/// ```swift
/// var model = try trace(network, …)                      // scores and loss
/// try QATUtils.prepareQAT(&model, samples: samples, executor: backend)
/// var trainer = try Trainer(QATUtils.trainingStep(model, loss: "loss", optimizer: Adam(learningRate: 1e-3)), on: backend)
/// for batch in batches { try trainer.train(batch.images, batch.labels) }
/// try trainer.apply(to: &model)
/// let quantized = try QATUtils.convertToQuantized(model)
/// ```
public enum QATUtils {
  /// The range of activations of which nothing was observed.
  public static let defaultRange: ClosedRange<Float> = -4...4

  /// Folds batch normalizations into the weights before them and puts fake quantizations (pairs of `quantize_linear` and
  /// `dequantize_linear`) where the quantizer says.
  /// - Parameters:
  ///   - quantizer: by default the CPU backend's, per channel for weights.
  ///   - data: what was observed of the graph's values. Without it, activations begin with `defaultRange`; weights to which
  ///     nothing is bound begin with −1 to 1.
  ///   - learnsScales: whether scales are trained along, as the logarithms `NAME_log_scale`.
  /// - Returns: what is fake-quantized and what is not.
  /// - Throws: `QuantizationError`; `PassError`.
  @discardableResult
  public static func prepareQAT(
    _ graph: inout Graph, quantizer: any Quantizer = CPUQuantizer(), data: CalibrationData? = nil, learnsScales: Bool = true
  ) throws -> QuantizationPlan {
    var prepared = graph
    try fold(&prepared)
    return try insert(&graph, prepared, quantizer, data, learnsScales)
  }

  /// As above, with the ranges of samples.
  /// - Parameter samples: for each sample one tensor per input, in order.
  /// - Throws: what the executor throws besides.
  @discardableResult
  public static func prepareQAT(
    _ graph: inout Graph, quantizer: any Quantizer = CPUQuantizer(), samples: [[Tensor]], executor: any GraphExecutor,
    learnsScales: Bool = true
  ) throws -> QuantizationPlan {
    try CalibrationData.check(samples, for: graph)
    var prepared = graph
    try fold(&prepared)
    let observed = try quantizer.annotate(prepared).observedValues(of: prepared)
    let data = try CalibrationData(prepared, samples: samples, values: observed, executor: executor)
    return try insert(&graph, prepared, quantizer, data, learnsScales)
  }

  /// One step of training of a prepared graph, gradients going straight through rounding.
  /// - Parameters:
  ///   - loss: the output that is minimized, one number.
  ///   - parameters: the weights that are trained; all of them by default, scales included.
  /// - Throws: what `TrainingStep` throws.
  public static func trainingStep(
    _ graph: Graph, loss: String, parameters: [String]? = nil, optimizer: any Optimizer
  ) throws -> TrainingStep {
    var graph = graph
    try FakeQuantizationPass().apply(to: &graph)
    return try TrainingStep(
      graph, loss: loss, parameters: parameters, optimizer: optimizer, differentiation: .straightThrough)
  }

  /// The prepared graph with integers for weights and biases, and scales that are numbers: standard QDQ, as
  /// `StaticQuantization` writes it. Weights to which nothing is bound stay fake-quantized.
  /// - Throws: `TensorError`; `GraphError`.
  public static func convertToQuantized(_ graph: Graph) throws -> Graph {
    var graph = graph
    try fixScales(&graph)
    for id in graph.bodyNodes where graph.contains(id) {
      let node = try graph[id]
      guard node.op == .quantizeLinear, let parameter = node.operands[0].parameter, let tensor = try graph[parameter].tensor,
        let params = try QuantizationParams(of: node, in: graph)
      else { continue }
      let integers = graph.addConstant(try params.quantize(tensor), name: try graph[parameter].name + "_quantized")
      try graph.replace(id, with: [.parameter(integers)])
    }
    for id in graph.bodyNodes {
      let node = try graph[id]
      guard [.conv, .linear, .gemm].contains(node.op), let x = try graph.scales(of: node.operand(0)), x.count == 1,
        let w = try graph.scales(of: node.operand(1))
      else { continue }
      try graph.quantizeBias(2, of: id, weightScales: w, inputScale: x[0])
    }
    graph.removeUnusedParameters()
    return graph
  }

  // MARK: Steps

  private static func fold(_ graph: inout Graph) throws {
    try ShapeInference().run(&graph)
    for id in graph.nodes(calling: .batchNormalization) {
      let node = try graph[id]
      // Statistics move no more: they are in the weights.
      guard node[BatchNormalization.trainingMode] else { continue }
      let unused = try node.results.indices.dropFirst().filter { try graph.uses(of: node.results[$0]).isEmpty }
      guard unused.count == node.results.count - 1 else { continue }
      try graph.removeResults(of: id, at: Set(unused))
      var attributes = node.attributes
      attributes[BatchNormalization.trainingMode] = false
      try graph.setAttributes(of: id, to: attributes)
    }
    try PassManager([ShapeInferencePass(), IdentityEliminationPass(), BatchNormFoldingPass()]).run(&graph)
  }

  private static func insert(
    _ graph: inout Graph, _ prepared: Graph, _ quantizer: any Quantizer, _ data: CalibrationData?, _ learnsScales: Bool
  ) throws -> QuantizationPlan {
    var prepared = prepared
    let plan = try quantizer.annotate(prepared)
    try plan.check(for: prepared)
    try quantizer.validate(plan, of: prepared)
    for entry in plan.nodes { try trainBias(of: entry.node, &prepared) }
    var insertion = QDQInsertion(
      prepared, data ?? CalibrationData(), weights: .rounded(learnsScales: learnsScales),
      fallback: data == nil ? defaultRange : nil)
    try insertion.apply(plan)
    graph = insertion.graph
    graph.removeUnusedParameters()
    return plan
  }

  /// What folding a batch normalization left as a constant is a bias like any other.
  private static func trainBias(of id: NodeID, _ graph: inout Graph) throws {
    let node = try graph[id]
    guard node.op != .matmul, let bias = node.operand(2).parameter, try graph[bias].role == .constant,
      let tensor = try graph[bias].tensor, tensor.elementType == .float32, tensor.shape.count == 1
    else { return }
    let trained = try graph.addTrained(tensor, name: try graph[bias].name + "_trained")
    try graph.setOperand(2, of: id, to: .parameter(trained))
  }

  /// Puts numbers in the place of trained scales.
  private static func fixScales(_ graph: inout Graph) throws {
    for id in graph.bodyNodes where graph.contains(id) {
      let node = try graph[id]
      guard node.op == .exp, let parameter = node.operands[0].parameter, let tensor = try graph[parameter].tensor else {
        continue
      }
      let uses = try graph.uses(of: node.results[0])
      let isScale = try uses.allSatisfy { use in
        guard !graph.isTerminator(use.node), use.operand == 1 else { return false }
        return [.quantizeLinear, .dequantizeLinear].contains(try graph[use.node].op)
      }
      guard isScale, !uses.isEmpty else { continue }
      let scales = try Tensor(
        .float32, tensor.shape, numbers: .floats(tensor.numbers().doubles.map { Foundation.exp($0) }))
      let name = try graph[parameter].name.replacingOccurrences(of: "_log_scale", with: "_scale")
      let constant = graph.addConstant(scales, name: name)
      try graph.replace(id, with: [.parameter(constant)])
    }
  }
}

extension QuantizationParams {
  /// The parameters that a `quantize_linear` or `dequantize_linear` with known scales has; `nil` for others.
  init?(of node: Node, in graph: Graph) throws {
    guard let scales = graph.tensor(of: node.operand(1)), let zeroPoints = graph.tensor(of: node.operand(2)),
      QuantizationParams.elementTypes.contains(zeroPoints.elementType), node[Quantize.blockSize] == 0, scales.shape.count <= 1
    else { return nil }
    try self.init(
      zeroPoints.elementType, scales: scales.elements(Float.self), zeroPoints: zeroPoints.numbers().doubles.map { Int($0) },
      granularity: scales.shape.isEmpty ? .perTensor : .perChannel(axis: node[Quantize.axis]))
  }
}

extension Graph {
  /// The scales of the `dequantize_linear` that an operand is the result of.
  fileprivate func scales(of operand: Operand) throws -> [Float]? {
    guard let value = operand.value, let id = try producer(of: value), case let node = try self[id],
      node.op == .dequantizeLinear
    else { return nil }
    return try tensor(of: node.operand(1))?.elements(Float.self)
  }
}
