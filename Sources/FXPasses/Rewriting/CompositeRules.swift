import FXCore

/// An operator as exporters spell it out, in each way they do.
struct CompositeRule: Sendable {
  struct Call {
    let op: Operator
    let operands: [Operand]
    var attributes: Attributes = [:]
    /// Operands that follow as new constants.
    var constants: [Tensor] = []
  }

  let patterns: [GraphPattern]
  /// The call that a match amounts to; `nil` if attributes or types do not fit.
  let call: @Sendable (GraphPattern.Match, Graph) throws -> Call?

  /// The operators that a match can end with.
  var roots: [Operator] {
    Set(patterns.compactMap { $0.rootOperator }).sorted { $0.name < $1.name }
  }

  func match(_ root: NodeID, _ graph: Graph) -> GraphPattern.Match? {
    patterns.lazy.compactMap { $0.match(root, in: graph) }.first
  }

  static let all: [CompositeRule] = [
    gelu, geluTanh, hardSwish, clippedHardSwish, hardSigmoid, scaledSilu, silu, mish, layerNormalization,
    scaledRmsNormalization, rmsNormalization,
  ]
}

// MARK: - Patterns

private let x = GraphPattern.operand("x")

private func mul(_ a: GraphPattern, _ b: GraphPattern) -> GraphPattern { .call(.mul, [a, b]) }
private func add(_ a: GraphPattern, _ b: GraphPattern) -> GraphPattern { .call(.add, [a, b]) }

/// The ways to multiply three factors of which the third is a number.
private func products(_ a: GraphPattern, _ b: GraphPattern, _ number: Double) -> [GraphPattern] {
  [mul(mul(a, b), .number(number)), mul(mul(a, .number(number)), b), mul(a, mul(b, .number(number)))]
}

extension CompositeRule {
  /// x · ½ · (1 + erf(x ÷ √2))
  static let gelu = CompositeRule(
    patterns: [.call(.div, [x, .number(2.0.squareRoot())]), mul(x, .number(0.5.squareRoot()))].flatMap { scaled in
      products(x, add(.call(.erf, [scaled]), .number(1)), 0.5)
    }
  ) { match, _ in
    match.operands["x"].map { Call(op: .gelu, operands: [$0]) }
  }

  /// x · ½ · (1 + tanh(√(2/π) · (x + 0.044715 · x³)))
  static let geluTanh = CompositeRule(
    patterns: [
      .call(.pow, [x, .number(3)]), mul(mul(x, x), x),
    ].flatMap { cube in
      products(
        x, add(.call(.tanh, [mul(add(x, mul(cube, .number(0.044715))), .number((2 / Double.pi).squareRoot()))]), .number(1)),
        0.5)
    }
  ) { match, _ in
    match.operands["x"].map { Call(op: .gelu, operands: [$0], attributes: [Gelu.approximate.name: "tanh"]) }
  }

  /// x · sigmoid(x)
  static let silu = CompositeRule(patterns: [mul(x, .call(.sigmoid, [x]))]) { match, _ in
    match.operands["x"].map { Call(op: .silu, operands: [$0]) }
  }

  /// x · sigmoid(α · x) with α > 0
  static let scaledSilu = CompositeRule(
    patterns: [mul(x, .call(.sigmoid, [mul(x, .constant("alpha"))]))]
  ) { match, graph in
    guard let x = match.operands["x"], let alpha = match.operands["alpha"].flatMap(graph.scalar), Float(alpha).isNormal,
      alpha > 0, graph.type(of: x).shape != nil, graph.isWithoutAxes(match.operands["alpha"] ?? .none)
    else { return nil }
    return Call(op: .silu, operands: [x], attributes: [Silu.alpha.name: .float(Float(alpha))])
  }

  /// x · tanh(softplus(x))
  static let mish = CompositeRule(patterns: [mul(x, .call(.tanh, [.call(.softplus, [x])]))]) { match, _ in
    match.operands["x"].map { Call(op: .mish, operands: [$0]) }
  }

  private static let clipped = GraphPattern.call(.clip, [add(x, .number(3)), .number(0), .number(6)])

  /// x · clip(x + 3, 0, 6) ÷ 6
  static let clippedHardSwish = CompositeRule(
    patterns: [
      mul(x, .call(.div, [clipped, .number(6)])), .call(.div, [mul(x, clipped), .number(6)]),
      mul(x, mul(clipped, .number(1.0 / 6))), mul(mul(x, clipped), .number(1.0 / 6)),
    ]
  ) { match, _ in
    match.operands["x"].map { Call(op: .hardSwish, operands: [$0]) }
  }

  /// clip(x + 3, 0, 6) ÷ 6
  static let hardSigmoid = CompositeRule(
    patterns: [.call(.div, [clipped, .number(6)]), mul(clipped, .number(1.0 / 6))]
  ) { match, _ in
    match.operands["x"].map {
      Call(op: .hardSigmoid, operands: [$0], attributes: [HardSigmoid.alpha.name: .float(1.0 / 6), HardSigmoid.beta.name: 0.5])
    }
  }

