import FXCore

/// Makes one reshape of several that follow each other, and none of those that end in the shape they began with.
///
/// `reshape`, `flatten`, `squeeze` and `unsqueeze` count as reshapes. One that others use stays. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @axes: i64[1] constant = [0]
///   %a: f32[2, 12] = flatten(%x)
///   %b: f32[1, 2, 12] = unsqueeze(%a, @axes)
///   return %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2, 3, 4]) {
///   parameter @shape: i64[3] constant = [1, 2, 12]
///   %b: f32[1, 2, 12] = reshape(%x, @shape)
///   return %b
/// }
/// ```
///
/// Declines: nothing. Reshapes whose results others use are left, and shapes with more than one open size.
public struct ReshapeSimplificationPass: Pass {
  public let name = "reshape-simplification"

  /// There is nothing to set. The pass is repeated within one application until nothing changes.
  public init() {}

  private static let reshapes: Set<Operator> = [.reshape, .flatten, .squeeze, .unsqueeze]

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    try .untilStable { outcome in
      for id in graph.allNodes where graph.contains(id) {
        let node = try graph[id]
        guard Self.reshapes.contains(node.op), let inner = graph.call(producing: node.operands[0]),
          Self.reshapes.contains(inner.op)
        else { continue }
        let source = inner.operands[0]
        let type = graph.type(of: .value(node.results[0]))
        if type.hasKnownShape, type == graph.type(of: source) {
          try graph.replace(id, with: [source])
          outcome.change("reshapes undone")
        } else if graph.isUsedOnce(inner.results[0]), let sizes = sizes(of: type) {
          let shape = graph.addConstant(Tensor(vector: sizes), name: "shape")
          let result = try graph.insert(.reshape, [source, .parameter(shape)], type: type, before: id)
          try graph.replace(id, with: [.value(result)])
          outcome.change("reshapes composed")
        } else {
          continue
        }
        if try graph.uses(of: inner.results[0]).isEmpty { try graph.erase(inner.id) }
      }
    }
  }

  /// The shape as `reshape` takes it: −1 for the one size that is not fixed; `nil` if more are open, or one is 0.
  private func sizes(of type: ValueType) -> [Int]? {
    guard let shape = type.shape, shape.count(where: { $0.size == nil }) <= 1 else { return nil }
    let sizes = shape.map { $0.size ?? -1 }
    return sizes.contains(0) ? nil : sizes
  }
}
