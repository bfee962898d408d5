import FXCore

/// What an `attention` in place of a core is called with: heads apart, [b, h, n, d], or folded into the last axis, whichever
/// takes fewer transposes.
struct AttentionPlan {
  let query: Rearrangement
  let key: Rearrangement
  let value: Rearrangement
  let queryHeads: Int
  let keyHeads: Int
  let isFolded: Bool
  let scale: Double
  /// Of the result: with heads apart, [b, n, h, e], or folded.
  let splitShape: Shape
  let resultShape: Shape

  /// The atoms of axes: images, heads, queries, keys, sizes of keys and of values.
  private enum Atom {
    static let (batch, head, query, key, size, valueSize) = (0, 1, 2, 3, 4, 5)
  }

  /// - Throws: `AttentionCore.Reason` if the operands do not fit, or are of a type for which there is no fast kernel.
  init(_ core: AttentionCore, in graph: Graph) throws {
    let operands = [core.scores.operands[0], core.scores.operands[1], core.result.operands[1]]
    let types = operands.map { graph.type(of: $0) }
    guard types.allSatisfy({ $0.elementType == .float32 }) else { throw AttentionCore.Reason(text: "it is not of f32") }
    guard types.allSatisfy({ $0.hasKnownShape && $0.shape?.rank == 4 }), let q = types[0].shape, let k = types[1].shape,
      let v = types[2].shape
    else { throw AttentionCore.Reason(text: "its operands are not known to have four axes") }
    guard q[0] == k[0], q[0] == v[0], q[1] == k[1], q[1] == v[1], q[3] == k[2], k[3] == v[2], let heads = q[1].size,
      q[3].size ?? 0 > 0, v[3].size ?? 0 > 0, heads > 0
    else { throw AttentionCore.Reason(text: "its operands broadcast, or their sizes are not known") }
    let apart = Shape([q[0], q[1], q[2], v[3]])
    splitShape = Shape([q[0], q[2], q[1], v[3]])
    guard graph.type(of: .value(core.result.results[0])) == .tensor(.float32, apart) else {
      throw AttentionCore.Reason(text: "its result is not known to have the operands' sizes")
    }
    let sizes = [q[0], q[1], q[2], k[3], q[3], v[3]]
    try AttentionPlan.check(core.masks, Shape([q[0], q[1], q[2], k[3]]), graph)

    let queries = AxisTrace(
      operands[0], sizes: sizes, atoms: [Atom.batch, Atom.head, Atom.query, Atom.size], passesFactors: true, in: graph)
    var keys = AxisTrace(
      operands[1], sizes: sizes, atoms: [Atom.batch, Atom.head, Atom.size, Atom.key], passesFactors: true, in: graph)
    var values = AxisTrace(
      operands[2], sizes: sizes, atoms: [Atom.batch, Atom.head, Atom.key, Atom.valueSize], passesFactors: false, in: graph)
    var factor = core.factor * queries.factor * keys.factor
    var keyHeads = heads
    if let shared = keys.operandBeforeRepeating(Atom.head, [Atom.batch, Atom.head, Atom.key, Atom.size], graph),
      let same = values.operandBeforeRepeating(Atom.head, [Atom.batch, Atom.head, Atom.key, Atom.valueSize], graph),
      shared.count == same.count
    {
      keyHeads = shared.count
      var sizes = sizes
      sizes[Atom.head] = Dimension(keyHeads)
      keys = AxisTrace(
        shared.operand, sizes: sizes, atoms: [Atom.batch, Atom.head, Atom.key, Atom.size], passesFactors: true, in: graph)
      values = AxisTrace(
        same.operand, sizes: sizes, atoms: [Atom.batch, Atom.head, Atom.key, Atom.valueSize], passesFactors: false, in: graph)
      factor *= keys.factor
    }
    guard factor > 0, Float(factor).isNormal else { throw AttentionCore.Reason(text: "its scale is not positive") }

    func plans(folded: Bool) -> [Rearrangement]? {
      func axes(_ length: Int, _ size: Int) -> [[Int]] {
        folded ? [[Atom.batch], [length], [Atom.head, size]] : [[Atom.batch], [Atom.head], [length], [size]]
      }
      guard let query = queries.rearrangement(to: axes(Atom.query, Atom.size), in: graph),
        let key = keys.rearrangement(to: axes(Atom.key, Atom.size), in: graph),
        let value = values.rearrangement(to: axes(Atom.key, Atom.valueSize), in: graph)
      else { return nil }
      return [query, key, value]
    }
    let isMovedAfter = try AttentionPlan.isTransposed(core.result, graph)
    func cost(_ plans: [Rearrangement]?, folded: Bool) -> Int {
      plans.map { $0.reduce(folded == isMovedAfter ? 0 : 10) { $0 + $1.cost } } ?? .max
    }
    var folded = plans(folded: true)
    // What the result is turned back with must be a constant.
    let foldedShape = Shape([q[0], q[2], q[1] * v[3]])
    if ReshapeTarget.sizes(from: foldedShape, to: splitShape) == nil { folded = nil }
    let split = plans(folded: false)
    isFolded = cost(folded, folded: true) < cost(split, folded: false)
    guard let chosen = isFolded ? folded : split else {
      throw AttentionCore.Reason(text: "its operands cannot be had with heads apart")
    }
    (query, key, value) = (chosen[0], chosen[1], chosen[2])
    (queryHeads, self.keyHeads, scale) = (heads, keyHeads, factor)
    resultShape = isFolded ? foldedShape : apart
  }

