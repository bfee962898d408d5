import FXCore

/// Why no code was generated.
public enum CodegenError: Error, Sendable, Equatable {
  case unknownTarget(String, available: [String])
  /// The target cannot write these calls, nor what they decompose to.
  case unsupported(target: String, [Refusal])

  /// A call that a target cannot write.
  public struct Refusal: Sendable, Hashable {
    public let node: String
    public let op: String
    public let location: Location?
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
