import FXCore

/// Runs a graph node by node with the reference kernels and lets the caller look on and interfere: the tool for finding
/// where numbers go wrong.
///
/// ```swift
/// var interpreter = Interpreter()
/// interpreter.didRun = { run in
///   print(run.visit.qualifiedName, run.results.map(\.type), run.duration)
///   return nil
/// }
/// interpreter.capture = .named(["hidden"])
/// let run = try interpreter.run(graph, inputs: [.tensor(x)])
/// let hidden = run.values["hidden"]
/// ```
///
/// Hooks see the nodes inside branches and loops too, each time they run, with the path of the regions that are running.
public struct Interpreter {
  /// Which values of a run are kept.
  public enum Capture: Sendable, Hashable {
    /// None: hooks see values all the same.
    case none
    /// Values of these names: `h` for every value called so, in the body or in any region; `loop.body[3]/h` for one.
    case named(Set<String>)
    /// Every value of the body, and of the regions each time they run.
    case all
  }

  /// Kernels and the seed of random operators.
  public var executor: ReferenceExecutor
  /// Called before a node runs. What it returns, unless `nil`, becomes the node's results, and the node does not run.
  /// What it throws ends the run and reaches the caller as it is.
  public var willRun: ((NodeVisit) throws -> [RuntimeValue]?)?
  /// Called after a node ran. What it returns, unless `nil`, replaces the node's results.
  /// What it throws ends the run and reaches the caller as it is.
  public var didRun: ((NodeResult) throws -> [RuntimeValue]?)?
  /// What `Run.values` holds after a run; nothing unless said.
  public var capture: Capture = .none
  /// Values of the graph's body that are known before the run. Nodes that only serve to compute them do not run, so a run
  /// can start in the middle of a graph.
  public var seeds: [ValueID: RuntimeValue] = [:]

  /// An interpreter without hooks, captures and seeds.
  public init(executor: ReferenceExecutor = ReferenceExecutor()) { self.executor = executor }

  /// What a run gives.
  public struct Run: Sendable {
    /// One value per output of the graph.
    public let outputs: [RuntimeValue]
    /// The captured values by name; those of regions with their path, such as `loop.body[3]/h`.
    public let values: [String: RuntimeValue]
    /// How many nodes ran, each run inside a loop counted.
    public let nodeCount: Int
  }

  /// Runs the graph once.
  /// - Parameter inputs: one value per input, in order.
  /// - Throws: `ExecutionError`; `GraphError.unknownName` for a captured name that no value of the graph has, and
  ///   `.stale` for a seed of another graph; what a hook throws.
  public func run(_ graph: Graph, inputs: [RuntimeValue]) throws -> Run {
    try InputCheck(graph).check(inputs)
    try checkCapture(graph)
    for value in seeds.keys where try graph.region(of: value) != graph.body {
      throw GraphError.notVisible(graph.name(of: value))
    }
    var arguments = inputs
    for (index, input) in graph.inputs.enumerated() { if let seed = seeds[input] { arguments[index] = seed } }
    let observer = InterpreterObserver(self, graph, unneeded: try unneeded(graph))
    for (input, value) in zip(graph.inputs, arguments) { observer.note(input, value, path: []) }
    do {
      let outputs = try executor.run(
        graph.body, of: graph, arguments, limits: RunLimits(time: executor.timeLimit), observer: observer)
      return Run(outputs: outputs, values: observer.values, nodeCount: observer.nodeCount)
    } catch let failure as HookFailure {
      throw failure.error
    }
  }

  private func checkCapture(_ graph: Graph) throws {
    guard case .named(let names) = capture else { return }
    var known: Set<String> = Set(graph.inputs.map { graph.name(of: $0) })
    for node in graph.allNodes { for result in try graph[node].results { known.insert(graph.name(of: result)) } }
    for name in names.sorted() {
      // The value's own name, without the path; names may hold slashes themselves.
      guard !known.contains(name), !known.contains(where: { name.hasSuffix("]/" + $0) }) else { continue }
      throw GraphError.unknownName(name, suggestions: known.nearest(to: name))
    }
  }

