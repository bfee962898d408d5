import FXCore
import FXShapes

/// Makes a plan for a region and a set of input types.
///
/// Nodes are visited once in order. What can be computed from the types and constants alone is computed now and becomes
/// a constant of the plan: sizes, index ranges, causal masks. Views share their operand's bytes; the rest gets places in
/// one arena, freed after the last use, and taken over in place where a kernel allows it.
struct Planner {
  let program: Program
  private let graph: Graph
  private var slots: [Plan.Slot] = []
  private var steps: [Plan.Step] = []
  private var outputs: [TensorFacts] = []
  private var slotOf: [ValueID: Int32] = [:]
  private var slotOfParameter: [ParameterID: Int32] = [:]
  private var arena = ArenaPlanner()
  /// Blocks of the arena by slot; views have their operand's.
  private var blockOf: [Int32: Int] = [:]
  private var blocks: [Block] = []
  /// Uses still to come.
  private var usesLeft: [ValueID: Int] = [:]
  private var isResult: Set<ValueID> = []
  /// Bytes of constants that this plan computed for itself.
  private var constantBytes = 0
  /// Values that convolutions want in blocks of channels.
  private var wantedInBlocks: Set<ValueID> = []
  /// By slot, the one that holds the same image in the other layout, once somebody has asked for it.
  private var reorderedSlot: [Int32: Int32] = [:]
  /// Slots that somebody reads element by element.
  private var readByElement: Set<Int32> = []

  private struct Block {
    let offset: Int
    let size: Int
    /// Values that live in it and are still needed.
    var owners: Int
  }

  /// What a plan may hold in constants of its own.
  private static let constantLimit = 32 << 20

  init(_ program: Program) {
    self.program = program
    graph = program.graph
  }

  mutating func plan(_ inputTypes: [ValueType]) throws -> Plan {
    let results = graph.results(of: program.region)
    let nodes = try graph.nodes(in: program.region)
    for operand in results {
      if let value = operand.value {
        isResult.insert(value)
        usesLeft[value, default: 0] += 1
      }
    }
    for id in nodes {
      for operand in try graph[id].operands { if let value = operand.value { usesLeft[value, default: 0] += 1 } }
    }
    wantedInBlocks = try program.kernels.wantedInBlocks(nodes, of: graph)
    for (index, argument) in try graph.arguments(of: program.region).enumerated() {
      slotOf[argument] = add(.input(index), TensorFacts(inputTypes[index]), inputTypes[index])
    }
    for id in nodes {
      let node = try graph[id]
      do {
        try visit(node)
      } catch let error as ExecutionError {
        throw error
      } catch {
        throw program.failure(at: node, error)
      }
    }
    let resultSlots = try results.map { operand in
      let slot = try slot(of: operand, in: nil)
      return slot >= 0 && slots[Int(slot)].facts?.isInBlocks ?? false ? reorderedSlot[slot] ?? slot : slot
    }
    readByElement.formUnion(resultSlots)
    alignConstants()
    var positions = Array(repeating: 0, count: outputs.count)
    for (position, slot) in resultSlots.enumerated() where slot >= 0 {
      if case .output(let index) = slots[Int(slot)].home { positions[index] = position }
    }
    return Plan(
      inputs: inputTypes, slots: slots, steps: steps, results: resultSlots, outputs: outputs,
      outputPositions: positions, arenaBytes: arena.peak)
  }

  // MARK: Nodes

  private mutating func visit(_ node: Node) throws {
    let operands = try node.operands.map { operand in operand.isNone ? -1 : try slot(of: operand, in: node) }
    let facts = operands.map { $0 < 0 ? nil : slots[Int($0)].facts }
    let tensors = operands.map { $0 < 0 ? nil : constant($0) }
    let types = operands.enumerated().map { index, slot -> ValueType? in
      slot < 0 || facts[index] != nil ? nil : slots[Int(slot)].type ?? .unknown
    }
    let known = NodeOperands(facts: facts, types: types, constants: tensors)
    switch try program.decisions.decision(for: node.id, known, { try decide(node, known) }) {
    case .constants(let constants, let bytes):
      constantBytes += bytes
      for (result, tensor) in zip(node.results, constants) {
        slotOf[result] = add(.constant(tensor), TensorFacts(tensor.elementType, tensor.shape))
      }
      finish(node, step: nil)
    case .evaluation(let types): try addEvaluation(node, operands, types: types)
    case .kernel(let choice, let results, let inBlocks):
      try add(choice, node, operands.indices.map { try reordered(operands[$0], inBlocks: inBlocks[$0], for: node) }, results)
    }
  }

