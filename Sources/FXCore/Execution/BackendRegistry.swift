import Synchronization

/// Backends by name. Safe to use from any thread.
public final class BackendRegistry: Sendable {
  /// Makes a backend; called outside the registry's lock, on every `makeBackend`, from any thread.
  public typealias Factory = @Sendable () throws -> any Backend

  /// The registry of `registerBackendFactory` and `executeWithBackend`.
  public static let shared = BackendRegistry()

  private let factories = Mutex<[String: Factory]>([:])

  /// A registry of its own, without backends; those registered in `shared` are not in it.
  public init() {}

  /// Registers a backend under `name`, replacing one of that name.
  public func register(_ name: String, _ factory: @escaping Factory) {
    factories.withLock { $0[name] = factory }
  }

  /// Removes the backend registered as `name`. Returns whether there was one.
  @discardableResult
  public func unregister(_ name: String) -> Bool {
    factories.withLock { $0.removeValue(forKey: name) != nil }
  }

  /// The registered names, sorted.
  public var names: [String] { factories.withLock { $0.keys.sorted() } }

  /// A backend of the kind registered as `name`. Factories run outside the lock: one may ask the registry for another.
  /// - Throws: `BackendError.unknown` listing the names there are; what the factory throws.
  public func makeBackend(_ name: String) throws -> any Backend {
    let (factory, known) = factories.withLock { ($0[name], $0.keys.sorted()) }
    guard let factory else { throw BackendError.unknown(name, known: known) }
    return try factory()
  }

  /// What every registered backend says of itself, by registered name.
  /// - Throws: what a factory throws.
  public func infos() throws -> [(name: String, info: BackendInfo)] {
    try factories.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, try $0.value().info) }
  }
}

/// What can be wrong with choosing a backend or with what it gives back, as facts.
public enum BackendError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nothing is registered under the name; `known` lists what is, sorted.
  case unknown(String, known: [String])
  /// A backend gave another number of results than the graph has outputs.
  case resultCount(String, expected: [String], actual: Int)

  public var description: String {
    switch self {
    case .unknown(let name, let known):
      "there is no backend '\(name)'; registered: \(known.isEmpty ? "none" : known.joined(separator: ", "))"
    case .resultCount(let name, let expected, let actual):
      "backend '\(name)' gave \(actual) results for the \(expected.count) outputs (\(expected.joined(separator: ", ")))"
    }
  }
}

/// Registers a backend in the shared registry.
public func registerBackendFactory(_ name: String, _ factory: @escaping BackendRegistry.Factory) {
  BackendRegistry.shared.register(name, factory)
}

/// Compiles and runs a graph once on a backend of the shared registry.
/// - Parameter inputs: one value per input of the graph, in order.
/// - Throws: `BackendError.unknown`; what the backend throws.
public func executeWithBackend(
  _ graph: Graph, _ name: String, inputs: [RuntimeValue] = []
) throws -> [RuntimeValue] {
  try BackendRegistry.shared.makeBackend(name).compile(graph).run(inputs)
}
