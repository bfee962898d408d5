import FXCore

/// Makes one `split` of the calls that take each place of an axis for itself, where that axis is the outer part of one that lies
/// behind transposes and reshapes: queries, keys and values that one product has made. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[7, 2, 8]) {
///   parameter @apart: i64[4] constant = [7, 2, 2, 4]
///   parameter @zero: i64[] constant = [0]
///   parameter @one: i64[] constant = [1]
///   %a: f32[7, 2, 2, 4] = reshape(%x, @apart)
///   %b: f32[2, 7, 2, 4] = transpose(%a) {perm = [2, 0, 1, 3]}
///   %c: f32[7, 2, 4] = gather(%b, @zero)
///   %d: f32[7, 2, 4] = gather(%b, @one)
///   return %c, %d
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[7, 2, 8]) {
///   parameter @sizes: i64[2] constant = [4, 4]
///   %c: f32[7, 2, 4], %d: f32[7, 2, 4] = split(%x, @sizes) {axis = 2}
///   return %c, %d
/// }
/// ```
///
/// Declines: nothing. Values that others read too are left, and those of which not every place is taken.
public struct SelectMergingPass: Pass {
  public let name = "select-merging"

  /// There is nothing to set. In the pipelines the pass comes before attention is recognized.
  public init() {}

  private struct Key: Hashable {
    let region: RegionID
    let value: ValueID
    let axis: Int
  }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var groups: [Key: [Int: Node]] = [:]
    var order: [Key] = []
    for id in graph.nodes(calling: .gather).inOrder(of: graph) {
      let node = try graph[id]
      guard let value = node.operands[0].value, let shape = try graph.type(of: value).shape,
        graph.type(of: node.operands[1]).shape?.rank == 0,
        let index = graph.scalar(of: node.operands[1]).flatMap({ Int(exactly: $0) })
      else { continue }
      let axis = node[Gather.axis] < 0 ? node[Gather.axis] + shape.rank : node[Gather.axis]
      guard shape.indices.contains(axis), let size = shape[axis].size, size > 1 else { continue }
      let key = Key(region: node.region, value: value, axis: axis)
      if groups[key] == nil { order.append(key) }
      let place = index < 0 ? index + size : index
      if groups[key, default: [:]][place] == nil { groups[key, default: [:]][place] = node }
    }
    for key in order {
      guard let nodes = groups[key], let type = try graph.type(of: key.value).tensorType, let shape = type.shape,
        nodes.count == shape[key.axis].size, !shape.contains(where: \.isUnknown)
      else { continue }
      let parts = (0..<nodes.count).compactMap { nodes[$0] }
      // Nobody else must look at what goes.
      guard parts.count == nodes.count, try graph.uses(of: key.value).count == parts.count else { continue }
      if try merge(parts, key, type, shape, &graph) { outcome.change("selections merged", parts.count) }
    }
    return outcome
  }

  private func merge(
    _ parts: [Node], _ key: Key, _ type: TensorType, _ shape: Shape, _ graph: inout Graph
  ) throws -> Bool {
    let trace = AxisTrace(.value(key.value), sizes: shape.dimensions, atoms: Array(shape.indices), in: graph)
    let rest = shape.indices.filter { $0 != key.axis }
    for point in trace.points.dropFirst().reversed() {
      guard let axis = point.axes.firstIndex(where: { $0.first == key.axis }), let whole = graph.type(of: point.operand).shape,
        let size = whole[axis].size, size % parts.count == 0
      else { continue }
      var narrow = point
      narrow.axes[axis].removeFirst()
      var partShape = whole
      partShape[axis] = Dimension(size / parts.count)
      guard let plan = trace.rearrangement(of: narrow, partShape, to: rest.map { [$0] }), plan.permutation == nil else {
        continue
      }
      guard let first = try firstInOrder(parts, graph) else { return false }
      let sizes = graph.addConstant(
        Tensor(vector: [Int](repeating: size / parts.count, count: parts.count)), name: "sizes")
      let split = try graph.append(
        .split, [point.operand, .parameter(sizes)], attributes: [Split.axis.name: .int(axis)],
        results: parts.map { _ in .tensor(type.elementType, partShape) }, at: .before(first), location: parts[0].location)
      for (part, result) in zip(parts, try graph[split].results) {
        let piece = Rearrangement(
          operand: .value(result), permutation: nil, shape: plan.shape, target: plan.target, cost: plan.cost)
        try graph.replace(part.id, with: [try graph.insert(piece, before: part.id)])
      }
      let passed = trace.points.prefix { $0.operand != point.operand }
      try graph.eraseUnused(passed.compactMap { graph.call(producing: $0.operand)?.id })
      return true
    }
    return false
  }

  private func firstInOrder(_ nodes: [Node], _ graph: Graph) throws -> NodeID? {
    let ids = Set(nodes.map(\.id))
    return try nodes.first.flatMap { node in try graph.nodes(in: node.region).first(where: ids.contains) }
  }
}
