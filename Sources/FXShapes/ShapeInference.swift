import FXCore

/// Fills in the types of a graph's values from those of its inputs and parameters.
///
/// Symbolic sizes stay symbolic, and integer tensors that hold sizes are followed through arithmetic, so that a shape
/// computed by the program is known to the graph. O(nodes), loops excepted, whose bodies are visited until types settle.
public struct ShapeInference: Sendable {
  public var rules: ShapeRules
  /// Integer tensors with more elements than this are not followed.
  public var contentLimit = 256

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
    var session = InferenceSession(self, graph)
    // Swapped, not copied: the memory has one owner at a time, or every write would copy it.
    swap(&session.memory, &memory)
    defer { swap(&session.memory, &memory) }
    let results = try session.infer(node)
    for (value, contents) in zip(try graph[node].results, results.contents) where contents != nil {
      session.memory.contents[value] = contents
    }
    return results.types
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
      let results = try infer(node)
      for (index, value) in try graph[node].results.enumerated() {
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
    return .init(types: types, contents: results.map(contents(of:)))
  }

  mutating func infer(_ id: NodeID) throws -> InferenceContext.RegionResults {
    let node = try graph[id]
    let declared = try node.results.map { try graph.type(of: $0) }
    guard let rule = inference.rules[node.op] else {
      return .init(types: declared, contents: Array(repeating: nil, count: declared.count))
    }
    var context = InferenceContext(
      node: node, operandTypes: operandTypes(of: node), operandContents: node.operands.map(contents(of:)),
      operandTensors: node.operands.map { graph.tensor(of: $0) }, inferRegion: { _, _, _ in .init(types: [], contents: []) },
      freshSymbol: { [fresh = memory.fresh] in fresh.make() })
    switch context.checked(by: node.op.schema).flatMap({ apply(rule, &context) }) {
    case .success(let types):
      var results = InferenceContext.RegionResults(types: declared, contents: [])
      for index in declared.indices {
        if index < types.count { results.types[index] = types[index] }
        results.contents.append(context.resultContents[index])
      }
      if !context.facts.isEmpty {
        let origin = graph.origin(of: id)
        memory.facts += context.facts.map { AttributedConstraint($0, origin: origin) }
      }
      return results
    case .failure(let reason):
      if let inner = context.innerError { throw inner }
      throw ShapeInferenceError(
        node: graph.name(of: id), op: node.op.description, location: node.location,
        operandTypes: node.operands.map { $0.literal?.description ?? graph.type(of: $0).description }, reason: reason)
    }
  }

  /// Applies a rule. While it infers regions, a second session holds the graph, so that edits do not copy it.
  private mutating func apply(_ rule: ShapeRule, _ context: inout InferenceContext) -> Result<[ValueType], ShapeError> {
    guard !context.node.regions.isEmpty else { return Result { () throws(ShapeError) in try rule(&context) } }
    var inner = self
    graph = Graph()
    memory = InferenceMemory()
    context.mayRepeat = { [fresh = inner.memory.fresh] in fresh.visits < fresh.visitLimit }
    context.inferRegion = { region, types, contents in try inner.infer(region, arguments: types, contents: contents) }
    let outcome = Result { () throws(ShapeError) in try rule(&context) }
    self = inner
    return outcome
  }

  /// Literals take the element type of the first operand that has one of the same type variable.
  private func operandTypes(of node: Node) -> [ValueType?] {
    node.operands.enumerated().map { index, operand in
      switch operand {
      case .none: nil
      case .literal(let literal): type(of: literal, at: index, in: node)
      case .value, .parameter: graph.type(of: operand)
      }
    }
  }

  /// Unknown where the only operands that could tell are unknown themselves: the literal's own type would be a guess.
  private func type(of literal: Literal, at index: Int, in node: Node) -> ValueType {
    var isOpen = false
    let schema = node.op.schema
    let type = node.elementType(ofLiteral: literal, at: index) { operand in
      guard operand.literal == nil, !operand.isNone else { return nil }
      let type = graph.type(of: operand).elementType
      if type == nil { isOpen = true }
      return type
    }
    let isTold = node.operands.enumerated().contains { other, operand in
      schema?.operand(other)?.typeVariable == schema?.operand(index)?.typeVariable && operand.literal == nil
        && graph.type(of: operand).elementType == type
    }
    return isOpen && !isTold ? .unknown : .tensor(type, [])
  }

  private func contents(of operand: Operand) -> [Dimension]? {
    switch operand {
    case .value(let value): return memory.contents[value]
    case .literal(.int(let value)): return [Dimension(Int(value))]
    case .literal, .none: return nil
    case .parameter: return graph.tensor(of: operand).flatMap(inference.contents(of:))
    }
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
