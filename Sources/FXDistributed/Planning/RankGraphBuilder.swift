import FXCore
import FXPasses
import FXShapes

/// What one rank runs: a graph in which it talks to others.
public struct RankProgram: Sendable {
  /// The rank, from 0.
  public let rank: Int
  /// Which stretch of a pipeline it runs; 0 without one.
  public let stage: Int
  /// Inputs are those of the whole graph, with the sizes of the rank's parts. Outputs are those in `outputs`.
  public let graph: Graph
  /// Which of the whole graph's outputs the rank's graph gives.
  public let outputs: [Int]
  /// How many of the first nodes run forward for each micro-batch, and how many after them backward; the rest runs once.
  let passes: (forward: Int, backward: Int)
  /// Positions of nodes whose results are combined over the micro-batches.
  let combined: [Int: Reduction]
}

/// A call between ranks, as it is on every rank of a stage.
struct ExchangePattern: Sendable, Hashable {
  var phase: Phase
  enum Partners: Sendable, Hashable {
    /// The ranks that differ along these axes.
    case along([String])
    /// The rank at the same place of another stage.
    case stage(Int)
  }
  var op: String
  var partners: Partners
  var tag: Int
  /// Of the operand, or of what comes.
  var bytes: Int
  var label: String
}

/// Writes the graph of one rank from the decisions for all.
struct RankGraphBuilder {
  let program: ShardedProgram
  private let stages: StageCut
  private let rank: Int
  private let stage: Int
  private let weights: ((Parameter) throws -> Tensor?)?
  var copier: GraphCopier
  /// Where each value stands, by how it lies there.
  private var variants: [ValueID: [ShardingSpec: Operand]] = [:]
  private var parts: [ParameterID: [ShardingSpec: Operand]] = [:]
  private(set) var patterns: [ExchangePattern] = []
  private var phase = Phase.forward
  /// A rank's sums that are combined with others' when all micro-batches are done.
  private var partial: [ValueID: Operand] = [:]
  private var combined: [NodeID: Reduction] = [:]
  /// Sums of gradients are put together up to this size.
  let bucketBytes: Int
  var bucket = Bucket()
  private var mesh: Mesh { program.mesh }
  var source: Graph { program.graph }

  /// - Parameter weights: the whole tensor of a weight, or `nil` to leave it unbound; by default the program's own.
  init(
    _ program: ShardedProgram, _ stages: StageCut, rank: Int, bucketBytes: Int, weights: ((Parameter) throws -> Tensor?)?
  ) {
    (self.program, self.stages, self.rank, self.bucketBytes) = (program, stages, rank, bucketBytes)
    self.weights = weights
    stage = stages.axis.map { program.mesh.coordinate(of: rank, along: $0) } ?? 0
    copier = GraphCopier(program.graph, into: program.graph.emptyCopy(name: program.graph.name))
  }

  mutating func build(outputSpecs: [ShardingSpec?]) throws -> RankProgram {
    for input in source.inputs {
      let spec = program.specs[input]
      let type = try localType(source.type(of: input), spec)
      let value = try copier.target.addInput(source.name(of: input), type)
      set(input, spec, .value(value))
    }
    let own = stages.outputs(of: stage, in: program)
    var operands: [Int: Operand] = [:]
    var counts: [Int] = []
    // Ranks take nodes, and what crosses between stages, in one order, so that nobody waits for what comes later.
    for now in Phase.allCases {
      phase = now
      if phase == .update {
        for id in source.bodyNodes { try combine(id) }
      }
      for id in source.bodyNodes where program.phase(of: id) == phase { try take(id) }
      try empty()
      for index in own where program.phase(of: source.outputs[index]) == phase {
        operands[index] = try place(source.outputs[index], outputSpecs[index])
      }
      counts.append(copier.target.bodyNodes.count)
    }
    let names = source.outputNames
    try copier.target.setResults(of: copier.target.body, own.compactMap { operands[$0] }, names: own.map { names[$0] })
    var graph = copier.target
    try ShapeInference().run(&graph)
    try check(graph)
    let positions = graph.bodyNodes.enumerated().compactMap { position, id in combined[id].map { (position, $0) } }
    return RankProgram(
      rank: rank, stage: stage, graph: graph, outputs: own, passes: (counts[0], counts[1] - counts[0]),
      combined: Dictionary(positions) { first, _ in first })
  }

