import FXCore

/// Lets products with a matrix work on tensors whose leading axes were folded into one for them and are unfolded again after:
/// two reshapes fewer, and what is around meets. O(nodes).
///
/// Taken are `gemm` with factors of 1 and a vector as bias, `linear` and `matmul` by a matrix that is a parameter.
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @w: f32[5, 4] weight
///   parameter @b: f32[5] weight
///   parameter @fold: i64[2] constant = [6, 4]
///   parameter @unfold: i64[3] constant = [2, 3, 5]
///   %a: f32[6, 4] = reshape(%x, @fold)
///   %g: f32[6, 5] = gemm(%a, @w, @b) {transB = true}
///   %y: f32[2, 3, 5] = reshape(%g, @unfold)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @w: f32[5, 4] weight
///   parameter @b: f32[5] weight
///   %y: f32[2, 3, 5] = linear(%x, @w, @b)
///   return %y
/// }
/// ```
///
/// Declines: products whose folded operand or result others use, and open sizes that no reshape gives back.
public struct ProductUnfoldingPass: Pass {
  public let name = "product-unfolding"
  /// A bias may be added after the product rather than with it.
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes before attention is recognized.
  public init() {}

  private static let folds: Set<Operator> = [.reshape, .flatten, .squeeze, .unsqueeze]

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for op in [Operator.gemm, .linear, .matmul] {
      for id in graph.nodes(calling: op).inOrder(of: graph) { try unfold(id, &graph, &outcome) }
    }
    return outcome
  }

  private func unfold(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    let uses = try graph.uses(of: node.results[0])
    guard uses.count == 1, uses[0].operand == 0, !graph.isTerminator(uses[0].node),
      let fold = graph.call(producing: node.operands[0]), Self.folds.contains(fold.op),
      graph.type(of: node.operands[0]).shape?.rank == 2, node.operands[1].parameter != nil,
      graph.type(of: node.operands[1]).shape?.rank == 2
    else { return }
    let unfold = try graph[uses[0].node]
    let type = try graph.type(of: unfold.results[0])
    guard Self.folds.contains(unfold.op), type.hasKnownShape, let shape = type.shape, shape.rank > 2,
      let width = try graph.type(of: node.results[0]).shape?.last, !width.isUnknown, shape[shape.rank - 1] == width,
      let depth = graph.type(of: node.operands[0]).shape?.last, !depth.isUnknown,
      let source = graph.type(of: fold.operands[0]).shape, source.rank > 2
    else { return }
    let isTransposed = node.op == .linear || (node.op == .gemm && node[Gemm.transB])
    let bias = node.operand(2)
    if node.op == .gemm {
      guard !node[Gemm.transA], node[Gemm.alpha] == 1, bias.isNone || node[Gemm.beta] == 1 else { return }
    }
    guard bias.isNone || (bias.parameter != nil && graph.type(of: bias).shape == [width]) else { return }

    let wanted = Shape(Array(shape.dropLast()) + [depth])
    var x = fold.operands[0]
    if source != wanted {
      guard let target = ReshapeTarget.sizes(from: source, to: wanted), let element = type.elementType else { return }
      let sizes = graph.addConstant(Tensor(vector: target), name: "shape")
      x = .value(try graph.insert(.reshape, [x, .parameter(sizes)], type: .tensor(element, wanted), before: unfold.id))
    }
    var result: ValueID
    if isTransposed {
      let operands = [x, node.operands[1]] + (bias.isNone ? [] : [bias])
      result = try graph.insert(.linear, operands, type: type, before: unfold.id)
    } else {
      result = try graph.insert(.matmul, [x, node.operands[1]], type: type, before: unfold.id)
      if !bias.isNone { result = try graph.insert(.add, [.value(result), bias], type: type, before: unfold.id) }
    }
    try graph.replace(unfold.id, with: [.value(result)])
    try graph.eraseUnused([id, fold.id])
    outcome.change("\(node.op) unfolded")
  }
}
