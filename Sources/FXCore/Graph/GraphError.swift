/// What can be wrong with a graph or an edit, as facts; `GraphError+Description.swift` has the wording.
public enum GraphError: Error, Sendable, Equatable {
  /// The id names nothing any more, or belongs to another graph.
  case stale(any GraphID)
  /// No operator is called so, or it is one that cannot be called; `suggestions` are registered names that look alike.
  case unknownOperator(String, suggestions: [String])
  /// No value, parameter or output is called so.
  case unknownName(String, suggestions: [String])
  /// A value of the region, or a parameter, is called so already.
  case duplicateName(String)
  /// Two outputs of the graph would be called so.
  case duplicateOutput(String)
  /// The value belongs to another region.
  case notVisible(String)
  /// The node or value cannot go: what `by` names uses it.
  case inUse(String, by: String)
  /// The node named has no operand of the first number: it has as many as the second says.
  case operandIndex(String, Int, Int)
  /// A call of the operator named has `actual` operands where its schema allows `expected`.
  case operandCount(String, expected: ClosedRange<Int>, actual: Int)
  /// A call of the operator named has `actual` results where `expected` are right.
  case resultCount(String, expected: ClosedRange<Int>, actual: Int)
  /// A node of the operator named owns `actual` regions where its schema lists `expected`.
  case regionCount(String, expected: Int, actual: Int)
  /// Regions inside each other.
  case regionsTooDeep(limit: Int)
  /// Of the operator named first, the attribute named second: what is wrong with it.
  case badAttribute(String, String, AttributeFault)
  /// A tensor of the type `actual` does not fit the parameter named, whose type is `expected`.
  case bindingType(String, expected: TensorType, actual: TensorType)

  /// What can be wrong with an attribute of a call.
  public enum AttributeFault: Sendable, Equatable {
    /// The schema has none of this name; `suggestions` are names of it that look alike.
    case unknown(suggestions: [String])
    /// The value is of another kind than the schema says.
    case kind(expected: AttributeValue.Kind, actual: AttributeValue.Kind)
    /// The string is none of those that the schema allows.
    case value(String, allowed: [String])
    /// The attribute is required and was not given.
    case missing
  }

  public static func == (a: GraphError, b: GraphError) -> Bool { a.description == b.description }
}
