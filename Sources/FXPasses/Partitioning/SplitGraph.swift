import FXCore

/// A graph cut into graphs that, run one after the other, compute what it computes.
public struct SplitGraph: Sendable {
  /// A part of the partition as a graph of its own.
  public struct Part: Sendable {
    /// What the part is for.
    public let target: String
    /// The part's nodes, in the order of the whole graph's body; named `GRAPH.INDEX.TARGET`.
    public let graph: Graph
    /// The values of the whole graph that the part takes and gives, in the order of its inputs and outputs.
    public let inputs: [ValueID]
    /// The values of the whole graph that others use of the part, in the order of its outputs.
    public let outputs: [ValueID]
  }

  /// The graph that was split.
  public let whole: Graph
  /// In execution order.
  public let parts: [Part]
  /// For each part the values that are used by it last.
  private let releases: [[ValueID]]

  /// Parts of few nodes cost what they hold, so that splitting is O(graph).
  /// - Throws: `PartitionError` if the partition is not one of the graph.
  public init(_ graph: Graph, _ partition: Partition) throws {
    try partition.check(graph)
    let order = Dictionary(uniqueKeysWithValues: graph.bodyNodes.enumerated().map { ($1, $0) })
    whole = graph
    let parts = try partition.parts.enumerated().map { index, part in
      let nodes = part.nodes.sorted { order[$0, default: 0] < order[$1, default: 0] }
      let extracted = try graph.extracting(ordered: nodes, name: "\(graph.name).\(index).\(part.target)")
      return Part(target: part.target, graph: extracted.graph, inputs: extracted.inputs, outputs: extracted.outputs)
    }
    var last: [ValueID: Int] = [:]
    for (index, part) in parts.enumerated() { for id in part.inputs + part.outputs { last[id] = index } }
    for operand in graph.outputs { if let id = operand.value { last[id] = nil } }
    var releases = Array(repeating: [ValueID](), count: parts.count)
    for (id, index) in last { releases[index].append(id) }
    (self.parts, self.releases) = (parts, releases)
  }

  /// Runs the parts in order.
  ///
  /// Random operators without a seed of their own may draw other numbers in a part than in the whole.
  /// - Parameters:
  ///   - inputs: one value per input of the whole graph, in order.
  ///   - execute: runs one part, by index.
  /// - Returns: one value per output of the whole graph.
  /// - Throws: what `execute` throws; `ExecutionError.inputCount`; `BackendError.resultCount` for a part that gives another
  ///   number of results than it has outputs; `ExecutionError` for an unbound parameter or `none` among the outputs.
  public func run(
    _ inputs: [RuntimeValue], execute: (Int, [RuntimeValue]) throws -> [RuntimeValue]
  ) throws -> [RuntimeValue] {
    guard inputs.count == whole.inputs.count else {
      throw ExecutionError.inputCount(expected: whole.inputs.map { whole.name(of: $0) }, actual: inputs.count)
    }
    var values = Dictionary(zip(whole.inputs, inputs)) { $1 }
    for (index, part) in parts.enumerated() {
      let results = try execute(index, part.inputs.map { try value($0, values) })
      guard results.count == part.outputs.count else {
        throw BackendError.resultCount(part.target, expected: part.graph.outputNames, actual: results.count)
      }
      for (id, value) in zip(part.outputs, results) { values[id] = value }
      // What no later part needs goes now, so that parts hold no more memory than nodes would.
      for id in releases[index] { values[id] = nil }
    }
    return try whole.outputs.map { operand in
      switch operand {
      case .value(let id): return try value(id, values)
      case .parameter(let id):
        guard let tensor = try whole[id].tensor else { throw ExecutionError.unboundParameters([try whole[id].name]) }
        return .tensor(tensor)
      case .literal(let literal): return .tensor(try literal.tensor(literal.defaultElementType))
      case .none: throw ExecutionError.unsupported(["a result that is none"])
      }
    }
  }

  private func value(_ id: ValueID, _ values: [ValueID: RuntimeValue]) throws -> RuntimeValue {
    guard let value = values[id] else { throw PartitionError.misplaced(whole.name(of: id)) }
    return value
  }

