import FXCore

/// What can be wrong between ranks, as facts; the wording is in `description`.
public enum CommunicationError: Error, Sendable, Equatable {
  /// An operation was not done in time. `missing` are the ranks that did not come, where the engine can tell.
  case timeout(rank: Int, operation: String, seconds: Double, missing: [Int])
  /// Another rank gave up.
  case peerFailed(rank: Int, operation: String, peer: Int, reason: String)
  /// Ranks do not make the same call.
  case mismatch(rank: Int, operation: String, reason: String)
  /// The engine reports an error of its own.
  case engine(rank: Int, operation: String, reason: String)
  /// The engine has no such operation on these elements.
  case unsupported(rank: Int, operation: String, ElementType)
  /// A rank is not one of the group, or not one of the world.
  case notAMember(rank: Int, operation: String)
  /// A world of this many ranks, which is less than one.
  case noRanks(Int)
  /// The engine is not there.
  case unavailable(CommunicationBackendType, reason: String, available: [CommunicationBackendType])
}

extension CommunicationError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .timeout(let rank, let operation, let seconds, let missing):
      "rank \(rank): \(operation) was not done after \((seconds * 1000).rounded() / 1000) s"
        + (missing.isEmpty
          ? ""
          : "; nothing came from rank\(missing.count == 1 ? "" : "s") \(missing.map(String.init).joined(separator: ", "))")
    case .peerFailed(let rank, let operation, let peer, let reason):
      "rank \(rank): \(operation) cannot be done, rank \(peer) failed: \(reason)"
    case .mismatch(let rank, let operation, let reason): "rank \(rank): \(operation) does not fit: \(reason)"
    case .engine(let rank, let operation, let reason): "rank \(rank): \(operation): \(reason)"
    case .unsupported(let rank, let operation, let type):
      "rank \(rank): \(operation) is not possible with elements of \(type.rawValue)"
    case .notAMember(let rank, let operation): "rank \(rank) has no part in \(operation)"
    case .noRanks(let size): "a world has at least one rank, not \(size)"
    case .unavailable(let backend, let reason, let available):
      "the engine '\(backend.rawValue)' is not there: \(reason); available: "
        + (available.isEmpty ? "none" : available.map(\.rawValue).joined(separator: ", "))
    }
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
