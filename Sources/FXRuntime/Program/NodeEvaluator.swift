import FXCore
import FXShapes

/// Computes single nodes on values at hand: steps whose sizes only the run tells, and constants of plans.
struct NodeEvaluator: Sendable {
  let kernels: KernelTable
  let reference: ReferenceKernels
  let inference: ShapeInference
  let weights: WeightCache
  let pool: ThreadPool
  let seed: UInt64

  /// The node's results.
  /// - Parameters:
  ///   - planned: `nil` where an optional operand is left out; literals are scalars of their type.
  ///   - memory: refuses results that are too big before they are made, where their sizes can be told.
  func evaluate(
    _ node: Node, _ planned: [RuntimeValue?], memory: MemoryAccount? = nil,
    runRegion: @escaping (RegionID, [RuntimeValue]) throws -> [RuntimeValue] = { _, _ in
      throw KernelError.invalid("a region cannot run here")
    },
    regionTypes: @escaping (RegionID, [ValueType]) -> [ValueType] = { _, _ in [] }
  ) throws -> [RuntimeValue] {
    let operands = try withLiterals(of: node, planned)
    if let memory { try memory.check(foreseenBytes(of: node, operands)) }
    if node.regions.isEmpty, let results = try runKernel(node, operands) { return results }
    guard let kernel = reference[node.op] else { throw ExecutionError.unsupported([node.op.description]) }
    let context = ReferenceContext(
      node: node, operands: operands, seed: seed &+ UInt64(node.id.index), runRegion: runRegion,
      regionTypes: regionTypes, cache: weights)
    try context.checkElementTypes()
    let results = try kernel(context)
    guard results.count == node.results.count else {
      throw KernelError.invalid("the kernel gave \(results.count) results for \(node.results.count)")
    }
    return results
  }

  /// The bytes of the results as far as shapes tell; views count as if they were copies.
  private func foreseenBytes(of node: Node, _ operands: [RuntimeValue?]) throws -> Int {
    let inferred = try inference.results(
      of: node, operandTypes: operands.map { $0?.type }, operandTensors: operands.map { $0?.tensor })
    return (inferred?.types ?? []).compactMap(TensorFacts.init).reduce(0) { sum, facts in
      let (total, overflow) = sum.addingReportingOverflow(facts.byteCount)
      return overflow ? .max : total
    }
  }

  /// The operands with literals of the type that the others turned out to have; when planned, they may not have had one.
  private func withLiterals(of node: Node, _ operands: [RuntimeValue?]) throws -> [RuntimeValue?] {
    var operands = operands
    for (index, operand) in node.operands.enumerated() where index < operands.count {
      guard case .literal(let literal) = operand else { continue }
      let type = node.elementType(ofLiteral: literal, at: index) { other in
        other.literal == nil ? node.operands.firstIndex(of: other).flatMap { operands[$0]?.tensor?.elementType } : nil
      }
      if operands[index]?.tensor?.elementType != type { operands[index] = .tensor(try literal.tensor(type)) }
    }
    return operands
  }

  /// The results by a fast kernel, if there is one for these operands.
  private func runKernel(_ node: Node, _ operands: [RuntimeValue?]) throws -> [RuntimeValue]? {
    guard let factory = kernels[node.op] else { return nil }
    var facts: [KernelRequest.OperandFacts?] = []
    for operand in operands {
      guard let operand else {
        facts.append(nil)
        continue
      }
      guard let tensor = operand.tensor?.aligned, tensor.elementType != .string else { return nil }
      facts.append(.init(elementType: tensor.elementType, shape: tensor.shape, constant: nil))
    }
    let tensors = operands.map { $0?.tensor?.aligned }
    guard
      let inferred = try inference.results(of: node, operandTypes: operands.map { $0?.type }, operandTensors: tensors)
    else { return nil }
    let resultFacts = inferred.types.compactMap(TensorFacts.init)
    guard resultFacts.count == node.results.count else { return nil }
    // Small operands, such as axes and shapes, are constants to kernels; big ones are not worth packing for one run.
    let request = KernelRequest(
      node: node,
      operands: zip(facts, tensors).map { facts, tensor in
        facts.map { .init(elementType: $0.elementType, shape: $0.shape, constant: $0.elementCount <= 64 ? tensor : nil) }
      },
      results: resultFacts.map { .init(elementType: $0.elementType, shape: $0.shape, constant: nil) },
      wanted: node.results.map { _ in true }, weights: WeightCache(sharingModelsOf: weights), threads: pool.size)
    switch try factory(request) {
    case nil: return nil
    case .view(let index):
      guard let tensor = tensors[index] else { return nil }
      return [.tensor(try tensor.reshaped(resultFacts[0].shape))]
    case .kernel(let kernel, let scratch, _, _, _): return try run(kernel, tensors, resultFacts, scratch: scratch)
    }
  }

  private func run(
    _ kernel: any Kernel, _ operands: [Tensor?], _ facts: [TensorFacts], scratch: Int
  ) throws -> [RuntimeValue] {
    var results: [Tensor] = []
    var table: [UnsafeMutableRawPointer?] = operands.map { $0?.unsafeBytes }
    for fact in facts {
      let (tensor, bytes) = try Tensor.allocate(fact.elementType, fact.shape)
      results.append(tensor)
      table.append(bytes)
    }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: max(scratch, 1), alignment: ArenaPlanner.alignment)
    defer { memory.deallocate() }
    let operandSlots = operands.indices.map { operands[$0] == nil ? -1 : Int32($0) }
    let resultSlots = facts.indices.map { Int32(operands.count + $0) }
    try withExtendedLifetime(operands) {
      try table.withUnsafeMutableBufferPointer { table in
        guard let base = table.baseAddress else { return }
        try kernel.run(
          KernelArguments(
            table: base, operandSlots: operandSlots, resultSlots: resultSlots, scratch: memory, pool: pool))
      }
    }
    return results.map(RuntimeValue.tensor)
  }
}
