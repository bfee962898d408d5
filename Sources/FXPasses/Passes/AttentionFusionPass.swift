import FXCore

/// Recognizes `softmax(scale × q × kᵀ + mask) × v` with heads, and makes it one `attention`.
///
/// Factors may stand anywhere; masks are added, or replace scores by a number of −10³⁰ or less. Splitting off heads and moving
/// them goes with it where that is cheaper: `attention` takes heads folded into the last axis. Keys and values that are
/// repeated for groups of queries are taken as they were before. A row in which everything is masked by −∞ gives zeros, where
/// the softmax alone would give no number. Element types other than `f32`, for which there is no fast kernel, stay as they
/// are, and so do masks that several queries share, which ONNX Runtime does not take. O(nodes).
///
/// Before:
/// ```
/// graph @main(%q: f32[2, 4, 7, 8], %k: f32[2, 4, 9, 8], %v: f32[2, 4, 9, 8]) {
///   %t: f32[2, 4, 8, 9] = transpose(%k) {perm = [0, 1, 3, 2]}
///   %s: f32[2, 4, 7, 9] = matmul(%q, %t)
///   %d: f32[2, 4, 7, 9] = mul(%s, 0.25)
///   %p: f32[2, 4, 7, 9] = softmax(%d)
///   %y: f32[2, 4, 7, 8] = matmul(%p, %v)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%q: f32[2, 4, 7, 8], %k: f32[2, 4, 9, 8], %v: f32[2, 4, 9, 8]) {
///   %t: f32[2, 4, 8, 9] = transpose(%k) {perm = [0, 1, 3, 2]}
///   %y: f32[2, 4, 7, 8] = attention(%q, %k, %v) {scale = 0.25}
///   return %y
/// }
/// ```
///
/// Declines: scores that others read too, masks that several queries share and ONNX Runtime does not take, types other than `f32`.
public struct AttentionFusionPass: Pass {
  public let name = "attention-fusion"
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes before products take in what follows them.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.nodes(calling: .softmax).inOrder(of: graph) {
      do {
        guard let core = try AttentionCore(around: graph[id], in: graph) else { continue }
        try replace(core, try AttentionPlan(core, in: graph), &graph)
        outcome.change("attention recognized")
      } catch let reason as AttentionCore.Reason {
        outcome.decline(id, in: graph, "attention: \(reason.text)")
      }
    }
    return outcome
  }

  private func replace(_ core: AttentionCore, _ plan: AttentionPlan, _ graph: inout Graph) throws {
    let last = core.result.id
    var operands: [Operand] = []
    for part in [plan.query, plan.key, plan.value] { operands.append(try graph.insert(part, before: last)) }
    if let mask = try mask(of: core, before: last, &graph) { operands.append(mask) }
    var attributes = Attributes()
    attributes[Attention.scale] = Float(plan.scale)
    if plan.isFolded {
      attributes[Attention.queryHeadCount] = plan.queryHeads
      attributes[Attention.keyHeadCount] = plan.keyHeads
    }
    let type = graph.type(of: .value(core.result.results[0]))
    let node = try graph.append(
      .attention, operands, attributes: attributes, results: [.tensor(.float32, plan.resultShape)], at: .before(last),
      name: core.result.name, location: core.result.location)
    var result = Operand.value(try graph[node].results[0])
    if plan.isFolded, let shape = type.shape, let target = ReshapeTarget.sizes(from: plan.resultShape, to: plan.splitShape) {
      let sizes = graph.addConstant(Tensor(vector: target), name: "shape")
      let split = try graph.insert(
        .reshape, [result, .parameter(sizes)], type: .tensor(.float32, plan.splitShape), before: last)
      result = .value(
        try graph.insert(
          .transpose, [.value(split)], attributes: ["perm": .ints([0, 2, 1, 3])], type: .tensor(.float32, shape), before: last))
    }
    try graph.replace(last, with: [result])
    try graph.eraseUnused(core.nodes)
  }

  /// All masks as one that is added; `nil` if there is none.
  private func mask(of core: AttentionCore, before node: NodeID, _ graph: inout Graph) throws -> Operand? {
    var sum: Operand?
    for mask in core.masks.reversed() {
      let term: Operand
      switch mask {
      case .added(let operand): term = operand
      case .replaced(let condition, let isReplaced, let filler):
        let zero = Operand.parameter(graph.addConstant(Tensor(Float(0)), name: "zero"))
        let choices = isReplaced ? [filler, zero] : [zero, filler]
        term = .value(try graph.insert(.where_, [condition] + choices, before: node))
      }
      sum = try sum.map { .value(try graph.insert(.add, [$0, term], before: node)) } ?? term
    }
    return sum
  }
}