  // MARK: Stages

  /// A node of this stage, or what comes from a node of another.
  private mutating func take(_ id: NodeID) throws {
    if stages.stage(of: id) == stage { try emit(id) }
    for result in try source[id].results where program.microReductions[result] == nil { try cross(result) }
  }

  /// Sends a value to the stages that use it, or receives it.
  private mutating func cross(_ value: ValueID) throws {
    for crossing in stages.crossings[value] ?? [] where crossing.from == stage || crossing.to == stage {
      let (name, spec) = (source.name(of: value), program.specs[value])
      let type = try localType(source.type(of: value), spec)
      let bytes = type.tensorType?.byteCount ?? 0
      if crossing.to == stage {
        let attributes: Attributes = ["peer": .int(peer(crossing.from)), "tag": .int(crossing.tag), "type": .type(type)]
        let node = try copier.target.append(.recv, [], attributes: attributes, results: [type])
        note("recv", .stage(crossing.from), crossing.tag, bytes, name)
        try finish(node, [value])
      } else {
        let operand = try place(.value(value), spec)
        let attributes: Attributes = ["peer": .int(peer(crossing.to)), "tag": .int(crossing.tag)]
        try copier.target.append(.send, [operand], attributes: attributes, name: "send.\(name).\(crossing.to)")
        note("send", .stage(crossing.to), crossing.tag, bytes, name)
      }
    }
  }

  /// What a node's micro-batches came to, combined with other ranks' and given to other stages.
  private mutating func combine(_ id: NodeID) throws {
    guard let value = try source[id].results.first, program.microReductions[value] != nil else { return }
    if let operand = partial[value] {
      if let (axes, reduction) = program.steps[id]?.combined {
        try reduce(operand, axes, reduction, value)
      } else {
        set(value, program.specs[value], operand)
      }
    }
    try cross(value)
  }

  // MARK: Nodes

  private mutating func emit(_ id: NodeID) throws {
    let node = try source[id]
    guard let step = program.steps[id] else { throw PlanError.coverage([source.name(of: id)]) }
    var operands: [Operand] = []
    for (operand, spec) in zip(node.operands, step.operands) { operands.append(try place(operand, spec)) }
    if step.isWhole { return try emitWhole(node, operands) }
    if let addend = step.rule.addend, addend < operands.count, let axes = step.combined?.axes,
      mesh.place(of: rank, along: axes) != 0
    {
      operands[addend] = .none
    }
    if let index = step.rule.shapeOperand, let result = node.results.first, let spec = program.specs[result] {
      let sizes = program.localSizes(of: .value(result), spec)
      operands[index] = .parameter(copier.target.addConstant(Tensor(vector: sizes), name: "sizes"))
    }
    var attributes = node.attributes
    if let (name, factor) = step.rule.dividedAttribute, case .int(let count)? = attributes[name] {
      attributes[name] = .int(count / parts(step.factorAxes[factor]))
    }
    let types = try node.results.map { try localType(source.type(of: $0), program.specs[$0]) }
    let made = try copier.target.append(
      node.op, operands, attributes: attributes, results: types, name: node.name, location: node.location)
    if let reduction = program.microReductions[node.results[0]] {
      combined[made] = reduction
      partial[node.results[0]] = .value(try copier.target[made].results[0])
      return
    }
    guard let (axes, reduction) = step.combined else { return try finish(made, node.results) }
    try reduce(.value(copier.target[made].results[0]), axes, reduction, node.results[0])
  }