  private func decide(_ node: Node, _ operands: NodeOperands) throws -> NodeDecision {
    let (facts, tensors) = (operands.facts, operands.constants)
    let types = zip(facts, operands.types).map { $0?.type ?? $1 }
    guard !types.contains(.unknown),
      let inferred = try program.inference.results(of: node, operandTypes: types, operandTensors: tensors)
    else { return .evaluation(node.results.map { _ in .unknown }) }
    if node.op.isPure, let constants = try constants(node, inferred, tensors) { return constants }
    let results = inferred.types.compactMap(TensorFacts.init)
    guard results.count == inferred.types.count, !zip(facts, operands.types).contains(where: { $0 == nil && $1 != nil }) else {
      return .evaluation(inferred.types)
    }
    return try choose(node, facts, tensors, results)
  }

  /// The results, if they follow from sizes and constants and are small enough to keep.
  private func constants(_ node: Node, _ inferred: InferredResults, _ tensors: [Tensor?]) throws -> NodeDecision? {
    if let known = fixedContents(inferred) { return .constants(known, bytes: 0) }
    guard !tensors.isEmpty, zip(node.operands, tensors).allSatisfy({ $0.isNone || $1 != nil }) else { return nil }
    var bytes = 0
    for type in inferred.types {
      guard let facts = TensorFacts(type) else { return nil }
      // While they are computed, elements may take eight bytes each.
      bytes += max(facts.byteCount, 2 * ((try? Tensor.elementCount(of: facts.shape, facts.elementType)) ?? 0))
    }
    guard constantBytes + bytes <= Planner.constantLimit else { return nil }
    let results = try program.evaluator.evaluate(node, tensors.map { $0.map(RuntimeValue.tensor) })
    let found = results.compactMap(\.tensor)
    guard found.count == results.count else { return nil }
    return .constants(found, bytes: bytes)
  }

  /// Integer results whose elements shape inference knows all of.
  private func fixedContents(_ inferred: InferredResults) -> [Tensor]? {
    var tensors: [Tensor] = []
    for (type, contents) in zip(inferred.types, inferred.contents) {
      guard let facts = TensorFacts(type), let contents else { return nil }
      let numbers = contents.compactMap { $0.size.map(Int64.init) }
      guard numbers.count == contents.count,
        let tensor = try? Tensor(facts.elementType, facts.shape, numbers: .signed(numbers))
      else { return nil }
      tensors.append(tensor)
    }
    return tensors
  }

  private func choose(
    _ node: Node, _ facts: [TensorFacts?], _ tensors: [Tensor?], _ results: [TensorFacts]
  ) throws -> NodeDecision {
    let request = KernelRequest(
      node: node,
      operands: zip(facts, tensors).map { facts, tensor in
        facts.map { .init(elementType: $0.elementType, shape: $0.shape, constant: tensor) }
      },
      results: results.map { .init(elementType: $0.elementType, shape: $0.shape, constant: nil) },
      wanted: node.results.map(isWanted), weights: program.weights, threads: program.pool.size)
    let layout = BlockedLayout(
      operands: facts.map { $0?.isInBlocks ?? false }, isWanted: node.results.first.map(wantedInBlocks.contains) ?? false)
    if let blocked = try program.kernels.blocked[node.op]?(request, layout),
      let image = blocked.result ? TensorFacts(results[0], inBlocksOf: layout.block) : results[0]
    {
      return .kernel(blocked.choice, results: [image] + results.dropFirst(), inBlocks: blocked.operands)
    }
    guard let choice = try program.kernels[node.op]?(request) else { return .evaluation(results.map(\.type)) }
    return .kernel(choice, results: results, inBlocks: facts.map { _ in false })
  }

  /// Whether anybody reads a result of the node that is being planned.
  private func isWanted(_ result: ValueID) -> Bool { usesLeft[result] != nil }

