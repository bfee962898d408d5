import FXCore
import FXPasses
import FXShapes

/// Runs a graph node by node with the reference kernels: slow, plain, and what every faster execution is checked against.
public struct ReferenceExecutor: GraphExecutor {
  /// The kernels by which nodes run; an operator without one ends the run with `ExecutionError.unsupported`.
  public var kernels: ReferenceKernels
  /// What random operators without a seed of their own derive theirs from.
  public var seed: UInt64
  /// How long a run may take; `nil` for no limit. Checked between nodes.
  public var timeLimit: Duration?

  /// The standard kernels, the seed 0 and no time limit, unless said.
  public init(kernels: ReferenceKernels = .standard, seed: UInt64 = 0, timeLimit: Duration? = nil) {
    self.kernels = kernels
    self.seed = seed
    self.timeLimit = timeLimit
  }

  public func run(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
    try InputCheck(graph).check(inputs)
    var graph = graph
    try GradientExpansionPass().apply(to: &graph)
    return try run(graph.body, of: graph, inputs, limits: RunLimits(time: timeLimit))
  }

  /// - Parameters:
  ///   - limits: of the whole run.
  ///   - observer: asked to run each node, if there is one.
  ///   - path: the regions that are running, the body excluded.
  func run(
    _ region: RegionID, of graph: Graph, _ arguments: [RuntimeValue], limits: RunLimits,
    observer: (any NodeObserver)? = nil, path: [RegionInstance] = []
  ) throws -> [RuntimeValue] {
    try limits.check()
    var values: [ValueID: RuntimeValue] = [:]
    let parameters = try graph.arguments(of: region)
    guard parameters.count == arguments.count else {
      throw ExecutionError.inputCount(expected: parameters.map { graph.name(of: $0) }, actual: arguments.count)
    }
    for (id, value) in zip(parameters, arguments) { values[id] = value }
    var remaining = UseCounts(region, graph)
    for id in try graph.nodes(in: region) {
      try limits.check()
      let node = try graph[id]
      do {
        let results = try run(node, of: graph, values, limits: limits, observer: observer, path: path)
        for (result, value) in zip(node.results, results) { values[result] = value }
      } catch let error where error is ExecutionError || error is HookFailure {
        throw error
      } catch {
        throw ExecutionError.node(
          graph.name(of: id), op: node.op.description, location: node.location, reason: String(describing: error))
      }
      for value in remaining.finished(with: node) { values[value] = nil }
    }
    return try graph.results(of: region).map { operand in
      guard let value = try self.value(of: operand, in: graph, values) else {
        throw ExecutionError.unsupported(["a result that is none"])
      }
      return value
    }
  }

  /// The results of one node whose operands are in `values`.
  func run(
    _ node: Node, of graph: Graph, _ values: [ValueID: RuntimeValue], limits: RunLimits,
    observer: (any NodeObserver)? = nil, path: [RegionInstance] = []
  ) throws -> [RuntimeValue] {
    if let known = observer?.known(node, in: path) { return known }
    var operands: [RuntimeValue?] = []
    operands.reserveCapacity(node.operands.count)
    for operand in node.operands { operands.append(try value(of: operand, in: graph, values)) }
    for (index, operand) in node.operands.enumerated() {
      guard case .literal(let literal) = operand else { continue }
      let type = node.elementType(ofLiteral: literal, at: index) { other in
        node.operands.firstIndex(of: other).flatMap { operands[$0]?.tensor?.elementType }
      }
      operands[index] = .tensor(try literal.tensor(type))
    }
    guard let observer else { return try compute(node, operands, of: graph, limits, observer: nil, path: path) }
    return try observer.run(node, in: path, operands) {
      try compute(node, operands, of: graph, limits, observer: observer, path: path)
    }
  }

  private func compute(
    _ node: Node, _ operands: [RuntimeValue?], of graph: Graph, _ limits: RunLimits, observer: (any NodeObserver)?,
    path: [RegionInstance]
  ) throws -> [RuntimeValue] {
    guard let kernel = kernels[node.op] else { throw ExecutionError.unsupported([node.op.description]) }
    var turns: [RegionID: Int] = [:]
    let context = ReferenceContext(
      node: node, operands: operands, seed: seed &+ UInt64(node.id.index),
      runRegion: { region, arguments in
        guard observer != nil else { return try run(region, of: graph, arguments, limits: limits) }
        let instance = RegionInstance(region, of: node, named: graph.name(of: node.id), turn: turns[region, default: 0])
        turns[region, default: 0] += 1
        return try run(region, of: graph, arguments, limits: limits, observer: observer, path: path + [instance])
      },
      regionTypes: { region, arguments in ShapeInference().knownTypes(ofRegion: region, in: graph, arguments: arguments) })
    try context.checkElementTypes()
    let results = try kernel(context)
    guard results.count == node.results.count else {
      throw KernelError.invalid("the kernel gave \(results.count) results for \(node.results.count)")
    }
    return results
  }

  /// Values and parameters; literals are filled in by the caller, who knows their neighbours.
  private func value(of operand: Operand, in graph: Graph, _ values: [ValueID: RuntimeValue]) throws -> RuntimeValue? {
    switch operand {
    case .value(let id): return values[id]
    case .parameter(let id):
      let parameter = try graph[id]
      guard let tensor = parameter.tensor else { throw ExecutionError.unboundParameters([parameter.name]) }
      return .tensor(tensor)
    case .literal(let literal): return .tensor(try literal.tensor(literal.defaultElementType))
    case .none: return nil
    }
  }
}

/// How many uses of each value are still to come, so that memory goes as soon as the last one is done.
private struct UseCounts {
  private var counts: [ValueID: Int] = [:]

  init(_ region: RegionID, _ graph: Graph) {
    for operand in graph.results(of: region) { if let value = operand.value { counts[value, default: 0] += 1 } }
    for id in (try? graph.nodes(in: region)) ?? [] {
      for operand in (try? graph[id].operands) ?? [] { if let value = operand.value { counts[value, default: 0] += 1 } }
    }
  }

  /// The values whose last use was the node's, and its results that nobody uses.
  mutating func finished(with node: Node) -> [ValueID] {
    var finished = node.results.filter { counts[$0] == nil }
    for operand in node.operands {
      guard let value = operand.value, let count = counts[value] else { continue }
      counts[value] = count - 1
      if count == 1 { finished.append(value) }
    }
    return finished
  }
}