  private mutating func emitWhole(_ node: Node, _ operands: [Operand]) throws {
    if node.regions.isEmpty {
      let types = try node.results.map { try source.type(of: $0) }
      let made = try copier.target.append(
        node.op, operands, attributes: node.attributes, results: types, name: node.name, location: node.location)
      for (value, result) in zip(node.results, try copier.target[made].results) {
        try copier.target.setUniqueName(source.name(of: value), of: result)
        copier.values[value] = .value(result)
      }
    } else {
      for (operand, placed) in zip(node.operands, operands) { if let value = operand.value { copier.values[value] = placed } }
      try copier.copy(node.id, to: copier.target.body)
    }
    for result in node.results {
      guard var operand = copier.values[result] else { continue }
      if node.op.schema?.effect == .random {
        // Every rank draws; what the first one drew counts.
        let axes = mesh.axes.filter { $0.size > 1 && $0.name != stages.axis && $0.name != Mesh.micro }.map(\.name)
        let root = mesh.group(of: rank, along: axes)[0]
        operand = try collective(.broadcast, operand, axes, ["root": .int(root)], source.name(of: result))
      }
      set(result, program.specs[result], operand)
    }
  }

  private mutating func finish(_ made: NodeID, _ values: [ValueID]) throws {
    for (value, result) in zip(values, try copier.target[made].results) {
      try copier.target.setUniqueName(source.name(of: value), of: result)
      set(value, program.specs[value], .value(result))
    }
  }

  mutating func set(_ value: ValueID, _ spec: ShardingSpec?, _ operand: Operand) {
    variants[value, default: [:]][spec ?? ShardingSpec([])] = operand
  }

  // MARK: Operands

  /// An operand as it is to lie here.
  private mutating func place(_ operand: Operand, _ spec: ShardingSpec?) throws -> Operand {
    switch operand {
    case .literal, .none: return operand
    case .parameter(let id):
      let spec = spec ?? ShardingSpec([])
      if let made = parts[id]?[spec] { return made }
      let made = try part(of: id, spec)
      parts[id, default: [:]][spec] = made
      return made
    case .value(let value):
      let spec = spec ?? ShardingSpec([])
      if bucket.values.contains(value) { try empty() }
      if let made = variants[value]?[spec] { return made }
      let home = program.specs[value] ?? ShardingSpec([])
      guard let base = variants[value]?[home] else { throw GraphError.notVisible(source.name(of: value)) }
      let made = try reshard(base, from: home, to: spec, sizes: source.sizes(of: operand) ?? [], source.name(of: value))
      set(value, spec, made)
      return made
    }
  }

  private mutating func part(of id: ParameterID, _ spec: ShardingSpec) throws -> Operand {
    let parameter = try source[id]
    let isOwn = weights == nil || parameter.role == .constant
    if isOwn, spec.isReplicated { return try copier.operand(.parameter(id)) }
    let tensor = try isOwn ? parameter.tensor : weights?(parameter)
    let name = free(spec.isReplicated ? parameter.name : "\(parameter.name)\(spec)")
    var type = parameter.type
    let box = spec.isReplicated ? nil : type.shape?.sizes.map { spec.box($0, of: rank, on: mesh) }
    if let box { type.shape = Shape(box.map(\.count)) }
    guard let tensor else { return .parameter(try copier.target.addParameter(name, unbound: type, role: parameter.role)) }
    return .parameter(try copier.target.addParameter(name, box.map(tensor.sliced) ?? tensor, role: parameter.role))
  }

  private func free(_ name: String) -> String {
    var (candidate, suffix) = (name, 1)
    while copier.target.parameter(named: candidate) != nil {
      candidate = "\(name)_\(suffix)"
      suffix += 1
    }
    return candidate
  }

