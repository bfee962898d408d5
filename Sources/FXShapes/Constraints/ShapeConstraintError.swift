import FXCore

/// A constraint and where it comes from.
public struct AttributedConstraint: Sendable, Hashable {
  /// What must hold.
  public let constraint: ShapeConstraint
  /// A source line, a symbol's bounds, a node: what a reader looks up.
  public let origin: String

  /// A constraint that messages name by its origin.
  public init(_ constraint: ShapeConstraint, origin: String) {
    self.constraint = constraint
    self.origin = origin
  }
}

/// Constraints that no sizes satisfy together. Without any one of them the others can be satisfied, as far as the solver
/// can tell.
public struct ConstraintConflict: Sendable, Hashable {
  /// The contradicting constraints, each with where it comes from.
  public let constraints: [AttributedConstraint]
}

/// What can be wrong with constraints and sizes, as facts.
public enum ShapeConstraintError: Error, Sendable, Equatable {
  /// The least size is negative or above the greatest.
  case badRange(String, min: Int, max: Int?)
  /// One side is an unknown dimension, of which nothing can be said.
  case unknownDimension(ShapeConstraint)
  /// A constraint contradicts others: no sizes keep these together.
  case conflict(ConstraintConflict)
  /// Sizes do not keep a constraint.
  case violated(AttributedConstraint, sizes: [String: Int])
  /// A symbol has no size.
  case missingSize(String, constraint: AttributedConstraint)
  /// A shape of rank `expected` was checked against `actual` sizes.
  case rank(expected: Int, actual: Int)
  /// A size is not among those that the dimension may have.
  case size(dimension: String, axis: Int, size: Int, allowed: SizeSet)
  /// A size is not what an expression gives for the sizes before it.
  case expression(Dimension, axis: Int, size: Int, expected: Int?)
}

extension AttributedConstraint: CustomStringConvertible {
  /// `batch == batch2 (Model.swift:12)`
  public var description: String { "\(constraint) (\(origin))" }
}

extension ConstraintConflict: CustomStringConvertible {
  public var description: String {
    "no sizes satisfy " + constraints.map(\.description).joined(separator: ", ")
  }
}

extension ShapeConstraintError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .badRange(let name, let minimum, let maximum):
      minimum < 0 && maximum.map { $0 >= minimum } ?? true
        ? "the least size of '\(name)' is \(minimum), sizes are not negative"
        : "the sizes of '\(name)' are from \(minimum) to \(maximum.map(String.init) ?? ""): there are none"
    case .unknownDimension(let constraint): "nothing can be said of an unknown dimension: \(constraint)"
    case .conflict(let conflict): conflict.description
    case .violated(let constraint, let sizes):
      "\(constraint) does not hold for " + constraint.constraint.sizesText(sizes)
    case .missingSize(let symbol, let constraint): "no size is given for '\(symbol)', which \(constraint) needs"
    case .rank(let expected, let actual): "the shape has rank \(expected), \(actual) sizes were given"
    case .size(let dimension, let axis, let size, let allowed):
      "size \(size) in dimension \(axis), but '\(dimension)' is \(allowed)"
    case .expression(let dimension, let axis, let size, let expected):
      "size \(size) in dimension \(axis), which is \(dimension)" + (expected.map { " = \($0)" } ?? "")
    }
  }
}

extension ShapeConstraint {
  /// `batch = 10, seq = 3`: the sizes of the symbols that the constraint names.
  func sizesText(_ sizes: [String: Int]) -> String {
    symbols.sorted().map { "\($0) = \(sizes[$0].map(String.init) ?? "?")" }.joined(separator: ", ")
  }
}
