import FXCore
import FXShapes

/// A mistake in a model's code, found while it was traced or built: where, in which call, on what, and why.
public struct TraceError: Error, Sendable, Equatable {
  /// What was wrong, without where.
  public enum Reason: Sendable, Equatable {
    /// What the graph refuses: an unknown operator, attribute or name, a wrong number of operands.
    case graph(GraphError)
    /// Operands whose types do not fit.
    case shape(ShapeError)
    /// A name that a later call might get.
    case notDefinedYet(String, suggestions: [String])
    /// The value moved into a region of `owner`.
    case outlined(String, into: String)
    /// What a conditional or loop asks is not one truth value.
    case predicate(ValueType)
    /// The branches of a conditional, or the body and the state of a loop, have different numbers of values.
    case resultCounts(String, Int, String, Int)
    /// A loop's state must be values with names.
    case literalState(Literal)
    /// The operand belongs to another trace.
    case foreignTensor
    /// The operand was made inside a branch or loop body that has ended.
    case escapedRegion(String)
    /// Shapes of parameters that nothing determines, and what would.
    case parameterShapes([String])
    /// Nothing is bound to these parameters.
    case unboundParameters([String])
    /// The module wants another number of inputs: so many, if the number is fixed.
    case inputCount(Int, expected: Int?)
    /// A state dictionary does not fit the module.
    case stateDictionary(missing: [String], unexpected: [String], suggestions: [String: [String]])
    /// Running the call failed.
    case execution(String)
    /// What a function or layer refuses, in words, or the description of any other error, such as a proxy's.
    case invalid(String)
  }

  /// The user's line, as exactly as it is known.
  public let location: Location?
  /// The operator called, if one was.
  public let op: String?
  /// What it was called on.
  public let operands: [String]
  /// Why the call, or the model as a whole, was refused.
  public let reason: Reason
  /// What would have fitted, where the reason alone does not say it.
  public let remedy: String?

  /// - Parameter remedy: what would have fitted; found from `reason` if left out and that is a shape that does not fit.
  public init(
    _ reason: Reason, op: String? = nil, operands: [String] = [], location: Location? = nil, remedy: String? = nil
  ) {
    self.reason = reason
    self.op = op
    self.operands = operands
    self.location = location
    if remedy == nil, case .shape(let error) = reason {
      self.remedy = error.remedy()
    } else {
      self.remedy = remedy
    }
  }
}

extension TraceError: CustomStringConvertible {
  /// `App/Model.swift:12 in layers.0: matmul(f32[2, 3], f32[4, 5]): the columns of … must be equal`
  public var description: String {
    var text = location.map { "\($0): " } ?? ""
    if let op { text += operands.isEmpty ? "\(op): " : "\(op)(\(operands.joined(separator: ", "))): " }
    return text + reason.description + (remedy.map { "; \($0)" } ?? "")
  }
}

extension TraceError.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .graph(let error): error.description
    case .shape(let error): error.description
    case .notDefinedYet(let name, let suggestions):
      "'\(name)' is used before it is defined" + GraphError.didYouMean(suggestions)
    case .outlined(let name, let owner):
      "'\(name)' moved into a region of '\(owner)' and is seen only there: use a result of '\(owner)'"
    case .predicate(let type):
      "the predicate is \(type), but must be one truth value: "
        + (type.elementType == .bool
          ? "reduce it with any(…) or all(…), or choose element by element with where(…)"
          : "compare first, such as x .> 0")
    case .resultCounts(let a, let m, let b, let n): "\(a) has \(m) values and \(b) has \(n): they must be equally many"
    case .literalState(let literal): "\(literal) cannot be a loop's state: the state is values that the body refers to by name"
    case .foreignTensor: "an operand belongs to another trace"
    case .escapedRegion(let name):
      "'\(name)' was made inside a branch or loop body and is seen only there: return it from there"
    case .parameterShapes(let facts): facts.joined(separator: "; ")
    case .unboundParameters(let names):
      "nothing is bound to the parameters \(names.joined(separator: ", ")): load them or call initializeParameters(seed:)"
    case .inputCount(let count, let expected):
      expected.map { "the module takes \($0) tensor\($0 == 1 ? "" : "s"), \(count) \(count == 1 ? "was" : "were") given" }
        ?? "the module's input cannot be made of \(count) tensors: its structure, or their names, do not fit"
    case .stateDictionary(let missing, let unexpected, let suggestions):
      [
        missing.isEmpty ? nil : "missing \(missing.joined(separator: ", "))",
        unexpected.isEmpty
          ? nil
          : "not in the module: "
            + unexpected.map { $0 + GraphError.didYouMean(suggestions[$0] ?? []) }.joined(separator: ", "),
      ].compactMap(\.self).joined(separator: "; ")
    case .execution(let reason): reason
    case .invalid(let reason): reason
    }
  }
}
