import FXCore

/// Fills in the types of a graph's values from those of its inputs and parameters.
///
/// Symbolic sizes stay symbolic, and integer tensors that hold sizes are followed through arithmetic, so that a shape
/// computed by the program is known to the graph. O(nodes), loops excepted, whose bodies are visited until types settle.
public struct ShapeInference: Sendable {
  /// What is asked of each node; results of operators without a rule keep the types that they have.
  public var rules: ShapeRules
  /// Integer tensors with more elements than this are not followed.
  public var contentLimit = 256

  /// Inference by the rules of this package, unless others are given.
  public init(rules: ShapeRules = .standard) { self.rules = rules }

  /// Infers the types of all values. Types that a value already has are refined, never widened.
  /// - Parameter inputTypes: types for the graph's inputs in place of those they have, such as one run's sizes.
  /// - Returns: the elements of integer tensors of rank 0 and 1, as far as something is known of them.
  /// - Throws: `ShapeInferenceError` naming the first node whose operands do not fit.
  @discardableResult
  public func run(_ graph: inout Graph, inputTypes: [ValueType]? = nil) throws -> [ValueID: [Dimension]] {
    try inferred(&graph, inputTypes: inputTypes).contents
  }

  /// As `run`, with what is known of sizes that depend on data.
  func inferred(
    _ graph: inout Graph, inputTypes: [ValueType]? = nil
  ) throws -> (contents: [ValueID: [Dimension]], facts: [AttributedConstraint]) {
    var session = InferenceSession(self, graph)
    session.memory.fresh.taken = Set(graph.symbols.keys)
    session.memory.fresh.visitLimit = max(session.memory.fresh.visitLimit, 8 * graph.nodeCount)
    var types: [ValueType] = []
    for (index, input) in graph.inputs.enumerated() {
      types.append(try inputTypes.flatMap { index < $0.count ? $0[index] : nil } ?? graph.type(of: input))
    }
    for dimension in types.lazy.compactMap(\.shape).joined() { session.memory.fresh.taken.formUnion(dimension.symbols) }
    _ = try session.infer(graph.body, arguments: types, contents: [])
    graph = session.graph
    return (session.memory.contents, session.memory.facts)
  }

  /// The types a node's results would have, from the types that the graph's values have now.
  /// - Throws: `ShapeInferenceError`.
  public func resultTypes(of node: NodeID, in graph: Graph) throws -> [ValueType] {
    var memory = InferenceMemory()
    return try resultTypes(of: node, in: graph, memory: &memory)
  }

  /// The types a node's results would have, for callers that add nodes one by one: `memory` carries from node to node
  /// what types do not say.
  /// - Throws: `ShapeInferenceError`.
  public func resultTypes(of node: NodeID, in graph: Graph, memory: inout InferenceMemory) throws -> [ValueType] {
    let node = try graph[node]
    let results: InferenceContext.RegionResults
    if node.regions.isEmpty {
      results = try call(node, in: graph, memory: &memory)
    } else {
      var session = InferenceSession(self, graph)
      // Swapped, not copied: the memory has one owner at a time, or every write would copy it.
      swap(&session.memory, &memory)
      defer { swap(&session.memory, &memory) }
      results = try session.infer(node)
    }
    for (value, contents) in zip(node.results, results.contents) where contents != nil { memory.contents[value] = contents }
    return results.types
  }

  /// Fills in the types of a node's results: see `resultTypes(of:in:memory:)`.
  /// - Returns: the results.
  /// - Throws: `ShapeInferenceError`.
  @discardableResult
  public func infer(_ node: NodeID, in graph: inout Graph, memory: inout InferenceMemory) throws -> [ValueID] {
    let types = try resultTypes(of: node, in: graph, memory: &memory)
    let results = try graph[node].results
    for (result, type) in zip(results, types) { try graph.setType(of: result, to: type) }
    return results
  }
}

extension ShapeInference {
  /// The types of a region's results for arguments of these types; as far as the graph knows them if the region's nodes do
  /// not fit together.
  package func knownTypes(ofRegion region: RegionID, in graph: Graph, arguments: [ValueType]) -> [ValueType] {
    var session = InferenceSession(self, graph)
    let results = try? session.infer(region, arguments: arguments, contents: [])
    return results?.types ?? graph.results(of: region).map { graph.type(of: $0) }
  }
}

/// What inference knows beyond types: the integers that small tensors hold, and which symbols it has given out.
public struct InferenceMemory {
  var contents: [ValueID: [Dimension]] = [:]
  /// What is known of the symbols given out.
  var facts: [AttributedConstraint] = []
  let fresh = SymbolSource()

  /// Nothing is known yet: where a graph that is built node by node begins.
  public init() {}

  /// - Parameter taken: symbols that sizes which only the run knows must not be called by.
  package init(taken: Set<String>) { fresh.taken = taken }

  /// - Parameter contents: what a run over the graph has found.
  package init(contents: [ValueID: [Dimension]]) { self.contents = contents }

  /// Lets `copy` hold what `value` holds: an argument of a region that stands for a value outside.
  public mutating func copyContents(of value: ValueID, to copy: ValueID) { contents[copy] = contents[value] }

