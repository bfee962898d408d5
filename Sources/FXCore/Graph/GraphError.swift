/// What can be wrong with a graph or an edit, as facts; `GraphError+Description.swift` has the wording.
public enum GraphError: Error, Sendable, Equatable {
  /// The id names nothing any more, or belongs to another graph.
  case stale(any GraphID)
  case unknownOperator(String, suggestions: [String])
  /// No value, parameter or output is called so.
  case unknownName(String, suggestions: [String])
  case duplicateName(String)
  case duplicateOutput(String)
  /// The value belongs to another region.
  case notVisible(String)
  case inUse(String, by: String)
  case operandIndex(String, Int, Int)
  case operandCount(String, expected: ClosedRange<Int>, actual: Int)
  case resultCount(String, expected: ClosedRange<Int>, actual: Int)
  case regionCount(String, expected: Int, actual: Int)
  /// Regions inside each other.
  case regionsTooDeep(limit: Int)
  case badAttribute(String, String, AttributeFault)
  case bindingType(String, expected: TensorType, actual: TensorType)

  public enum AttributeFault: Sendable, Equatable {
    case unknown(suggestions: [String])
    case kind(expected: AttributeValue.Kind, actual: AttributeValue.Kind)
    case value(String, allowed: [String])
    case missing
  }

  public static func == (a: GraphError, b: GraphError) -> Bool { a.description == b.description }
}
