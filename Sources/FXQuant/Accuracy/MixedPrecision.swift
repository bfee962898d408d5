import FXCore
import FXPasses

/// Leaves layers in floating point, those of the least signal to noise first, until a measure of the model keeps a budget.
///
/// Layers are ordered by their own ratio, measured with exact operands. The number that stay is found by bisection, so that
/// the model is measured O(log layers) times, and then layers that need not have stayed are quantized again one by one.
public struct MixedPrecision: Sendable {
  /// How the layers that do not stay are quantized.
  public var quantization: StaticQuantization
  /// How much worse the measure may be than that of the model in floating point.
  public var maximumDrop: Double
  /// How good a graph is; greater is better.
  public var measure: @Sendable (Graph) throws -> Double

  /// A search for the layers to keep.
  /// - Parameters:
  ///   - quantization: how the other layers are quantized.
  ///   - maximumDrop: how much less than in floating point the measure may be, in its own unit.
  ///   - measure: how good a graph is, greater being better; called for the prepared graph and for each attempt.
  public init(
    _ quantization: StaticQuantization, maximumDrop: Double, measure: @escaping @Sendable (Graph) throws -> Double
  ) {
    (self.quantization, self.maximumDrop, self.measure) = (quantization, maximumDrop, measure)
  }

  /// What was found.
  public struct Result: Sendable {
    /// The quantized model that keeps the budget.
    public let model: QuantizedModel
    /// The measure of the prepared graph in floating point.
    public let original: Double
    /// The measure with all layers quantized.
    public let full: Double
    /// The measure of `model`.
    public let final: Double
    /// The layers that stay in floating point, the worst first.
    public let kept: [String]
  }

  /// - Throws: what `StaticQuantization.quantize` throws; `QuantizationError.option` if not even the model without a
  ///   quantized layer keeps the budget, which is a measure that varies.
  public func quantize(_ graph: Graph, samples: [[Tensor]]) throws -> Result {
    let allowsConstantInputs = quantization.allowsConstantInputs
    try CalibrationData.check(samples, for: graph, allowsConstantInputs: allowsConstantInputs)
    let prepared = try quantization.prepared(graph)
    let plan = try quantization.plan(for: prepared)
    let data = try CalibrationData(
      prepared, samples: samples, values: plan.observedValues(of: prepared), allowsConstantInputs: allowsConstantInputs,
      executor: quantization.executor)
    let target = try measure(prepared) - maximumDrop
    func model(without kept: Set<NodeID>) throws -> (QuantizedModel, Double) {
      let part = plan.excluding("it would cost more accuracy than the budget allows", where: kept.contains)
      var model = try quantization.quantize(prepared, part, data)
      if quantization.correctsBias { try BiasCorrection(executor: quantization.executor).apply(to: &model, samples: samples) }
      return (model, try measure(model.graph))
    }
    let (whole, full) = try model(without: [])
    if full >= target { return try result(whole, target + maximumDrop, full, full, []) }
    let report = try whole.report(on: samples)
    let order = zip(try plan.nodes.filter { try !prepared[$0.node].results.isEmpty }.map(\.node), report.layers)
      .sorted { $0.1.own.decibels < $1.1.own.decibels }.map(\.0)
    var (low, high) = (0, order.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if try model(without: Set(order[..<middle])).1 >= target { high = middle } else { low = middle }
    }
    var kept = Array(order[..<high])
    // The bisection takes the order for the truth: some of the layers that stayed may not matter.
    for node in kept.reversed().prefix(16) where kept.count > 1 {
      let fewer = kept.filter { $0 != node }
      if try model(without: Set(fewer)).1 >= target { kept = fewer }
    }
    let (best, final) = try model(without: Set(kept))
    guard final >= target else {
      throw QuantizationError.option("the budget is missed with no layer quantized: the measure varies from run to run")
    }
    return try result(best, target + maximumDrop, full, final, kept)
  }

  private func result(
    _ model: QuantizedModel, _ original: Double, _ full: Double, _ final: Double, _ kept: [NodeID]
  ) throws -> Result {
    var model = model
    if quantization.format == .qoperator { try IntegerOperatorPass().apply(to: &model.graph) }
    return Result(
      model: model, original: original, full: full, final: final, kept: kept.map { model.original.name(of: $0) })
  }
}