  /// Brings a value from one lay to another: parts that change their axis are exchanged, others joined and cut.
  private mutating func reshard(
    _ operand: Operand, from: ShardingSpec, to: ShardingSpec, sizes: [Int], _ name: String
  ) throws -> Operand {
    var (operand, now) = (operand, from)
    for split in now.dimensions.indices {
      for concat in now.dimensions.indices where split != concat {
        guard let axis = now.dimensions[concat].last, to.dimensions[split] == now.dimensions[split] + [axis],
          to.dimensions[concat] == Array(now.dimensions[concat].dropLast())
        else { continue }
        operand = try collective(
          .allToAll, operand, [axis], ["split_axis": .int(split), "concat_axis": .int(concat)], name)
        now.dimensions[split].append(axis)
        now.dimensions[concat].removeLast()
      }
    }
    for axis in now.dimensions.indices {
      let kept = zip(now.dimensions[axis], to.dimensions[axis]).prefix { $0 == $1 }.count
      let joined = Array(now.dimensions[axis][kept...])
      guard !joined.isEmpty else { continue }
      operand = try collective(.allGather, operand, joined, ["axis": .int(axis)], name)
      now.dimensions[axis] = Array(now.dimensions[axis].prefix(kept))
    }
    var (starts, ends, axes): ([Int], [Int], [Int]) = ([], [], [])
    for axis in now.dimensions.indices where now.dimensions[axis] != to.dimensions[axis] {
      let cut = Array(to.dimensions[axis][now.dimensions[axis].count...])
      let size = to.local(sizes, on: mesh)[axis]
      let place = mesh.place(of: rank, along: cut)
      starts.append(place * size)
      ends.append((place + 1) * size)
      axes.append(axis)
    }
    guard !axes.isEmpty else { return operand }
    let bounds = [starts, ends, axes].map { Operand.parameter(copier.target.addConstant(Tensor(vector: $0), name: "bounds")) }
    let element = copier.target.type(of: operand).elementType
    let type = element.map { ValueType.tensor($0, Shape(to.local(sizes, on: mesh))) }
    return .value(try copier.target.call(.slice, [operand] + bounds, type: type ?? .unknown))
  }

  mutating func collective(
    _ op: Operator, _ operand: Operand, _ axes: [String], _ others: Attributes, _ name: String
  ) throws -> Operand {
    var attributes = others
    attributes[Collective.group] = mesh.group(of: rank, along: axes)
    guard attributes[Collective.group].count > 1 else { return operand }
    let types = copier.target.type(of: operand)
    // Known types keep what comes after checkable before inference has run.
    let node = try copier.target.append(op, [operand], attributes: attributes, results: [.unknown])
    var memory = InferenceMemory()
    let results = try ShapeInference().infer(node, in: &copier.target, memory: &memory)
    try copier.target.setUniqueName(name, of: results[0])
    note(op.name, .along(axes), 0, types.tensorType?.byteCount ?? 0, name)
    return .value(results[0])
  }

  // MARK: Helpers

  private mutating func note(_ op: String, _ partners: ExchangePattern.Partners, _ tag: Int, _ bytes: Int, _ label: String) {
    patterns.append(ExchangePattern(phase: phase, op: op, partners: partners, tag: tag, bytes: bytes, label: label))
  }

  private func peer(_ other: Int) -> Int { stages.axis.map { mesh.rank(rank, at: other, along: $0) } ?? rank }

  private func parts(_ axes: [String]) -> Int { axes.reduce(1) { $0 * mesh.size(of: $1) } }

  private func localType(_ type: ValueType, _ spec: ShardingSpec?) throws -> ValueType {
    guard var tensor = type.tensorType, let sizes = tensor.shape?.sizes, let spec else { return type }
    tensor.shape = Shape(spec.local(sizes, on: mesh))
    return .tensor(tensor)
  }

  /// The sizes that inference finds are those of the decisions.
  private func check(_ graph: Graph) throws {
    for (value, places) in variants {
      guard let sizes = source.sizes(of: .value(value)) else { continue }
      for (spec, operand) in places {
        guard let placed = operand.value, let found = try graph.type(of: placed).shape else { continue }
        let expected = spec.local(sizes, on: mesh)
        guard found.sizes == expected else {
          throw PlanError.inconsistent(node: source.name(of: value), expected: "\(expected)", actual: "\(found)")
        }
      }
    }
  }
}
