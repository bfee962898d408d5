import FXCore

/// Makes one `split` of slices that cut a value into parts along an axis.
///
/// The slices must begin where the one before ends, with steps of 1, and take the whole axis, whose size must be known. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 6]) {
///   parameter @zero: i64[1] constant = [0]
///   parameter @two: i64[1] constant = [2]
///   parameter @end: i64[1] constant = [6]
///   parameter @axis: i64[1] constant = [1]
///   %a: f32[2, 2] = slice(%x, @zero, @two, @axis)
///   %b: f32[2, 4] = slice(%x, @two, @end, @axis)
///   return %a, %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 6]) {
///   parameter @sizes: i64[2] constant = [2, 4]
///   %a: f32[2, 2], %b: f32[2, 4] = split(%x, @sizes) {axis = 1}
///   return %a, %b
/// }
/// ```
///
/// Declines: nothing. Slices that overlap, leave something out or have other steps than 1 are left.
public struct SliceMergingPass: Pass {
  public let name = "slice-merging"

  /// There is nothing to set. The slices' bounds must be constants, the value's type inferred.
  public init() {}

  /// A slice along one axis with steps of 1.
  private struct Part {
    let node: Node
    let start: Int
    let end: Int
  }

  private struct Key: Hashable {
    let region: RegionID
    let value: ValueID
    let axis: Int
  }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var groups: [Key: [Part]] = [:]
    var order: [Key] = []
    for id in graph.nodes(calling: .slice).inOrder(of: graph) {
      let node = try graph[id]
      guard let value = node.operands[0].value, let (axis, start, end) = range(of: node, graph) else { continue }
      let key = Key(region: node.region, value: value, axis: axis)
      if groups[key] == nil { order.append(key) }
      groups[key, default: []].append(Part(node: node, start: start, end: end))
    }
    for key in order {
      guard let parts = groups[key], parts.count > 1, let size = try graph.type(of: key.value).shape?[key.axis].size else {
        continue
      }
      let sorted = parts.sorted { $0.start < $1.start }
      var end = 0
      let isWhole = sorted.allSatisfy { part in
        defer { end = part.end }
        return part.start == end && part.end > part.start
      }
      guard isWhole, end == size else { continue }
      try merge(sorted, before: parts[0].node, key, &graph)
      outcome.change("slices merged", parts.count)
    }
    return outcome
  }

  private func merge(_ parts: [Part], before first: Node, _ key: Key, _ graph: inout Graph) throws {
    let sizes = graph.addConstant(Tensor(vector: parts.map { $0.end - $0.start }), name: "sizes")
    let split = try graph.append(
      .split, [.value(key.value), .parameter(sizes)], attributes: [Split.axis.name: .int(key.axis)],
      results: try parts.map { try graph.type(of: $0.node.results[0]) }, at: .before(first.id), location: first.location)
    for (part, result) in zip(parts, try graph[split].results) { try graph.replace(part.node.id, with: [.value(result)]) }
  }

  /// The axis that a slice cuts, and from where to where; `nil` if that is not known or more than one.
  private func range(of node: Node, _ graph: Graph) -> (axis: Int, start: Int, end: Int)? {
    guard let starts = graph.integers(of: node.operand(1)), let ends = graph.integers(of: node.operand(2)),
      let shape = graph.type(of: node.operands[0]).shape, starts.count == 1, ends.count == 1,
      node.operand(4).isNone || graph.integers(of: node.operand(4)) == [1]
    else { return nil }
    let axes = node.operand(3).isNone ? [0] : graph.integers(of: node.operand(3)) ?? []
    guard axes.count == 1 else { return nil }
    let axis = axes[0] < 0 ? axes[0] + shape.rank : axes[0]
    guard shape.indices.contains(axis), let size = shape[axis].size else { return nil }
    func place(_ index: Int) -> Int { min(max(index < 0 ? index + size : index, 0), size) }
    return (axis, place(starts[0]), place(ends[0]))
  }
}