  /// Masks must broadcast to the scores, which they must not enlarge.
  private static func check(_ masks: [AttentionCore.Mask], _ scores: Shape, _ graph: Graph) throws {
    for mask in masks {
      let operand: Operand
      switch mask {
      case .added(let term):
        operand = term
        guard graph.type(of: term).elementType == .float32 else { throw AttentionCore.Reason(text: "its mask is not of f32") }
      case .replaced(let condition, _, _): operand = condition
      }
      // Whatever the size along keys is, the product with the values says that the sum has as many.
      guard let shape = graph.type(of: operand).shape, (2...4).contains(shape.rank),
        zip(shape, scores.suffix(shape.rank)).dropLast().allSatisfy({ $0.size == 1 || ($0 == $1 && !$0.isUnknown) })
      else { throw AttentionCore.Reason(text: "its mask is not known to broadcast to the scores") }
      // ONNX Runtime takes a mask for all queries at once only where there is one query.
      if shape[shape.rank - 2].size == 1, scores[2].size != 1 {
        throw AttentionCore.Reason(text: "its mask is the same for all queries")
      }
    }
  }

  private static func isTransposed(_ node: Node, _ graph: Graph) throws -> Bool {
    let uses = try graph.uses(of: node.results[0])
    return try uses.count == 1 && !graph.isTerminator(uses[0].node) && graph[uses[0].node].op == .transpose
  }
}

extension AxisTrace {
  /// What has been repeated to give each head of an axis to several queries' heads: `expand` on an axis of its own, which is
  /// then folded into that of heads.
  fileprivate func operandBeforeRepeating(_ head: Int, _ atoms: [Int], _ graph: Graph) -> (operand: Operand, count: Int)? {
    let axes = atoms.map { sizes[$0].size == 1 ? [] : current([$0]) }
    for point in points where point.axes == axes {
      guard let folding = graph.call(producing: point.operand), folding.op == .reshape,
        let expanding = graph.call(producing: folding.operands[0]), expanding.op == .expand,
        let splitting = graph.call(producing: expanding.operands[0]), [.unsqueeze, .reshape].contains(splitting.op),
        let whole = graph.type(of: point.operand).shape, whole.rank == 4,
        let wide = graph.type(of: folding.operands[0]).shape, wide.rank == 5,
        let narrow = graph.type(of: expanding.operands[0]).shape,
        let source = graph.type(of: splitting.operands[0]).shape, source.rank == 4, let count = source[1].size
      else { continue }
      let fits =
        source == Shape([whole[0], source[1], whole[2], whole[3]])
        && narrow == Shape([whole[0], source[1], 1, whole[2], whole[3]])
        && wide == Shape([whole[0], source[1], wide[2], whole[2], whole[3]]) && wide[1] * wide[2] == whole[1]
      if fits { return (splitting.operands[0], count) }
    }
    return nil
  }
}
