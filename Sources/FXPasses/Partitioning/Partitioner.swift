import FXCore

/// Something that parts of a graph can be given to.
public struct PartitionTarget: Sendable {
  /// What `Partition.Part.target` is for parts of this target.
  public var name: String
  /// Whether the target takes a node with all that its regions hold.
  public var support: @Sendable (NodeID, Graph) -> BackendSupport
  /// Seconds that a node takes; `nil` where nobody can tell.
  public var seconds: @Sendable (NodeID, Graph) -> Double?
  /// What every part costs beside its nodes, and every byte that crosses into the target or out of it.
  public var overhead: BackendOverhead

  /// A target that takes what `support` says, without overhead and estimates unless they are given.
  public init(
    _ name: String, overhead: BackendOverhead = .none, seconds: @escaping @Sendable (NodeID, Graph) -> Double? = { _, _ in nil },
    support: @escaping @Sendable (NodeID, Graph) -> BackendSupport
  ) {
    self.name = name
    self.support = support
    self.seconds = seconds
    self.overhead = overhead
  }

  /// A backend as a target: its name, overhead and estimates, and its support for a node with all that its regions hold.
  public init(_ backend: any Backend) {
    self.init(
      backend.info.name, overhead: backend.overhead, seconds: { backend.estimatedSeconds(for: $0, in: $1) },
      support: { backend.deepSupport(for: $0, in: $1) })
  }
}

/// Cuts a graph's body into parts by what targets can run and what crossings cost.
///
/// 1. Each node goes to the first target that takes it.
/// 2. Nodes are grouped into the fewest parts that a greedy schedule finds: everything that is ready for a target runs
///    before the next one's turn. The parts are acyclic by construction, and no two of them could be one.
/// 3. Parts that cost more than they gain move to another target that takes all their nodes: those with fewer nodes than
///    `minimumNodes`, and those whose calls and crossings cost more than the target saves, by the targets' own estimates.
///    Without estimates only overheads count.
///
/// Deterministic. O(targets · (nodes + edges)) for a pass over the graph, of which there are at most a few.
public struct Partitioner: Sendable {
  /// Those with priority first; the last is where small parts fall back to.
  public var targets: [PartitionTarget]
  /// Parts of fewer nodes move to the last target that takes them.
  public var minimumNodes: Int

  /// A partitioner for targets, those with priority first. No part is too small unless `minimumNodes` is above 1.
  public init(_ targets: [PartitionTarget], minimumNodes: Int = 1) {
    self.targets = targets
    self.minimumNodes = minimumNodes
  }

  /// - Throws: `PartitionError.unsupported` with every operator that no target takes and the reasons; `.noTargets`.
  public func partition(_ graph: Graph) throws(PartitionError) -> Partition {
    guard !targets.isEmpty else { throw .noTargets }
    let dependencies = BodyDependencies(graph)
    var (labels, candidates) = try assign(dependencies.nodes, graph)
    let scheduler = PartScheduler(dependencies, targetCount: targets.count)
    var parts = scheduler.parts(labels)
    let balance = PartitionBalance(graph, dependencies, targets)
    if minimumNodes > 1, targets.count > 1 {
      for part in parts where part.nodes.count < minimumNodes {
        if let last = candidates.common(to: part.nodes)?.last { for node in part.nodes { labels[node] = last } }
      }
      parts = scheduler.parts(labels)
    }
    if targets.count > 1, balance.isNeeded {
      var cost = balance.cost(labels, parts)
      for _ in 0..<8 {
        let moved = balance.improved(labels, parts, candidates)
        guard moved != labels else { break }
        let regrouped = scheduler.parts(moved)
        let movedCost = balance.cost(moved, regrouped)
        guard movedCost < cost else { break }
        (labels, parts, cost) = (moved, regrouped, movedCost)
      }
    }
    return Partition(
      parts: parts.map { part in
        Partition.Part(target: targets[part.target].name, nodes: part.nodes.map { dependencies.nodes[$0] })
      })
  }

  /// For each node the targets that take it, and the first of them.
  private func assign(_ nodes: [NodeID], _ graph: Graph) throws(PartitionError) -> ([Int], Candidates) {
    var labels: [Int] = []
    var candidates = Candidates()
    var unsupported: Set<String> = []
    for node in nodes {
      var takers: [Int] = []
      var reasons: [String] = []
      for (index, target) in targets.enumerated() {
        switch target.support(node, graph) {
        case .supported: takers.append(index)
        case .unsupported(let reason): reasons.append("\(target.name): \(reason)")
        }
      }
      if takers.isEmpty {
        let op = (try? graph[node].op.description) ?? node.description
        unsupported.insert("\(op) (\(reasons.joined(separator: ", ")))")
      }
      labels.append(takers.first ?? 0)
      candidates.append(takers)
    }
    guard unsupported.isEmpty else { throw .unsupported(unsupported.sorted()) }
    return (labels, candidates)
  }
}

/// The targets that take each node, by priority. Most nodes have one of a few lists, which are stored once.
struct Candidates {
  private var lists: [[Int]] = []
  private var indices: [[Int]: Int] = [:]
  private var list: [Int] = []

  mutating func append(_ takers: [Int]) {
    if indices[takers] == nil {
      indices[takers] = lists.count
      lists.append(takers)
    }
    list.append(indices[takers] ?? 0)
  }

  subscript(node: Int) -> [Int] { lists[list[node]] }

  /// The targets that take all of some nodes, by priority; `nil` if there is none.
  func common(to nodes: [Int]) -> [Int]? {
    var common: [Int]?
    for index in Set(nodes.map { list[$0] }).sorted() {
      common = common.map { $0.filter(lists[index].contains) } ?? lists[index]
    }
    return common.flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// The body's nodes by number, and which must run before which: operands, and the order of nodes with effects.
struct BodyDependencies {
  let nodes: [NodeID]
  private(set) var predecessors: [[Int]] = []
  private(set) var successors: [[Int]]
  /// The values that each node uses from other nodes and from the inputs.
  private(set) var operands: [[ValueID]] = []
  let numbers: [NodeID: Int]

  init(_ graph: Graph) {
    nodes = graph.bodyNodes
    numbers = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) })
    successors = Array(repeating: [], count: nodes.count)
    var lastEffect: Int?
    for (number, id) in nodes.enumerated() {
      guard let node = try? graph[id] else { continue }
      var before: Set<Int> = []
      var values: [ValueID] = []
      for operand in node.operands {
        guard let value = operand.value, !values.contains(value) else { continue }
        values.append(value)
        if let producer = try? graph.producer(of: value), let other = numbers[producer] { before.insert(other) }
      }
      if BodyDependencies.isOrdered(node, graph) {
        if let lastEffect { before.insert(lastEffect) }
        lastEffect = number
      }
      let sorted = before.sorted()
      predecessors.append(sorted)
      operands.append(values)
      for other in sorted { successors[other].append(number) }
    }
  }

  /// Whether the node, or one inside it, does something that must stay in order.
  private static func isOrdered(_ node: Node, _ graph: Graph) -> Bool {
    var pending = [node]
    while let next = pending.popLast() {
      switch next.op.schema?.effect {
      case .io, .collective: return true
      case .pure, .random, nil: break
      }
      for region in next.regions { pending += ((try? graph.nodes(in: region)) ?? []).compactMap { try? graph[$0] } }
    }
    return false
  }
}
