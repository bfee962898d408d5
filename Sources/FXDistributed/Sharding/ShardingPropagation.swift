import FXCore

/// Decides how values lie, node by node in the order of the program.
///
/// Each axis of the mesh cuts at most one factor of a call: the one along which most bytes of its operands are cut already.
/// Along the tensor axis a product of something whole with weights is cut by the weights' columns, so that the product after
/// it is cut by rows and one sum follows: the pairs of Shoeybi et al. 2019, "Megatron-LM". Heads of attention, channels of
/// convolutions and what lies between follow from the operators' rules. Weights have no place of their own: each use takes
/// the part it needs.
struct ShardingPropagation {
  private(set) var program: ShardedProgram
  private let rules: ShardingRules
  /// Inputs, and what is made of weights alone, that lie as their first use wants.
  private var free: Set<ValueID> = []
  /// Combinations of micro-batches, and what is made of them: there when all micro-batches are done.
  private var complete: Set<ValueID> = []
  /// Values whose parts along the tensor axis were joined for a use: what comes after uses them whole, or each of a chain of
  /// residual sums would be cut and joined anew.
  private var joined: Set<ValueID> = []
  private var graph: Graph { program.graph }
  private var mesh: Mesh { program.mesh }

  /// The axes that cut values.
  private let axes: [Mesh.Axis]

  /// - Parameter others: axes of the mesh that cut no values.
  init(_ graph: Graph, _ mesh: Mesh, without others: [String], _ rules: ShardingRules) {
    program = ShardedProgram(graph: graph, mesh: mesh)
    axes = mesh.axes.filter { $0.size > 1 && !others.contains($0.name) }
    self.rules = rules
  }

  /// - Parameters:
  ///   - inputs: how inputs lie; others are whole.
  ///   - weights: inputs that lie as their first use wants. An output called `next.` and a weight's name is what becomes of it.
  mutating func run(inputs: [ValueID: ShardingSpec], weights: Set<ValueID>) throws -> ShardedProgram {
    let names = Dictionary(weights.map { ("next.\(graph.name(of: $0))", $0) }) { first, _ in first }
    for (index, name) in graph.outputNames.enumerated() { program.weights[index] = names[name] }
    let results = graph.outputs.indices.filter { program.weights[$0] == nil }.map { graph.outputs[$0] }
    program.modelNodes = try program.weights.isEmpty ? Set(graph.bodyNodes) : graph.ancestors(of: results)
    for input in graph.inputs {
      guard let sizes = graph.sizes(of: .value(input)) else { continue }
      if weights.contains(input) { free.insert(input) }
      program.specs[input] = inputs[input] ?? .replicated(rank: sizes.count)
    }
    for id in graph.bodyNodes { try decide(id) }
    for id in graph.bodyNodes where program.phases[id] == nil {
      program.phases[id] = program.modelNodes.contains(id) ? .forward : .backward
    }
    if mesh.size(of: Mesh.micro) > 1 {
      for id in graph.bodyNodes.reversed() where program.phases[id] == .backward {
        if try isOnlyForUpdate(graph[id]) { program.phases[id] = .update }
      }
    } else {
      for id in graph.bodyNodes where program.phases[id] == .backward {
        if try usesGradientSums(graph[id]) { program.phases[id] = .update }
      }
    }
    return program
  }

  /// Whether a node uses a sum over the ranks of data parallelism: it can wait until all gradients are under way.
  private func usesGradientSums(_ node: Node) throws -> Bool {
    try node.operands.compactMap(\.value).contains { value in
      guard let producer = try graph.producer(of: value) else { return false }
      if program.phases[producer] == .update { return true }
      return program.phases[producer] == .backward && program.steps[producer]?.combined?.axes == [Mesh.data]
    }
  }

  /// Whether a node is the same for all micro-batches, and nothing of them needs it.
  private func isOnlyForUpdate(_ node: Node) throws -> Bool {
    func isCut(_ operand: Operand) -> Bool { program.spec(of: operand)?.axes.contains(Mesh.micro) ?? false }
    guard !node.operands.contains(where: isCut) else { return false }
    return try node.results.allSatisfy { result in
      try program.microReductions[result] == nil && !isCut(.value(result))
        && graph.uses(of: result).allSatisfy { graph.isTerminator($0.node) || program.phases[$0.node] == .update }
    }
  }

  // MARK: One node

  private mutating func decide(_ id: NodeID) throws {
    let node = try graph[id]
    if node.operands.contains(where: { $0.value.map(complete.contains) ?? false }) { try awaitMicroBatches(node) }
    guard let (call, rule) = rule(of: node) else { return try keepWhole(node) }
    if try isFree(node, rule) { return }
    var cuts = Array(repeating: [String](), count: rule.sizes.count)
    let weights = candidates(node, call, rule)
    for axis in axes {
      let best = weights[axis.name]?.sorted { ($1.value, $0.key) < ($0.value, $1.key) } ?? []
      if let factor = best.first(where: { fits(axis, $0.key, rule, cuts, node) })?.key {
        cuts[factor].append(axis.name)
      } else if axis.name == Mesh.tensor, best.isEmpty, let weight = rule.weight, isWeight(node.operand(weight.operand)),
        fits(axis, weight.output, rule, cuts, node)
      {
        cuts[weight.output].append(axis.name)
      }
    }
    try record(node, rule, cuts)
  }

