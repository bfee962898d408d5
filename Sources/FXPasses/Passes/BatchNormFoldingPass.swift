import FXCore

/// Multiplies batch normalization into the weights of the convolution or matrix product before it.
///
/// With s = scale ÷ √(variance + ε) per channel, weights become w·s and the bias (b − mean)·s + bias, computed in
/// `Double` and rounded once. O(nodes + weights folded).
///
/// Before:
/// ```
/// graph @main(%x: f32[1, 1, 2, 2]) {
///   parameter @w: f32[1, 1, 1, 1] weight = [4.0]
///   parameter @scale: f32[1] weight = [1.0]
///   parameter @bias: f32[1] weight = [2.0]
///   parameter @mean: f32[1] buffer = [6.0]
///   parameter @variance: f32[1] buffer = [4.0]
///   %a = conv(%x, @w)
///   %b = batch_normalization(%a, @scale, @bias, @mean, @variance) {epsilon = 0.0}
///   return %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[1, 1, 2, 2]) {
///   parameter @w: f32[1, 1, 1, 1] weight = [2.0]
///   parameter @w.bias: f32[1] constant = [-1.0]
///   %a = conv(%x, @w, @w.bias)
///   return %a as "b"
/// }
/// ```
///
/// Declines: normalizations in training or whose statistics are used, results with other uses, parameters that are not
/// known, weights that others share or that do not have as many channels, and variances that are not positive.
public struct BatchNormFoldingPass: Pass {
  public let name = "batch-norm-folding"
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes after constant folding, which makes parameters known.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    let norms = graph.nodes(calling: .batchNormalization).inOrder(of: graph)
    guard !norms.isEmpty else { return outcome }
    let uses = graph.parameterUseCounts()
    for id in norms {
      let norm = try graph[id]
      guard let producer = graph.call(producing: norm.operands[0]),
        let layer = ScaledLayer(producer, resultRank: graph.type(of: norm.operands[0]).shape?.rank)
      else { continue }
      if let reason = try reasonToKeep(norm, layer, graph, uses) {
        outcome.decline(id, in: graph, reason)
        continue
      }
      guard let scaling = try Scaling(norm, graph) else {
        outcome.decline(id, in: graph, "a variance is not positive, or its parameters do not fit each other")
        continue
      }
      guard try fold(scaling, into: layer, &graph, uses) else {
        outcome.decline(id, in: graph, "the weights do not have \(scaling.factors.count) channels")
        continue
      }
      try graph.replace(id, byFirstResult: norm.operands[0])
      outcome.change("normalizations folded")
    }
    return outcome
  }

  private func reasonToKeep(
    _ norm: Node, _ layer: ScaledLayer, _ graph: Graph, _ uses: [ParameterID: Int]
  ) throws -> String? {
    if norm[BatchNormalization.trainingMode] { return "it is in training mode" }
    for result in norm.results.dropFirst() where try !graph.uses(of: result).isEmpty { return "its statistics are used" }
    if let reason = try graph.reasonToKeep(layer.node.results[0]) { return "\(layer.node.op): \(reason)" }
    guard norm.operands.count == 5, norm.operands.dropFirst().allSatisfy({ graph.tensor(of: $0) != nil }) else {
      return "its parameters are not known"
    }
    guard let weight = layer.node.operand(layer.weight).parameter, graph.tensor(of: .parameter(weight)) != nil else {
      return "the weights of \(layer.node.op) are not known"
    }
    if uses[weight] ?? 0 > 1 { return "'\(try graph[weight].name)' is used elsewhere too" }
    let bias = layer.node.operand(layer.bias)
    if !bias.isNone, graph.tensor(of: bias) == nil { return "the bias of \(layer.node.op) is not known" }
    return nil
  }

  /// Scales weights and bias in place. Returns whether they fit.
  private func fold(
    _ scaling: Scaling, into layer: ScaledLayer, _ graph: inout Graph, _ uses: [ParameterID: Int]
  ) throws -> Bool {
    let node = layer.node
    guard let weight = node.operand(layer.weight).parameter, let tensor = try graph[weight].tensor,
      tensor.elementType.isFloatingPoint, let weights = try layer.scale(tensor, by: scaling.factors)
    else { return false }
    let operand = node.operand(layer.bias)
    let channels = scaling.factors.count
    var old: [Double]?
    if let tensor = graph.tensor(of: operand) {
      guard tensor.shape == [channels] || tensor.shape == [1, channels] || tensor.elementCount == 1 else { return false }
      old = try tensor.numbers().doubles
    }
    let biases = (0..<channels).map { channel in
      let bias = old.map { $0[$0.count == 1 ? 0 : channel] * layer.biasFactor } ?? 0
      return bias * scaling.factors[channel] + scaling.offsets[channel]
    }
    let bias = try Tensor(tensor.elementType, [channels], numbers: .floats(biases), saturating: false)
    try graph.setTensor(weights, of: weight)
    if let id = operand.parameter, uses[id] == 1 {
      try graph.setTensor(bias, of: id)
    } else {
      let id = graph.addConstant(bias, name: try graph[weight].name + ".bias")
      var operands = node.operands
      while operands.count <= layer.bias { operands.append(.none) }
      operands[layer.bias] = .parameter(id)
      try graph.setOperands(of: node.id, to: operands)
    }
    if layer.biasFactor != 1 {
      var attributes = node.attributes
      attributes[Gemm.beta] = 1
      try graph.setAttributes(of: node.id, to: attributes)
    }
    return true
  }
}

