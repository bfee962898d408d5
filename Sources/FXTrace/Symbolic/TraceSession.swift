import FXCore
import FXShapes

/// One trace: the graph as far as it is built, where the model's code is, and the first mistake made.
final class TraceSession {
  var graph: Graph
  let inference: ShapeInference
  let options: TraceOptions
  /// Runs each call at once when the model runs eagerly.
  let executor: (any GraphExecutor)?

  private(set) var mistake: TraceError?
  private var memory = InferenceMemory()
  /// Values of an eager run.
  private var values: [ValueID: RuntimeValue] = [:]
  private var parameters: [ObjectIdentifier: ParameterID] = [:]
  var paths: ModulePaths
  /// Modules being called, outermost first.
  var modules: [ModuleFrame]
  /// Regions being traced, the body first.
  var regions: [RegionFrame]
  /// The location of all calls that are made on behalf of nodes, which may have none; `nil` for calls of a user's.
  var fixedLocation: Location??
  /// Where calls go in the outermost region being traced; its end if `nil`.
  var insertionPoint: InsertionPoint?
  /// Who wants to know which nodes are added to a region.
  var recorders: [(region: RegionID, nodes: [NodeID])] = []
  /// Whether calls go to the options' proxy; not while the proxy itself runs.
  private var isProxied: Bool

  /// A module's call in progress.
  struct ModuleFrame {
    let path: String
    /// The latest line of the user's that is known.
    var file: String
    var line: Int
  }

  init(graph: Graph, paths: ModulePaths, options: TraceOptions, executor: (any GraphExecutor)?, file: String, line: Int) {
    self.graph = graph
    self.paths = paths
    self.options = options
    self.executor = executor
    inference = options.inference
    modules = [ModuleFrame(path: "", file: file, line: line)]
    regions = [RegionFrame(region: graph.body, captures: nil, index: 0)]
    isProxied = options.proxy != nil
  }

  /// A line of the user's program.
  struct CallSite {
    let file: String
    let line: Int
  }

  var modulePath: String { modules.last?.path ?? "" }
  var region: RegionID { regions.last?.region ?? graph.body }

  /// Where the next call goes.
  var point: InsertionPoint { regions.count == 1 ? insertionPoint ?? .end(of: region) : .end(of: region) }

  /// Tells of a node that was added where calls go now.
  func record(_ node: NodeID) {
    for index in recorders.indices where recorders[index].region == region { recorders[index].nodes.append(node) }
  }

  // MARK: Calls

  /// Calls an operator on operands of which at least one is a `SymbolicTensor`.
  /// - Parameter site: where; `nil` from infix operators, which cannot know: the nearest line known is taken then.
  /// - Returns: the results, poisoned after a mistake.
  func call(
    _ op: Operator, _ operands: [SymbolicOperandKind], attributes: Attributes = [:], resultCount: Int? = nil,
    at site: CallSite?
  ) -> [SymbolicTensor] {
    if let site, let last = modules.indices.last { (modules[last].file, modules[last].line) = (site.file, site.line) }
    let count = resultCount ?? max(1, op.schema?.resultCount.lowerBound ?? 1)
    let poisoned = Array(repeating: SymbolicTensor(self, nil), count: count)
    guard mistake == nil else { return poisoned }
    if isProxied, let proxy = options.proxy {
      isProxied = false
      defer { isProxied = true }
      let call = OperatorCall(
        op: op, operands: operands, attributes: attributes, resultCount: count, location: location(site),
        session: self, site: site)
      do {
        let results = try proxy.call(call)
        guard results.count == count else {
          throw TraceError.Reason.graph(.resultCount(op.description, expected: count...count, actual: results.count)).error
        }
        return results
      } catch {
        fail(error, op: op, operands: operands, at: site)
        return poisoned
      }
    }
    return append(op, operands, attributes: attributes, resultCount: count, at: site) ?? poisoned
  }

  /// Adds the call to the graph; `nil` after a mistake.
  func append(
    _ op: Operator, _ operands: [SymbolicOperandKind], attributes: Attributes, resultCount: Int, at site: CallSite?
  ) -> [SymbolicTensor]? {
    let resolved = operands.compactMap { self.operand($0, at: site) }
    guard mistake == nil, resolved.count == operands.count else { return nil }
    do {
      let node = try graph.append(
        op, resolved, attributes: attributes, results: Array(repeating: .unknown, count: resultCount),
        at: point, location: callLocation(site))
      record(node)
      do {
        let results = try infer(node)
        if let executor { try evaluate(node, executor) }
        return results
      } catch {
        try graph.erase(node)
        throw error
      }
    } catch {
      fail(error, op: op, operands: operands, at: site)
      return nil
    }
  }

  /// Fills in the types of a node's results.
  func infer(_ node: NodeID) throws -> [SymbolicTensor] {
    try inference.infer(node, in: &graph, memory: &memory).map { SymbolicTensor(self, .value($0)) }
  }

  /// What calls so far are known to hold also holds for an argument that stands for a value.
  func copyContents(of value: ValueID, to copy: ValueID) { memory.copyContents(of: value, to: copy) }

  // MARK: Operands

