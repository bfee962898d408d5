/// An engine that compiles graphs.
public protocol Backend: Sendable {
  var info: BackendInfo { get }
  /// Whether the backend can run a node, and why not.
  func support(for node: NodeID, in graph: Graph) -> BackendSupport
  /// - Throws: `ExecutionError.unsupported` naming every operator it cannot run, or an error of its own.
  func compile(_ graph: Graph) throws -> any Executable
}

public enum BackendSupport: Sendable, Equatable {
  case supported
  case unsupported(reason: String)
}

/// What a backend says of itself.
public struct BackendInfo: Sendable, Equatable {
  public var name: String
  public var version: String
  public var capabilities: [BackendCapability]
  public var deviceTypes: [String]

  public init(name: String, version: String, capabilities: [BackendCapability], deviceTypes: [String]) {
    self.name = name
    self.version = version
    self.capabilities = capabilities
    self.deviceTypes = deviceTypes
  }
}

public enum BackendCapability: String, Sendable, Hashable, CaseIterable {
  case graphExecution, optimization, dynamicShapes, controlFlow, quantization, training, profiling, distributed
}

/// A backend that interprets: it is handed graph and inputs on every run.
public protocol CustomBackend: Backend {
  func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue]
}

extension CustomBackend {
  public func support(for node: NodeID, in graph: Graph) -> BackendSupport { .supported }

  public func compile(_ graph: Graph) throws -> any Executable { InterpretedExecutable(backend: self, graph: graph) }
}

private struct InterpretedExecutable<Interpreter: CustomBackend>: Executable {
  let backend: Interpreter
  let graph: Graph

  func run(_ inputs: [RuntimeValue]) throws -> [RuntimeValue] { try backend.execute(graph, inputs: inputs) }
}
