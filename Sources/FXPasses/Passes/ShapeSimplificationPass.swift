import FXCore
import FXShapes

/// Lets `reshape` and `expand` read constants, and sizes come from the graph's inputs: what chains of `shape`, `gather`, `concat`
/// come to where shapes are symbolic.
///
/// A reshape to a shape that is known but for sizes that it keeps, or but for one, needs no computed shape: 0 keeps a size, −1
/// stands for the one. So does an expansion that changes only fixed sizes. Other integers that are sizes of an input become one
/// `shape` of the input, so that equal ones are computed once. Computed sizes that nothing reads any more are left to dead-code
/// elimination; sizes inside regions stay. O(graph).
///
/// Before:
/// ```
/// graph @main(%x: f32[b, t, 64]) {
///   parameter @rest: i64[2] constant = [4, 16]
///   %s: i64[2] = shape(%x) {end = 2}
///   %c: i64[4] = concat(%s, @rest) {axis = 0}
///   %y: f32[b, t, 4, 16] = reshape(%x, %c)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[b, t, 64]) {
///   parameter @rest: i64[2] constant = [4, 16]
///   parameter @shape: i64[4] constant = [0, 0, 4, 16]
///   %s: i64[2] = shape(%x) {end = 2}
///   %c: i64[4] = concat(%s, @rest) {axis = 0}
///   %y: f32[b, t, 4, 16] = reshape(%x, @shape)
///   return %y
/// }
/// ```
///
/// Declines: nothing. Shapes are left that are not known from the operand's and the inputs' sizes.
public struct ShapeSimplificationPass: Pass {
  public let name = "shape-simplification"

  /// There is nothing to set. The graph's types must be inferred: what has none is left.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    for op in [Operator.reshape, .expand] {
      for id in graph.nodes(calling: op) { try makeConstant(id, &graph, &outcome) }
    }
    try readInputs(&graph, &outcome)
    return outcome
  }

  private func makeConstant(_ id: NodeID, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let node = try graph[id]
    guard case .value = node.operand(1), let from = graph.type(of: node.operands[0]).shape,
      let to = try graph.type(of: node.results[0]).shape,
      let sizes = node.op == .expand ? ReshapeTarget.expansion(from: from, to: to) : ReshapeTarget.sizes(from: from, to: to)
    else { return }
    let shape = graph.addConstant(Tensor(vector: sizes), name: "shape")
    try graph.setOperand(1, of: id, to: .parameter(shape))
    if node.op == .reshape, node[Reshape.allowZero] {
      var attributes = node.attributes
      attributes[Reshape.allowZero] = false
      try graph.setAttributes(of: id, to: attributes)
    }
    outcome.change("shapes made constant")
  }

  // MARK: Sizes of inputs

  /// Where a size is one of an input.
  private struct Source {
    let input: ValueID
    let axis: Int
  }

  private static let computations: Set<Operator> = [
    .shape, .size, .gather, .slice, .concat, .squeeze, .unsqueeze, .reshape, .cast, .add, .sub, .mul, .div, .identity,
    .reduceProd, .minimum, .maximum, .where_,
  ]

  private func readInputs(_ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    guard !graph.nodes(calling: .shape).isEmpty || !graph.nodes(calling: .size).isEmpty else { return }
    var inputs: [(value: ValueID, shape: Shape)] = []
    for value in graph.inputs {
      if let shape = try graph.type(of: value).shape, shape.contains(where: { $0.size == nil && !$0.isUnknown }) {
        inputs.append((value, shape))
      }
    }
    guard !inputs.isEmpty else { return }
    // Only with one holder does the first edit not copy the graph.
    var typed = graph
    let contents = try ShapeInference().run(&typed)
    typed = Graph()
    for id in graph.bodyNodes {
      let node = try graph[id]
      guard Self.computations.contains(node.op), node.results.count == 1, let result = node.results.first,
        let type = try graph.type(of: result).tensorType, type.elementType == .int64, let rank = type.shape?.rank, rank <= 1,
        let sizes = contents[result], !sizes.isEmpty, sizes.contains(where: { $0.size == nil }),
        let source = source(of: sizes, inputs)
      else { continue }
      if isDirect(node, source, count: sizes.count, rank: rank, graph) { continue }
      let attributes: Attributes = [
        ShapeOperator.start.name: .int(source.axis), ShapeOperator.end.name: .int(source.axis + sizes.count),
      ]
      var value = try graph.insert(
        .shape, [.value(source.input)], attributes: attributes, type: .tensor(.int64, [Dimension(sizes.count)]), before: id)
      if rank == 0 { value = try graph.insert(.squeeze, [.value(value)], type: .tensor(.int64, []), before: id) }
      try graph.replace(id, with: [.value(value)])
      outcome.change("sizes read from inputs")
    }
  }

  /// The first input that has these sizes side by side.
  private func source(of sizes: [Dimension], _ inputs: [(value: ValueID, shape: Shape)]) -> Source? {
    guard !sizes.contains(where: \.isUnknown) else { return nil }
    for (value, shape) in inputs where shape.rank >= sizes.count {
      for axis in 0...shape.rank - sizes.count where Array(shape[axis..<axis + sizes.count]) == sizes {
        return Source(input: value, axis: axis)
      }
    }
    return nil
  }

  /// Whether a node is what would be put in its place.
  private func isDirect(_ node: Node, _ source: Source, count: Int, rank: Int, _ graph: Graph) -> Bool {
    if rank == 0 {
      guard node.op == .squeeze, node.operands.count == 1, let inner = graph.call(producing: node.operands[0]) else {
        return false
      }
      return isDirect(inner, source, count: 1, rank: 1, graph)
    }
    guard node.op == .shape, node.operands[0] == .value(source.input), let input = try? graph.type(of: source.input).shape
    else { return false }
    let end = node[ShapeOperator.end] ?? input.rank
    return node[ShapeOperator.start] == source.axis && end == source.axis + count
  }
}
