import FXCore

/// How a language spells blocks, and what a target calls the few operations that control flow needs.
protocol ControlFlowSyntax {
  /// Opens a block: `if x:` or `if (x) {`. Depth is the caller's business.
  func ifBegin(_ condition: String) -> String
  /// Ends the block of `ifBegin` and opens the other: `else:` or `} else {`.
  func elseBegin() -> String
  /// Opens a block that is repeated while a condition holds: `while x:` or `while (x) {`.
  func whileBegin(_ condition: String) -> String
  /// Counts from 0, without end if no count is given.
  func forBegin(_ counter: String, count: String?) -> String
  /// What ends a block, if anything.
  var blockEnd: String? { get }
  /// A block without content, where that needs a statement.
  var emptyBlock: String? { get }
  /// A line that ends the loop around it if the condition does not hold.
  func breakUnless(_ condition: String) -> String
  /// Introduces variables that blocks assign to, where that is needed.
  func declare(_ names: [String], types: [ValueType]) -> [String]
  /// Assigns expressions to variables at once, so that they may swap.
  func assign(_ names: [String], _ expressions: [String], declares: Bool) -> String
  /// A tensor of one Boolean as a condition.
  func truth(_ tensor: String) -> String
  /// A tensor of one integer as a number.
  func integer(_ tensor: String) -> String
  /// A counter as a tensor.
  func counterTensor(_ counter: String) -> String
  /// The expression of a tensor that holds `true`.
  var constantTrue: String { get }
  /// A statement that makes an empty list of tensors.
  func emptyList(_ name: String) -> String
  /// A statement that puts a tensor at the end of a list.
  func append(_ element: String, to list: String) -> String
  /// The elements of a list stacked along a new axis, or reversed before.
  /// - Parameter type: that of the result, for the list without elements.
  func stack(_ list: String, axis: Int, reversed: Bool, type: TensorType?) throws -> String
  /// The slice of a tensor at an index of an axis, without the axis.
  func select(_ tensor: String, axis: Int, index: String) -> String
  /// The size of an axis.
  func size(_ tensor: String, axis: Int) -> String
  /// `count - 1 - index`
  func mirrored(_ index: String, count: String) -> String
}
