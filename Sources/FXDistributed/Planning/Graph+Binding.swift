import FXCore
import FXPasses
import FXShapes

extension Graph {
  /// This graph for certain sizes: every symbol of the inputs has one, integers that follow from sizes are constants, and
  /// what nobody uses is gone.
  /// - Throws: `PlanError.unboundSymbols`; `ShapeInferenceError`.
  func bound(to sizes: [String: Int]) throws -> Graph {
    var graph = self
    try GradientExpansionPass().apply(to: &graph)
    graph.symbols = [:]
    graph.constraints = []
    let bindings = sizes.mapValues { Dimension($0) }
    var unbound: Set<String> = []
    for input in graph.inputs {
      guard var type = try graph.type(of: input).tensorType, let shape = type.shape else { continue }
      type.shape = Shape(shape.map { $0.substituting(bindings) })
      unbound.formUnion((type.shape ?? []).flatMap(\.symbols))
      try graph.setType(of: input, to: .tensor(type))
    }
    guard unbound.isEmpty else { throw PlanError.unboundSymbols(unbound.sorted()) }
    // Types that follow from the old sizes would be taken as facts.
    for node in graph.bodyNodes {
      guard try graph[node].op.isRegistered else { continue }
      for result in try graph[node].results { try graph.setType(of: result, to: .unknown) }
    }
    let contents = try ShapeInference().run(&graph)
    for node in graph.bodyNodes where try graph[node].op.isPure && graph[node].regions.isEmpty {
      for result in try graph[node].results {
        guard let integers = contents[result]?.map(\.size), !integers.contains(nil),
          let type = try graph.type(of: result).tensorType, type.elementType.isInteger, let shape = type.shape?.sizes,
          let tensor = try? Tensor(type.elementType, shape, numbers: .signed(integers.map { Int64($0 ?? 0) }))
        else { continue }
        let constant = graph.addConstant(tensor, name: graph.name(of: result))
        try graph.replaceAllUses(of: result, with: .parameter(constant))
      }
    }
    try DeadCodeEliminationPass().apply(to: &graph)
    try graph.requireSizesWithinReach()
    return graph
  }

  /// The most bytes of one tensor in a plan: so few that sums over all nodes and ranks are no overflow, and more than there is.
  private static let mostBytes = 1 << 42

  /// - Throws: `PlanError.tooLarge`.
  private func requireSizesWithinReach() throws {
    for value in try inputs + bodyNodes.flatMap({ try self[$0].results }) {
      guard let type = sizedType(of: .value(value)) else { continue }
      let count = try? Tensor.elementCount(of: type.shape?.sizes ?? [], type.elementType)
      guard let count, type.elementType.byteCount(elements: count) ?? count <= Graph.mostBytes else {
        throw PlanError.tooLarge(value: name(of: value), type)
      }
    }
  }

  /// The type of an operand, if it is a tensor of known sizes.
  func sizedType(of operand: Operand) -> TensorType? {
    switch operand {
    case .value(let value): return (try? type(of: value))?.tensorType.flatMap { $0.shape?.sizes == nil ? nil : $0 }
    case .parameter(let id): return (try? self[id])?.type
    case .literal(let literal): return TensorType(literal.defaultElementType, [])
    case .none: return nil
    }
  }
}
