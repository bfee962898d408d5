/// What one layer knows of the operators: a row for each that it knows. Such tables are values: users extend a copy of a
/// layer's `.standard`.
public protocol OperatorRows<Row>: Sendable {
  /// What is known of one operator.
  associatedtype Row: Sendable

  /// A table without rows.
  init()

  /// The rows by operator.
  var rows: [Operator: Row] { get set }
}

extension OperatorRows {
  /// The row of an operator; `nil` if it has none.
  @inlinable
  public subscript(op: Operator) -> Row? {
    get { rows[op] }
    set { rows[op] = newValue }
  }

  /// The operators that have a row, by name. O(n log n).
  public var operators: [Operator] { rows.keys.sorted { $0.description < $1.description } }
}
