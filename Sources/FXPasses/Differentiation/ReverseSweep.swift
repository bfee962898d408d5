import FXCore
import FXTrace

/// One walk backwards over nodes of one region, from the cotangents of some values to those of others.
///
/// Source: Griewank and Walther, "Evaluating Derivatives", 2nd edition, chapter 3 (the reverse mode).
final class ReverseSweep {
  let writer: GraphWriter
  let rules: GradientRules
  private let wanted: Set<Operand>
  /// What the wanted operands' values flow into.
  private var active: Set<Operand>
  private var cotangents: [Operand: SymbolicTensor] = [:]

  /// - Parameter wanted: the operands whose cotangents are asked for.
  init(_ writer: GraphWriter, _ rules: GradientRules, wanted: [Operand]) {
    self.writer = writer
    self.rules = rules
    self.wanted = Set(wanted)
    active = self.wanted
  }

  func isActive(_ operand: Operand) -> Bool { active.contains(operand) }

  /// Adds to the cotangent of an operand, if it is asked for.
  func accumulate(_ cotangent: SymbolicTensor, to operand: Operand) {
    guard isActive(operand) else { return }
    cotangents[operand] = cotangents[operand].map { $0 + cotangent } ?? cotangent
  }

  func cotangent(of operand: Operand) -> SymbolicTensor? { cotangents[operand] }

  /// Walks over nodes, which are in execution order. O(nodes).
  /// - Parameter seeds: values, of which some may be the same, with their cotangents.
  func run(_ nodes: [NodeID], seeds: [(Operand, SymbolicTensor)]) throws {
    let reached = try mark(nodes)
    for (value, cotangent) in seeds { accumulate(cotangent, to: value) }
    for id in reached.reversed() { try step(id) }
  }

  /// Finds what depends on the wanted operands.
  private func mark(_ nodes: [NodeID]) throws -> [NodeID] {
    var reached: [NodeID] = []
    for id in nodes {
      let node = try writer.graph[id]
      guard try node.operands.contains(where: isActive) || !activeParameters(in: node.regions).isEmpty else { continue }
      if case .zero? = rules[node.op] { continue }
      reached.append(id)
      for result in node.results where isFloating(.value(result)) { active.insert(.value(result)) }
    }
    return reached
  }

  /// The parameters asked for that regions use.
  func activeParameters(in regions: [RegionID]) throws -> [Operand] {
    var found: Set<Operand> = []
    var pending = regions
    while let region = pending.popLast() {
      found.formUnion(writer.graph.results(of: region).filter { $0.parameter != nil })
      for id in try writer.graph.nodes(in: region) {
        let node = try writer.graph[id]
        found.formUnion(node.operands.filter { $0.parameter != nil })
        pending += node.regions
      }
    }
    return found.filter(isActive).sorted { writer.graph.text(of: $0) < writer.graph.text(of: $1) }
  }

  func isFloating(_ operand: Operand) -> Bool { writer.graph.type(of: operand).elementType?.isFloatingPoint ?? false }

  private func step(_ id: NodeID) throws {
    let node = try writer.graph[id]
    let arriving = node.results.map { cotangents[.value($0)] }
    for result in node.results where !wanted.contains(.value(result)) { cotangents[.value(result)] = nil }
    guard arriving.contains(where: { $0 != nil }) else { return }
    writer.setLocation(node.location)
    let context = GradientContext(node: node, sweep: self, cotangents: arriving)
    switch rules[node.op] {
    case nil: throw error(node, .noRule)
    case .zero?: return
    case .cotangents(let rule)?:
      let results = try rule(context)
      try writer.check()
      for (operand, cotangent) in zip(node.operands, results) {
        if let cotangent { accumulate(cotangent, to: operand) }
      }
    case .rewriting(let rewrite)?:
      let (results, added) = try writer.recording { try rewrite(context).map(writer.operand) }
      var seeds: [(Operand, SymbolicTensor)] = []
      for (result, cotangent) in zip(results, arriving) {
        if let cotangent { seeds.append((result, cotangent)) }
      }
      try run(added, seeds: seeds)
    }
  }

  func error(_ node: Node, _ reason: DifferentiationError.Reason) -> DifferentiationError {
    DifferentiationError(reason, node: writer.graph.name(of: node.id), op: node.op.description, location: node.location)
  }
}
