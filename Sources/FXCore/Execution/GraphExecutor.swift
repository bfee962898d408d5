/// Runs graphs. What folds constants, calibrates, validates passes or distributes takes any executor; FXRuntime has two.
public protocol GraphExecutor: Sendable {
  /// Runs the graph once.
  /// - Parameter inputs: one value per input of the graph, in order.
  /// - Returns: one value per output, in order.
  /// - Throws: `ExecutionError`, or an error of the executor's own.
  func run(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue]
}

extension GraphExecutor {
  /// Runs a graph whose inputs and outputs are tensors.
  public func run(_ graph: Graph, _ inputs: Tensor...) throws -> [Tensor] {
    try run(graph, inputs: inputs.map(RuntimeValue.tensor)).map { value in
      guard let tensor = value.tensor else { throw ExecutionError.notATensor(value.type) }
      return tensor
    }
  }
}

/// A compiled graph. Concurrent runs need no locks of the caller.
public protocol Executable: Sendable {
  /// Runs once: one value per input, in order; one per output comes back.
  func run(_ inputs: [RuntimeValue]) throws -> [RuntimeValue]
}

/// What can be wrong with a run, as facts; the wording is in `description`.
public enum ExecutionError: Error, Sendable, Equatable {
  /// `actual` values were given for the inputs named in `expected`.
  case inputCount(expected: [String], actual: Int)
  /// An input's type is not the graph's.
  case inputType(String, expected: ValueType, actual: ValueType)
  /// Two inputs give one dimension symbol two sizes.
  case symbolConflict(symbol: String, input: String, dimension: Int, size: Int, earlier: Int)
  /// An input gives a symbol a size outside its bounds.
  case symbolBounds(symbol: String, input: String, dimension: Int, size: Int, SymbolBounds)
  /// An input's size is not what an expression gives; `expected` is `nil` if no size of its symbol gives it.
  case dimensionExpression(Dimension, input: String, dimension: Int, size: Int, expected: Int?)
  /// Sizes do not keep a constraint. `allowed` describes what `symbol` might be, given the sizes of the others; `nil` if
  /// nothing.
  case constraint(
    String, origin: String, symbol: String, input: String, dimension: Int, size: Int, allowed: String?, given: [String: Int])
  /// The parameters of these names hold no tensor.
  case unboundParameters([String])
  /// Nobody has a kernel for these operators.
  case unsupported([String])
  /// A value of this type stands where a tensor is asked for.
  case notATensor(ValueType)
  /// A node failed.
  case node(String, op: String, location: Location?, reason: String)
  /// The run needs `needed` bytes beyond weights and inputs where `limit` were allowed; `Int.max` for more than fit an `Int`.
  case memoryLimit(needed: Int, limit: Int)
  /// The run took longer than it may.
  case timeLimit(Duration)
  /// The task that asked for the run was cancelled.
  case cancelled
}

extension ExecutionError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .inputCount(let expected, let actual):
      "the graph has \(expected.count) inputs (\(expected.joined(separator: ", "))), \(actual) were given"
    case .inputType(let name, let expected, let actual): "input '\(name)' is \(expected), \(actual) was given"
    case .symbolConflict(let symbol, let input, let dimension, let size, let earlier):
      "input '\(input)' has size \(size) in dimension \(dimension), which is '\(symbol)' and was \(earlier) before"
    case .symbolBounds(let symbol, let input, let dimension, let size, let bounds):
      "input '\(input)' has size \(size) in dimension \(dimension), but '\(symbol)' is \(bounds)"
    case .dimensionExpression(let expression, let input, let dimension, let size, let expected):
      "input '\(input)' has size \(size) in dimension \(dimension), which is \(expression)"
        + (expected.map { " = \($0)" } ?? " and cannot be that")
    case .constraint(let constraint, let origin, let symbol, let input, let dimension, let size, let allowed, let given):
      "input '\(input)' has size \(size) in dimension \(dimension), but '\(symbol)' "
        + (allowed.map { "must be \($0)" } ?? "has no size that would do")
        + given.sorted { $0.key < $1.key }.map { " for \($0.key) = \($0.value)" }.joined(separator: " and")
        + ": \(constraint) (\(origin))"
    case .unboundParameters(let names):
      "nothing is bound to the parameters \(names.joined(separator: ", ")): bind them or call initializeParameters(seed:)"
    case .unsupported(let operators): "no kernel for \(operators.map(ExecutionError.oneLine).joined(separator: ", "))"
    case .notATensor(let type): "a tensor was expected, the value is \(type)"
    case .node(let name, let op, let location, let reason):
      "node \(name.inQuotes) (\(op)" + (location.map { ", \($0)" } ?? "") + "): \(reason)"
    case .memoryLimit(let needed, let limit): "the run needs \(needed) bytes, the limit is \(limit)"
    case .timeLimit(let limit): "the run took longer than \(limit)"
    case .cancelled: "the run was cancelled"
    }
  }
}

extension ExecutionError {
  /// Operators that nobody registered have whatever names a file gives them.
  private static func oneLine(_ name: String) -> String {
    name.unicodeScalars.contains { $0.value < 0x20 } ? name.quoted : name
  }
}

extension SymbolBounds: CustomStringConvertible {
  /// `1...1024`, `at least 1`, with `, a multiple of 8` where that is known.
  public var description: String {
    (maximum.map { "\(minimum)...\($0)" } ?? "at least \(minimum)") + (divisor == 1 ? "" : ", a multiple of \(divisor)")
  }
}
