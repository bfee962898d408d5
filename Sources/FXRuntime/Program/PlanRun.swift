import FXCore

/// One run of a plan on a state.
struct PlanRun {
  private let program: Program
  private let plan: Plan
  private let state: RunState
  private let limits: RunLimits

  init(_ program: Program, _ plan: Plan, _ state: RunState, _ limits: RunLimits) {
    self.program = program
    self.plan = plan
    self.state = state
    self.limits = limits
  }

  /// - Parameter results: tensors that may be written over, replaced by what the run gives.
  func run(_ given: [RuntimeValue], into results: inout [RuntimeValue], observer: (any StepObserver)?) throws {
    // Inputs from mapped files may start anywhere; kernels read aligned elements.
    let areAligned = given.allSatisfy { $0.tensor?.isAligned ?? true }
    let inputs = areAligned ? given : given.map { $0.tensor.map { .tensor($0.aligned) } ?? $0 }
    try withExtendedLifetime(inputs) {
      try bind(inputs, &results)
      defer { state.outputs.removeAll(keepingCapacity: true) }
      for step in plan.steps {
        try limits.check()
        observer?.willRun(step)
        do {
          try run(step, inputs)
        } catch {
          throw program.failure(at: step.node, error)
        }
        observer?.didRun(step)
        for slot in step.releases { release(Int(slot)) }
      }
      for index in plan.results { results.append(try value(index, inputs)) }
      for index in plan.results { state.boxes[Int(index)] = nil }
    }
  }

  /// Fills in the addresses that differ from run to run.
  private func bind(_ inputs: [RuntimeValue], _ results: inout [RuntimeValue]) throws {
    for (facts, position) in zip(plan.outputs, plan.outputPositions) {
      let reused = position < results.count ? PlanRun.takeTensor(facts, from: &results[position]) : nil
      state.outputs.append(try reused ?? Tensor.allocate(facts.elementType, facts.shape).tensor)
    }
    results.removeAll(keepingCapacity: true)
    for binding in plan.bindings {
      switch binding.source {
      case .input(let input): state.table[binding.slot] = inputs[input].tensor?.unsafeBytes
      case .output(let output): state.table[binding.slot] = state.outputs[output].unsafeBytes
      }
    }
  }

  private func run(_ step: Plan.Step, _ inputs: [RuntimeValue]) throws {
    switch step.work {
    case .kernel(let kernel, let scratchOffset):
      try kernel.run(
        KernelArguments(
          table: state.table, operandSlots: step.operands, resultSlots: step.results, scratch: state.arena + scratchOffset,
          pool: program.pool))
    case .evaluate:
      let operands = try step.operands.map { slot in slot < 0 ? nil : try value(slot, inputs) }
      let results = try program.evaluator.evaluate(
        step.node, operands, memory: limits.memory,
        runRegion: { region, arguments in try program.program(of: region).run(arguments, limits: limits) },
        regionTypes: { region, arguments in
          program.inference.knownTypes(ofRegion: region, in: program.graph, arguments: arguments)
        })
      for (slot, result) in zip(step.results, results) where slot >= 0 { try keep(result, in: Int(slot)) }
    }
  }

  /// Keeps a value made in this run, and its address for kernels if the plan knows its type.
  private func keep(_ value: RuntimeValue, in slot: Int) throws {
    var value = value
    if let facts = plan.slots[slot].facts {
      guard let tensor = value.tensor?.aligned, tensor.elementType == facts.elementType, tensor.shape == facts.shape else {
        throw KernelError.invalid("the result is \(value.type), inferred was \(facts.type)")
      }
      state.table[slot] = tensor.unsafeBytes
      value = .tensor(tensor)
    } else if let type = plan.slots[slot].type?.tensorType, value.tensor.map({ !type.admits($0.type) }) ?? true {
      throw KernelError.invalid("the result is \(value.type), inferred was \(type)")
    }
    if let memory = limits.memory {
      state.boxedBytes[slot] = value.byteCount
      try memory.take(state.boxedBytes[slot])
    }
    state.boxes[slot] = value
  }

  private func release(_ slot: Int) {
    state.boxes[slot] = nil
    guard let memory = limits.memory else { return }
    memory.give(state.boxedBytes[slot])
    state.boxedBytes[slot] = 0
  }

  /// A slot as a value of its own: bytes of the arena are copied, since later steps write over them.
  private func value(_ slot: Int32, _ inputs: [RuntimeValue]) throws -> RuntimeValue {
    let index = Int(slot)
    switch plan.slots[index].home {
    case .constant(let tensor): return .tensor(tensor)
    case .input(let input): return try reshaped(inputs[input], index)
    case .output(let output): return try reshaped(.tensor(state.outputs[output]), index)
    case .boxed:
      guard let value = state.boxes[index] else { throw KernelError.missingOperand(index) }
      return value
    case .arena(let offset):
      guard let facts = plan.slots[index].facts else { throw KernelError.missingOperand(index) }
      let (tensor, bytes) = try Tensor.allocate(facts.elementType, facts.shape)
      bytes.copyMemory(from: state.arena + offset, byteCount: facts.byteCount)
      return .tensor(tensor)
    }
  }

  private func reshaped(_ value: RuntimeValue, _ slot: Int) throws -> RuntimeValue {
    guard let tensor = value.tensor, let facts = plan.slots[slot].facts, tensor.shape != facts.shape else { return value }
    return .tensor(try tensor.reshaped(facts.shape))
  }

  /// The tensor in `value`, if it is of this type and nobody else reads its bytes.
  private static func takeTensor(_ facts: TensorFacts, from value: inout RuntimeValue) -> Tensor? {
    guard case .tensor(var tensor) = value, tensor.elementType == facts.elementType, tensor.shape == facts.shape else {
      return nil
    }
    value = .sequence([], element: .unknown)
    return tensor.uniqueBytes() == nil ? nil : tensor
  }
}
