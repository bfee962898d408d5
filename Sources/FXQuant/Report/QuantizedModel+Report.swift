import FXCore

extension QuantizedModel {
  /// Runs both graphs on samples and compares them layer by layer.
  /// - Throws: `QuantizationError.calibration` for samples that are no use; what the executor throws.
  public func report(on samples: [[Tensor]]) throws -> QuantizationReport {
    try CalibrationData.check(samples, for: original)
    var layers: [(entry: NodeQuantization, result: ValueID, isThere: Bool)] = []
    for entry in plan.nodes {
      guard let result = try original[entry.node].results.first else { continue }
      // Integer operators and fusions take results away; the layer's own error is measured all the same.
      layers.append((entry, result, graph.contains(result) && graph.type(of: .value(result)).elementType == .float32))
    }
    let own = try LocalErrors(self, layers: layers.map { ($0.entry, $0.result) })
    let reference = try ObservedRun(original, values: layers.map(\.result), executor: executor)
    let there = layers.filter(\.isThere).map(\.result)
    let quantized = try ObservedRun(graph, values: there, executor: executor)
    var accumulated: [ValueID: SignalToNoise] = [:]
    var alone = Array(repeating: SignalToNoise(), count: layers.count)
    var outputs = original.outputNames.map { (name: $0, ratio: SignalToNoise()) }
    for sample in samples {
      let exact = try reference.runAll(sample)
      let exactByValue = Dictionary(exact.observed, uniquingKeysWith: { first, _ in first })
      let rounded = try quantized.runAll(sample)
      for (value, tensor) in rounded.observed {
        if let x = exactByValue[value] { try accumulated[value, default: SignalToNoise()].add(x, tensor) }
      }
      for (index, tensor) in try own.run(sample).enumerated() {
        if let tensor, let x = exactByValue[layers[index].result] { try alone[index].add(x, tensor) }
      }
      for (index, pair) in zip(exact.outputs, rounded.outputs).enumerated() {
        if let x = pair.0.tensor, let y = pair.1.tensor, x.elementType != .string { try outputs[index].ratio.add(x, y) }
      }
    }
    return QuantizationReport(
      layers: try layers.enumerated().map { index, layer in
        let node = try original[layer.entry.node]
        return QuantizationReport.Layer(
          name: original.name(of: node.id), op: node.op.description, types: types(of: layer.entry),
          accumulated: accumulated[layer.result] ?? SignalToNoise(), own: alone[index])
      },
      kept: try plan.kept.map {
        QuantizationReport.Kept(
          name: original.name(of: $0.node), op: try original[$0.node].op.description, reason: $0.reason)
      },
      outputs: outputs, originalBytes: original.parameterBytes, quantizedBytes: graph.parameterBytes, warnings: warnings)
  }

  private func types(of entry: NodeQuantization) -> String {
    entry.operands.sorted { $0.key < $1.key }.compactMap { _, operand in
      switch operand {
      case .activation(let spec), .weight(let spec, _): spec.elementType.rawValue
      case .bias: nil
      }
    }.prefix(2).joined(separator: " × ")
  }
}

/// Each quantized layer alone, on exact operands: the graph in floating point with a second call of every such layer, whose
/// operands are rounded.
struct LocalErrors {
  private let run: ObservedRun
  private let values: [ValueID?]

  init(_ model: QuantizedModel, layers: [(entry: NodeQuantization, result: ValueID)]) throws {
    var graph = model.original
    var values: [ValueID?] = []
    for (entry, _) in layers {
      let node = try graph[entry.node]
      guard node.regions.isEmpty, node.results.count == 1 else {
        values.append(nil)
        continue
      }
      var operands = node.operands
      for (index, operand) in entry.operands {
        let params: QuantizationParams?
        switch operand {
        case .activation: params = node.operand(index).value.flatMap { model.activationParams[$0] }
        case .weight: params = model.weightParams[entry.node]
        case .bias: params = nil
        }
        guard let params else { continue }
        operands[index] = try LocalErrors.rounded(node.operand(index), params, before: node.id, in: &graph)
      }
      values.append(
        try graph.call(
          node.op, operands, attributes: node.attributes, type: graph.type(of: node.results[0]), at: .before(node.id)))
    }
    self.values = values
    run = try ObservedRun(graph, values: values.compactMap(\.self), executor: model.executor)
  }

  /// For each layer its result, where it has one.
  func run(_ sample: [Tensor]) throws -> [Tensor?] {
    let results = Dictionary(try run.run(sample), uniquingKeysWith: { first, _ in first })
    return values.map { $0.flatMap { results[$0] } }
  }

  private static func rounded(
    _ operand: Operand, _ params: QuantizationParams, before node: NodeID, in graph: inout Graph
  ) throws -> Operand {
    if let tensor = graph.tensor(of: operand) {
      return .parameter(graph.addConstant(try params.fakeQuantize(tensor), name: "rounded"))
    }
    let scale = graph.addConstant(try params.scaleTensor(for: []), name: "rounded.scale")
    let zeroPoint = graph.addConstant(try params.zeroPointTensor(for: []), name: "rounded.zero_point")
    let type = graph.type(of: operand)
    let integers = try graph.call(
      .quantizeLinear, [operand, .parameter(scale), .parameter(zeroPoint)],
      type: .tensor(params.elementType, type.shape), at: .before(node))
    return .value(
      try graph.call(
        .dequantizeLinear, [.value(integers), .parameter(scale), .parameter(zeroPoint)], type: type, at: .before(node)))
  }
}