  /// The parts put together again: a graph that computes what the whole does, its nodes in the order of the parts.
  /// - Throws: `GraphError` for parts that were not made from the whole graph.
  public func recombined() throws -> Graph {
    var result = whole.emptyCopy(name: whole.name)
    result.metadata = whole.metadata
    var known: [ValueID: Operand] = [:]
    for input in whole.inputs {
      known[input] = .value(try result.addInput(whole.name(of: input), whole.type(of: input)))
    }
    for part in parts {
      var copier = GraphCopier(part.graph, into: result)
      for (argument, id) in zip(part.graph.inputs, part.inputs) { copier.values[argument] = known[id] }
      for node in part.graph.bodyNodes { try copier.copy(node, to: result.body) }
      for (id, operand) in zip(part.outputs, part.graph.outputs) { known[id] = try copier.operand(operand) }
      result = copier.target
    }
    var copier = GraphCopier(whole, into: result)
    copier.values = known
    let outputs = try whole.outputs.map { try copier.operand($0) }
    result = copier.target
    try result.setResults(of: result.body, outputs, names: whole.outputNames)
    return result
  }

  /// The whole graph with a `call` per part, whose region holds the part's nodes: what a splitter's parent module is in
  /// `torch.fx`. The calls are labelled by target and index, such as `cpu.0`.
  /// - Throws: `GraphError` for parts that were not made from the whole graph.
  public func outlined() throws -> Graph {
    var result = whole.emptyCopy(name: whole.name)
    result.metadata = whole.metadata
    var known: [ValueID: Operand] = [:]
    for input in whole.inputs {
      known[input] = .value(try result.addInput(whole.name(of: input), whole.type(of: input)))
    }
    for (index, part) in parts.enumerated() {
      let call = try result.append(
        .call, part.inputs.map { known[$0] ?? .none }, results: part.outputs.map { try whole.type(of: $0) },
        name: "\(part.target).\(index)")
      guard let region = try result[call].regions.first else { continue }
      var copier = GraphCopier(part.graph, into: result)
      try copier.copyContents(of: part.graph.body, to: region)
      result = copier.target
      for (id, value) in zip(part.outputs, try result[call].results) {
        known[id] = .value(value)
        try result.setUniqueName(whole.name(of: id), of: value)
      }
    }
    var copier = GraphCopier(whole, into: result)
    copier.values = known
    let outputs = try whole.outputs.map { try copier.operand($0) }
    result = copier.target
    try result.setResults(of: result.body, outputs, names: whole.outputNames)
    return result
  }
}

/// Cuts a graph into the parts of a partition.
/// - Throws: `PartitionError` if the partition is not one of the graph.
public func splitModule(_ graph: Graph, _ partition: Partition) throws -> SplitGraph { try SplitGraph(graph, partition) }

/// Cuts a graph into parts by a label for each node of the body, like `torch.fx.passes.split_module`.
/// - Throws: `PartitionError.cyclic` naming the labels whose parts need each other.
public func splitModule(_ graph: Graph, by label: (Node) throws -> String) throws -> SplitGraph {
  let dependencies = BodyDependencies(graph)
  var numbers: [String: Int] = [:]
  var names: [String] = []
  var parts: [Partition.Part] = []
  var labels: [Int] = []
  for id in dependencies.nodes {
    let name = try label(graph[id])
    if numbers[name] == nil {
      numbers[name] = names.count
      names.append(name)
      parts.append(Partition.Part(target: name, nodes: []))
    }
    let number = numbers[name] ?? 0
    parts[number].nodes.append(id)
    labels.append(number)
  }
  var before = Array(repeating: Set<Int>(), count: parts.count)
  for (node, others) in dependencies.predecessors.enumerated() {
    for other in others where labels[other] != labels[node] { before[labels[node]].insert(labels[other]) }
  }
  var order: [Int] = []
  var remaining = Array(parts.indices)
  while !remaining.isEmpty {
    guard let next = remaining.first(where: { before[$0].isEmpty }) else {
      throw PartitionError.cyclic(remaining.map { names[$0] })
    }
    order.append(next)
    remaining.removeAll { $0 == next }
    for index in remaining { before[index].remove(next) }
  }
  return try SplitGraph(graph, Partition(parts: order.map { parts[$0] }))
}
