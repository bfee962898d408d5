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
  let builder: DecompositionBuilder

  init(_ node: Node, _ builder: DecompositionBuilder) {
    self.node = node
    self.builder = builder
  }

  /// The graph with the calls added so far.
  public var graph: Graph { builder.graph }

  /// Operand `index`, `.none` where it is left out.
  public func operand(_ index: Int) -> Operand { node.operand(index) }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  public func type(of operand: Operand) -> ValueType { builder.graph.type(of: operand) }

  /// The type of result `index`.
  public func resultType(_ index: Int = 0) -> ValueType {
    index < node.results.count ? builder.graph.type(of: .value(node.results[index])) : .unknown
  }

  /// Adds a call in front of the node, and gives its result.
  /// - Parameter type: the result's type; inferred if `nil`.
  /// - Throws: `GraphError`, if the operands or attributes do not fit the operator.
  public mutating func call(
    _ op: Operator, _ operands: [Operand], _ attributes: Attributes = [:], type: ValueType? = nil
  ) throws -> Operand {
    try builder.call(op, operands, attributes, types: type.map { [$0] })[0]
  }

  /// Adds a constant.
  public mutating func constant(_ tensor: Tensor, name: String = "constant") -> Operand {
    builder.constant(tensor, name: name)
  }
}