  /// x · hard_sigmoid(x) with slope 1/6 and offset 1/2
  static let hardSwish = CompositeRule(
    patterns: [mul(x, .call(.hardSigmoid, [x], label: "gate"))]
  ) { match, graph in
    // The attribute is a float32: in float64 its 1/6 is another.
    guard let x = match.operands["x"], let gate = match.calls["gate"], let type = graph.type(of: x).elementType, type != .float64,
      (gate[HardSigmoid.alpha] - 1 / 6).magnitude < 1e-6, gate[HardSigmoid.beta] == 0.5
    else { return nil }
    return Call(op: .hardSwish, operands: [x])
  }

  /// d ÷ √(mean(d²) + ε) · scale + bias, with d = x − mean(x), over the last axis
  static let layerNormalization: CompositeRule = {
    let mean = GraphPattern.call(.reduceMean, [x], label: "mean")
    let centred = GraphPattern.call(.sub, [x, mean])
    let squares: [GraphPattern] = [.call(.pow, [centred, .number(2)]), mul(centred, centred)]
    let normalized = squares.map { square in
      GraphPattern.call(
        .div, [centred, .call(.sqrt, [add(.call(.reduceMean, [square], label: "variance"), .constant("epsilon"))])])
    }
    return CompositeRule(
      patterns: normalized.map { add(mul($0, .constant("scale")), .constant("bias")) }, call: layerNormalizationCall)
  }()

  private static let layerNormalizationCall: @Sendable (GraphPattern.Match, Graph) throws -> Call? = { match, graph in
    guard let x = match.operands["x"], let scale = match.operands["scale"], let bias = match.operands["bias"],
      let epsilon = match.operands["epsilon"].flatMap(graph.scalar), let mean = match.calls["mean"],
      let variance = match.calls["variance"], let type = graph.type(of: x).tensorType, let shape = type.shape,
      let last = shape.last, reducesLastAxis(mean, shape.rank, graph), reducesLastAxis(variance, shape.rank, graph),
      [scale, bias].allSatisfy({ graph.type(of: $0) == .tensor(type.elementType, [last]) })
    else { return nil }
    // The statistics keep the precision that they are spelt out in.
    let precision = type.elementType == .float64 ? ElementType.float64 : .float32
    return Call(
      op: .layerNormalization, operands: [x, scale, bias],
      attributes: [
        LayerNormalization.axis.name: -1, LayerNormalization.epsilon.name: .float(Float(epsilon)),
        LayerNormalization.stashType.name: .elementType(precision),
      ])
  }

  /// The ways to spell x ÷ √(mean(x²) + ε).
  private static let normalizedBySquares: [GraphPattern] = {
    let squares: [GraphPattern] = [.call(.pow, [x, .number(2)]), mul(x, x)]
    return squares.flatMap { square -> [GraphPattern] in
      let root = GraphPattern.call(
        .sqrt, [add(.call(.reduceMean, [square], label: "variance"), .constant("epsilon"))])
      return [.call(.div, [x, root]), mul(x, .call(.reciprocal, [root])), mul(x, .call(.div, [.number(1), root]))]
    }
  }()

  /// x ÷ √(mean(x²) + ε) · scale over the last axis
  static let scaledRmsNormalization = CompositeRule(
    patterns: normalizedBySquares.map { mul($0, .constant("scale")) }, call: rmsNormalizationCall)

  /// x ÷ √(mean(x²) + ε) over the last axis
  static let rmsNormalization = CompositeRule(patterns: normalizedBySquares, call: rmsNormalizationCall)

  private static let rmsNormalizationCall: @Sendable (GraphPattern.Match, Graph) throws -> Call? = { match, graph in
    guard let x = match.operands["x"], let epsilon = match.operands["epsilon"].flatMap(graph.scalar),
      let variance = match.calls["variance"], let type = graph.type(of: x).tensorType, type.elementType == .float32,
      let shape = type.shape, let last = shape.last?.size, reducesLastAxis(variance, shape.rank, graph)
    else { return nil }
    var call = Call(
      op: .rmsNormalization, operands: [x],
      attributes: [LayerNormalization.axis.name: -1, LayerNormalization.epsilon.name: .float(Float(epsilon))])
    if let scale = match.operands["scale"] {
      guard graph.type(of: scale) == .tensor(type.elementType, [Dimension(last)]) else { return nil }
      return Call(op: call.op, operands: [x, scale], attributes: call.attributes)
    }
    call.constants = [try Tensor(.float32, [last], numbers: .floats([Double](repeating: 1, count: last)))]
    return call
  }

  private static func reducesLastAxis(_ node: Node, _ rank: Int, _ graph: Graph) -> Bool {
    guard node[Reduce.keepDims], let axes = graph.integers(of: node.operand(1)), axes.count == 1 else { return false }
    return axes[0] == -1 || axes[0] == rank - 1
  }
}

extension Graph {
  /// Whether an operand is a number without axes, which gives none to what it is combined with.
  fileprivate func isWithoutAxes(_ operand: Operand) -> Bool {
    operand.literal != nil || type(of: operand).shape?.rank == 0
  }
}
