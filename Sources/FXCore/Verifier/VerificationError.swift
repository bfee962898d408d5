/// How much of a graph `verify` looks at; each level includes those before it.
public enum VerificationLevel: Int, Sendable, Comparable {
  /// Links, ids, use lists, definition before use.
  case structural
  /// Operand counts, attributes and element types against schemas.
  case typed
  /// Every operator is registered, every parameter bound.
  case executable

  public static func < (a: VerificationLevel, b: VerificationLevel) -> Bool { a.rawValue < b.rawValue }
}

/// The first fault found in a graph.
public struct VerificationError: Error, Sendable, Equatable {
  /// What is wrong.
  public let fault: VerificationFault
  /// The node at fault, if it is one node's.
  public let node: String?
  /// What that node calls.
  public let op: String?
  /// Where that node comes from, if it says so.
  public let location: Location?
}

/// What can be wrong with a graph, as facts. Numbers of operands and results count from 0.
public enum VerificationFault: Sendable, Equatable {
  /// An operand names a value that is no more.
  case staleOperand(Int)
  /// An operand is defined in another region.
  case foreignOperand(Int, String)
  /// An operand is defined after the node.
  case usedBeforeDefinition(Int, String)
  /// The operand is a parameter that is no more.
  case staleParameter(Int)
  /// The graph's own bookkeeping disagrees with itself.
  case bookkeeping(String)
  /// The node has `actual` operands where its schema allows `expected`.
  case operandCount(expected: ClosedRange<Int>, actual: Int)
  /// The node has `actual` results where its schema allows `expected`.
  case resultCount(expected: ClosedRange<Int>, actual: Int)
  /// The node owns `actual` regions where its schema lists `expected`.
  case regionCount(expected: Int, actual: Int)
  /// The operand of this name is required and is `.none`.
  case missingOperand(String)
  /// An attribute is not as the schema wants it: the error is a `GraphError.badAttribute`.
  case attribute(GraphError)
  /// The operand or result called `operand` holds `actual`, which the schema does not allow there.
  case elementType(operand: String, allowed: ElementTypes, actual: ElementType)
  /// Operands of one type variable hold different types.
  case elementTypesDiffer(variable: String, ElementType, ElementType)
  /// The operator has no schema, at the level `executable`.
  case unregisteredOperator
  /// The parameter of this name is an operand and holds no tensor, at the level `executable`.
  case unboundParameter(String)
  /// The region's result of this number is `.none`.
  case absentResult(Int)
  /// No size keeps the bounds of a symbol, or they are none: a negative least size, a divisor below 1.
  case symbolBounds(String, SymbolBounds)
  /// The graph's constraint says nothing, or cannot hold.
  case constraint(DimensionConstraint)
}

extension VerificationError: CustomStringConvertible {
  public var description: String {
    guard let node else { return fault.description }
    return "node \(node.inQuotes)" + (op.map { " (\($0)" + (location.map { ", \($0)" } ?? "") + ")" } ?? "") + ": \(fault)"
  }
}

extension VerificationFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .staleOperand(let index): "operand \(index) is a value that was erased"
    case .foreignOperand(let index, let name):
      "operand \(index), '\(name)', belongs to another region: it must be an operand of the node that owns this one"
    case .usedBeforeDefinition(let index, let name): "operand \(index), '\(name)', is used before it is defined"
    case .staleParameter(let index): "operand \(index) is a parameter that was removed"
    case .bookkeeping(let what): "the graph's bookkeeping is broken: \(what)"
    case .operandCount(let expected, let actual): "\(actual) operands, expected \(GraphError.range(expected))"
    case .resultCount(let expected, let actual): "\(actual) results, expected \(GraphError.range(expected))"
    case .regionCount(let expected, let actual): "\(actual) regions, expected \(expected)"
    case .missingOperand(let name): "operand '\(name)' is missing"
    case .attribute(let error): error.description
    case .elementType(let operand, let allowed, let actual):
      "'\(operand)' holds \(actual.rawValue), allowed are \(allowed.types.map(\.rawValue).joined(separator: ", "))"
    case .elementTypesDiffer(let variable, let a, let b):
      "operands and results of type \(variable) hold \(a.rawValue) and \(b.rawValue)"
    case .unregisteredOperator: "nobody registered the operator: it can be kept and exported, not run"
    case .unboundParameter(let name): "nothing is bound to the parameter '\(name)'"
    case .absentResult(let index): "result \(index) of the region is none"
    case .symbolBounds(let symbol, let bounds):
      bounds.minimum < 0 || bounds.divisor < 1
        ? "the bounds of '\(symbol)' are \(bounds): the least size must not be negative, nor the divisor below 1"
        : "no size of '\(symbol)' is \(bounds)"
    case .constraint(let constraint):
      constraint.left.isUnknown || constraint.right.isUnknown
        ? "a constraint has an unknown side: \(constraint)" : "a constraint of the graph cannot hold: \(constraint)"
    }
  }
}
