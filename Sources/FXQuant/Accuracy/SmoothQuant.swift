import FXCore
import FXPasses
import Foundation

/// Moves what is hard to quantize from activations to weights: channel j of what products read is divided by
/// sⱼ = max|Xⱼ|^α ÷ max|Wⱼ|^(1 − α), and the weights' row is multiplied by it.
///
/// The division goes into the scale and bias of a layer normalization before the products; where something else computes
/// their operand, a multiplication is added.
///
/// Source: Xiao, Lin, Seznec, Wu, Demouth and Han 2023, "SmoothQuant: Accurate and Efficient Post-Training Quantization for
/// Large Language Models".
public struct SmoothQuant: Pass {
  public let name = "smooth-quant"
  public let contract = NumericContract.reassociates
  /// How much of the difficulty moves: 0 none, 1 all.
  public var alpha: Double
  /// For each sample one tensor per input.
  public var samples: [[Tensor]]
  /// Runs the graph on the samples.
  public var executor: any GraphExecutor

  /// A pass that moves half of the difficulty unless said, by the ranges that the samples show.
  public init(alpha: Double = 0.5, samples: [[Tensor]], executor: any GraphExecutor) {
    (self.alpha, self.samples, self.executor) = (alpha, samples, executor)
  }

  /// - Throws: `QuantizationError.calibration`; what the executor throws.
  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var uses: [ParameterID: Int] = [:]
    for id in graph.allNodes { for operand in try graph[id].operands { operand.parameter.map { uses[$0, default: 0] += 1 } } }
    // Products that read one value share its factors.
    var readers: [(value: ValueID, layers: [ChannelWeights])] = []
    for id in graph.bodyNodes {
      let node = try graph[id]
      guard [.linear, .matmul, .gemm].contains(node.op), let value = node.operand(0).value else { continue }
      guard let layer = ChannelWeights(node, graph, uses) else {
        outcome.decline(id, in: graph, "its weights are computed, or others use them too")
        continue
      }
      if let index = readers.firstIndex(where: { $0.value == value }) {
        readers[index].layers.append(layer)
      } else {
        readers.append((value, [layer]))
      }
    }
    guard !readers.isEmpty else { return outcome }
    let axes = Dictionary(readers.map { ($0.value, -1) }, uniquingKeysWith: { first, _ in first })
    let data = try CalibrationData(
      graph, samples: samples, values: readers.map(\.value), channelAxes: axes, allowsConstantInputs: true,
      executor: executor)
    for (value, layers) in readers {
      guard let ranges = data[graph.name(of: value)]?.channels?.ranges, ranges.count == layers[0].inputs else { continue }
      var weights = [Float](repeating: 0, count: ranges.count)
      for layer in layers { weights = zip(weights, try layer.inputRanges(graph)).map { max($0, $1) } }
      let factors = zip(ranges, weights).map { range, weight -> Double in
        let activation = Double(max(-range.lowerBound, range.upperBound))
        guard activation > 1e-5, weight > 1e-5 else { return 1 }
        return Foundation.pow(activation, alpha) / Foundation.pow(Double(weight), 1 - alpha)
      }
      // Applied again, it finds what it left.
      guard factors.contains(where: { abs($0 - 1) > 1e-3 }) else { continue }
      try divide(value, by: factors, readBy: layers.map(\.node), uses, &graph)
      for layer in layers { try layer.scaleInputs(factors, &graph) }
      outcome.change("activations smoothed")
    }
    return outcome
  }

  private func divide(
    _ value: ValueID, by factors: [Double], readBy layers: [NodeID], _ uses: [ParameterID: Int], _ graph: inout Graph
  ) throws {
    let inverse = factors.map { 1 / $0 }
    if let producer = try graph.producer(of: value), let norm = try? graph[producer], norm.op == .layerNormalization,
      try Set(graph.uses(of: value).map(\.node)).isSubset(of: layers),
      norm.operands.dropFirst().allSatisfy({ $0.parameter.map { uses[$0] == 1 } ?? false }),
      norm.operands.dropFirst().allSatisfy({ graph.tensor(of: $0)?.shape == [factors.count] })
    {
      for operand in norm.operands.dropFirst() {
        guard let id = operand.parameter, let tensor = try graph[id].tensor else { continue }
        let x = zip(try tensor.elements(Float.self), inverse).map { Float(Double($0) * $1) }
        try graph.setTensor(Tensor([factors.count], x), of: id)
      }
      return
    }
    guard let first = layers.first else { return }
    let scale = graph.addConstant(
      try Tensor(.float32, [factors.count], numbers: .floats(inverse)), name: "\(graph.name(of: value))_smooth")
    let smooth = try graph.call(
      .mul, [.value(value), .parameter(scale)], type: graph.type(of: .value(value)), at: .before(first))
    for layer in layers { try graph.setOperand(0, of: layer, to: .value(smooth)) }
  }
}
