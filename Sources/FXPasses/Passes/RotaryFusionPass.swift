import FXCore

/// Recognizes rotary positions, `x · cos + concat(−second half, first half) · sin`, and makes them one `rotary_embedding`.
///
/// Cosines and sines must be those of angles that stand twice side by side, as exporters write them; one half is computed.
/// Where heads were moved for it, they stay folded into the last axis until after. `f32` only. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 4, 7, 8], %f: f32[2, 7, 4]) {
///   parameter @axis: i64[1] constant = [1]
///   %d: f32[2, 7, 8] = concat(%f, %f) {axis = -1}
///   %c1: f32[2, 7, 8] = cos(%d)
///   %s1: f32[2, 7, 8] = sin(%d)
///   %c: f32[2, 1, 7, 8] = unsqueeze(%c1, @axis)
///   %s: f32[2, 1, 7, 8] = unsqueeze(%s1, @axis)
///   %p: f32[2, 4, 7, 4], %q: f32[2, 4, 7, 4] = split(%x) {axis = -1, num_outputs = 2}
///   %n: f32[2, 4, 7, 4] = neg(%q)
///   %r: f32[2, 4, 7, 8] = concat(%n, %p) {axis = -1}
///   %a: f32[2, 4, 7, 8] = mul(%x, %c)
///   %b: f32[2, 4, 7, 8] = mul(%r, %s)
///   %y: f32[2, 4, 7, 8] = add(%a, %b)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 4, 7, 8], %f: f32[2, 7, 4]) {
///   parameter @axis: i64[1] constant = [1]
///   %d: f32[2, 7, 8] = concat(%f, %f) {axis = -1}
///   %c1: f32[2, 7, 8] = cos(%d)
///   %s1: f32[2, 7, 8] = sin(%d)
///   %c: f32[2, 1, 7, 8] = unsqueeze(%c1, @axis)
///   %s: f32[2, 1, 7, 8] = unsqueeze(%s1, @axis)
///   %node_11: f32[2, 7, 4] = cos(%f)
///   %node_12: f32[2, 7, 4] = sin(%f)
///   %y: f32[2, 4, 7, 8] = rotary_embedding(%x, %node_11, %node_12)
///   return %y
/// }
/// ```
///
/// Declines: angles that are not known to stand twice side by side.
public struct RotaryFusionPass: Pass {
  public let name = "rotary-fusion"
  public let contract = NumericContract.reassociates

  /// There is nothing to set. In the pipelines the pass comes right before attention is recognized.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for id in graph.nodes(calling: .add).inOrder(of: graph) {
      guard let match = try Match(graph[id], in: graph) else { continue }
      guard let cosines = Angles(match.cosines, match.shape, graph), let sines = Angles(match.sines, match.shape, graph),
        cosines.function == .cos, sines.function == .sin
      else {
        outcome.decline(id, in: graph, "rotary_embedding: its angles are not known to stand twice side by side")
        continue
      }
      try replace(id, match, cosines, sines, &graph)
      outcome.change("rotary_embedding recognized")
    }
    return outcome
  }

  private func replace(
    _ id: NodeID, _ match: Match, _ cosines: Angles, _ sines: Angles, _ graph: inout Graph
  ) throws {
    let shape = match.shape
    let tables = try [cosines, sines].map { try table($0, shape, match.x, before: id, &graph) }
    let trace = AxisTrace(match.x, sizes: shape.dimensions, atoms: [0, 1, 2, 3], in: graph)
    let type = ValueType.tensor(.float32, shape)
    let split = Shape([shape[0], shape[2], shape[1], shape[3]])
    let folded = Shape([shape[0], shape[2], shape[1] * shape[3]])
    var attributes = Attributes()
    if let heads = shape[1].size, let plan = trace.rearrangement(to: [[0], [2], [1, 3]], in: graph), plan.cost < 10,
      (trace.points.last?.transposes ?? 0) > 0, let target = ReshapeTarget.sizes(from: folded, to: split)
    {
      attributes[RotaryEmbedding.headCount] = heads
      let x = try graph.insert(plan, before: id)
      let turned = try graph.insert(
        .rotaryEmbedding, [x] + tables, attributes: attributes, type: .tensor(.float32, folded), before: id)
      let sizes = Operand.parameter(graph.addConstant(Tensor(vector: target), name: "shape"))
      let apart = try graph.insert(.reshape, [.value(turned), sizes], type: .tensor(.float32, split), before: id)
      let moved = try graph.insert(
        .transpose, [.value(apart)], attributes: ["perm": .ints([0, 2, 1, 3])], type: type, before: id)
      try graph.replace(id, with: [.value(moved)])
    } else {
      let node = try graph[id]
      let turned = try graph.append(
        .rotaryEmbedding, [match.x] + tables, attributes: attributes, results: [type], at: .before(id), name: node.name,
        location: node.location)
      try graph.replace(id, with: [.value(try graph[turned].results[0])])
    }
    try graph.eraseUnused(match.nodes)
  }

  /// The cosines or sines of one half of the angles, for every image: [b, n, d ÷ 2].
  private func table(
    _ angles: Angles, _ shape: Shape, _ x: Operand, before node: NodeID, _ graph: inout Graph
  ) throws -> Operand {
    guard let half = graph.type(of: angles.half).shape else { return angles.half }
    var value = Operand.value(
      try graph.insert(angles.function, [angles.half], type: .tensor(.float32, half), before: node))
    guard half[0] != shape[0] else { return value }
    let sizes: Operand
    if let count = shape[0].size {
      sizes = .parameter(graph.addConstant(Tensor(vector: [count, 1, 1]), name: "shape"))
    } else {
      let count = try graph.insert(
        .shape, [x], attributes: [ShapeOperator.start.name: 0, ShapeOperator.end.name: 1], type: .tensor(.int64, [1]),
        before: node)
      let ones = Operand.parameter(graph.addConstant(Tensor(vector: [1, 1]), name: "ones"))
      sizes = .value(
        try graph.insert(
          .concat, [.value(count), ones], attributes: [Concat.axis.name: 0], type: .tensor(.int64, [3]), before: node))
    }
    value = .value(
      try graph.insert(
        .expand, [value, sizes], type: .tensor(.float32, [shape[0], half[1], half[2]]), before: node))
    return value
  }
}