  /// The rule of a call on tensors of known sizes.
  private func rule(of node: Node) -> (ShardedCall, ShardingRule)? {
    guard node.regions.isEmpty, let rule = rules[node.op] else { return nil }
    var operands: [[Int]] = []
    for operand in node.operands {
      guard let sizes = operand.isNone ? [] : graph.sizes(of: operand) else { return nil }
      operands.append(sizes)
    }
    var results: [[Int]] = []
    for result in node.results {
      guard let sizes = graph.sizes(of: .value(result)) else { return nil }
      results.append(sizes)
    }
    let call = ShardedCall(node: node, graph: graph, operands: operands, results: results)
    return rule(call).map { (call, $0) }
  }

  /// For each axis the factors along which operands are cut, with the bytes that are.
  private func candidates(_ node: Node, _ call: ShardedCall, _ rule: ShardingRule) -> [String: [Int: Int]] {
    var found: [String: [Int: Int]] = [:]
    for (index, operand) in node.operands.enumerated() {
      guard let value = operand.value, !free.contains(value), let spec = program.specs[value] else { continue }
      let bytes = max(1, graph.sizedType(of: operand)?.byteCount ?? 1)
      for (dimension, axes) in spec.dimensions.enumerated() {
        guard let factor = rule.operands[index][dimension] else { continue }
        for axis in axes where axis != Mesh.tensor || !joined.contains(value) {
          found[axis, default: [:]][factor, default: 0] += bytes
        }
      }
    }
    return found
  }

  /// Whether a factor can be cut along one more axis.
  private func fits(_ axis: Mesh.Axis, _ factor: Int, _ rule: ShardingRule, _ axes: [[String]], _ node: Node) -> Bool {
    let parts = axes[factor].reduce(axis.size) { $0 * mesh.size(of: $1) }
    guard rule.sizes[factor] % parts == 0 else { return false }
    guard let reduction = rule.reductions[factor] else { return true }
    // One call is combined in one way, of one result, whose elements engines combine.
    let others = rule.reductions.filter { $0.key != factor && !axes[$0.key].isEmpty }.map(\.value)
    guard others.allSatisfy({ $0 == reduction }), node.results.count == 1,
      let element = graph.sizedType(of: .value(node.results[0]))?.elementType, ElementTypes.numeric.contains(element)
    else { return false }
    // Integers divide toward zero, so that a mean of means is another number.
    return reduction != .mean || element.isFloatingPoint
  }

  private mutating func record(_ node: Node, _ rule: ShardingRule, _ axes: [[String]]) throws {
    func spec(_ factors: [Int?], keeping kept: (String) -> Bool) -> ShardingSpec {
      ShardingSpec(factors.map { factor in factor.map { axes[$0].filter(kept) } ?? [] })
    }
    var operands: [ShardingSpec?] = []
    for (index, operand) in node.operands.enumerated() {
      guard !operand.isNone else {
        operands.append(nil)
        continue
      }
      let wanted = spec(rule.operands[index]) { _ in true }
      operands.append(wanted)
      try require(operand, wanted, by: node)
    }
    var step = ShardedProgram.Step(
      rule: rule, factorAxes: axes, operands: operands, combined: nil, isWhole: axes.allSatisfy(\.isEmpty))
    let reduced = rule.reductions.filter { !axes[$0.key].isEmpty }
    if let reduction = reduced.values.first {
      let all = mesh.axes.map(\.name).filter { axis in reduced.keys.contains { axes[$0].contains(axis) } }
      if all.contains(Mesh.micro) {
        program.microReductions[node.results[0]] = reduction
        complete.insert(node.results[0])
      }
      step.combined = (all.filter { $0 != Mesh.micro }, reduction)
      if step.combined?.axes.isEmpty == true { step.combined = nil }
    }
    program.steps[node.id] = step
    for (result, factors) in zip(node.results, rule.results) { program.specs[result] = spec(factors) { _ in true } }
    if step.isWhole, node.operands.contains(where: { !(program.spec(of: $0)?.isReplicated ?? true) }) { countWhole(node) }
  }

  private mutating func keepWhole(_ node: Node) throws {
    guard node.op.schema.map({ $0.effect == .pure || $0.effect == .random }) ?? true else {
      throw PlanError.effect(node: graph.name(of: node.id), op: node.op.description)
    }
    var operands: [ShardingSpec?] = []
    var isCut = false
    for operand in node.operands {
      let wanted = graph.sizes(of: operand).map { ShardingSpec.replicated(rank: $0.count) }
      if let value = operand.value, !free.contains(value), program.specs[value]?.isReplicated == false { isCut = true }
      operands.append(wanted)
      if let wanted { try require(operand, wanted, by: node) }
    }
    program.steps[node.id] = ShardedProgram.Step(
      rule: ShardingRule(operands: [], results: []), factorAxes: [], operands: operands, combined: nil, isWhole: true)
    for result in node.results {
      if let sizes = graph.sizes(of: .value(result)) { program.specs[result] = .replicated(rank: sizes.count) }
    }
    if isCut { countWhole(node) }
  }