/// What batch normalization does to channel c: x · factors[c] + offsets[c].
private struct Scaling {
  var factors: [Double] = []
  var offsets: [Double] = []

  init?(_ norm: Node, _ graph: Graph) throws {
    let parameters = try norm.operands.dropFirst().map { try graph.tensor(of: $0)?.numbers().doubles ?? [] }
    guard parameters.count == 4, parameters.allSatisfy({ $0.count == parameters[0].count }) else { return nil }
    let epsilon = Double(norm[BatchNormalization.epsilon])
    for channel in parameters[0].indices {
      let variance = parameters[3][channel] + epsilon
      guard variance > 0, variance.isFinite else { return nil }
      let factor = parameters[0][channel] / variance.squareRoot()
      factors.append(factor)
      offsets.append(parameters[1][channel] - parameters[2][channel] * factor)
    }
  }
}

/// A convolution or matrix product whose weights can be scaled per channel of its result.
private struct ScaledLayer {
  let node: Node
  let weight = 1
  let bias = 2
  /// What the operator multiplies its bias by.
  let biasFactor: Double
  private let channels: Channels

  private enum Channels {
    /// Along the weights' first axis.
    case first
    /// Along the second axis of a matrix.
    case second
    /// Weights [in, out ÷ groups, ...], the groups being blocks of `in`.
    case grouped(Int)
  }

  init?(_ node: Node, resultRank: Int?) {
    self.node = node
    var factor = 1.0
    switch node.op {
    case .conv: channels = .first
    case .convTranspose: channels = .grouped(node[Conv.group])
    case .linear where resultRank == 2: channels = .first
    case .gemm:
      channels = node[Gemm.transB] ? .first : .second
      factor = Double(node[Gemm.beta])
    default: return nil
    }
    biasFactor = factor
  }

  /// The weights with each channel multiplied by its factor, rounded once; `nil` if there are not as many channels.
  func scale(_ weights: Tensor, by factors: [Double]) throws -> Tensor? {
    let shape = weights.shape
    guard shape.count >= 2, weights.elementCount > 0 else { return nil }
    // Weights are blocks of equal elements per (first index, second index).
    let inner = shape.dropFirst(2).reduce(1, *)
    let channel: (Int, Int) -> Int
    let count: Int
    switch channels {
    case .first: (count, channel) = (shape[0], { first, _ in first })
    case .second: (count, channel) = (shape[1], { _, second in second })
    case .grouped(let groups):
      guard groups > 0, shape[0] % groups == 0, shape[0] > 0 else { return nil }
      let perGroup = shape[0] / groups
      (count, channel) = (shape[1] * groups, { first, second in first / perGroup * shape[1] + second })
    }
    guard count == factors.count else { return nil }
    var numbers = try weights.numbers().doubles
    for first in 0..<shape[0] {
      for second in 0..<shape[1] {
        let factor = factors[channel(first, second)]
        let start = (first * shape[1] + second) * inner
        for index in start..<start + inner { numbers[index] *= factor }
      }
    }
    return try Tensor(weights.elementType, shape, numbers: .floats(numbers), saturating: false)
  }
}
