import FXCore

extension Graph {
  /// Adds a constraint on the sizes of the graph's symbols: kept by every format, checked when the graph runs.
  public mutating func addConstraint(_ constraint: ShapeConstraint) { constraints += constraint.dimensionConstraints }

  /// Adds an input of a shape, with the bounds of its symbols and its constraints.
  /// - Throws: `GraphError.duplicateName`.
  @discardableResult
  public mutating func addInput(
    _ name: String, _ elementType: ElementType, _ info: DynamicShapeInfo
  ) throws(GraphError) -> ValueID {
    let input = try addInput(name, .tensor(elementType, info.shape.shape))
    symbols.merge(info.shape.symbols) { $0.intersection($1) }
    for constraint in info.constraints { addConstraint(constraint.constraint) }
    return input
  }

  /// `node 'y' (add, Model.swift:12)`
  func origin(of id: NodeID) -> String {
    guard let node = try? self[id] else { return "a node" }
    return "node '\(name(of: id))' (\(node.op)" + (node.location.map { ", \($0)" } ?? "") + ")"
  }

  /// What the operands' shapes of the body's nodes must keep and types alone do not show: broadcasting, matrix products,
  /// channels, and joining of symbolic sizes. Each once, with the first node that asks for it. O(nodes).
  func shapeRequirements() throws -> [AttributedConstraint] {
    var seen: Set<ShapeConstraint> = []
    var result: [AttributedConstraint] = []
    for id in bodyNodes {
      let node = try self[id]
      let shapes = node.operands.map { $0.isNone ? nil : $0.literal == nil ? type(of: $0).shape : [] }
      for requirement in ShapeConstraint.requirements(of: node, shapes) where seen.insert(requirement).inserted {
        result.append(AttributedConstraint(requirement, origin: origin(of: id)))
      }
    }
    return result
  }
}

extension Graph {
  /// What a run has to check of its inputs' sizes beyond the graph's own constraints: what the nodes ask of symbolic sizes.
  ///
  /// Only what follows from the inputs counts: types that values have already may come from careless exporters. Sizes that
  /// were divided are left to the run, since integer tensors divide toward zero and expressions downwards. A graph whose
  /// types cannot be inferred has no such checks; its run says why.
  /// - Throws: `ShapeConstraintError.conflict` if no sizes keep these and the graph's constraints.
  package func runTimeChecks(rules: ShapeRules) throws(ShapeConstraintError) -> [AttributedConstraint] {
    var context = try DynamicShapeInferenceContext(self)
    // A run decides anyway: a little time is enough to find what is plainly wrong.
    context.budget = 32
    guard let requirements = try? requirements(rules: rules) else { return [] }
    let exact = requirements.filter { $0.constraint.dimensions.allSatisfy(\.isPolynomial) }
    try context.add(exact)
    return exact
  }

  private func requirements(rules: ShapeRules) throws -> [AttributedConstraint] {
    var graph = self
    for id in allNodes { for value in try graph[id].results { try graph.setType(of: value, to: .unknown) } }
    try ShapeInference(rules: rules).run(&graph)
    return try graph.shapeRequirements()
  }
}

extension ShapeConstraint {
  private static let broadcasting: Set<Operator> = [
    .add, .sub, .mul, .div, .pow, .mod, .minimum, .maximum, .sum, .mean, .where_, .equal, .notEqual, .greater,
    .greaterOrEqual, .less, .lessOrEqual, .and, .or, .xor, .bitwiseAnd, .bitwiseOr, .bitwiseXor, .bitShift,
  ]

