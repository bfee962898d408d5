import FXCore
import FXPasses

/// Scales the channels between two layers so that the weights of both have equal ranges: y = W₂ relu(W₁ x) is also
/// (W₂ S) relu(S⁻¹ W₁ x) for positive S. What one scale per tensor then rounds is far less uneven.
///
/// Layers are `conv`, `linear` and `gemm` calls whose result only a relu, if anything, and then one other such layer reads.
/// Pairs are walked through until scales settle.
///
/// Source: Nagel, van Baalen, Blankevoort and Welling 2019, "Data-Free Quantization Through Weight Equalization and Bias
/// Correction", section 4.1.
public struct CrossLayerEqualization: Pass {
  public let name = "cross-layer-equalization"
  public let contract = NumericContract.reassociates
  /// How often all pairs are walked through at most.
  public var rounds: Int

  /// An equalization of at most `rounds` walks; it ends earlier when no scale differs from 1 by 0.01.
  public init(rounds: Int = 20) { self.rounds = rounds }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    let pairs = try pairs(in: graph)
    for round in 0..<rounds {
      var largest = 0.0
      for (first, second) in pairs { largest = max(largest, try equalize(first, second, &graph)) }
      if round == 0, largest > 0.01 { outcome.change("pairs equalized", pairs.count) }
      if largest < 0.01 { break }
    }
    return outcome
  }

  private func pairs(in graph: Graph) throws -> [(ChannelWeights, ChannelWeights)] {
    var pairs: [(ChannelWeights, ChannelWeights)] = []
    var uses: [ParameterID: Int] = [:]
    for id in graph.allNodes { for operand in try graph[id].operands { operand.parameter.map { uses[$0, default: 0] += 1 } } }
    for id in graph.bodyNodes {
      let node = try graph[id]
      guard let first = ChannelWeights(node, graph, uses) else { continue }
      var value = node.results[0]
      while true {
        let readers = try graph.uses(of: value)
        guard readers.count == 1, readers[0].operand == 0, !graph.isTerminator(readers[0].node) else { break }
        let reader = try graph[readers[0].node]
        if reader.op == .relu || reader.op == .identity {
          value = reader.results[0]
          continue
        }
        if let second = ChannelWeights(reader, graph, uses), second.inputs == first.outputs { pairs.append((first, second)) }
        break
      }
    }
    return pairs
  }

  /// Scales one pair. Returns by how much at most a scale differs from 1.
  private func equalize(_ first: ChannelWeights, _ second: ChannelWeights, _ graph: inout Graph) throws -> Double {
    let (a, b) = (try first.outputRanges(graph), try second.inputRanges(graph))
    let scales = zip(a, b).map { a, b in a > 0 && b > 0 ? (Double(a) / Double(b)).squareRoot() : 1 }
    try first.scaleOutputs(scales.map { 1 / $0 }, &graph)
    try second.scaleInputs(scales, &graph)
    return scales.map { abs($0 - 1) }.max() ?? 0
  }
}

/// Weights whose channels are scaled: matrices or kernels [out, in, …], or [in, out] where `isTransposed`.
struct ChannelWeights {
  let node: NodeID
  let weight: ParameterID
  let bias: ParameterID?
  let inputs: Int
  let outputs: Int
  private let isTransposed: Bool
  private let isDepthwise: Bool

  /// `nil` for other nodes, and for weights that others use too or that are not known.
  init?(_ node: Node, _ graph: Graph, _ uses: [ParameterID: Int]) {
    guard let weight = node.operand(1).parameter, uses[weight] == 1,
      let tensor = graph.tensor(of: node.operand(1)), tensor.elementType == .float32, tensor.shape.count >= 2
    else { return nil }
    let bias = node.operand(2).parameter
    if !node.operand(2).isNone {
      guard let bias, uses[bias] == 1, let tensor = graph.tensor(of: node.operand(2)), tensor.shape.count == 1 else { return nil }
    }
    var (isTransposed, isDepthwise) = (false, false)
    switch node.op {
    case .linear: break
    case .conv:
      isDepthwise = node[Conv.group] > 1
      // Other groups have inputs that several outputs share, and only part of them.
      guard !isDepthwise || tensor.shape[1] == 1 && node[Conv.group] == tensor.shape[0] else { return nil }
    case .gemm:
      guard !node[Gemm.transA], node[Gemm.alpha] == 1, node[Gemm.beta] == 1 else { return nil }
      isTransposed = !node[Gemm.transB]
    case .matmul:
      guard tensor.shape.count == 2 else { return nil }
      isTransposed = true
    default: return nil
    }
    (self.node, self.weight, self.bias) = (node.id, weight, bias)
    (self.isTransposed, self.isDepthwise) = (isTransposed, isDepthwise)
    outputs = tensor.shape[isTransposed ? 1 : 0]
    inputs = isDepthwise ? tensor.shape[0] : tensor.shape[isTransposed ? 0 : 1]
    if let bias, let tensor = graph.tensor(of: .parameter(bias)), tensor.elementCount != outputs { return nil }
  }

  private func axis(ofInputs: Bool) -> Int { isDepthwise ? 0 : ofInputs == isTransposed ? 0 : 1 }

  func outputRanges(_ graph: Graph) throws -> [Float] { try ranges(axis(ofInputs: false), graph) }
  func inputRanges(_ graph: Graph) throws -> [Float] { try ranges(axis(ofInputs: true), graph) }

  private func ranges(_ axis: Int, _ graph: Graph) throws -> [Float] {
    guard let tensor = try graph[weight].tensor else { return [] }
    return try tensor.slices(along: axis).map { $0.reduce(0) { max($0, $1.magnitude) } }
  }

  func scaleOutputs(_ factors: [Double], _ graph: inout Graph) throws {
    try scale(weight, axis(ofInputs: false), factors, &graph)
    if let bias { try scale(bias, 0, factors, &graph) }
  }

  func scaleInputs(_ factors: [Double], _ graph: inout Graph) throws {
    try scale(weight, axis(ofInputs: true), factors, &graph)
  }

  private func scale(_ id: ParameterID, _ axis: Int, _ factors: [Double], _ graph: inout Graph) throws {
    guard let tensor = try graph[id].tensor, tensor.shape[axis] == factors.count else { return }
    var x = try tensor.elements(Float.self)
    let inner = tensor.shape[(axis + 1)...].reduce(1, *)
    for index in x.indices { x[index] = Float(Double(x[index]) * factors[index / inner % factors.count]) }
    try graph.setTensor(Tensor(tensor.shape, x), of: id)
  }
}