  /// The body nodes that nothing depends on but seeded values. None without seeds, and none if all values are wanted.
  private func unneeded(_ graph: Graph) throws -> Set<NodeID> {
    guard !seeds.isEmpty, capture != .all else { return [] }
    var needed: Set<NodeID> = []
    var pending: [ValueID] = graph.outputs.compactMap(\.value)
    var roots: [NodeID] = []
    for id in graph.bodyNodes {
      let node = try graph[id]
      if case .named(let names) = capture {
        pending += node.results.filter { names.contains(graph.name(of: $0)) }
        // A captured name may be inside, so that what owns regions runs.
        if !node.regions.isEmpty { roots.append(id) }
      }
      if node.op.schema?.effect == .io || node.op.schema?.effect == .collective { roots.append(id) }
    }
    func visit(_ id: NodeID) throws {
      if needed.insert(id).inserted { pending += try graph[id].operands.compactMap(\.value) }
    }
    for id in roots { try visit(id) }
    while let value = pending.popLast() {
      guard seeds[value] == nil, let producer = try graph.producer(of: value) else { continue }
      try visit(producer)
    }
    return Set(graph.bodyNodes).subtracting(needed)
  }
}

/// Calls the hooks of one run and keeps what is captured.
final class InterpreterObserver: NodeObserver {
  private let interpreter: Interpreter
  private let graph: Graph
  private let unneeded: Set<NodeID>
  private(set) var values: [String: RuntimeValue] = [:]
  private(set) var nodeCount = 0

  init(_ interpreter: Interpreter, _ graph: Graph, unneeded: Set<NodeID>) {
    self.interpreter = interpreter
    self.graph = graph
    self.unneeded = unneeded
  }

  func known(_ node: Node, in path: [RegionInstance]) -> [RuntimeValue]? {
    guard path.isEmpty else { return nil }
    let seeded = node.results.compactMap { interpreter.seeds[$0] }
    if !node.results.isEmpty, seeded.count == node.results.count {
      for (id, value) in zip(node.results, seeded) { note(id, value, path: path) }
      return seeded
    }
    // Nobody reads these results, so that there need be none.
    return unneeded.contains(node.id) ? [] : nil
  }

  func run(
    _ node: Node, in path: [RegionInstance], _ operands: [RuntimeValue?], compute: () throws -> [RuntimeValue]
  ) throws -> [RuntimeValue] {
    let visit = NodeVisit(node: node, name: graph.name(of: node.id), path: path, operands: operands)
    var results: [RuntimeValue]
    if let replaced = try hook({ try interpreter.willRun?(visit) }) {
      results = try checked(replaced, for: visit)
    } else {
      let start = ContinuousClock.now
      results = try compute()
      let duration = ContinuousClock.now - start
      nodeCount += 1
      if let replaced = try hook({ try interpreter.didRun?(NodeResult(visit: visit, results: results, duration: duration)) }) {
        results = try checked(replaced, for: visit)
      }
    }
    // One seeded result of several stands for what the node gave.
    if path.isEmpty, !interpreter.seeds.isEmpty {
      for (index, id) in node.results.enumerated() { if let seed = interpreter.seeds[id] { results[index] = seed } }
    }
    for (id, value) in zip(node.results, results) { note(id, value, path: path) }
    return results
  }

  private func hook(_ body: () throws -> [RuntimeValue]?) throws -> [RuntimeValue]? {
    do { return try body() } catch { throw HookFailure(error: error) }
  }

  private func checked(_ results: [RuntimeValue], for visit: NodeVisit) throws -> [RuntimeValue] {
    guard results.count == visit.node.results.count else {
      throw ExecutionError.node(
        visit.qualifiedName, op: visit.node.op.description, location: visit.node.location,
        reason: "a hook gave \(results.count) results for \(visit.node.results.count)")
    }
    return results
  }

  func note(_ id: ValueID, _ value: RuntimeValue, path: [RegionInstance]) {
    switch interpreter.capture {
    case .none: return
    case .all: values[NodeVisit.qualified(graph.name(of: id), in: path)] = value
    case .named(let names):
      let name = graph.name(of: id)
      let qualified = NodeVisit.qualified(name, in: path)
      if names.contains(name) || names.contains(qualified) { values[qualified] = value }
    }
  }
}