  /// What a node asks of its operands' sizes, as far as symbols are concerned.
  fileprivate static func requirements(of node: Node, _ shapes: [Shape?]) -> [ShapeConstraint] {
    func shape(_ index: Int) -> Shape? { index < shapes.count ? shapes[index] : nil }
    if broadcasting.contains(node.op) {
      var result: [ShapeConstraint] = []
      for index in shapes.indices.dropFirst() {
        for earlier in shapes[..<index] { result += broadcast(earlier, shapes[index]) }
      }
      return result
    }
    if node.op == .concat {
      guard let first = shape(0), node[Concat.axis] >= -first.rank, node[Concat.axis] < first.rank else { return [] }
      let axis = node[Concat.axis] < 0 ? node[Concat.axis] + first.rank : node[Concat.axis]
      let others = shapes.dropFirst().compactMap { $0 }.filter { $0.rank == first.rank }
      return others.flatMap { other in first.indices.flatMap { $0 == axis ? [] : equal(first[$0], other[$0]) } }
    }
    guard let a = shape(0), let b = shape(1) else { return [] }
    switch node.op {
    case .conv:
      guard a.rank > 2, b.rank == a.rank else { return [] }
      return equal(a[1], b[1] * Dimension(node[Conv.group]))
    case .convTranspose:
      guard a.rank > 2, b.rank == a.rank else { return [] }
      return equal(a[1], b[0])
    case .batchNormalization, .instanceNormalization, .groupNormalization:
      guard a.rank > 1, b.rank == 1 else { return [] }
      return equal(a[1], b[0])
    case .matmul:
      guard let inner = a.last, b.rank > 0 else { return [] }
      return equal(inner, b[max(b.rank - 2, 0)]) + broadcast(Shape(Array(a.dropLast(2))), Shape(Array(b.dropLast(2))))
    case .gemm:
      guard a.rank == 2, b.rank == 2 else { return [] }
      return equal(a[node[Gemm.transA] ? 0 : 1], b[node[Gemm.transB] ? 1 : 0])
    case .linear:
      guard let inner = a.last, b.rank == 2 else { return [] }
      return equal(inner, b[1])
    default: return []
    }
  }

  private static func equal(_ a: Dimension, _ b: Dimension) -> [ShapeConstraint] {
    isOpen(a, b) ? [.equal(a, b)] : []
  }

  private static func broadcast(_ a: Shape?, _ b: Shape?) -> [ShapeConstraint] {
    guard let a, let b else { return [] }
    return zip(a.reversed(), b.reversed()).compactMap { x, y in
      x.size == 1 || y.size == 1 || !isOpen(x, y) ? nil : .broadcastable(x, y)
    }
  }

  /// Whether two sizes may differ and something can be said of them.
  private static func isOpen(_ a: Dimension, _ b: Dimension) -> Bool {
    a != b && !a.isUnknown && !b.isUnknown && (a.size == nil || b.size == nil)
  }
}

extension DynamicShapeInferenceContext {
  /// Infers the types of a graph's values with what is known of its symbols, and adds what the graph tells of them.
  ///
  /// Symbols that are known to be equal become one; what the nodes ask of symbolic sizes, and bounds of sizes that depend
  /// on data, become constraints with the node as origin.
  /// - Returns: what the context could not prove before: the checks that are left to the run.
  /// - Throws: `ShapeInferenceError` for a node whose operands do not fit; `ShapeConstraintError.conflict` if no sizes keep
  ///   all constraints. The context and the graph are then as before.
  @discardableResult
  public mutating func infer(
    _ graph: inout Graph, using inference: ShapeInference = ShapeInference()
  ) throws
    -> [AttributedConstraint]
  {
    var context = self
    try context.add(try DynamicShapeInferenceContext(graph).constraints)
    var typed = graph
    let types = try graph.inputs.map { try graph.type(of: $0).mapDimensions(context.simplified) }
    let facts = try inference.inferred(&typed, inputTypes: types).facts
    try context.add(facts)
    let open = try typed.shapeRequirements().filter { context.decide($0.constraint) != .proved }
    try context.add(open)
    graph = typed
    self = context
    return open
  }
}

extension Dimension {
  /// Whether the expression is made of sums and products only.
  fileprivate var isPolynomial: Bool {
    (terms ?? []).allSatisfy { term in
      term.factors.allSatisfy { if case .symbol = $0 { true } else { false } }
    }
  }
}

extension ValueType {
  fileprivate func mapDimensions(_ map: (Dimension) -> Dimension) -> ValueType {
    switch self {
    case .tensor(let type): .tensor(type.elementType, type.shape.map { Shape($0.map(map)) })
    case .sequence(let element): .sequence(element.mapDimensions(map))
    case .optional(let wrapped): .optional(wrapped.mapDimensions(map))
    case .map, .unknown: self
    }
  }
}
