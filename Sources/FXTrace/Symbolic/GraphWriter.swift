import FXCore
import FXShapes

/// Adds calls to a region, by default to the end of the graph's body, with the functions that models are written with: how passes write calls.
package struct GraphWriter {
  private let session: TraceSession

  /// Takes the graph over; `finish` gives it back. A reference to it held elsewhere makes the first edit copy it.
  package init(_ graph: Graph, region: RegionID? = nil, before node: NodeID? = nil) {
    session = TraceSession(
      graph: graph, paths: ModulePaths(), options: TraceOptions(), executor: nil, file: "", line: 0)
    session.fixedLocation = .some(nil)
    session.insertionPoint = node.map(InsertionPoint.before)
    if let region { session.regions = [RegionFrame(region: region, captures: nil, index: 0)] }
  }

  /// The graph as far as it is written.
  package var graph: Graph { session.graph }

  /// The location of the calls to come: that of the node on whose behalf they are made.
  package func setLocation(_ location: Location?) { session.fixedLocation = .some(location) }

  /// What stands for an operand in the functions of tensors.
  package func tensor(_ operand: Operand) -> SymbolicTensor {
    if case .literal = operand { return SymbolicTensor(session, session.operand(kind(operand))) }
    return SymbolicTensor(session, operand)
  }

  /// The operand that a tensor stands for where calls are added now.
  /// - Throws: `TraceError`, the first mistake.
  package func operand(_ tensor: SymbolicTensor) throws -> Operand {
    let operand = session.operand(.tensor(tensor))
    try check()
    return operand ?? .none
  }

  /// - Throws: `TraceError`, the first mistake.
  package func check() throws { if let mistake = session.mistake { throw mistake } }

  /// The graph.
  /// - Throws: `TraceError`, the first mistake.
  package func finish() throws -> Graph {
    try check()
    let graph = session.graph
    session.graph = Graph()
    return graph
  }

  private func kind(_ operand: Operand) -> SymbolicOperandKind {
    switch operand {
    case .literal(let literal): .literal(literal)
    case .none: .none
    case .value, .parameter: .tensor(SymbolicTensor(session, operand))
    }
  }

  /// A call with any operator.
  package func call(
    _ op: Operator, _ operands: [(any SymbolicOperand)?], attributes: Attributes = [:], resultCount: Int? = nil
  ) -> [SymbolicTensor] {
    session.call(
      op, operands.map { $0?.symbolicOperand ?? SymbolicOperandKind.none }, attributes: attributes, resultCount: resultCount,
      at: nil)
  }

  /// A call that owns regions. Values from outside are captured where `body` uses them.
  /// - Parameters:
  ///   - arguments: the types of each region's own arguments.
  ///   - resultCount: the number of the call's results, from those of the regions.
  /// - Throws: `TraceError`, the first mistake.
  package func call(
    _ op: Operator, _ operands: [SymbolicTensor], attributes: Attributes, arguments: [[ValueType]],
    resultCount: ([Int]) -> Int, body: (_ region: Int, _ arguments: [SymbolicTensor]) throws -> [SymbolicTensor]
  ) throws -> [SymbolicTensor] {
    var failure: (any Error)?
    let results = session.callWithRegions(
      op, operands.map(\.symbolicOperand), attributes: attributes, arguments: arguments, at: nil, resultCount: resultCount
    ) { region, arguments in
      do {
        return try body(region, arguments).map(\.symbolicOperand)
      } catch {
        failure = failure ?? error
        return []
      }
    }
    if let failure { throw failure }
    try check()
    return results ?? []
  }

  /// Adds copies of a region's nodes where calls are added now.
  /// - Parameter arguments: what the region's arguments become.
  /// - Returns: the copies, and what became of the region's results.
  package func copyContents(
    of region: RegionID, arguments: [SymbolicTensor]
  ) throws -> (nodes: [NodeID], results: [Operand]) {
    let contents = try session.graph.copyContents(of: region, arguments: arguments.map(operand), to: session.point)
    for node in contents.nodes { session.record(node) }
    return contents
  }

  /// Does something, and gives the nodes that were added meanwhile where calls are added now.
  package func recording<Result>(_ body: () throws -> Result) throws -> (result: Result, nodes: [NodeID]) {
    session.recorders.append((session.region, []))
    do {
      let result = try body()
      return (result, session.recorders.removeLast().nodes.filter(session.graph.contains))
    } catch {
      session.recorders.removeLast()
      throw error
    }
  }

  /// Fills in the types of a node's results.
  package func inferTypes(of node: NodeID) throws -> [SymbolicTensor] { try session.infer(node) }

  /// Edits the graph in place.
  package func edit<Result>(_ body: (inout Graph) throws -> Result) rethrows -> Result { try body(&session.graph) }
}

extension SymbolicTensor {
  /// A call with this tensor as first operand; its first result.
  package func calling(
    _ op: Operator, _ others: (any SymbolicOperand)?..., attributes: Attributes = [:]
  ) -> SymbolicTensor {
    apply(op, others, attributes: attributes, at: nil)
  }
}
