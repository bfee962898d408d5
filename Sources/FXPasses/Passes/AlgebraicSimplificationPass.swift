import FXCore

/// Removes what changes nothing but for the sign of zeros and the rounding of products: the addition of zeros, initial states
/// of recurrent layers that are zero, expansions before operators that broadcast, two factors where one will do, conditions
/// that are known.
///
/// Zeros are found where they are made: constants, `constant_of_shape`, and what moves their elements. O(nodes).
///
/// Before:
/// ```
/// graph @main(%x: f32[4, 3]) {
///   parameter @b: f32[3] weight = [0, 0, 0]
///   %a: f32[4, 3] = add(%x, @b)
///   %m: f32[4, 3] = mul(%a, 2.0)
///   %y: f32[4, 3] = mul(%m, 4.0)
///   return %y
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4, 3]) {
///   parameter @factor: f32[] constant = [8]
///   %y: f32[4, 3] = mul(%x, @factor)
///   return %y
/// }
/// ```
///
/// Declines: sums and expansions whose shapes are not known, products that would overflow or vanish as one factor, and weights of more
/// than 65,536 elements, which are not read.
public struct AlgebraicSimplificationPass: Pass {
  public let name = "algebraic-simplification"
  public let contract = NumericContract.reassociates
  /// Weights that are zero and larger than this many elements are not looked at.
  public var sizeLimit = 1 << 16

  /// Reads weights of up to 65,536 elements, in search of zeros, unless `sizeLimit` is changed.
  public init() {}

  private static let broadcasting: Set<Operator> = [
    .add, .sub, .mul, .div, .pow, .equal, .greater, .greaterOrEqual, .less, .lessOrEqual, .and, .or, .xor, .minimum, .maximum,
    .where_,
  ]

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    try .untilStable { outcome in
      for id in graph.allNodes where graph.contains(id) {
        let node = try graph[id]
        switch node.op {
        case .add, .or: try removeNeutral(0, node, &graph, &outcome)
        case .and: try removeNeutral(1, node, &graph, &outcome)
        case .lstm: try removeStates([5, 6], node, &graph, &outcome)
        case .gru, .rnn: try removeStates([5], node, &graph, &outcome)
        case .mul: try mergeFactors(node, &graph, &outcome)
        default: break
        }
        guard graph.contains(id), Self.broadcasting.contains(node.op) else { continue }
        try skipExpansions(graph[id], &graph, &outcome)
      }
    }
  }

  private func removeNeutral(
    _ number: Double, _ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    let type = try graph.type(of: node.results[0])
    guard node.operands.count == 2, type.hasKnownShape, type.elementType?.isComplex == false else { return }
    for (index, operand) in node.operands.enumerated() where operand.value != nil {
      guard graph.type(of: operand) == type, isEverywhere(number, node.operands[1 - index], graph) else { continue }
      try graph.replace(node.id, with: [operand])
      outcome.change("neutral \(node.op) removed")
      return
    }
  }

  /// Leaves out initial states that are zero, which is what layers begin with.
  private func removeStates(
    _ indices: [Int], _ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome
  ) throws {
    var operands = node.operands
    for index in indices where operands.indices.contains(index) && !operands[index].isNone {
      guard isEverywhere(0, operands[index], graph) else { continue }
      operands[index] = .none
      outcome.change("zero states removed")
    }
    guard operands != node.operands else { return }
    while operands.last == Operand.none { operands.removeLast() }
    try graph.setOperands(of: node.id, to: operands)
  }

  /// One factor for two numbers after each other.
  private func mergeFactors(_ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    guard let (operand, second) = graph.scaling(node), let inner = graph.call(producing: operand), inner.op == .mul,
      graph.isUsedOnce(inner.results[0]), let (source, first) = graph.scaling(inner),
      let element = graph.type(of: source).elementType, element == .float32 || element == .float64,
      graph.type(of: source).hasKnownShape, try graph.type(of: source) == graph.type(of: node.results[0])
    else { return }
    let product = first * second
    guard element == .float64 ? product.isNormal : Float(product).isNormal else { return }
    let factor = graph.addConstant(try Tensor(element, [], numbers: .floats([product])), name: "factor")
    try graph.setOperands(of: node.id, to: [source, .parameter(factor)])
    try graph.erase(inner.id)
    outcome.change("factors merged")
  }

  /// Reads what an expansion reads where broadcasting gives the same.
  private func skipExpansions(_ node: Node, _ graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let type = try graph.type(of: node.results[0])
    guard type.hasKnownShape, let result = type.shape else { return }
    for index in node.operands.indices {
      // What was skipped before gives no sizes any more.
      let operands = try graph[node.id].operands
      guard let inner = graph.call(producing: operands[index]), inner.op == .expand,
        let source = graph.type(of: inner.operands[0]).shape, source.rank <= result.rank
      else { continue }
      // Another operand must have every size that the expansion gave.
      let others = operands.enumerated().filter { $0.offset != index }.compactMap { graph.type(of: $0.element).shape }
      let covers = result.indices.allSatisfy { axis in
        func size(_ shape: Shape) -> Dimension? {
          let place = axis - (result.rank - shape.rank)
          return place >= 0 ? shape[place] : nil
        }
        return result[axis] == size(source) || others.contains { size($0) == result[axis] }
      }
      guard covers else { continue }
      try graph.setOperand(index, of: node.id, to: inner.operands[0])
      if try graph.uses(of: inner.results[0]).isEmpty { try graph.erase(inner.id) }
      outcome.change("expansions skipped")
    }
  }

  /// Whether an operand is known to be this number in all its elements.
  private func isEverywhere(_ number: Double, _ operand: Operand, _ graph: Graph, depth: Int = 12) -> Bool {
    if let scalar = graph.scalar(of: operand) { return scalar == number }
    if let tensor = graph.tensor(of: operand) {
      guard tensor.strings == nil, !tensor.elementType.isComplex, (1...sizeLimit).contains(tensor.elementCount) else {
        return false
      }
      return (try? tensor.numbers().doubles.allSatisfy { $0 == number }) ?? false
    }
    guard depth > 0, let node = graph.call(producing: operand) else { return false }
    switch node.op {
    case .constantOfShape:
      guard let value = node[ConstantOfShape.value] else { return number == 0 }
      return (try? value.numbers().doubles.first) == number
    case .expand, .reshape, .slice, .squeeze, .unsqueeze, .transpose, .tile, .identity, .gather, .split, .flatten:
      return isEverywhere(number, node.operands[0], graph, depth: depth - 1)
    case .concat: return node.operands.allSatisfy { isEverywhere(number, $0, graph, depth: depth - 1) }
    default: return false
    }
  }
}