  private mutating func add(
    _ choice: KernelChoice, _ node: Node, _ operands: [Int32], _ results: [TensorFacts]
  ) throws {
    switch choice {
    case .view(let index): try addView(node, of: index, operands, results[0])
    case .kernel(let kernel, let scratch, let inPlace, let unread, let bytewise):
      var resultSlots: [Int32] = []
      for (position, value) in node.results.enumerated() {
        // Kernels leave out optional results only.
        let isOptional = node.op.schema.map { position < $0.results.count && $0.results[position].arity == .optional } ?? false
        guard isWanted(value) || !isOptional else {
          resultSlots.append(-1)
          continue
        }
        let takenOver = position == 0 ? inPlace.first { canTakeOver(node, $0, operands, results[0]) } : nil
        let slot = takenOver.map { share(blockOf: operands[$0], results[0]) } ?? place(value, results[position])
        slotOf[value] = slot
        resultSlots.append(slot)
      }
      let scratchOffset = scratch > 0 ? arena.allocate(scratch) : 0
      if scratch > 0 { arena.release(scratchOffset, scratch) }
      var readSlots = operands
      for index in unread where readSlots.indices.contains(index) { readSlots[index] = -1 }
      for (index, slot) in readSlots.enumerated() where !bytewise.contains(index) { readByElement.insert(slot) }
      finish(node, step: (.kernel(kernel, scratchOffset: scratchOffset), readSlots, resultSlots))
    }
    if let value = node.results.first, isResult.contains(value), let slot = slotOf[value] {
      _ = try reordered(slot, inBlocks: false, for: node, result: value)
    }
  }

  /// A step whose operands are handed over as values and whose results are found out in the run.
  private mutating func addEvaluation(_ node: Node, _ given: [Int32], types: [ValueType]) throws {
    let operands = try given.map { try reordered($0, inBlocks: false, for: node) }
    readByElement.formUnion(operands)
    var results: [Int32] = []
    for (index, value) in node.results.enumerated() {
      let type = index < types.count ? types[index] : .unknown
      let slot = add(.boxed, TensorFacts(type), type)
      slotOf[value] = slot
      results.append(slot)
    }
    finish(node, step: (.evaluate, operands, results))
  }

  private mutating func addView(_ node: Node, of index: Int, _ operands: [Int32], _ facts: TensorFacts) throws {
    let operand = operands[index]
    switch slots[Int(operand)].home {
    case .boxed:
      try addEvaluation(node, operands, types: [facts.type])
    case .constant(let tensor):
      // The element count was checked by the shape rule; a mismatch would be the rule's fault and is run, not assumed.
      guard let view = try? tensor.reshaped(facts.shape) else {
        return try addEvaluation(node, operands, types: [facts.type])
      }
      slotOf[node.results[0]] = add(.constant(view), facts)
      finish(node, step: nil)
    case .arena:
      slotOf[node.results[0]] = share(blockOf: operand, facts)
      finish(node, step: nil)
    case .input, .output:
      slotOf[node.results[0]] = add(slots[Int(operand)].home, facts)
      finish(node, step: nil)
    }
  }

  // MARK: Memory

  private func canTakeOver(_ node: Node, _ index: Int, _ operands: [Int32], _ result: TensorFacts) -> Bool {
    guard index < operands.count, let value = node.operands[index].value, !isResult.contains(node.results[0]),
      case .arena = slots[Int(operands[index])].home, let block = blockOf[operands[index]]
    else { return false }
    let usesHere = node.operands.count { $0.value == value }
    return usesLeft[value] == usesHere && usesHere == 1 && blocks[block].owners == 1
      && ArenaPlanner.rounded(blocks[block].size) == ArenaPlanner.rounded(result.byteCount)
  }

  private mutating func share(blockOf operand: Int32, _ facts: TensorFacts) -> Int32 {
    let slot = add(slots[Int(operand)].home, facts)
    if let block = blockOf[operand] {
      blockOf[slot] = block
      blocks[block].owners += 1
    }
    return slot
  }

  /// The slot itself, or one that holds the image in the other layout: filled by a step before the node's if nobody has
  /// asked for it yet.
  /// - Parameter result: the result of the run that the other slot is.
  private mutating func reordered(_ slot: Int32, inBlocks: Bool, for node: Node, result: ValueID? = nil) throws -> Int32 {
    guard slot >= 0, let facts = slots[Int(slot)].facts, facts.isInBlocks != inBlocks else { return slot }
    if let other = reorderedSlot[slot] { return other }
    let plain = TensorFacts(facts.elementType, facts.shape)
    guard let other = inBlocks ? plain.flatMap({ TensorFacts($0, inBlocksOf: BlockedLayout.block) }) : plain else {
      throw KernelError.invalid("only images of float32 have their channels in blocks")
    }
    let target = place(result, other)
    reorderedSlot[slot] = target
    readByElement.insert(slot)
    let kernel = ReorderKernel(facts.shape, intoBlocks: inBlocks, threads: program.pool.size)
    steps.append(
      Plan.Step(node: node, work: .kernel(kernel, scratchOffset: 0), operands: [slot], results: [target], releases: []))
    return target
  }

