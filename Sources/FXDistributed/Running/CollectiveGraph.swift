import FXCore
import FXPasses

/// A rank's graph made ready: what lies between its collective calls is compiled by a backend, the calls go to a communicator.
///
/// A call is begun where the program has it and waited for where its result is used first, so that what the program has in
/// between is computed meanwhile. Any graph with collective calls runs so, whoever wrote it.
public struct CollectiveGraph: Sendable {
  enum Segment: Sendable {
    case compute(any Executable, inputs: [ValueID], outputs: [ValueID])
    case exchange(NodeID)
  }

  /// The rank's graph with its collective calls.
  public let graph: Graph
  let communicator: any Communicator
  /// For each phase.
  private(set) var segments: [[Segment]] = []
  /// For each segment the values that no other uses later.
  private(set) var releases: [[[ValueID]]] = []
  /// Results of which all micro-batches' values are combined.
  let combined: [ValueID: Reduction]
  /// Values of a micro-batch that the update or the outputs need.
  let kept: Set<ValueID>

  /// - Throws: what `Backend.compile` throws.
  public init(_ graph: Graph, backend: any Backend, communicator: any Communicator) throws {
    try self.init(graph, passes: (graph.bodyNodes.count, 0), combined: [:], backend: backend, communicator: communicator)
  }

  init(_ program: RankProgram, backend: any Backend, communicator: any Communicator) throws {
    try self.init(
      program.graph, passes: program.passes, combined: program.combined, backend: backend, communicator: communicator)
  }

  private init(
    _ graph: Graph, passes: (forward: Int, backward: Int), combined positions: [Int: Reduction], backend: any Backend,
    communicator: any Communicator
  ) throws {
    (self.graph, self.communicator) = (graph, communicator)
    let nodes = graph.bodyNodes
    let both = passes.forward + passes.backward
    guard passes.forward >= 0, passes.backward >= 0, both <= nodes.count, positions.keys.allSatisfy({ (0..<both).contains($0) })
    else { throw PlanError.file("passes of \(passes.forward) and \(passes.backward) nodes of \(nodes.count)") }
    var combined: [ValueID: Reduction] = [:]
    for (position, reduction) in positions {
      guard let value = try graph[nodes[position]].results.first else { continue }
      combined[value] = reduction
    }
    self.combined = combined
    let update = nodes[both...]
    kept = try Set(update.flatMap { try graph[$0].operands.compactMap(\.value) } + graph.outputs.compactMap(\.value))
      .union(combined.keys)
    for part in [nodes[..<passes.forward], nodes[passes.forward..<both], update] {
      segments.append(try CollectiveGraph.segments(part, graph, backend))
    }
    releases = try CollectiveGraph.releases(segments, graph, kept: kept)
  }

  private static func segments(_ nodes: ArraySlice<NodeID>, _ graph: Graph, _ backend: any Backend) throws -> [Segment] {
    var segments: [Segment] = []
    var run: [NodeID] = []
    func flush() throws {
      guard !run.isEmpty else { return }
      let part = try graph.extracting(run)
      run = []
      segments.append(.compute(try backend.compile(part.graph), inputs: part.inputs, outputs: part.outputs))
    }
    for id in nodes {
      guard try graph[id].op.schema?.effect == .collective else {
        run.append(id)
        continue
      }
      // What the call does not need may be computed while it is under way.
      let needed = try graph.needed(by: id, among: Set(run))
      let later = run.filter { !needed.contains($0) }
      run = run.filter(needed.contains)
      try flush()
      run = later
      segments.append(.exchange(id))
    }
    try flush()
    return segments
  }

  /// The two passes of a micro-batch are one program; the update begins with what they leave.
  private static func releases(_ segments: [[Segment]], _ graph: Graph, kept: Set<ValueID>) throws -> [[[ValueID]]] {
    struct Place { let phase, index: Int }
    var releases = segments.map { Array(repeating: [ValueID](), count: $0.count) }
    for phases in [[Phase.forward.rawValue, Phase.backward.rawValue], [Phase.update.rawValue]] {
      var last: [ValueID: Place] = [:]
      for phase in phases {
        for (index, segment) in segments[phase].enumerated() {
          let place = Place(phase: phase, index: index)
          switch segment {
          case .compute(_, let inputs, let outputs): for value in inputs + outputs { last[value] = place }
          case .exchange(let id):
            for value in try graph[id].operands.compactMap(\.value) + graph[id].results { last[value] = place }
          }
        }
      }
      let isUpdate = phases == [Phase.update.rawValue]
      let outputs = Set(graph.outputs.compactMap(\.value))
      for (value, place) in last where !(isUpdate ? outputs : kept).contains(value) {
        releases[place.phase][place.index].append(value)
      }
    }
    return releases
  }

  /// Runs once: one value per input, in order; one per output comes back.
  /// - Parameter clock: adds up the time spent on calls to other ranks.
  /// - Throws: `CommunicationError`, `ExecutionError`.
  public func run(_ inputs: [RuntimeValue], clock: inout CommunicationClock) throws -> [RuntimeValue] {
    var run = try CollectiveRun(self, inputs)
    for phase in Phase.allCases { try run.run(phase, clock: &clock) }
    let results = try graph.outputs.map { try run.take($0, clock: &clock) }
    try run.finish(clock: &clock)
    return results
  }
}

/// What talking to other ranks took.
public struct CommunicationClock: Sendable {
  /// Seconds in which the rank began calls or waited for them.
  public private(set) var seconds = 0.0
  /// Bytes that the rank sent, by `CostModel.bytesSent`.
  public private(set) var bytesSent = 0
  /// How many calls were begun; both ends of a `send` and `recv` count.
  public private(set) var calls = 0
  /// The most bytes of activations that waited for a backward pass at a time.
  public internal(set) var heldBytes = 0

  /// A clock that has measured nothing.
  public init() {}

  mutating func measure<T>(_ body: () throws -> T) rethrows -> T {
    let start = ContinuousClock.now
    defer { seconds += (ContinuousClock.now - start).inSeconds }
    return try body()
  }

  mutating func count(_ exchange: Exchange) {
    calls += 1
    if case .receive = exchange.operation { return }
    bytesSent += CostModel.bytesSent(
      exchange.operation.name, operandBytes: exchange.tensor.byteCount, ranks: exchange.group.count)
  }
}

extension Graph {
  /// The nodes among `nodes` that a node depends on.
  fileprivate func needed(by node: NodeID, among nodes: Set<NodeID>) throws -> Set<NodeID> {
    var found: Set<NodeID> = []
    var pending = [node]
    while let next = pending.popLast() {
      for value in try self[next].operands.compactMap(\.value) {
        if let producer = try producer(of: value), nodes.contains(producer), found.insert(producer).inserted {
          pending.append(producer)
        }
      }
    }
    return found
  }
}
