import FXCore
import FXShapes

/// Expresses a call by other operators. Returns what its results become, or `nil` if this call has no such form, for
/// instance because too little is known of its types.
public typealias Decomposition = @Sendable (inout DecompositionContext) throws -> [Operand]?

/// The decomposition of each composite operator. A value: users extend a copy of `.standard`.
public struct Decompositions: Sendable {
  private var table: [Operator: Decomposition] = [:]

  public init() {}

  public subscript(op: Operator) -> Decomposition? {
    get { table[op] }
    set { table[op] = newValue }
  }

  /// The operators that have a decomposition.
  public var operators: [Operator] { table.keys.sorted { $0.description < $1.description } }

  /// The entries of some operators.
  public func only(_ operators: [Operator]) -> Decompositions {
    var result = Decompositions()
    for op in operators { result[op] = self[op] }
    return result
  }

  /// The entries of both; those of `other` where both have one.
  public func merging(_ other: Decompositions) -> Decompositions {
    var result = self
    for (op, rule) in other.table { result[op] = rule }
    return result
  }
}

/// The call that is being decomposed, and how others are put in its place.
public struct DecompositionContext {
  public let node: Node
  public private(set) var graph = Graph()
  /// The calls that were added.
  private(set) var added: [NodeID] = []

  init(_ node: Node) { self.node = node }

  /// Hands the graph over and back: while the context has it, nobody else does, so that edits do not copy it.
  mutating func exchange(_ other: inout Graph) { swap(&graph, &other) }

  /// Operand `index`, `.none` where it is left out.
  public func operand(_ index: Int) -> Operand { node.operand(index) }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  public func type(of operand: Operand) -> ValueType { graph.type(of: operand) }

  /// The type of result `index`.
  public func resultType(_ index: Int = 0) -> ValueType {
    index < node.results.count ? graph.type(of: .value(node.results[index])) : .unknown
  }

  /// Adds a call in front of the node, and gives its result.
  public mutating func call(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:], type: ValueType? = nil
  ) throws -> Operand {
    // Optional operands that are left out at the end need no place.
    var operands = operands
    while operands.last?.isNone == true { operands.removeLast() }
    let value = try graph.insert(op, operands, attributes: attributes, type: type, before: node.id)
    if let call = try graph.producer(of: value) { added.append(call) }
    return .value(value)
  }

  /// Adds copies of a region's nodes in front of the node, and gives the operand that its first result becomes.
  /// - Parameter arguments: what the region's arguments become.
  mutating func inline(_ region: RegionID, _ arguments: [Operand]) throws -> Operand {
    var copies: [ValueID: Operand] = [:]
    for (argument, operand) in zip(try graph.arguments(of: region), arguments) { copies[argument] = operand }
    func mapped(_ operand: Operand) -> Operand { operand.value.flatMap { copies[$0] } ?? operand }
    for id in try graph.nodes(in: region) {
      let copy = try graph.copy(id, operands: graph[id].operands.map(mapped), to: .before(node.id))
      for (value, result) in zip(try graph[id].results, try graph[copy].results) { copies[value] = .value(result) }
      added.append(copy)
    }
    return graph.results(of: region).first.map(mapped) ?? .none
  }

  /// Adds a constant.
  public mutating func constant(_ tensor: Tensor, name: String = "constant") -> Operand {
    .parameter(graph.addConstant(tensor, name: name))
  }
}
