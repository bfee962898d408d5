import FXCore

/// Operators that have a fused form: the same operands, a residual, and an activation.
struct FusableLayer {
  let base: Operator
  let fused: Operator
  /// Where the fused form takes its residual; the operands before are those of the base operator.
  let residual: Int
  /// Where the base operator takes a bias that is added per channel; `nil` if it has none.
  let bias: Int?

  static let all: [FusableLayer] = [
    FusableLayer(base: .linear, fused: .fusedLinear, residual: 3, bias: 2),
    FusableLayer(base: .gemm, fused: .fusedGemm, residual: 3, bias: 2),
    FusableLayer(base: .matmul, fused: .fusedMatmul, residual: 2, bias: nil),
    FusableLayer(base: .conv, fused: .fusedConv, residual: 3, bias: 2),
  ]

  private static let table: [Operator: FusableLayer] = {
    var table: [Operator: FusableLayer] = [:]
    for layer in all {
      table[layer.base] = layer
      table[layer.fused] = layer
    }
    return table
  }()

  /// The layer that `op` is, fused or not.
  static subscript(op: Operator) -> FusableLayer? { table[op] }

  /// The activation that a node applies, empty for none.
  static func activation(of node: Node) -> String { node[FusedActivation.activation] }

  /// Whether the fused form computes in the element types that are known of the node; the base operators take more.
  func admits(_ node: Node, _ graph: Graph) -> Bool {
    let types = (node.operands.map { graph.type(of: $0) } + node.results.map { graph.type(of: .value($0)) })
      .compactMap(\.elementType)
    guard let allowed = fused.schema?.typeVariables["T"] else { return true }
    // Layers are made for floating point; a bare product may be one of integers.
    if types.isEmpty { return base != .matmul }
    return types.allSatisfy(allowed.contains)
  }
}

/// A call that a fused operator can do last.
struct FusableActivation {
  let name: String
  /// Empty for the defaults.
  let parameters: [Float]
}

extension FusableActivation {
  /// What `node` applies to its first operand; `nil` if it is no activation that can be fused.
  init?(_ node: Node, in graph: Graph) {
    guard let first = node.operands.first, first.value != nil else { return nil }
    var name = node.op.name
    guard node.op.domain.isEmpty else { return nil }
    if node.op == .gelu, node[Gelu.approximate] == "tanh" { name = "gelu_tanh" }
    if node.op == .quickGelu { name = "silu" }
    guard let function = FusedActivation.function(named: name) else { return nil }
    let values: [Float]
    if node.op == .clip {
      guard let low = FusableActivation.bound(node.operand(1), function.defaults[0], graph),
        let high = FusableActivation.bound(node.operand(2), function.defaults[1], graph)
      else { return nil }
      values = [low, high]
    } else {
      guard node.operands.count == 1 else { return nil }
      values = function.parameterNames.enumerated().map { index, key in
        if case .float(let value)? = node.attributes[key] { value } else { function.defaults[index] }
      }
    }
    self.init(name: function.name, parameters: values == function.defaults ? [] : values)
  }

  /// The bound of a `clip` that is a number, or the default where it is left out.
  private static func bound(_ operand: Operand, _ fallback: Float, _ graph: Graph) -> Float? {
    operand.isNone ? fallback : graph.scalar(of: operand).map(Float.init)
  }
}
