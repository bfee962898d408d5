/// An engine that compiles graphs.
public protocol Backend: Sendable {
  /// Who the backend is and what it is good for. Messages, `BackendRegistry.infos` and partitioning ask for it.
  var info: BackendInfo { get }
  /// Whether the backend can run a node, and why not.
  ///
  /// For a node that owns regions the answer is about the node itself; those who ask also ask for the nodes inside.
  func support(for node: NodeID, in graph: Graph) -> BackendSupport
  /// How many seconds the node takes, as far as the backend can tell without running it: what partitioning weighs
  /// against the price of another crossing. `nil` if it cannot tell.
  func estimatedSeconds(for node: NodeID, in graph: Graph) -> Double?
  /// What handing work to the backend costs beyond the work.
  var overhead: BackendOverhead { get }
  /// - Throws: `ExecutionError.unsupported` naming every operator it cannot run, or an error of its own.
  func compile(_ graph: Graph) throws -> any Executable
}

extension Backend {
  public func estimatedSeconds(for node: NodeID, in graph: Graph) -> Double? { nil }
  public var overhead: BackendOverhead { .none }

  /// Whether the backend can run a node and everything inside its regions.
  public func deepSupport(for node: NodeID, in graph: Graph) -> BackendSupport {
    // A list, not recursion: regions may be nested deeper than the stack allows.
    var pending = [node]
    while let next = pending.popLast() {
      let answer = support(for: next, in: graph)
      guard answer == .supported else { return answer }
      for region in (try? graph[next].regions) ?? [] { pending += (try? graph.nodes(in: region)) ?? [] }
    }
    return .supported
  }

  /// What keeps the backend from running the whole graph: operators with the backend's reasons, each once, sorted.
  public func obstacles(in graph: Graph) -> [String] {
    var found: Set<String> = []
    for node in graph.allNodes {
      guard case .unsupported(let reason) = support(for: node, in: graph) else { continue }
      let op = (try? graph[node].op.description) ?? node.description
      found.insert(reason.isEmpty ? op : "\(op) (\(reason))")
    }
    return found.sorted()
  }
}

/// Whether a backend can run a node.
public enum BackendSupport: Sendable, Equatable {
  /// It can: `compile` takes a graph with the node.
  case supported
  /// It cannot, and why, as messages quote it; the reason may be empty.
  case unsupported(reason: String)
}

/// What handing work to a backend costs beyond the work.
public struct BackendOverhead: Sendable, Equatable {
  /// Seconds for every call of a compiled part.
  public var secondsPerCall: Double
  /// Seconds for every byte that crosses into the backend or out of it; 0 where memory is shared.
  public var secondsPerByte: Double

  /// An overhead of so many seconds a call and a byte; 0 each unless said.
  public init(secondsPerCall: Double = 0, secondsPerByte: Double = 0) {
    self.secondsPerCall = secondsPerCall
    self.secondsPerByte = secondsPerByte
  }

  /// No overhead: 0 seconds a call and a byte, what a backend has that says nothing.
  public static let none = BackendOverhead()
}

/// What a backend says of itself.
public struct BackendInfo: Sendable, Equatable {
  /// What messages and partitions call the backend, such as `cpu`; it may be registered under another name.
  public var name: String
  /// The backend's own version, such as `1.0.0`, for people: nothing compares it.
  public var version: String
  /// What the backend is good for. Information: `support(for:in:)` decides what it is given to run.
  public var capabilities: [BackendCapability]
  /// The kinds of device it runs on, such as `cpu`: free text.
  public var deviceTypes: [String]

  /// What a backend gives as its `info`.
  public init(name: String, version: String, capabilities: [BackendCapability], deviceTypes: [String]) {
    self.name = name
    self.version = version
    self.capabilities = capabilities
    self.deviceTypes = deviceTypes
  }
}

/// Something a backend can do beyond running single nodes. A claim for people and tools to read; nothing checks it.
public enum BackendCapability: String, Sendable, Hashable, CaseIterable {
  /// Compiles and runs whole graphs.
  case graphExecution
  /// Simplifies or fuses graphs before it runs them.
  case optimization
  /// Runs one compiled graph on inputs of different sizes.
  case dynamicShapes
  /// Runs nodes that own regions: `cond`, `while_loop`, `loop`, `scan`, `call`.
  case controlFlow
  /// Computes on quantized tensors.
  case quantization
  /// Runs training steps.
  case training
  /// Measures how long each step of a run takes.
  case profiling
  /// Runs a graph on several ranks.
  case distributed
}

/// A backend that interprets: it is handed graph and inputs on every run.
///
/// `support(for:in:)` answers yes unless the backend says otherwise; `compile` refuses a graph that holds a node for
/// which the answer is no.
public protocol CustomBackend: Backend {
  /// Runs the graph once: one value per input, in order; one per output comes back.
  func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue]
}

extension CustomBackend {
  public func support(for node: NodeID, in graph: Graph) -> BackendSupport { .supported }

  /// - Throws: `ExecutionError.unsupported` naming the operators that the backend says it cannot run, with its reasons.
  public func compile(_ graph: Graph) throws -> any Executable {
    let obstacles = obstacles(in: graph)
    guard obstacles.isEmpty else { throw ExecutionError.unsupported(obstacles) }
    return InterpretedExecutable(backend: self, graph: graph)
  }
}

private struct InterpretedExecutable<Interpreter: CustomBackend>: Executable {
  let backend: Interpreter
  let graph: Graph

  func run(_ inputs: [RuntimeValue]) throws -> [RuntimeValue] {
    let results = try backend.execute(graph, inputs: inputs)
    let expected = graph.outputNames
    guard results.count == expected.count else {
      throw BackendError.resultCount(backend.info.name, expected: expected, actual: results.count)
    }
    return results
  }
}