  private mutating func countWhole(_ node: Node) { program.wholeCounts[node.op.description, default: 0] += 1 }

  // MARK: What operands must be

  /// Sees to it that an operand can lie as a call wants it.
  private mutating func require(_ operand: Operand, _ wanted: ShardingSpec, by node: Node) throws {
    if let value = operand.value, free.contains(value) { try settle(value, wanted) }
    if let value = operand.value, program.specs[value]?.axes.contains(Mesh.tensor) ?? false, !wanted.axes.contains(Mesh.tensor) {
      joined.insert(value)
    }
    guard mesh.size(of: Mesh.micro) > 1 else { return }
    // A micro-batch is all there is of the batch at a time.
    let has = program.spec(of: operand)?.dimensions ?? []
    for (now, then) in zip(has, wanted.dimensions) where now.contains(Mesh.micro) != then.contains(Mesh.micro) {
      throw PlanError.microBatches(
        mesh.size(of: Mesh.micro), node: graph.name(of: node.id),
        reason: now.contains(Mesh.micro) ? "(\(node.op)) needs the whole batch" : "(\(node.op)) needs a part of a constant")
    }
  }

  /// The weight operand of a product: a parameter, or what is made of weights alone.
  private func isWeight(_ operand: Operand) -> Bool {
    operand.parameter != nil || operand.value.map(free.contains) ?? false
  }

  /// A transposed or scaled weight lies as its use wants it, and the weight accordingly; so does a number that fills a tensor.
  private mutating func isFree(_ node: Node, _ rule: ShardingRule) throws -> Bool {
    guard node.results.count == 1, let sizes = graph.sizes(of: .value(node.results[0])), !sizes.isEmpty else { return false }
    if let index = freeOperand(of: node) {
      guard sizes.count == graph.sizes(of: node.operands[index])?.count else { return false }
    } else if !fills(node) {
      return false
    }
    free.insert(node.results[0])
    program.specs[node.results[0]] = .replicated(rank: sizes.count)
    try record(node, rule, Array(repeating: [], count: rule.sizes.count), keepingOperandsFree: true)
    return true
  }

  /// The weight that a call on one weight and numbers is made of.
  private func freeOperand(of node: Node) -> Int? {
    guard node.op == .transpose || node.op == .cast || node.op.has(.elementwise) else { return nil }
    let tensors = node.operands.indices.filter { (graph.sizes(of: node.operands[$0])?.count ?? 0) > 0 }
    guard tensors.count == 1, let index = tensors.first, isWeight(node.operands[index]) else { return nil }
    return index
  }

  private func fills(_ node: Node) -> Bool {
    switch node.op {
    case .constantOfShape: true
    case .expand: (graph.sizes(of: node.operand(0)) ?? [0]).reduce(1, *) == 1
    default: false
    }
  }

  private mutating func record(_ node: Node, _ rule: ShardingRule, _ axes: [[String]], keepingOperandsFree: Bool) throws {
    let operands = rule.operands.map { factors in
      Optional(ShardingSpec(factors.map { $0.map { axes[$0] } ?? [] }))
    }
    program.steps[node.id] = ShardedProgram.Step(
      rule: rule, factorAxes: axes, operands: operands, combined: nil, isWhole: axes.allSatisfy(\.isEmpty))
  }

  private mutating func settle(_ value: ValueID, _ wanted: ShardingSpec) throws {
    free.remove(value)
    program.specs[value] = wanted
    guard let producer = try graph.producer(of: value), let step = program.steps[producer] else { return }
    let node = try graph[producer]
    var axes = step.factorAxes
    for (factor, parts) in zip(step.rule.results[0], wanted.dimensions) { if let factor { axes[factor] = parts } }
    try record(node, step.rule, axes, keepingOperandsFree: true)
    guard let index = freeOperand(of: node), let spec = program.steps[producer]?.operands[index] else { return }
    if let operand = node.operand(index).value, free.contains(operand) { try settle(operand, spec) }
  }

  /// A node that uses what is there when all micro-batches are done: it has to do without a part of each.
  private mutating func awaitMicroBatches(_ node: Node) throws {
    for operand in node.operands where program.spec(of: operand)?.axes.contains(Mesh.micro) ?? false {
      throw PlanError.microBatches(
        mesh.size(of: Mesh.micro), node: graph.name(of: node.id), reason: "(\(node.op)) needs the whole batch")
    }
    program.phases[node.id] = .update
    complete.formUnion(node.results)
  }
}

extension Graph {
  /// The body's nodes that operands depend on.
  fileprivate func ancestors(of operands: [Operand]) throws -> Set<NodeID> {
    var found: Set<NodeID> = []
    var pending = operands.compactMap(\.value)
    while let value = pending.popLast() {
      guard let producer = try producer(of: value), found.insert(producer).inserted else { continue }
      pending += try self[producer].operands.compactMap(\.value)
    }
    return found
  }
}
