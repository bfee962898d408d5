import FXCore
import FXPasses

/// Runs a graph on several backends: each part where it is supported, in order of priority.
///
/// ```swift
/// let backend = PartitionedBackend([MyBackend(), CPUBackend()])
/// let results = try backend.compiled(graph).run(inputs)
/// ```
///
/// What no backend but the last takes falls to the last, usually the CPU. See `Partitioner` for how parts are cut.
public struct PartitionedBackend: Backend, GraphExecutor {
  /// Those with priority first.
  public let backends: [any Backend]
  /// Parts of fewer nodes move to the last backend that takes them.
  public var minimumNodes: Int

  /// A backend over these, those with priority first; what none but the last takes falls to the last.
  public init(_ backends: [any Backend], minimumNodes: Int = 1) {
    self.backends = backends
    self.minimumNodes = minimumNodes
  }

  /// The names of the backends, and what any of them can do.
  public var info: BackendInfo {
    let infos = backends.map(\.info)
    let capabilities = BackendCapability.allCases.filter { capability in infos.contains { $0.capabilities.contains(capability) } }
    var devices: [String] = []
    for device in infos.flatMap(\.deviceTypes) where !devices.contains(device) { devices.append(device) }
    return BackendInfo(
      name: infos.map(\.name).joined(separator: "+"), version: infos.map(\.version).joined(separator: "+"),
      capabilities: capabilities, deviceTypes: devices)
  }

  public func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    var reasons: [String] = []
    for backend in backends {
      switch backend.deepSupport(for: node, in: graph) {
      case .supported: return .supported
      case .unsupported(let reason): reasons.append("\(backend.info.name): \(reason)")
      }
    }
    return .unsupported(reason: reasons.joined(separator: ", "))
  }

  /// Which backend gets which nodes. Targets are called by the backends' names; of two backends with one name, the
  /// later is called `name.1` after its place in `backends`.
  /// - Throws: `PartitionError.unsupported` with every operator that no backend takes, and the reasons.
  public func partition(_ graph: Graph) throws(PartitionError) -> Partition {
    let targets = zip(backends, names).map { backend, name in
      var target = PartitionTarget(backend)
      target.name = name
      return target
    }
    return try Partitioner(targets, minimumNodes: minimumNodes).partition(graph)
  }

  private var names: [String] {
    var names: [String] = []
    for (index, backend) in backends.enumerated() {
      let name = backend.info.name
      names.append(names.contains(name) ? "\(name).\(index)" : name)
    }
    return names
  }

  public func compile(_ graph: Graph) throws -> any Executable { try compiled(graph) }

  /// The graph cut into parts, each compiled by its backend.
  /// - Throws: `PartitionError`, `VerificationError`; what a backend throws for its part.
  public func compiled(_ graph: Graph) throws -> PartitionedGraph {
    try graph.verify(.structural)
    let split = try SplitGraph(graph, partition(graph))
    let names = names
    let executables = try split.parts.map { part in
      guard let index = names.firstIndex(of: part.target) else { throw BackendError.unknown(part.target, known: names) }
      return try backends[index].compile(part.graph)
    }
    return PartitionedGraph(split: split, executables: executables, inputs: InputCheck(graph))
  }

  /// Compiles and runs once.
  public func run(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] { try compiled(graph).run(inputs) }
}

/// A graph compiled by several backends.
public struct PartitionedGraph: Executable {
  /// The parts: which graph went to which backend.
  public let split: SplitGraph
  let executables: [any Executable]
  let inputs: InputCheck

  public func run(_ values: [RuntimeValue]) throws -> [RuntimeValue] {
    try inputs.check(values)
    return try split.run(values) { try executables[$0].run($1) }
  }
}

/// Compiles and runs a graph once on backends of the shared registry, those with priority first: what one does not
/// support falls to the next.
///
/// ```swift
/// BackendRegistry.shared.registerCPU()
/// let results = try executeWithBackend(graph, ["my_backend", "cpu"], inputs: inputs)
/// ```
/// - Throws: `BackendError.unknown`; `PartitionError.unsupported` for what none of them supports; what a backend throws.
public func executeWithBackend(
  _ graph: Graph, _ names: [String], inputs: [RuntimeValue] = []
) throws -> [RuntimeValue] {
  let backends = try names.map(BackendRegistry.shared.makeBackend)
  return try PartitionedBackend(backends).run(graph, inputs: inputs)
}

extension BackendRegistry {
  /// Registers the backends of this module: `cpu`, and `reference`, whose kernels define the operators.
  /// - Parameter options: of the backend `cpu`; its threads are shared by all that ask for it.
  public func registerCPU(_ options: CPUBackend.Options = CPUBackend.Options()) {
    let cpu = CPUBackend(options)
    register("cpu") { cpu }
    register("reference") { ReferenceExecutor(seed: options.seed) }
  }
}
