import FXCore

/// The engines that ranks may talk through.
public enum CommunicationBackendType: String, Sendable, Hashable, Codable, CaseIterable {
  /// NVIDIA's NCCL: named in configurations, and in no build.
  case nccl
  /// Meta's Gloo: named in configurations, and in no build.
  case gloo
  /// MPI, in builds with the package trait `MPI`.
  case mpi
  /// Sockets between the ranks: named in configurations, and in no build.
  case tcp

  /// The engines of this build.
  public static var available: [CommunicationBackendType] { allCases.filter { $0.obstacle == nil } }

  /// What keeps the engine from being used; `nil` if it is there.
  var obstacle: String? {
    switch self {
    case .mpi: MPICommunicator.isBuilt ? nil : "this build has no MPI (build with `--traits MPI`)"
    case .nccl, .gloo, .tcp: "this framework has no connection to it"
    }
  }

  /// This process's end of the engine.
  /// - Parameter timeout: how long an operation may take.
  /// - Throws: `CommunicationError.unavailable` listing the engines that are there; `.engine` if it does not start.
  public func communicator(timeout: Duration = .seconds(60)) throws(CommunicationError) -> any Communicator {
    try require()
    return try MPICommunicator.world(timeout: timeout)
  }

  /// - Throws: `CommunicationError.unavailable`.
  func require() throws(CommunicationError) {
    if let obstacle { throw .unavailable(self, reason: obstacle, available: CommunicationBackendType.available) }
  }
}
