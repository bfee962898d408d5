import FXCore

/// One way of one micro-batch, or of the update, through a rank's graph: the values that are there, and the calls under way.
struct CollectiveRun {
  private let program: CollectiveGraph
  private var graph: Graph { program.graph }
  private(set) var values: [ValueID: RuntimeValue]
  private var pending: [ValueID: (call: NodeExchange, handle: any PendingExchange)] = [:]
  private var sends: [any PendingExchange] = []

  /// - Parameter inputs: one for each input of the graph, in order.
  init(_ program: CollectiveGraph, _ inputs: [RuntimeValue]) throws {
    self.program = program
    guard inputs.count == program.graph.inputs.count else {
      let names = program.graph.inputs.map { program.graph.name(of: $0) }
      throw ExecutionError.inputCount(expected: names, actual: inputs.count)
    }
    values = Dictionary(zip(program.graph.inputs, inputs)) { $1 }
  }

  subscript(value: ValueID) -> RuntimeValue? {
    get { values[value] }
    set { values[value] = newValue }
  }

  mutating func run(_ phase: Phase, clock: inout CommunicationClock) throws {
    for (index, segment) in program.segments[phase.rawValue].enumerated() {
      switch segment {
      case .compute(let executable, let inputs, let outputs):
        var operands: [RuntimeValue] = []
        for input in inputs { operands.append(try take(input, clock: &clock)) }
        for (value, result) in zip(outputs, try executable.run(operands)) { values[value] = result }
        // MPI goes on with what is under way only when it is called.
        for (_, handle) in pending.values { _ = try handle.test() }
      case .exchange(let id): try begin(graph[id], label: graph.name(of: id), clock: &clock)
      }
      for value in program.releases[phase.rawValue][index] where pending[value] == nil { values[value] = nil }
    }
  }

  private mutating func begin(_ node: Node, label: String, clock: inout CommunicationClock) throws {
    let tensor = node.op == .recv ? nil : try take(node.operand(0), clock: &clock).tensor
    let call = try NodeExchange(node, tensor, rank: program.communicator.rank, label: label)
    let handle = try clock.measure { try program.communicator.begin(call.exchange) }
    clock.count(call.exchange)
    if node.op == .send {
      sends.append(handle)
      values[node.results[0]] = .tensor(Tensor(Float(0)))
    } else {
      pending[node.results[0]] = (call, handle)
    }
  }

  /// A value, waited for if it is under way.
  mutating func take(_ value: ValueID, clock: inout CommunicationClock) throws -> RuntimeValue {
    if let (call, handle) = pending.removeValue(forKey: value) {
      values[value] = .tensor(try call.result(clock.measure { try handle.wait() }))
    }
    guard let found = values[value] else { throw GraphError.notVisible(graph.name(of: value)) }
    return found
  }

  mutating func take(_ operand: Operand, clock: inout CommunicationClock) throws -> RuntimeValue {
    switch operand {
    case .value(let value): return try take(value, clock: &clock)
    case .parameter(let id):
      guard let tensor = try graph[id].tensor else { throw ExecutionError.unboundParameters([try graph[id].name]) }
      return .tensor(tensor)
    case .literal(let literal): return .tensor(try literal.tensor(literal.defaultElementType))
    case .none: throw ExecutionError.unsupported(["a result that is none"])
    }
  }

  /// Waits for what is under way: calls whose results nobody used are made all the same.
  mutating func finish(clock: inout CommunicationClock) throws {
    for (_, handle) in pending.values { _ = try clock.measure { try handle.wait() } }
    for handle in sends { _ = try clock.measure { try handle.wait() } }
    pending = [:]
    sends = []
  }

  /// Lets go of everything that neither the update nor the outputs need.
  mutating func retire(clock: inout CommunicationClock) throws {
    for value in program.kept where pending[value] != nil { _ = try take(value, clock: &clock) }
    values = values.filter { program.kept.contains($0.key) }
  }

  /// Bytes of what the graph has computed and still holds.
  var heldBytes: Int {
    let inputs = Set(graph.inputs)
    return values.reduce(0) { sum, entry in
      inputs.contains(entry.key) ? sum : sum + (entry.value.tensor?.byteCount ?? 0)
    }
  }
}
