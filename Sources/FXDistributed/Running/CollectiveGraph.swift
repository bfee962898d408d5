import FXCore
import FXPasses

/// A rank's graph made ready: what lies between its collective calls is compiled by a backend, the calls go to a communicator.
///
/// A call is begun where the program has it and waited for where its result is used first, so that what the program has in
/// between is computed meanwhile. Any graph with collective calls runs so, whoever wrote it.
public struct CollectiveGraph: Sendable {
  private enum Segment: Sendable {
    case compute(any Executable, inputs: [ValueID], outputs: [ValueID])
    case exchange(NodeID)
  }

  public let graph: Graph
  private let communicator: any Communicator
  private let segments: [Segment]
  /// For each segment the values that are used by it last.
  private let releases: [[ValueID]]

  /// - Throws: what `Backend.compile` throws.
  public init(_ graph: Graph, backend: any Backend, communicator: any Communicator) throws {
    (self.graph, self.communicator) = (graph, communicator)
    var segments: [Segment] = []
    var run: [NodeID] = []
    func flush() throws {
      guard !run.isEmpty else { return }
      let part = try graph.extracting(run)
      run = []
      segments.append(.compute(try backend.compile(part.graph), inputs: part.inputs, outputs: part.outputs))
    }
    for id in graph.bodyNodes {
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
    var last: [ValueID: Int] = [:]
    for (index, segment) in segments.enumerated() {
      switch segment {
      case .compute(_, let inputs, let outputs): for value in inputs + outputs { last[value] = index }
      case .exchange(let id): for value in try graph[id].operands.compactMap(\.value) + graph[id].results { last[value] = index }
      }
    }
    for value in graph.outputs.compactMap(\.value) { last[value] = nil }
    var releases = Array(repeating: [ValueID](), count: segments.count)
    for (value, index) in last { releases[index].append(value) }
    (self.segments, self.releases) = (segments, releases)
  }

  /// Runs once: one value per input, in order; one per output comes back.
  /// - Parameter clock: adds up the time spent on calls to other ranks.
  /// - Throws: `CommunicationError`, `ExecutionError`.
  public func run(_ inputs: [RuntimeValue], clock: inout CommunicationClock) throws -> [RuntimeValue] {
    guard inputs.count == graph.inputs.count else {
      throw ExecutionError.inputCount(expected: graph.inputs.map { graph.name(of: $0) }, actual: inputs.count)
    }
    var values = Dictionary(zip(graph.inputs, inputs)) { $1 }
    var pending: [ValueID: (call: NodeExchange, handle: any PendingExchange)] = [:]
    var sends: [any PendingExchange] = []
    func take(_ value: ValueID) throws -> RuntimeValue {
      if let (call, handle) = pending.removeValue(forKey: value) {
        values[value] = .tensor(try call.result(clock.measure { try handle.wait() }))
      }
      guard let found = values[value] else { throw GraphError.notVisible(graph.name(of: value)) }
      return found
    }
    func take(_ operand: Operand) throws -> RuntimeValue {
      switch operand {
      case .value(let value): return try take(value)
      case .parameter(let id):
        guard let tensor = try graph[id].tensor else { throw ExecutionError.unboundParameters([try graph[id].name]) }
        return .tensor(tensor)
      case .literal(let literal): return .tensor(try literal.tensor(literal.defaultElementType))
      case .none: throw ExecutionError.unsupported(["a result that is none"])
      }
    }
    for (index, segment) in segments.enumerated() {
      switch segment {
      case .compute(let executable, let inputs, let outputs):
        let results = try executable.run(inputs.map { try take($0) })
        for (value, result) in zip(outputs, results) { values[value] = result }
        // MPI goes on with what is under way only when it is called.
        for (_, handle) in pending.values { _ = try handle.test() }
      case .exchange(let id):
        let node = try graph[id]
        let tensor = node.op == .recv ? nil : try take(node.operand(0)).tensor
        let call = try NodeExchange(node, tensor, rank: communicator.rank, label: graph.name(of: id))
        let handle = try clock.measure { try communicator.begin(call.exchange) }
        clock.count(call.exchange)
        if node.op == .send {
          sends.append(handle)
          values[node.results[0]] = .tensor(Tensor(Float(0)))
        } else {
          pending[node.results[0]] = (call, handle)
        }
      }
      for value in releases[index] where pending[value] == nil { values[value] = nil }
    }
    let results = try graph.outputs.map { try take($0) }
    // Calls whose results nobody used are made all the same.
    for (_, handle) in pending.values { _ = try clock.measure { try handle.wait() } }
    for handle in sends { _ = try clock.measure { try handle.wait() } }
    return results
  }
}

/// What talking to other ranks took.
public struct CommunicationClock: Sendable {
  /// Seconds in which the rank began calls or waited for them.
  public private(set) var seconds = 0.0
  /// Bytes that the rank sent, by `CostModel.bytesSent`.
  public private(set) var bytesSent = 0
  public private(set) var calls = 0

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