  /// Names for data-dependent sizes, and how much work was done; shared by the contexts of one walk.
  final class SymbolSource {
    var taken: Set<String> = []
    /// Nodes of regions that were visited, each as often as it was.
    var visits = 0
    /// From here on no body is visited again for better types.
    var visitLimit = 50_000
    private var next = 0

    func make() -> Dimension {
      while true {
        let name = "u\(next)"
        next += 1
        if taken.insert(name).inserted { return Dimension(symbol: name) }
      }
    }
  }
}

/// One walk over one graph.
private struct InferenceSession {
  let inference: ShapeInference
  var graph: Graph
  var memory = InferenceMemory()
  /// The types that the results of regions had before. What a region of a loop computes may say less than its author did.
  private var declaredResults: [RegionID: [ValueType]] = [:]

  init(_ inference: ShapeInference, _ graph: Graph) {
    self.inference = inference
    self.graph = graph
  }

  mutating func infer(
    _ region: RegionID, arguments: [ValueType], contents known: [[Dimension]?]
  ) throws -> InferenceContext.RegionResults {
    if region != graph.body, declaredResults[region] == nil {
      declaredResults[region] = graph.results(of: region).map { graph.type(of: $0) }
    }
    for (index, argument) in try graph.arguments(of: region).enumerated() {
      if index < arguments.count { try graph.setType(of: argument, to: arguments[index]) }
      memory.contents[argument] = index < known.count ? known[index] : nil
    }
    for node in try graph.nodes(in: region) {
      if region != graph.body { memory.fresh.visits += 1 }
      let node = try graph[node]
      let results = try infer(node)
      for (index, value) in node.results.enumerated() {
        memory.contents[value] = results.contents[index]
        let type = results.types[index]
        try graph.setType(of: value, to: region == graph.body ? type.refined(by: graph.type(of: value)) : type)
      }
    }
    let results = graph.results(of: region)
    var types = results.map { graph.type(of: $0) }
    for (index, declared) in (declaredResults[region] ?? []).enumerated() {
      types[index] = types[index].refined(by: declared)
      if case .value(let value) = results[index] { try graph.setType(of: value, to: types[index]) }
    }
    return .init(types: types, contents: results.map { inference.contents(of: $0, in: graph, memory) })
  }

  mutating func infer(_ node: Node) throws -> InferenceContext.RegionResults {
    guard let rule = inference.rules[node.op], !node.regions.isEmpty else {
      return try inference.call(node, in: graph, memory: &memory)
    }
    var context = inference.context(of: node, in: graph, memory)
    // While the rule infers regions, a second session holds the graph, so that edits do not copy it.
    var inner = self
    graph = Graph()
    memory = InferenceMemory()
    context.mayRepeat = { [fresh = inner.memory.fresh] in fresh.visits < fresh.visitLimit }
    context.inferRegion = { region, types, contents in try inner.infer(region, arguments: types, contents: contents) }
    let outcome = context.apply(rule)
    self = inner
    return try inference.results(outcome, of: context, in: graph, memory: &memory)
  }
}

extension ValueType {
  /// This type with what it leaves unknown taken from `other`, where both agree otherwise.
  func refined(by other: ValueType) -> ValueType {
    switch (self, other) {
    case (.unknown, _): return other
    case (.tensor(let a), .tensor(let b)) where a.elementType == b.elementType:
      guard let shape = a.shape else { return other }
      guard let known = b.shape, known.rank == shape.rank else { return self }
      return .tensor(a.elementType, Shape(zip(shape, known).map { $0.isUnknown ? $1 : $0 }))
    // That elements have no one shape is a finding, which models with a shape for all of them contradict.
    case (.sequence(.unknown), .sequence): return other
    case (.sequence, .sequence): return self
    case (.optional(let a), .optional(let b)): return .optional(a.refined(by: b))
    // What a model declares to be there is not widened by a loop whose first turn could find it missing.
    case (.optional(let a), _) where a.isOfKind(of: other): return a
    default: return self
    }
  }

  /// Whether both are tensors of one element type, or both sequences.
  private func isOfKind(of other: ValueType) -> Bool {
    switch (self, other) {
    case (.tensor(let a), .tensor(let b)): a.elementType == b.elementType
    case (.sequence, .sequence): true
    default: false
    }
  }

  /// The narrowest type both are instances of; `nil` if there is none.
  public func united(with other: ValueType) -> ValueType? {
    switch (self, other) {
    case (.unknown, _), (_, .unknown): return .unknown
    case (.tensor(let a), .tensor(let b)):
      guard a.elementType == b.elementType else { return nil }
      guard let x = a.shape, let y = b.shape, x.rank == y.rank else { return .tensor(a.elementType, nil) }
      return .tensor(a.elementType, Shape(zip(x, y).map { $0 == $1 ? $0 : .unknown }))
    case (.sequence(let a), .sequence(let b)): return a.united(with: b).map(ValueType.sequence)
    case (.optional(let a), .optional(let b)): return a.united(with: b).map(ValueType.optional)
    case (.map(let k, let a), .map(let l, let b)): return k == l ? a.united(with: b).map { .map(k, $0) } : nil
    default: return nil
    }
  }
}
