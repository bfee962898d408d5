import FXCore

/// Moves each layer's bias by what the mean of its result is off, channel by channel, from the first layer to the last.
///
/// Source: Nagel, van Baalen, Blankevoort and Welling 2019, "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", section 4.2, with means over samples.
public struct BiasCorrection: Sendable {
  /// Runs both graphs on the samples.
  public var executor: any GraphExecutor

  /// A correction that takes its means from runs of `executor`.
  public init(executor: any GraphExecutor) { self.executor = executor }

  /// Corrects the convolutions and products of a model with known weights. Those without a bias get one. Means are taken in
  /// the quantized model, so that what earlier layers are off is part of what is corrected.
  /// - Throws: what the executor throws.
  public func apply(to model: inout QuantizedModel, samples: [[Tensor]]) throws {
    var layers: [(node: NodeID, result: ValueID, axis: Int)] = []
    for entry in model.plan.nodes {
      let node = try model.original[entry.node]
      guard entry.operands.values.contains(where: { if case .weight = $0 { true } else { false } }),
        let result = node.results.first, let rank = model.original.type(of: .value(result)).shape?.rank
      else { continue }
      switch node.op {
      case .conv: layers.append((node.id, result, 1))
      case .gemm, .linear: layers.append((node.id, result, rank - 1))
      default: continue
      }
    }
    let exact = try means(of: model.original, layers.map { ($0.result, $0.axis) }, samples)
    // What one layer is off moves those behind it, so that a layer is measured after all before it are right: in groups, so
    // that deep models need not run once per layer.
    let groups = min(layers.count, 8)
    for group in 0..<groups {
      let part = layers[group * layers.count / groups..<(group + 1) * layers.count / groups]
      let rounded = try means(of: model.graph, part.map { ($0.result, $0.axis) }, samples)
      for layer in part {
        guard let target = exact[layer.result], let actual = rounded[layer.result], target.count == actual.count else { continue }
        try add(zip(target, actual).map(-), to: layer.node, &model.graph)
      }
    }
  }

  /// The mean of values at each index of an axis.
  private func means(
    of graph: Graph, _ values: [(value: ValueID, axis: Int)], _ samples: [[Tensor]]
  ) throws -> [ValueID: [Double]] {
    let run = try ObservedRun(graph, values: values.map(\.value), executor: executor)
    let axes = Dictionary(values, uniquingKeysWith: { first, _ in first })
    var sums: [ValueID: [Double]] = [:]
    var counts: [ValueID: Double] = [:]
    for sample in samples {
      for (value, tensor) in try run.run(sample) {
        guard let axis = axes[value], axis < tensor.shape.count else { continue }
        let slices = try tensor.slices(along: axis)
        if sums[value] == nil { sums[value] = Array(repeating: 0, count: slices.count) }
        for (index, slice) in slices.enumerated() { sums[value]?[index] += slice.reduce(0) { $0 + Double($1) } }
        counts[value, default: 0] += Double(slices.first?.count ?? 0)
      }
    }
    return sums.reduce(into: [:]) { $0[$1.key] = $1.value.map { [count = counts[$1.key] ?? 1] in $0 / max(count, 1) } }
  }

  /// Adds the shift to a layer's bias, which stays as it is where a result is not finite or the sum does not fit.
  private func add(_ shift: [Double], to id: NodeID, _ graph: inout Graph) throws {
    guard shift.allSatisfy(\.isFinite) else { return }
    let node = try graph[id]
    var operands = node.operands
    while operands.count < 3 { operands.append(.none) }
    if let value = operands[2].value, let producer = try graph.producer(of: value) {
      // 32-bit integers that `dequantize_linear` reads.
      let dequantize = try graph[producer]
      guard dequantize.op == .dequantizeLinear, let id = dequantize.operands[0].parameter, let old = try graph[id].tensor,
        let scales = try graph.tensor(of: dequantize.operand(1))?.numbers().doubles, old.elementCount == shift.count
      else { return }
      let moved = try old.numbers().doubles.enumerated().map { index, value in
        value + (shift[index] / scales[scales.count == 1 ? 0 : index]).rounded(.toNearestOrEven)
      }
      let limits = Double(Int32.min)...Double(Int32.max)
      guard moved.allSatisfy(limits.contains) else { return }
      try graph.setTensor(Tensor(.int32, old.shape, numbers: .floats(moved)), of: id)
      return
    }
    let old = try graph.tensor(of: operands[2])?.numbers().doubles ?? Array(repeating: 0, count: shift.count)
    guard old.count == shift.count else { return }
    let bias = try Tensor(.float32, [shift.count], numbers: .floats(zip(old, shift).map(+)))
    operands[2] = .parameter(graph.addConstant(bias, name: "\(graph.name(of: id))_bias"))
    try graph.setOperands(of: id, to: operands)
  }
}