  /// What an operand is in this trace; `nil` after a mistake.
  func operand(_ kind: SymbolicOperandKind, at site: CallSite? = nil) -> Operand? {
    switch kind {
    case .none: return Operand.none
    case .literal(let literal): return .literal(literal)
    case .constant(let tensor): return .parameter(graph.addConstant(tensor))
    case .parameter(let parameter): return self.parameter(parameter, at: site).map(Operand.parameter)
    case .tensor(let tensor):
      guard let operand = tensor.operand else { return nil }
      guard tensor.session === self else {
        fail(TraceError.Reason.foreignTensor.error, op: nil, operands: [], at: site)
        return nil
      }
      guard case .value(let value) = operand else { return operand }
      return visible(value, at: site).map(Operand.value)
    }
  }

  private func parameter(_ parameter: ModuleParameter, at site: CallSite?) -> ParameterID? {
    if let id = parameters[ObjectIdentifier(parameter)] { return id }
    var name = paths.parameters[ObjectIdentifier(parameter)] ?? parameter.name ?? "parameter_\(parameters.count)"
    while graph.parameter(named: name) != nil { name += "_" }
    do {
      let id: ParameterID
      if let tensor = parameter.tensor {
        id = try graph.addParameter(name, tensor, role: parameter.role)
      } else if executor != nil {
        throw TraceError.Reason.unboundParameters([name]).error
      } else {
        id = try graph.addParameter(name, unbound: parameter.type, role: parameter.role)
      }
      parameters[ObjectIdentifier(parameter)] = id
      kept.append(parameter)
      return id
    } catch {
      fail(error, op: nil, operands: [], at: site)
      return nil
    }
  }
  /// Parameters live as long as the trace, since their identity is their key.
  private var kept: [ModuleParameter] = []

  func label(_ value: ValueID, _ name: String) {
    do {
      try graph.setUniqueName(name, of: value)
    } catch {
      fail(error, op: nil, operands: [], at: nil)
    }
  }

  // MARK: Eager values

  func setValue(_ value: RuntimeValue, of id: ValueID) { values[id] = value }

  func value(of operand: Operand) -> RuntimeValue? {
    switch operand {
    case .value(let value): values[value]
    case .parameter: graph.tensor(of: operand).map(RuntimeValue.tensor)
    case .literal, .none: nil
    }
  }

  func tensor(of operand: Operand) -> Tensor? { executor == nil ? nil : value(of: operand)?.tensor }

  /// Runs one call as a graph of its own.
  private func evaluate(_ id: NodeID, _ executor: any GraphExecutor) throws {
    let node = try graph[id]
    var single = Graph(name: graph.name(of: id))
    var inputs: [RuntimeValue] = []
    let operands = try node.operands.enumerated().map { index, operand in
      guard let value = value(of: operand) else { return operand }
      inputs.append(value)
      return Operand.value(try single.addInput("operand_\(index)", value.type))
    }
    let call = try single.append(
      node.op, operands, attributes: node.attributes, results: node.results.map { graph.type(of: .value($0)) },
      location: node.location)
    for (index, result) in try single[call].results.enumerated() { try single.addOutput(result, name: "result_\(index)") }
    for (result, value) in zip(node.results, try executor.run(single, inputs: inputs)) {
      values[result] = value
      try graph.setType(of: result, to: value.type)
    }
  }

  // MARK: Mistakes

  func callLocation(_ site: CallSite?) -> Location? { fixedLocation ?? location(site) }

  func location(_ site: CallSite?) -> Location {
    guard let frame = modules.last else { return Location(file: site?.file ?? "", line: site?.line ?? 0) }
    return Location(file: site?.file ?? frame.file, line: site?.line ?? frame.line, modulePath: frame.path)
  }

  /// Keeps the first mistake; everything computed afterwards is poisoned.
  func fail(_ error: any Error, op: Operator?, operands: [SymbolicOperandKind], at site: CallSite?) {
    guard mistake == nil else { return }
    if let error = error as? TraceError, error.location != nil {
      mistake = error
      return
    }
    let reason: TraceError.Reason =
      switch error {
      case let error as TraceError: error.reason
      case let error as GraphError: .graph(error)
      case let error as ShapeInferenceError: .shape(error.reason)
      case let error as ExecutionError: .execution(error.description)
      default: .invalid(String(describing: error))
      }
    // Infix operators are not told their line: theirs is that of the nearest call that was.
    var remedy: String?
    if case .shape(let error) = reason { remedy = error.remedy(op, operands.map(tensorType)) }
    mistake = TraceError(
      reason, op: op?.description, operands: operands.map(describe), location: location(site), remedy: remedy)
  }

  private func tensorType(_ operand: SymbolicOperandKind) -> TensorType? {
    switch operand {
    case .tensor(let tensor): tensor.type.tensorType
    case .constant(let tensor): tensor.type
    case .parameter(let parameter): parameter.type
    case .literal, .none: nil
    }
  }

  private func describe(_ operand: SymbolicOperandKind) -> String {
    switch operand {
    case .tensor(let tensor): tensor.type.description
    case .literal(let literal): literal.description
    case .constant(let tensor): tensor.type.description
    case .parameter(let parameter): parameter.type.description
    case .none: "none"
    }
  }
}

extension TraceError.Reason {
  /// The reason alone, for whoever knows the place to add it.
  var error: TraceError { TraceError(self) }
}