  /// A place for a kernel's result: memory of its own if the run returns it as it is, else the arena.
  private mutating func place(_ value: ValueID?, _ facts: TensorFacts) -> Int32 {
    if let value, isResult.contains(value), !facts.isInBlocks {
      outputs.append(facts)
      return add(.output(outputs.count - 1), facts)
    }
    let offset = arena.allocate(facts.byteCount)
    let slot = add(.arena(offset: offset), facts)
    blocks.append(Block(offset: offset, size: facts.byteCount, owners: 1))
    blockOf[slot] = blocks.count - 1
    return slot
  }

  private mutating func add(_ home: Plan.Home, _ facts: TensorFacts?, _ type: ValueType = .unknown) -> Int32 {
    // Sizes that only the run tells have no names beyond the node that gives them.
    let known = type.tensorType.flatMap { type in
      type.shape.map { ValueType.tensor(type.elementType, Shape($0.map { $0.size == nil ? .unknown : $0 })) }
    }
    slots.append(Plan.Slot(home: home, facts: facts, type: known))
    return Int32(slots.count - 1)
  }

  /// Records the step and ends the lives of values whose last use it is.
  private mutating func finish(_ node: Node, step: (work: Plan.Step.Work, operands: [Int32], results: [Int32])?) {
    var releases: [Int32] = []
    func end(_ value: ValueID) {
      guard let slot = slotOf[value] else { return }
      if case .boxed = slots[Int(slot)].home { releases.append(slot) }
      for block in [blockOf[slot], reorderedSlot[slot].flatMap { blockOf[$0] }].compactMap(\.self) {
        blocks[block].owners -= 1
        if blocks[block].owners == 0 { arena.release(blocks[block].offset, blocks[block].size) }
      }
    }
    for operand in node.operands {
      guard let value = operand.value, let left = usesLeft[value] else { continue }
      usesLeft[value] = left - 1
      if left == 1 { end(value) }
    }
    for value in node.results where usesLeft[value] == nil { end(value) }
    guard let step else { return }
    steps.append(
      Plan.Step(node: node, work: step.work, operands: step.operands, results: step.results, releases: releases))
  }

  // MARK: Operands

  private mutating func slot(of operand: Operand, in node: Node?) throws -> Int32 {
    switch operand {
    case .value(let value):
      guard let slot = slotOf[value] else { throw GraphError.stale(value) }
      return slot
    case .parameter(let id):
      if let slot = slotOfParameter[id] { return slot }
      let parameter = try graph[id]
      guard let tensor = parameter.tensor else { throw ExecutionError.unboundParameters([parameter.name]) }
      let slot = add(.constant(tensor), TensorFacts(tensor.elementType, tensor.shape))
      slotOfParameter[id] = slot
      return slot
    case .literal(let literal):
      var type = literal.defaultElementType
      if let node, let index = node.operands.firstIndex(of: operand) {
        type = node.elementType(ofLiteral: literal, at: index) { other in
          other.value.flatMap { slotOf[$0] }.flatMap { slots[Int($0)].facts?.elementType } ?? graph.type(of: other).elementType
        }
      }
      let tensor = try literal.tensor(type)
      return add(.constant(tensor), TensorFacts(type, []))
    case .none: return -1
    }
  }

  /// Kernels read aligned elements, and mapped files may have them anywhere. What only packed copies were made of, and what
  /// is only copied from, stays in the file.
  private mutating func alignConstants() {
    for (index, slot) in slots.enumerated() where readByElement.contains(Int32(index)) {
      guard case .constant(let tensor) = slot.home else { continue }
      let aligned = tensor.aligned
      if aligned.storageIdentity != tensor.storageIdentity { tensor.releasePages() }
      slots[index] = Plan.Slot(home: .constant(aligned), facts: slot.facts, type: slot.type)
    }
  }

  private func constant(_ slot: Int32) -> Tensor? {
    if case .constant(let tensor) = slots[Int(slot)].home { tensor } else { nil }
  }
}
