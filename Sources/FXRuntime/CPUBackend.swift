internal import CKernels
import FXCore
import FXPasses
import FXShapes

/// Runs graphs on the CPU: compiled once, planned once for each set of input shapes.
public struct CPUBackend: Backend, GraphExecutor {
  /// Settings of a compiled graph.
  public struct Options: Sendable {
    /// Threads that work on one run; by default one per core.
    public var threads: Int
    /// Bytes that a run may need beyond weights and inputs; `nil` for no limit. What the plan foresees is checked before the
    /// run starts; results whose sizes only the run tells are checked as they come.
    public var memoryLimit: Int?
    /// How long a run may take; `nil` for no limit. Checked between steps: what a kernel has begun, it ends.
    public var timeLimit: Duration?
    /// The fast kernels, asked first for each node.
    public var kernels: KernelTable
    /// Serve the operators that no fast kernel takes.
    public var reference: ReferenceKernels
    /// The rules by which sizes are inferred when a graph is compiled and when a plan is made.
    public var rules: ShapeRules
    /// What random operators without a seed of their own derive theirs from.
    public var seed: UInt64
    /// Whether compiling simplifies and fuses the graph first.
    public var optimizes: Bool

    /// All cores, no limits, the standard tables, the seed 0 and optimization, unless said.
    public init(
      threads: Int = CPUBackend.coreCount, memoryLimit: Int? = nil, timeLimit: Duration? = nil,
      kernels: KernelTable = .standard,
      reference: ReferenceKernels = .standard, rules: ShapeRules = .standard, seed: UInt64 = 0, optimizes: Bool = true
    ) {
      self.threads = threads
      self.memoryLimit = memoryLimit
      self.timeLimit = timeLimit
      self.kernels = kernels
      self.reference = reference
      self.rules = rules
      self.seed = seed
      self.optimizes = optimizes
    }
  }

  /// The settings of graphs that are compiled from here on. Another number of `threads` starts threads of this value's own.
  public var options: Options {
    didSet { if options.threads != oldValue.threads { pool = ThreadPool(threads: options.threads) } }
  }
  private(set) var pool: ThreadPool

  /// Starts the threads, which all graphs of this backend and its copies share until a copy asks for another number.
  public init(_ options: Options = Options()) {
    self.options = options
    pool = ThreadPool(threads: options.threads)
  }

  /// `cpu`, version 1.
  public var info: BackendInfo {
    BackendInfo(
      name: "cpu", version: "1", capabilities: [.graphExecution, .optimization, .dynamicShapes, .controlFlow, .profiling],
      deviceTypes: ["cpu"])
  }

  public func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    guard let op = try? graph[node].op else { return .unsupported(reason: "the node is not in the graph") }
    // Gradients are expanded before anything is compiled.
    guard op == .gradient || options.kernels[op] != nil || options.reference[op] != nil else {
      return .unsupported(reason: "no kernel for \(op)")
    }
    return .supported
  }

  public func compile(_ graph: Graph) throws -> any Executable { try compiled(graph) }

  /// The graph made ready to run.
  /// - Throws: `ExecutionError.unsupported` naming every operator without a kernel; `VerificationError`;
  ///   `ShapeConstraintError.conflict` if no sizes keep the graph's constraints and what its nodes ask.
  public func compiled(_ graph: Graph) throws -> CompiledGraph {
    try graph.verify(.structural)
    var graph = graph
    try GradientExpansionPass().apply(to: &graph)
    let missing = Set(
      try graph.allNodes.compactMap { id in
        let op = try graph[id].op
        return options.kernels[op] == nil && options.reference[op] == nil ? op.description : nil
      })
    guard missing.isEmpty else { throw ExecutionError.unsupported(missing.sorted()) }
    let check = try InputCheck(compiling: graph, rules: options.rules)
    var lowered = graph
    if options.optimizes { try Lowering(backend: self).lower(&lowered) }
    return try CompiledGraph(lowered, inputs: check, options, pool)
  }

  /// The same threads with other options.
  func with(_ options: Options) -> CPUBackend { CPUBackend(options, pool) }

  private init(_ options: Options, _ pool: ThreadPool) {
    self.options = options
    self.pool = pool
  }

  /// Compiles and runs once.
  public func run(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] { try compiled(graph).run(inputs) }
}

extension CPUBackend {
  /// The number of cores that this process may run on.
  public static var coreCount: Int { fxk_core_count() }
}