/// The calls that turn a value x [b, h, n, d] by angles.
private struct Match {
  let x: Operand
  let shape: Shape
  let cosines: Operand
  let sines: Operand
  let nodes: [NodeID]

  init?(_ sum: Node, in graph: Graph) throws {
    guard let type = graph.type(of: .value(sum.results[0])).tensorType, type.elementType == .float32, let shape = type.shape,
      shape.rank == 4, !shape.contains(where: \.isUnknown), let size = shape[3].size, size % 2 == 0, size > 0
    else { return nil }
    let terms = sum.operands.compactMap { graph.call(producing: $0) }
    guard terms.count == 2, terms.allSatisfy({ $0.op == .mul && graph.isUsedOnce($0.results[0]) }) else { return nil }
    for (straight, crossed) in [(terms[0], terms[1]), (terms[1], terms[0])] {
      for place in 0...1 {
        guard let joined = graph.call(producing: crossed.operands[place]), joined.op == .concat, joined.operands.count == 2,
          joined[Concat.axis] == -1 || joined[Concat.axis] == 3, graph.isUsedOnce(joined.results[0]),
          let negated = graph.call(producing: joined.operands[0]), negated.op == .neg, graph.isUsedOnce(negated.results[0]),
          let halves = graph.call(producing: joined.operands[1]), halves.op == .split, halves.results.count == 2,
          joined.operands[1] == .value(halves.results[0]), negated.operands[0] == .value(halves.results[1]),
          halves[Split.axis] == -1 || halves[Split.axis] == 3,
          try graph.type(of: halves.results[0]).shape?.last?.size == size / 2,
          let other = straight.operands.firstIndex(of: halves.operands[0]), graph.type(of: halves.operands[0]).shape == shape
        else { continue }
        (x, self.shape) = (halves.operands[0], shape)
        (cosines, sines) = (straight.operands[1 - other], crossed.operands[1 - place])
        nodes = [straight.id, crossed.id, joined.id, negated.id, halves.id]
        return
      }
    }
    return nil
  }
}

/// A function of angles that stand twice side by side, seen from a factor [b or 1, 1, n, d].
private struct Angles {
  let function: Operator
  /// [b or 1, n, d ÷ 2]
  let half: Operand

  init?(_ factor: Operand, _ shape: Shape, _ graph: Graph) {
    var operand = factor
    var function: Operator?
    var isSpread = false
    while let node = graph.call(producing: operand) {
      switch node.op {
      case .cos, .sin:
        guard function == nil else { return nil }
        function = node.op
      case .unsqueeze, .reshape:
        guard !isSpread, let to = graph.type(of: operand).shape, let from = graph.type(of: node.operands[0]).shape,
          to.rank == 4, from.rank == 3, to == Shape([from[0], 1, from[1], from[2]])
        else { return nil }
        isSpread = true
      case .concat:
        guard let function, isSpread, node.operands.count == 2, node.operands[0] == node.operands[1],
          let half = graph.type(of: node.operands[0]).tensorType, half.elementType == .float32, let sizes = half.shape,
          sizes.rank == 3, node[Concat.axis] == -1 || node[Concat.axis] == 2, sizes[0].size == 1 || sizes[0] == shape[0],
          sizes[1] == shape[2], sizes[2] * 2 == shape[3]
        else { return nil }
        (self.function, self.half) = (function, node.operands[0])
        return
      default: return nil
      }
      operand = node.operands[0]
    }
    return nil
  }
}
