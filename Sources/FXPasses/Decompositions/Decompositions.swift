import FXCore
import FXShapes

/// Expresses a call by other operators. Returns what its results become, or `nil` if this call has no such form, for
/// instance because too little is known of its types.
public typealias Decomposition = @Sendable (inout DecompositionContext) throws -> [Operand]?

/// The decomposition of each composite operator. A value: users extend a copy of `.standard`.
public struct Decompositions: OperatorRows {
  /// The decompositions by operator.
  public var rows: [Operator: Decomposition] = [:]

  /// A table without entries; `standard` has those of this package.
  public init() {}

  /// The entries of some operators.
  public func only(_ operators: [Operator]) -> Decompositions {
    var result = Decompositions()
    for op in operators { result[op] = self[op] }
    return result
  }

  /// The entries of both; those of `other` where both have one.
  public func merging(_ other: Decompositions) -> Decompositions {
    var result = self
    for (op, rule) in other.rows { result[op] = rule }
    return result
  }
}

/// The call that is being decomposed, and how others are put in its place.
public struct DecompositionContext {
  /// The call itself: operator, operands, attributes, results.
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

  /// The type of a value or parameter, those of calls added so far included; `unknown` for literals and `none`.
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

// MARK: - Formulas

extension DecompositionContext {
  /// Operand `index`.
  /// - Throws: `DecompositionDeclined` if it is left out.
  func term(_ index: Int) throws -> Term {
    guard let term = try optionalTerm(index) else { throw DecompositionDeclined(reason: "operand \(index) is left out") }
    return term
  }

  /// Operand `index`; `nil` if it is left out.
  func optionalTerm(_ index: Int) throws -> Term? {
    switch operand(index) {
    case .none: return nil
    case .literal(let literal):
      let type = node.elementType(ofLiteral: literal, at: index) { self.type(of: $0).elementType }
      return try builder.scalar(literal, type)
    case let operand: return Term(builder, operand)
    }
  }

  /// All operands.
  /// - Throws: `DecompositionDeclined` if one is left out.
  func terms() throws -> [Term] { try node.operands.indices.map(term) }

  /// The results that the node has of those that a formula gives.
  func results(_ terms: Term...) -> [Operand] { terms.prefix(node.results.count).map(\.operand) }
}

extension Decompositions {
  /// A row whose formula gives the only result.
  mutating func define(_ op: Operator, _ formula: @escaping @Sendable (DecompositionContext) throws -> Term) {
    self[op] = { context in [try formula(context).operand] }
  }

  /// A row whose formula is one of the first operand.
  mutating func unary(_ op: Operator, _ formula: @escaping @Sendable (Term, DecompositionContext) throws -> Term) {
    self[op] = { context in [try formula(context.term(0), context).operand] }
  }
}
