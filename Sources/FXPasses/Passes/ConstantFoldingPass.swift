import FXCore
import FXShapes

/// Evaluates what depends on constants alone, and what the shapes of the inputs determine.
///
/// Constants are bound parameters, weights included: fold what is to run, not what is to train. An executor computes the
/// values. Random numbers, effects and calls that own regions are left, but folding goes into regions, and constants
/// that a region captures are constants inside.
///
/// A result that is larger than `sizeBudget` is folded only if it is no larger than the constants it is made of, and all
/// together take no more than eight times the weights and twice the budget. What takes too long to compute is left to the
/// run, and so is what would copy most of a matrix that others use too: tied weights stay tied. O(graph).
///
/// Before:
/// ```
/// graph @main(%x: f32[2]) {
///   parameter @c: f32[2] constant = [1.0, 4.0]
///   %a = sqrt(@c)
///   %b = add(%x, %a)
///   return %b
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[2]) {
///   parameter @c: f32[2] constant = [1.0, 4.0]
///   parameter @a: f32[2] constant = [1.0, 2.0]
///   %b = add(%x, @a)
///   return %b
/// }
/// ```
///
/// Declines: what exceeds the budgets of size and work, what would copy a matrix that others use too, and what the
/// executor cannot evaluate.
public struct ConstantFoldingPass: Pass {
  public let name = "constant-folding"
  /// The executor that evaluates may round otherwise than the one that runs the graph.
  public let contract = NumericContract.reassociates
  /// Computes the constants, from graphs without inputs.
  public var executor: any GraphExecutor
  /// Bytes.
  public var sizeBudget: Int
  /// Multiplications, or what takes as long, that all constants together may need.
  public var workBudget = 1 << 28

  /// Folds by an executor, results of up to 1 MiB unless `sizeBudget` is given.
  public init(executor: any GraphExecutor, sizeBudget: Int = 1 << 20) {
    self.executor = executor
    self.sizeBudget = sizeBudget
  }

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    let hasRegions = try graph.allNodes.contains { try !graph[$0].regions.isEmpty }
    if hasRegions { try propagateCaptures(in: &graph, &outcome) }
    // What is folded may leave other constants unused, or regions captures that are constants now.
    var changes = 0
    repeat {
      changes = outcome.changes
      outcome.add(try fold(&graph))
    } while try hasRegions && (propagateCaptures(in: &graph, &outcome) || outcome.changes > changes)
    return outcome
  }

  private func fold(_ graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    var constants = try ConstantNodes(of: graph, sizeBudget: sizeBudget, workBudget: workBudget, &outcome)
    outcome.change("unused constants removed", try constants.removeUnused(from: &graph))
    guard !constants.nodes.isEmpty else { return outcome }
    let evaluation = try ConstantEvaluation(constants, of: graph, executor: executor, &outcome)
    for id in constants.nodes where evaluation.isEvaluated(id) {
      for result in try graph[id].results {
        guard let tensor = evaluation.tensors[result],
          try graph.uses(of: result).contains(where: { !constants.contains($0.node) || !evaluation.isEvaluated($0.node) })
        else { continue }
        let parameter = graph.addConstant(tensor, name: graph.name(of: result))
        try graph.replaceAllUses(of: result, with: .parameter(parameter))
      }
    }
    for id in constants.nodes.reversed() where evaluation.isEvaluated(id) {
      try graph.erase(id)
      outcome.change("nodes folded")
    }
    // What others used too may be one's own once these are folded.
    if outcome["nodes folded"] > 0, !constants.shared.isEmpty {
      let counts = graph.parameterUseCounts()
      if constants.shared.contains(where: { counts[$0] == 1 }) { outcome.add(try fold(&graph)) }
    }
    return outcome
  }

  /// Makes arguments that always are the same parameter that parameter. Returns whether there were any in use.
  @discardableResult
  private func propagateCaptures(in graph: inout Graph, _ outcome: inout PassOutcome) throws -> Bool {
    var count = 0
    for id in graph.allNodes {
      let node = try graph[id]
      guard !node.regions.isEmpty, let slots = RegionSlots(node, in: graph)?.slots else { continue }
      for slot in slots where slot.regionResults.isEmpty {
        guard let operand = slot.operand, case .parameter = node.operands[operand] else { continue }
        for place in slot.arguments {
          let argument = try graph.arguments(of: node.regions[place.region])[place.index]
          guard try !graph.uses(of: argument).isEmpty else { continue }
          try graph.replaceAllUses(of: argument, with: node.operands[operand])
          count += 1
        }
      }
    }
    outcome.change("captured constants propagated", count)
    return count > 0
  }
}

