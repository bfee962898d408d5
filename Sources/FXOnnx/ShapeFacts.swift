import FXCore

/// What a graph knows of sizes and ONNX has no place for: bounds of symbols, constraints, and which of the names in
/// `dim_param` are expressions. A graph without nodes keeps them, as text in the model's metadata:
///
/// ```
/// fx 1
/// graph @shapes(%dimensions: f32[2*s + 1]) {
///   symbol s in 1...64
///   constraint s multiple_of 8
///   return
/// }
/// ```
enum ShapeFacts {
  /// Among the model's `metadata_props`.
  static let key = "fx.shapes"

  /// - Returns: `nil` if ONNX says it all.
  static func text(of graph: Graph) -> String? {
    var expressions: Set<Dimension> = []
    for type in types(in: graph) { type.forEachDimension { if $0.isExpression { expressions.insert($0) } } }
    guard !graph.symbols.isEmpty || !graph.constraints.isEmpty || !expressions.isEmpty else { return nil }
    var facts = Graph(name: "shapes")
    facts.symbols = graph.symbols
    facts.constraints = graph.constraints
    if !expressions.isEmpty {
      let sorted = expressions.sorted { $0.description < $1.description }
      guard (try? facts.addInput("dimensions", .tensor(.float32, Shape(sorted)))) != nil else { return nil }
    }
    return facts.text()
  }

  /// Gives a graph what `text` wrote.
  /// - Throws: `OnnxError` if another program has spoilt it.
  static func read(_ text: String, into graph: inout Graph) throws(OnnxError) {
    let facts: Graph
    do {
      facts = try Graph(text: text)
    } catch {
      throw OnnxError(.metadata(key, reason: "\(error)"))
    }
    graph.symbols = facts.symbols
    graph.constraints = facts.constraints
    var expressions: [String: Dimension] = [:]
    for type in types(in: facts) { type.forEachDimension { if $0.isExpression { expressions[$0.description] = $0 } } }
    guard !expressions.isEmpty else { return }
    for value in values(in: graph) {
      guard let type = try? graph.type(of: value) else { continue }
      try wrapping { () throws(GraphError) in
        try graph.setType(of: value, to: type.mapDimensions { $0.substituting(expressions) })
      }
    }
  }

  private static func types(in graph: Graph) -> [ValueType] { values(in: graph).compactMap { try? graph.type(of: $0) } }

  private static func values(in graph: Graph) -> [ValueID] {
    var values = graph.inputs
    for id in graph.allNodes {
      guard let node = try? graph[id] else { continue }
      values += node.results
      for region in node.regions { values += (try? graph.arguments(of: region)) ?? [] }
    }
    return values
  }
}

extension Dimension {
  /// Whether it is more than a number or a symbol.
  fileprivate var isExpression: Bool { size == nil && symbol == nil && !isUnknown }
}

extension ValueType {
  fileprivate func forEachDimension(_ body: (Dimension) -> Void) {
    _ = mapDimensions {
      body($0)
      return $0
    }
  }

  fileprivate func mapDimensions(_ map: (Dimension) -> Dimension) -> ValueType {
    switch self {
    case .tensor(let type): .tensor(type.elementType, type.shape.map { Shape($0.map(map)) })
    case .sequence(let element): .sequence(element.mapDimensions(map))
    case .optional(let wrapped): .optional(wrapped.mapDimensions(map))
    case .map(let key, let value): .map(key, value.mapDimensions(map))
    case .unknown: self
    }
  }
}
