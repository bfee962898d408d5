import Synchronization

/// Backends by name. Safe to use from any thread.
public final class BackendRegistry: Sendable {
  public typealias Factory = @Sendable () throws -> any Backend

  /// The registry of `registerBackendFactory` and `executeWithBackend`.
  public static let shared = BackendRegistry()

  private let factories = Mutex<[String: Factory]>([:])

  public init() {}

  /// Registers a backend under `name`, replacing one of that name.
  public func register(_ name: String, _ factory: @escaping Factory) {
    factories.withLock { $0[name] = factory }
  }

  /// The registered names, sorted.
  public var names: [String] { factories.withLock { $0.keys.sorted() } }

  /// A backend of the kind registered as `name`.
  /// - Throws: `BackendError.unknown` listing the names there are; what the factory throws.
  public func makeBackend(_ name: String) throws -> any Backend {
    guard let factory = factories.withLock({ $0[name] }) else { throw BackendError.unknown(name, known: names) }
    return try factory()
  }
}

public enum BackendError: Error, Sendable, Equatable, CustomStringConvertible {
  case unknown(String, known: [String])

  public var description: String {
    switch self {
    case .unknown(let name, let known):
      "there is no backend '\(name)'; registered: \(known.isEmpty ? "none" : known.joined(separator: ", "))"
    }
  }
}

/// Registers a backend in the shared registry.
public func registerBackendFactory(_ name: String, _ factory: @escaping BackendRegistry.Factory) {
  BackendRegistry.shared.register(name, factory)
}

/// Compiles and runs a graph once on a backend of the shared registry.
/// - Throws: `BackendError.unknown`; what the backend throws.
public func executeWithBackend(_ graph: Graph, _ name: String, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
  try BackendRegistry.shared.makeBackend(name).compile(graph).run(inputs)
}
