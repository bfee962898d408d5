import FXCore
import FXShapes

/// Why a call stays as it is.
struct DecompositionDeclined: Error {
  let reason: String
}

/// Adds the calls that a decomposition is made of, and infers their types one by one.
///
/// A class: the terms of a formula all write into the graph that the pass has lent to it.
final class DecompositionBuilder {
  private(set) var graph = Graph()
  /// The calls that the current decomposition added, those inside regions included.
  private(set) var added: [NodeID] = []
  private var constants: [ParameterID] = []
  /// Axes and small shapes recur in almost every formula: one constant serves all of a pass.
  private var vectors: [[Int]: ParameterID] = [:]
  private var memory: InferenceMemory
  private var point: InsertionPoint
  private var location: Location?

  /// - Parameter graph: whose symbols no size that only the run knows may be named by.
  init(_ graph: Graph) {
    memory = InferenceMemory(taken: graph.sizeSymbols)
    point = .end(of: graph.body)
  }

  /// Hands the graph over and back: while one side has it, the other has not, so that edits do not copy it.
  func exchange(_ other: inout Graph) { swap(&graph, &other) }

  /// Begins to add calls in front of a node.
  func begin(_ node: Node) {
    added = []
    constants = []
    point = .before(node.id)
    location = node.location
  }

  /// Takes back what was added since `begin`.
  func revert() throws {
    for node in added.reversed() where graph.contains(node) { try graph.erase(node) }
    let gone = Set(constants)
    vectors = vectors.filter { !gone.contains($0.value) }
    for constant in constants { graph.removeParameter(constant) }
    added = []
    constants = []
  }

  // MARK: Calls

  /// Adds a call, and gives its results.
  /// - Parameter types: the results' types, inferred if `nil`.
  func call(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:], resultCount: Int = 1, types: [ValueType]? = nil
  ) throws -> [Operand] {
    // Optional operands that are left out at the end need no place.
    var operands = operands
    while operands.last?.isNone == true { operands.removeLast() }
    let node = try graph.append(
      op, operands, attributes: attributes, results: types ?? Array(repeating: .unknown, count: resultCount), at: point,
      location: location)
    added.append(node)
    if types == nil { infer(node) }
    return try graph[node].results.map(Operand.value)
  }

  /// Where too little is known for a rule, or a graph is wrong elsewhere, types stay unknown.
  private func infer(_ node: NodeID) {
    _ = try? ShapeInference().infer(node, in: &graph, memory: &memory)
  }

  /// Adds a call with one region.
  /// - Parameters:
  ///   - operands: captured values last.
  ///   - arguments: the types of the region's arguments, those of captured values included.
  ///   - body: gives the region's results for its arguments.
  func call(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes, arguments: [ValueType],
    body: ([Operand]) throws -> [Operand]
  ) throws -> [Operand] {
    let node = try graph.append(op, operands, attributes: attributes, results: [], at: point, location: location)
    added.append(node)
    let region = try graph[node].regions[0]
    for type in arguments { try graph.addArgument(to: region, type) }
    let outside = point
    point = .end(of: region)
    defer { point = outside }
    let results = try body(try graph.arguments(of: region).map(Operand.value))
    try graph.setResults(of: region, results)
    for _ in results { _ = try graph.addResult(to: node) }
    infer(node)
    return try graph[node].results.map(Operand.value)
  }

  /// Puts copies of a region's nodes in place, and gives the region's results.
  func inline(_ region: RegionID, _ arguments: [Operand]) throws -> [Operand] {
    let contents = try graph.copyContents(of: region, arguments: arguments, to: point)
    for copy in contents.nodes { added += [copy] + (try graph.nodes(below: copy)) }
    return contents.results
  }

  /// Replaces a node's results, and erases it with what was made for results that nobody uses.
  func replace(_ node: Node, with results: [Operand]) throws {
    try graph.replace(node.id, with: results)
    for id in added.reversed() where graph.contains(id) {
      if try graph[id].results.allSatisfy({ try graph.uses(of: $0).isEmpty }) { try graph.erase(id) }
    }
  }

  /// Lets a value that a decomposition ends with have the type that was known of the result it becomes.
  func keepType(_ type: ValueType, of operand: Operand) throws {
    guard let value = operand.value, let known = type.tensorType, let shape = known.shape,
      let producer = try graph.producer(of: value), added.contains(producer)
    else { return }
    guard let inferred = try graph.type(of: value).tensorType else { return try graph.setType(of: value, to: type) }
    guard inferred.elementType == known.elementType else { return }
    let own = inferred.shape.flatMap { $0.rank == shape.rank ? $0 : nil } ?? shape
    let sizes = zip(shape, own).map { $0.isUnknown ? $1 : $0 }
    try graph.setType(of: value, to: .tensor(known.elementType, Shape(sizes)))
  }

  // MARK: Constants

  func constant(_ tensor: Tensor, name: String = "constant") -> Operand {
    let id = graph.addConstant(tensor, name: name)
    constants.append(id)
    return .parameter(id)
  }

  /// A vector of integers, such as axes.
  func vector(_ numbers: [Int]) -> Term {
    if let id = vectors[numbers] { return Term(self, .parameter(id)) }
    let id = graph.addConstant(Tensor(vector: numbers), name: "sizes")
    constants.append(id)
    vectors[numbers] = id
    return Term(self, .parameter(id))
  }
}

extension Graph {
  /// The symbols in the shapes of all values. O(values).
  fileprivate var sizeSymbols: Set<String> {
    var names = Set(symbols.keys)
    func note(_ value: ValueID) {
      guard let shape = (try? type(of: value))?.shape else { return }
      for dimension in shape where dimension.size == nil { names.formUnion(dimension.symbols) }
    }
    inputs.forEach(note)
    for id in allNodes {
      guard let node = try? self[id] else { continue }
      node.results.forEach(note)
      for region in node.regions { ((try? arguments(of: region)) ?? []).forEach(note) }
    }
    return names
  }

  /// The nodes inside a node's regions.
  fileprivate func nodes(below id: NodeID) throws -> [NodeID] {
    var result: [NodeID] = []
    var pending = try self[id].regions
    while let region = pending.popLast() {
      for node in try nodes(in: region) {
        result.append(node)
        pending += try self[node].regions
      }
    }
    return result
  }
}