/// The nodes whose results are known before any input is.
private struct ConstantNodes {
  /// In execution order.
  private(set) var nodes: [NodeID] = []
  /// Results that shape inference already knows.
  private(set) var known: [ValueID: Tensor] = [:]
  /// Weights that kept a node from being folded, because others use them too.
  private(set) var shared: Set<ParameterID> = []
  private var members = IDSet<NodeID>()
  private var values = IDSet<ValueID>()
  private let sizeBudget: Int
  private let useCounts: [ParameterID: Int]
  /// Types after shape inference, if that was needed. Those of constant nodes follow from operators and operands alone:
  /// what else a graph says of them may be wrong, and is no promise of how much memory they take.
  private var typed: Graph
  private var contents: [ValueID: [Dimension]] = [:]
  private let inference = ShapeInference()
  private var memory = InferenceMemory()
  /// What is left for all constants together.
  private var bytesLeft: Int
  private var workLeft: Int

  init(of graph: Graph, sizeBudget: Int, workBudget: Int, _ outcome: inout PassOutcome) throws {
    self.sizeBudget = sizeBudget
    typed = graph
    useCounts = graph.parameterUseCounts()
    workLeft = workBudget
    let weights = graph.parameterIDs.reduce(0) { $0 + ((try? graph[$1])?.tensor?.byteCount ?? 0) }
    bytesLeft = 8 * min(weights, .max / 16) + 2 * min(sizeBudget, .max / 16)
    let readsShapes = graph.operatorCounts.contains { ["shape", "size"].contains($0.op.description) && $0.count > 0 }
    if try readsShapes || ConstantNodes.hasUntypedCandidate(graph) { contents = try ShapeInference().run(&typed) }
    memory = InferenceMemory(contents: contents)
    for id in graph.allNodes {
      let node = try graph[id]
      guard node.op.isPure, node.regions.isEmpty else { continue }
      if isConstant(node, graph) {
        if let reason = try reasonToKeep(node) {
          outcome.decline(id, in: graph, reason)
          continue
        }
      } else if let results = try tensors(knownOf: node) {
        for (result, tensor) in zip(node.results, results) { known[result] = tensor }
      } else {
        continue
      }
      nodes.append(id)
      members.insert(id)
      for result in node.results { values.insert(result) }
    }
    // As long as there is a second holder, the first edit copies the graph.
    typed = Graph()
  }

  func contains(_ id: NodeID) -> Bool { members.contains(id) }

  /// Erases nodes that nothing uses, which need not be evaluated. Returns how many there were.
  mutating func removeUnused(from graph: inout Graph) throws -> Int {
    let count = nodes.count
    for index in nodes.indices.reversed() where try graph[nodes[index]].results.allSatisfy({ try graph.uses(of: $0).isEmpty }) {
      try graph.erase(nodes[index])
    }
    nodes.removeAll { !graph.contains($0) }
    return count - nodes.count
  }

  /// Whether the first node that has only parameters as operands lacks a type: then inference has not been run.
  private static func hasUntypedCandidate(_ graph: Graph) throws -> Bool {
    for id in graph.allNodes {
      let node = try graph[id]
      guard node.regions.isEmpty, !node.operands.contains(where: { $0.value != nil }), node.op.isPure else { continue }
      for result in node.results where try graph.type(of: result).shape?.sizes == nil { return true }
    }
    return false
  }

  private func isConstant(_ node: Node, _ graph: Graph) -> Bool {
    node.operands.allSatisfy { operand in
      switch operand {
      case .value(let value): values.contains(value)
      case .parameter: graph.tensor(of: operand) != nil
      case .literal, .none: true
      }
    }
  }

  /// What shape inference knows of all results of a node that depends on inputs.
  private func tensors(knownOf node: Node) throws -> [Tensor]? {
    var tensors: [Tensor] = []
    for result in node.results {
      guard let sizes = contents[result]?.compactMap(\.size), sizes.count == contents[result]?.count,
        let type = try typed.type(of: result).tensorType, type.elementType.isInteger, let shape = type.shape?.sizes,
        shape.count <= 1, shape.reduce(1, *) == sizes.count
      else { return nil }
      tensors.append(try Tensor(type.elementType, shape, numbers: .signed(sizes.map(Int64.init))))
    }
    return tensors.isEmpty ? nil : tensors
  }

