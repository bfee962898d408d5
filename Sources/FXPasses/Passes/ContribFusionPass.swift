import FXCore

/// Puts operators of ONNX Runtime's domain `com.microsoft` in the place of the calls that they stand for, as the last step
/// before a graph is written as ONNX: `FusedConv`, `FusedGemm`, `FusedMatMul`, `BiasGelu`, `FastGelu`, `QuickGelu`, `SkipLayerNormalization`
/// and `SkipSimplifiedLayerNormalization`.
///
/// They are known by name only here, so that the graph cannot run; reading the file gives the calls back. Fused operators of
/// ours are taken apart first. What ONNX Runtime's kernels do not take is left: element types other than `f32`, residuals that
/// are not known to have the result's shape, activations that its kernels lack. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[1, 3, 8, 8], %w: f32[4, 3, 3, 3]) {
///   %a: f32[1, 4, 6, 6] = conv(%x, %w)
///   %b: f32[1, 4, 6, 6] = relu(%a)
///   return %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[1, 3, 8, 8], %w: f32[4, 3, 3, 3]) {
///   %b: f32[1, 4, 6, 6] = ?com.microsoft::FusedConv(%x, %w) {activation = "Relu", auto_pad = "NOTSET", group = 1}
///   return %b
/// }
/// ```
///
/// Declines: what ONNX Runtime's kernels do not take.
public struct ContribFusionPass: Pass {
  public let name = "contrib-fusion"
  /// ONNX Runtime's kernels add and apply in one go, and round otherwise.
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In no pipeline: the pass is for graphs that are written for ONNX Runtime.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = try DecompositionPass.defusion.apply(to: &graph)
    for id in graph.nodes(calling: .matmul).inOrder(of: graph) { try makeGemm(id, &graph, &outcome) }
    for id in graph.nodes(calling: .linear) { try makeProduct(id, &graph, &outcome) }
    for op in [Operator.conv, .gemm, .linear] {
      for id in graph.nodes(calling: op).inOrder(of: graph) { try fuseLayer(id, &graph, &outcome) }
    }
    for op in [Operator.layerNormalization, .rmsNormalization] {
      for id in graph.nodes(calling: op).inOrder(of: graph) { try fuseSkip(id, &graph, &outcome) }
    }
    for id in graph.nodes(calling: .gelu) { try fuseBias(id, &graph, &outcome) }
    // ONNX has `Swish` from operator set 24 on; ONNX Runtime takes it apart.
    for id in graph.nodes(calling: .silu) where isFloat(.value(try graph[id].results[0]), graph) {
      try graph.setOperator(of: id, to: .quickGelu, attributes: [QuickGelu.alpha.name: .float(graph[id][Silu.alpha])])
      outcome.change("silu named")
    }
    return outcome
  }

  private func isFloat(_ operand: Operand, _ graph: Graph) -> Bool { graph.type(of: operand).elementType == .float32 }

  /// The only user of a result, which is no output; and which of its operands the result is.
  private func onlyUser(of value: ValueID, _ graph: Graph) throws -> (node: Node, operand: Int)? {
    let uses = try graph.uses(of: value)
    guard uses.count == 1, !graph.isTerminator(uses[0].node) else { return nil }
    return (try graph[uses[0].node], uses[0].operand)
  }

  // MARK: Products and convolutions

  /// A product of matrices and what is added to it as one `gemm`.
  private func makeGemm(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard isFloat(.value(node.results[0]), graph), node.operands.allSatisfy({ graph.type(of: $0).shape?.rank == 2 }),
      let user = try onlyUser(of: node.results[0], graph), user.node.op == .add
    else { return }
    let term = user.node.operands[1 - user.operand]
    let type = try graph.type(of: user.node.results[0])
    guard type.hasKnownShape, let result = type.shape, let shape = graph.type(of: term).shape, shape.rank <= 2,
      try graph.type(of: node.results[0]) == type,
      zip(shape, result.suffix(shape.rank)).allSatisfy({ $0.size == 1 || $0 == $1 })
    else { return }
    try put(.gemm, node.operands + [term], [:], [type], after: [node], inPlaceOf: user.node, &graph)
    outcome.change("sums taken into gemm")
  }

  /// A `linear` on more than two axes as a product with the transposed weights, and the bias apart, where others may take it.
  private func makeProduct(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    let type = try graph.type(of: node.results[0])
    guard type.elementType == .float32, let rank = graph.type(of: node.operands[0]).shape?.rank, rank > 2,
      graph.type(of: node.operands[1]).shape?.rank == 2
    else { return }
    var result = try graph.insert(
      .scaledMatmul, Array(node.operands.prefix(2)), attributes: [Gemm.transB.name: true], type: type, before: id)
    if !node.operand(2).isNone { result = try graph.insert(.add, [.value(result), node.operand(2)], type: type, before: id) }
    try graph.replace(id, with: [.value(result)])
    outcome.change("linear named")
  }

  /// A `conv`, `gemm` or `linear`, the residual that is added to a convolution, and the activation after it.
  private func fuseLayer(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard isFloat(.value(node.results[0]), graph) else { return }
    if node.op == .linear, graph.type(of: node.operands[0]).shape?.rank != 2 { return }
    var chain = [node]
    var residual: Operand?
    var user = try onlyUser(of: node.results[0], graph)
    if node.op == .conv, let adding = user, adding.node.op == .add {
      let term = adding.node.operands[1 - adding.operand]
      let type = try graph.type(of: node.results[0])
      guard type.hasKnownShape, graph.type(of: term) == type else { return }
      residual = term
      chain.append(adding.node)
      user = try onlyUser(of: adding.node.results[0], graph)
    }
    let names = node.op == .conv ? ContribOperator.convActivations : ContribOperator.gemmActivations
    var activation: (name: String, parameters: [Float])?
    if let next = user, next.operand == 0, let found = FusableActivation(next.node, in: graph), let name = names[found.name] {
      let defaults = FusedActivation.function(named: found.name)?.defaults ?? []
      activation = (name, found.parameters.isEmpty ? defaults : found.parameters)
      chain.append(next.node)
    }
    guard residual != nil || activation != nil else { return }
    let (last, types) = (chain.removeLast(), [try graph.type(of: node.results[0])])
    if node.op == .conv {
      try put(
        ContribOperator.fusedConv, operands(node, 3, then: residual), attributes(of: node, activation, isConv: true), types,
        after: chain, inPlaceOf: last, &graph)
    } else {
      try put(
        ContribOperator.fusedGemm, node.operands, attributes(of: node, activation, isConv: false), types,
        after: chain, inPlaceOf: last, &graph)
    }
    outcome.change("\(node.op) fused")
  }

  private func operands(_ node: Node, _ count: Int, then residual: Operand?) -> [Operand] {
    guard let residual else { return node.operands }
    return (0..<count).map(node.operand) + [residual]
  }

  private func attributes(of node: Node, _ activation: (name: String, parameters: [Float])?, isConv: Bool) -> Attributes {
    var attributes = node.attributes
    if node.op == .linear { attributes = [Gemm.transB.name: 1] }
    guard let activation else { return attributes }
    attributes["activation"] = .string(activation.name)
    if isConv {
      if !activation.parameters.isEmpty { attributes["activation_params"] = .floats(activation.parameters) }
    } else {
      for (name, value) in zip(["activation_alpha", "activation_beta"], activation.parameters) {
        attributes[name] = .float(value)
      }
    }
    return attributes
  }

  // MARK: Normalizations and activations

  /// A normalization of a sum: of the two terms, and of a bias where one of them is a sum with a vector.
  private func fuseSkip(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    let type = graph.type(of: node.operands[0])
    guard isFloat(node.operands[0], graph), type.hasKnownShape, let shape = type.shape, shape.rank == 2 || shape.rank == 3,
      let sum = graph.call(producing: node.operands[0]), sum.op == .add, sum.region == node.region,
      sum.operands.allSatisfy({ graph.type(of: $0) == type }),
      node[LayerNormalization.axis] == -1 || node[LayerNormalization.axis] == shape.rank - 1,
      node[LayerNormalization.stashType] == .float32,
      node.operands.dropFirst().allSatisfy({ isVector($0, graph, size: shape[shape.rank - 1]) }),
      try node.results.dropFirst().allSatisfy({ try graph.uses(of: $0).isEmpty })
    else { return }
    let (bias, terms) = try biasedTerms(of: sum, graph, size: shape[shape.rank - 1])
    let isRms = node.op == .rmsNormalization
    var operands = terms.map(\.operand) + node.operands.dropFirst()
    if let bias {
      if !isRms, operands.count == 3 { operands.append(.none) }
      operands.append(bias)
    }
    let isSumUsed = try graph.uses(of: sum.results[0]).count > 1
    let types = [type] + (isSumUsed ? [.unknown, .unknown, type] : [])
    // In the sum's place: what stands between it and the normalization may use the sum.
    let fused = try graph.append(
      isRms ? ContribOperator.skipRmsNormalization : ContribOperator.skipLayerNormalization, operands,
      attributes: [LayerNormalization.epsilon.name: .float(node[LayerNormalization.epsilon])], results: types,
      at: .before(sum.id), name: node.name, location: node.location)
    let results = try graph[fused].results
    try graph.replace(id, byFirstResult: .value(results[0]))
    if isSumUsed { try graph.replace(sum.id, with: [.value(results[3])]) } else { try graph.erase(sum.id) }
    for term in terms { if let inner = term.sum { try graph.erase(inner) } }
    outcome.change("\(node.op) of sums")
  }

  private struct SummedTerm {
    let operand: Operand
    /// The addition of a vector that is taken along.
    var sum: NodeID?
  }

  /// The two terms of a sum, and the vector that has been added to the first that has one.
  private func biasedTerms(of sum: Node, _ graph: Graph, size: Dimension) throws -> (bias: Operand?, [SummedTerm]) {
    var terms = sum.operands.map { SummedTerm(operand: $0) }
    for (index, term) in sum.operands.enumerated() {
      guard let inner = graph.call(producing: term), inner.op == .add, inner.region == sum.region,
        graph.isUsedOnce(inner.results[0]),
        let place = inner.operands.firstIndex(where: { isVector($0, graph, size: size) }),
        graph.type(of: inner.operands[1 - place]) == graph.type(of: term)
      else { continue }
      terms[index] = SummedTerm(operand: inner.operands[1 - place], sum: inner.id)
      return (inner.operands[place], terms)
    }
    return (nil, terms)
  }

  /// Whether an operand is a parameter of one axis of this size.
  private func isVector(_ operand: Operand, _ graph: Graph, size: Dimension) -> Bool {
    operand.isNone || (operand.parameter != nil && graph.type(of: operand) == .tensor(.float32, [size]))
  }

  /// `gelu` of a sum with a vector.
  private func fuseBias(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    let type = graph.type(of: node.operands[0])
    guard isFloat(node.operands[0], graph), let last = type.shape?.last, let sum = graph.call(producing: node.operands[0]),
      sum.op == .add, graph.isUsedOnce(sum.results[0]),
      let place = sum.operands.firstIndex(where: { isVector($0, graph, size: last) }),
      type.hasKnownShape, graph.type(of: sum.operands[1 - place]) == type
    else { return }
    let isTanh = node[Gelu.approximate] == "tanh"
    try put(
      isTanh ? ContribOperator.fastGelu : ContribOperator.biasGelu, [sum.operands[1 - place], sum.operands[place]], [:], [type],
      after: [sum], inPlaceOf: node, &graph)
    outcome.change("biases taken into gelu")
  }

  /// Puts a call in the place of `last`, and erases the calls whose results it used.
  private func put(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, _ types: [ValueType], after chain: [Node],
    inPlaceOf last: Node, _ graph: inout Graph
  ) throws {
    let call = try graph.append(
      op, operands, attributes: attributes, results: types, at: .before(last.id), name: last.name ?? chain.last?.name,
      location: last.location)
    try graph.replace(last.id, with: [.value(try graph[call].results[0])])
    for node in chain.reversed() { try graph.erase(node.id) }
  }
}
