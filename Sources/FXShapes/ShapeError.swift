import FXCore

/// Why operands do not fit an operator, as facts.
public enum ShapeError: Error, Sendable, Equatable {
  /// Operand `index` has this rank, the operator wants another.
  case rank(operand: Int, expected: String, actual: Int)
  /// Operand `index` is of a kind the operator does not take.
  case kind(operand: Int, expected: String, actual: ValueType)
  /// Operand `operand` holds elements of a type that the operator does not take.
  case elementType(operand: Int, allowed: ElementTypes, actual: ElementType)
  /// Two operands must have one element type.
  case elementTypesDiffer(ElementType, ElementType)
  /// Two shapes have an axis of different sizes, neither of which is 1.
  case notBroadcastable(Shape, Shape)
  /// Two dimensions must be equal.
  case dimensionsDiffer(String, Dimension, String, Dimension)
  /// The axis is none of a tensor of this rank; a negative one counts from the end.
  case axis(Int, rank: Int)
  /// A list of axes has this one twice.
  case duplicateAxis(Int)
  /// The elements of `from` do not fill `to`.
  case reshape(from: Shape, to: Shape)
  /// The attribute of this name does not fit; the reason is what messages say after the name.
  case attribute(String, reason: String)
  /// The operand of this index is left out, and must not be.
  case missingOperand(Int)
  /// Branches of a conditional, or turns of a loop, give types that cannot be united.
  case branchTypes(index: Int, ValueType, ValueType)
  /// The node has `actual` results, its operands and attributes ask for `expected`.
  case resultCount(expected: Int, actual: Int)
  /// What no other case says, in words.
  case invalid(String)
}

extension ShapeError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .rank(let operand, let expected, let actual): "operand \(operand) has rank \(actual), expected \(expected)"
    case .kind(let operand, let expected, let actual): "operand \(operand) is \(actual), expected \(expected)"
    case .elementType(let operand, let allowed, let actual):
      "operand \(operand) holds \(actual.rawValue), allowed are \(allowed.types.map(\.rawValue).joined(separator: ", "))"
    case .elementTypesDiffer(let a, let b): "operands hold \(a.rawValue) and \(b.rawValue), which must be one type"
    case .notBroadcastable(let a, let b): "shapes \(a) and \(b) do not broadcast"
    case .dimensionsDiffer(let what, let a, let other, let b): "\(what) is \(a), \(other) is \(b): they must be equal"
    case .axis(let axis, let rank): "axis \(axis) is out of range for rank \(rank)"
    case .duplicateAxis(let axis): "axis \(axis) is named twice"
    case .reshape(let from, let to): "the elements of \(from) do not fill \(to)"
    case .attribute(let name, let reason): "attribute '\(name)' \(reason)"
    case .missingOperand(let index): "operand \(index) is missing"
    case .branchTypes(let index, let a, let b): "result \(index) is \(a) on one path and \(b) on another"
    case .resultCount(let expected, let actual): "\(expected) results were expected, there are \(actual)"
    case .invalid(let reason): reason
    }
  }
}

/// A node whose types cannot be inferred: which, where, on what, and why.
public struct ShapeInferenceError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name of the first node whose operands do not fit.
  public let node: String
  /// The node's operator, such as `matmul`.
  public let op: String
  /// The source line that made the node, if it is known.
  public let location: Location?
  /// The types of all operands as text, literals as they are written.
  public let operandTypes: [String]
  /// What does not fit.
  public let reason: ShapeError

  /// `node 'y' (matmul, Model.swift:12): … [f32[2, 3], f32[4, 5]]`
  public var description: String {
    "node \(node.inQuotes) (\(op)" + (location.map { ", \($0)" } ?? "") + "): \(reason) "
      + "[operands: \(operandTypes.joined(separator: ", "))]"
  }
}
