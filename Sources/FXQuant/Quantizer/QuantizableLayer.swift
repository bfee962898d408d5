import FXCore

/// A node that multiplies: what integer kernels are for.
struct QuantizableLayer {
  let node: Node
  /// The operands that are computed.
  let activations: [Int]
  /// The operand with the weights, if they are known.
  let weight: Int?
  /// The operand that may hold a bias.
  let bias: Int?
  /// The axis of the weights that output channels lie along.
  let channelAxis: Int?
  let reasonToKeep: String?

  /// `nil` for nodes of other operators.
  init?(_ node: Node, in graph: Graph) {
    self.node = node
    let isKnown = node.operand(1).parameter != nil
    var axis: Int?
    var reason: String?
    var bias: Int? = 2
    switch node.op {
    case .conv:
      axis = 0
      if !isKnown { reason = "its weights are computed" }
    case .convTranspose:
      // With groups, channels lie along two axes.
      axis = node[Conv.group] == 1 ? 1 : nil
      if !isKnown { reason = "its weights are computed" }
    case .linear:
      axis = 0
      if !isKnown { reason = "its weights are computed" }
    case .gemm:
      axis = node[Gemm.transB] ? 0 : 1
      if node[Gemm.transA] { reason = "its first operand is transposed" }
      if node[Gemm.alpha] != 1 || node[Gemm.beta] != 1 && !node.operand(2).isNone { reason = "it scales its product" }
      if !isKnown { reason = "its second operand is computed" }
      if let tensor = graph.type(of: node.operand(2)).shape, tensor.rank != 1 { bias = nil }
    case .matmul:
      bias = nil
      if node.operand(0).parameter != nil { reason = "its first operand is constant" }
      axis = graph.type(of: node.operand(1)).shape.map { $0.rank - 1 }
      if isKnown, (axis ?? 0) < 1 { reason = "its weights are a vector" }
    default: return nil
    }
    weight = isKnown ? 1 : nil
    activations = isKnown ? [0] : [0, 1]
    channelAxis = isKnown ? axis : nil
    self.bias = bias.flatMap { node.operand($0).parameter == nil ? nil : $0 }
    reasonToKeep = reason
  }
}

/// A node that works on integers as well as on numbers.
struct IntegerOperator {
  /// The operands that become integers.
  let operands: [Int]
  /// Whether it only moves numbers, so that operands and result have the same parameters.
  let movesNumbers: Bool
  /// Whether it is an activation function, which fuses into what computes its operand.
  let isActivation: Bool

  init?(_ node: Node, in graph: Graph) {
    var operands = [0]
    var (moves, isActivation) = (true, false)
    switch node.op {
    case .maxPool, .reshape, .flatten, .transpose, .squeeze, .unsqueeze, .identity, .slice, .gather: break
    case .concat: operands = Array(node.operands.indices)
    case .relu, .clip, .leakyRelu, .sigmoid, .hardSigmoid, .hardSwish: (moves, isActivation) = (false, true)
    case .averagePool, .globalAveragePool: moves = false
    case .add, .mul:
      operands = [0, 1]
      moves = false
    default: return nil
    }
    guard operands.allSatisfy({ node.operand($0).value != nil && graph.type(of: node.operand($0)).elementType == .float32 })
    else { return nil }
    (self.operands, movesNumbers, self.isActivation) = (operands, moves, isActivation)
  }
}
