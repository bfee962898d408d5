import FXCore
import FXPasses
import FXShapes

/// Static quantization after training: ranges come from samples, integers go through the graph.
///
/// ```swift
/// let quantized = try StaticQuantization(executor: CPUBackend()).quantize(model, samples: samples)
/// try exportToOnnx(quantized.graph).saveToFile("model.int8.onnx")
/// print(try quantized.report(on: samples))
/// ```
public struct StaticQuantization: Sendable {
  /// How quantized nodes are written.
  public enum Format: String, Sendable, CaseIterable {
    /// Nodes in floating point between `quantize_linear` and `dequantize_linear`.
    case qdq
    /// Operators on integers where ONNX has them.
    case qoperator
  }

  /// Decides what is quantized and how.
  public var quantizer: any Quantizer
  /// How quantized nodes are written.
  public var format: Format
  /// Changes of the weights in floating point before anything is observed, such as `CrossLayerEqualization`.
  public var preparations: [any Pass]
  /// Whether biases are moved by what the mean of each layer's result is off.
  public var correctsBias: Bool
  /// Whether calibration data in which an input is one number everywhere are used, with a warning, in place of refused.
  public var allowsConstantInputs: Bool
  /// Folds constants and runs the samples; the report of the model runs on it too.
  public var executor: any GraphExecutor

  /// By default the CPU's quantizer, nodes in floating point between casts, no preparations, biases as they are.
  public init(
    quantizer: any Quantizer = CPUQuantizer(), format: Format = .qdq, preparations: [any Pass] = [],
    correctsBias: Bool = false, allowsConstantInputs: Bool = false, executor: any GraphExecutor
  ) {
    (self.quantizer, self.format, self.preparations) = (quantizer, format, preparations)
    (self.correctsBias, self.allowsConstantInputs, self.executor) = (correctsBias, allowsConstantInputs, executor)
  }

  /// The graph that is quantized: types inferred, constants folded, batch normalizations in the weights before them.
  /// - Throws: `PassError`.
  public func prepared(_ graph: Graph) throws -> Graph {
    var graph = graph
    try PassManager.foldingWeights(executor: executor, then: preparations).run(&graph)
    return graph
  }

  /// Quantizes a graph for inputs like the samples.
  /// - Parameter samples: for each sample one tensor per input, in order.
  /// - Throws: `QuantizationError`; `PassError`; what the executor throws.
  public func quantize(_ graph: Graph, samples: [[Tensor]]) throws -> QuantizedModel {
    try CalibrationData.check(samples, for: graph, allowsConstantInputs: allowsConstantInputs)
    let prepared = try prepared(graph)
    let plan = try plan(for: prepared)
    let data = try CalibrationData(
      prepared, samples: samples, values: plan.observedValues(of: prepared), allowsConstantInputs: allowsConstantInputs,
      executor: executor)
    var model = try quantize(prepared, plan, data)
    if correctsBias { try BiasCorrection(executor: executor).apply(to: &model, samples: samples) }
    return try finished(model)
  }

  /// Quantizes a prepared graph with what was observed of it before, and elsewhere perhaps. Biases are not corrected.
  /// - Throws: `QuantizationError`.
  public func quantize(prepared graph: Graph, data: CalibrationData) throws -> QuantizedModel {
    try finished(quantize(graph, plan(for: graph), data))
  }

  /// The quantizer's plan, checked.
  /// - Throws: `QuantizationError.plan`.
  public func plan(for prepared: Graph) throws -> QuantizationPlan {
    let plan = try quantizer.annotate(prepared)
    try plan.check(for: prepared)
    try quantizer.validate(plan, of: prepared)
    return plan
  }

  func quantize(_ graph: Graph, _ plan: QuantizationPlan, _ data: CalibrationData) throws -> QuantizedModel {
    var insertion = QDQInsertion(graph, data)
    try insertion.apply(plan)
    return QuantizedModel(
      graph: insertion.graph, original: graph, plan: plan, activationParams: insertion.found,
      weightParams: insertion.foundWeights, warnings: data.warnings, executor: executor)
  }

  private func finished(_ model: QuantizedModel) throws -> QuantizedModel {
    var model = model
    if format == .qoperator { try IntegerOperatorPass().apply(to: &model.graph) }
    return model
  }
}

extension PassManager {
  /// What makes weights known and complete before they are quantized.
  static func foldingWeights(executor: any GraphExecutor, then more: [any Pass] = []) -> PassManager {
    PassManager(
      [
        ShapeInferencePass(), IdentityEliminationPass(), ConstantFoldingPass(executor: executor, sizeBudget: 64 << 20),
        BatchNormFoldingPass(), DeadCodeEliminationPass(),
      ] + more)
  }
}

extension QuantizationPlan {
  /// The values whose range must be known, in the order of the nodes.
  public func observedValues(of graph: Graph) throws -> [ValueID] {
    var seen: Set<ValueID> = []
    var values: [ValueID] = []
    for entry in nodes {
      let node = try graph[entry.node]
      for index in entry.operands.keys.sorted() {
        guard case .activation? = entry.operands[index], let value = node.operand(index).value else { continue }
        if seen.insert(value).inserted { values.append(value) }
      }
    }
    return values + graph.inputs.filter { !seen.contains($0) }
  }
}

/// A quantized graph beside the one it was made of.
public struct QuantizedModel: Sendable {
  /// The graph that is to be run or exported.
  public internal(set) var graph: Graph
  /// The graph in floating point, prepared. Its nodes and those of the quantized graph have the same ids as far as both
  /// have them.
  public let original: Graph
  /// What was to be quantized, and what stayed and why.
  public let plan: QuantizationPlan
  /// The parameters of values, by value.
  public let activationParams: [ValueID: QuantizationParams]
  /// The parameters of weights, by the node that reads them.
  public let weightParams: [NodeID: QuantizationParams]
  /// What was suspicious in the calibration data; empty where nothing was calibrated.
  public let warnings: [String]
  let executor: any GraphExecutor
}