  private mutating func reasonToKeep(_ node: Node) throws -> String? {
    guard inference.rules[node.op] != nil else { return "nothing tells its size before it is run" }
    let types: [ValueType]
    do {
      types = try inference.resultTypes(of: node.id, in: typed, memory: &memory)
    } catch {
      return "it cannot be evaluated: \(error)"
    }
    var (size, all) = (0, 0)
    for (result, type) in zip(node.results, types) {
      guard let type = type.tensorType else { return "its type is not known" }
      guard let bytes = ConstantNodes.byteCount(type) else { return "its size is not known before it is run" }
      size = max(size, bytes)
      all = all.addingReportingOverflow(bytes).partialValue
      try typed.setType(of: result, to: .tensor(type))
    }
    let sources = node.operands.map { typed.type(of: $0).tensorType.flatMap(ConstantNodes.byteCount) ?? 0 }
    // While they are computed, elements may take eight bytes each.
    let elements = types.map(EvaluationWork.elements).max() ?? 0
    if max(size, elements > .max / 4 ? .max : 2 * elements) > sizeBudget, size > sources.reduce(0, +) {
      return "\(size) bytes exceed the budget of \(sizeBudget)"
    }
    let work = EvaluationWork.estimate(node, operands: node.operands.map { typed.type(of: $0) }, results: types)
    guard all >= 0, all <= bytesLeft else { return "all constants together would take too much memory" }
    guard work <= workLeft else { return "it would take too long to compute" }
    (bytesLeft, workLeft) = (bytesLeft - all, workLeft - work)
    for (operand, bytes) in zip(node.operands, sources) {
      guard let id = operand.parameter, let parameter = try? typed[id], parameter.role != .constant,
        useCounts[id] ?? 0 > 1, parameter.type.shape?.rank ?? 0 >= 2, size > bytes / 2
      else { continue }
      shared.insert(id)
      return "'\(parameter.name)' is used elsewhere too, folding would copy it"
    }
    return nil
  }

  /// The bytes of a tensor of fixed shape; strings count as 16 each.
  private static func byteCount(_ type: TensorType) -> Int? {
    guard let sizes = type.shape?.sizes, let count = try? Tensor.elementCount(of: sizes, type.elementType) else { return nil }
    return type.elementType == .string ? 16 * count : type.elementType.byteCount(elements: count)
  }
}

/// The values of constant nodes.
private struct ConstantEvaluation {
  private(set) var tensors: [ValueID: Tensor]
  /// Nodes that the executor could not run, and those that depend on them.
  private var failed: Set<NodeID> = []

  /// Runs all nodes as one graph; if that fails, one by one, so that one node's error keeps only its users unfolded.
  init(
    _ constants: ConstantNodes, of graph: Graph, executor: any GraphExecutor, _ outcome: inout PassOutcome
  ) throws {
    tensors = constants.known
    let nodes = try constants.nodes.map { try graph[$0] }.filter { node in
      !node.results.contains { constants.known[$0] != nil }
    }
    guard !nodes.isEmpty else { return }
    var needed: [ValueID] = []
    for node in nodes {
      for result in node.results where try graph.uses(of: result).contains(where: { !constants.contains($0.node) }) {
        needed.append(result)
      }
    }
    do {
      try evaluate(nodes, needed, graph, executor)
    } catch {
      for node in nodes {
        do { try evaluate([node], node.results, graph, executor) } catch {
          failed.insert(node.id)
          outcome.decline(node.id, in: graph, "it cannot be evaluated: \(error)")
        }
      }
    }
  }

  func isEvaluated(_ id: NodeID) -> Bool { !failed.contains(id) }

  /// Runs `nodes` as a graph of their own, from parameters and tensors already known.
  private mutating func evaluate(
    _ nodes: [Node], _ needed: [ValueID], _ graph: Graph, _ executor: any GraphExecutor
  ) throws {
    guard !needed.isEmpty else { return }
    var part = Graph(name: "constants")
    var operands: [Operand: Operand] = [:]
    func copy(_ operand: Operand) throws -> Operand {
      if let known = operands[operand] { return known }
      switch operand {
      case .literal, .none: return operand
      case .value(let value):
        guard let tensor = tensors[value] else { throw ConstantEvaluationError.operandNotEvaluated(graph.name(of: value)) }
        operands[operand] = .parameter(part.addConstant(tensor))
      case .parameter(let id):
        guard let tensor = try graph[id].tensor else {
          throw ExecutionError.unboundParameters([try graph[id].name])
        }
        operands[operand] = .parameter(part.addConstant(tensor))
      }
      return operands[operand] ?? operand
    }
    for node in nodes {
      let copied = try part.append(
        node.op, try node.operands.map(copy), attributes: node.attributes,
        results: try node.results.map { try graph.type(of: $0) }, location: node.location)
      for (result, new) in zip(node.results, try part[copied].results) { operands[.value(result)] = .value(new) }
    }
    try part.setResults(of: part.body, try needed.map { try copy(.value($0)) })
    for (value, result) in zip(needed, try executor.run(part, inputs: [])) {
      guard let tensor = result.tensor else { throw ExecutionError.notATensor(result.type) }
      tensors[value] = tensor
    }
  }
}

private enum ConstantEvaluationError: Error, CustomStringConvertible {
  case operandNotEvaluated(String)

  var description: String {
    switch self {
    case .operandNotEvaluated(let name): "its operand '\(name)' could not be evaluated"
    }
  }
}
