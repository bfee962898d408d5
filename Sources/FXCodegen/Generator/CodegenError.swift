import FXCore

/// Why no code was generated.
public enum CodegenError: Error, Sendable, Equatable {
  /// There is no target of this name; `available` are those there are, sorted.
  case unknownTarget(String, available: [String])
  /// The target cannot write these calls, nor what they decompose to.
  case unsupported(target: String, [Refusal])

  /// A call that a target cannot write.
  public struct Refusal: Sendable, Hashable {
    /// The name of the call; where no call is at fault, that of the input or graph that is.
    public let node: String
    /// The call's operator, such as `grid_sample`; where no call is at fault, `input` or `graph`.
    public let op: String
    /// The source line that made the call, if it is known.
    public let location: Location?
    /// What the target lacks, or does not know, in words.
    public let reason: String
  }
}

extension CodegenError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknownTarget(let name, let available):
      "there is no target '\(name)'; available: \(available.joined(separator: ", "))"
    case .unsupported(let target, let refusals):
      "\(target) cannot express " + refusals.map(\.description).joined(separator: "; ")
    }
  }
}

extension CodegenError.Refusal: CustomStringConvertible {
  public var description: String {
    "'\(node)' (\(op)\(location.map { " at \($0)" } ?? "")): \(reason)"
  }
}
