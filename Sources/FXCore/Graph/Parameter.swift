/// A weight or constant of a graph. Its bytes may be on the heap or a slice of a mapped file.
public struct Parameter: Sendable, Equatable {
  /// What a parameter is for: whether it is saved and trained.
  public enum Role: String, Sendable, Codable {
    /// Trained: saved in a state dictionary, updated by training.
    case weight
    /// State that is saved but not trained, such as running statistics.
    case buffer
    /// A number of the program.
    case constant
  }

  /// The name that `Graph.bind` and weight files call it by, such as `layers.0.weight`; each once in a graph.
  public internal(set) var name: String
  /// What it is for; `weight` unless said.
  public var role: Role
  /// What a tensor must be to be bound: see `TensorType.admits`. Binding one makes the type the tensor's.
  public var type: TensorType
  /// `nil` as long as nothing is bound.
  public internal(set) var tensor: Tensor?

  /// Whether it holds a tensor. Executors throw `ExecutionError.unboundParameters` where it does not.
  public var isBound: Bool { tensor != nil }
}

/// The bounds that a dimension symbol is known to keep.
public struct SymbolBounds: Sendable, Hashable {
  /// At least 0.
  public var minimum: Int
  /// `nil` if there is no upper bound.
  public var maximum: Int?
  /// The size is a multiple of this; at least 1.
  public var divisor: Int

  /// Any size, unless said otherwise. Nothing is checked here: `Graph.verify` refuses a negative minimum, one above the
  /// maximum, and a divisor below 1.
  public init(minimum: Int = 0, maximum: Int? = nil, divisor: Int = 1) {
    self.minimum = minimum
    self.maximum = maximum
    self.divisor = divisor
  }

  /// Whether a size is within the bounds.
  package func contains(_ size: Int) -> Bool {
    size >= minimum && size <= maximum ?? .max && (divisor <= 1 || size % divisor == 0)
  }
}

/// A fact about dimensions that a graph relies on.
public struct DimensionConstraint: Sendable, Hashable {
  /// How the two sides of a constraint compare; raw values are how the text format writes it.
  public enum Relation: String, Sendable, Codable {
    /// Both sides are the same size.
    case equal = "=="
    /// The left side is at most the right.
    case lessOrEqual = "<="
    /// The left side is a multiple of the right.
    case multiple = "multiple_of"
    /// The two are equal, or one of them is 1.
    case broadcastable = "broadcasts_with"
  }
  /// The side before the relation, such as `batch` in `batch <= 2*seq`.
  public let left: Dimension
  /// How the sides compare.
  public let relation: Relation
  /// The side after the relation.
  public let right: Dimension

  /// The fact that `left` stands in `relation` to `right`. Neither may be unknown: `Graph.verify` refuses that.
  public init(_ left: Dimension, _ relation: Relation, _ right: Dimension) {
    self.left = left
    self.relation = relation
    self.right = right
  }

  /// Whether both sides are numbers for which it does not hold.
  var isConstantlyFalse: Bool {
    guard let a = left.size, let b = right.size else { return false }
    return switch relation {
    case .equal: a != b
    case .lessOrEqual: a > b
    case .multiple: b == 0 ? a != 0 : a.magnitude % b.magnitude != 0
    case .broadcastable: a != b && a != 1 && b != 1
    }
  }
}

extension DimensionConstraint: CustomStringConvertible {
  /// `batch <= 2*seq`, as the text format has it.
  public var description: String { "\(left) \(relation.rawValue) \(right)" }
}
