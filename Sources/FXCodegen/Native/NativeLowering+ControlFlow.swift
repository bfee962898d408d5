import FXCore

/// Control flow becomes control flow: `if`, `for` and `while` around the steps of the regions.
extension NativeLowering {
  func lowerControlFlow(_ node: Node) throws {
    switch node.op {
    case .cond: try lowerCond(node)
    case .whileLoop: try lowerWhile(node)
    case .loop: try lowerLoop(node)
    default: try lowerScan(node)
    }
  }

  /// A region's arguments are the operands' memory.
  private func enter(_ region: RegionID, _ arguments: [Slot]) throws {
    for (argument, slot) in zip(try graph.arguments(of: region), arguments) {
      // The sizes that inference found for the region are those of the operand.
      alias(argument, slot)
    }
  }

  private func operandSlots(_ node: Node, from first: Int) throws -> [Slot] {
    try node.operands.indices.dropFirst(first).map { try slot(node, $0) }
  }

  private func resultSlots(_ region: RegionID, like node: Node) throws -> [Slot] {
    try graph.results(of: region).map { operand in
      try slot(operand, type: graph.type(of: operand).elementType ?? operand.literal?.defaultElementType ?? .float32)
    }
  }

  /// - Throws: `NativeRefusal` if a value would change its size from turn to turn.
  private func expectSameSize(_ a: Slot, _ b: Slot, _ what: String) throws {
    let (x, y) = (program.buffers[a.buffer], program.buffers[b.buffer])
    guard a.shape == b.shape, x.elementType == y.elementType else {
      throw NativeRefusal(
        reason: "\(what) changes from \(x.elementType.rawValue)\(a.shape) to \(y.elementType.rawValue)\(b.shape)")
    }
  }

  private func lowerCond(_ node: Node) throws {
    let predicate = try slot(node, 0)
    let captures = try operandSlots(node, from: 1)
    let results = try node.results.map { try resultSlot($0) }
    let branches = try node.regions.map { region in
      try collect {
        try enter(region, captures)
        try lower(region)
        for (result, value) in zip(results, try resultSlots(region, like: node)) {
          try expectSameSize(result, value, "a result")
          append(.copy(from: value.buffer, to: result.buffer))
        }
      }
    }
    append(.branch(condition: predicate.buffer, branches[0], branches[1]))
  }

  /// Memory of its own for each state, with the initial values in it; the node's results are that memory.
  private func makeStates(_ node: Node, _ operands: [Slot], results: [ValueID]) -> [Slot] {
    zip(operands, results).map { operand, result in
      let state = Slot(
        buffer: temporary(graph.name(of: result), program.buffers[operand.buffer].elementType, operand.shape),
        shape: operand.shape)
      append(.copy(from: operand.buffer, to: state.buffer))
      alias(result, state)
      return state
    }
  }

  /// Copies new states over the old ones, by way of memory of their own where one is the other's source.
  private func update(_ states: [Slot], with values: [Slot]) throws {
    let old = Set(states.map(\.buffer))
    let isEntangled = zip(states, values).contains { $0.buffer != $1.buffer && old.contains($1.buffer) }
    var sources = values
    if isEntangled {
      for (index, value) in values.enumerated() where old.contains(value.buffer) {
        let copy = temporary("next", program.buffers[value.buffer].elementType, value.shape)
        append(.copy(from: value.buffer, to: copy))
        sources[index] = Slot(buffer: copy, shape: value.shape)
      }
    }
    for (state, value) in zip(states, sources) where state.buffer != value.buffer {
      append(.copy(from: value.buffer, to: state.buffer))
    }
  }

  private func lowerWhile(_ node: Node) throws {
    let operands = try operandSlots(node, from: 0)
    let states = makeStates(node, operands, results: node.results)
    let captures = operands.dropFirst(states.count)
    let condition = temporary("condition", .bool, [])
    func test() throws {
      try enter(node.regions[0], states + captures)
      try lower(node.regions[0])
      guard let value = try resultSlots(node.regions[0], like: node).first else { return }
      append(.copy(from: value.buffer, to: condition))
    }
    // Written twice: before the first turn, and at the end of each.
    try test()
    let body = try collect {
      try enter(node.regions[1], states + captures)
      try lower(node.regions[1])
      let values = try resultSlots(node.regions[1], like: node)
      for (state, value) in zip(states, values) { try expectSameSize(state, value, "a state") }
      try update(states, with: values)
      forget(node.regions[0])
      try test()
    }
    append(.loop(counter: counter(), limit: .none, condition: condition, body, comment: comment(node)))
  }

  private func lowerLoop(_ node: Node) throws {
    let count = node[Loop.stateCount]
    let operands = try operandSlots(node, from: 2)
    let states = makeStates(node, operands, results: Array(node.results.prefix(count)))
    let captures = operands.dropFirst(count)
    let region = node.regions[0]
    let counter = counter()
    let iteration = temporary("iteration", .int64, [])
    let condition = temporary("condition", .bool, [])
    if has(node, 1) {
      append(.copy(from: try slot(node, 1).buffer, to: condition))
    } else {
      append(.set(condition, "true"))
    }
    let collected = try node.results.dropFirst(count).map { try resultSlot($0) }
    let body = try collect {
      append(.set(iteration, counter))
      try enter(region, [Slot(buffer: iteration, shape: []), Slot(buffer: condition, shape: [])] + states + captures)
      try lower(region)
      let results = try resultSlots(region, like: node)
      for (element, stacked) in zip(results.dropFirst(1 + count), collected) {
        try appendElement(element, to: stacked, part: counter)
      }
      let values = Array(results.dropFirst().prefix(count))
      for (state, value) in zip(states, values) { try expectSameSize(state, value, "a state") }
      try update([Slot(buffer: condition, shape: [])] + states, with: [results[0]] + values)
    }
    let limit: NativeProgram.Limit
    if !has(node, 0) {
      limit = .none
    } else if let known = integers(node.operands[0])?.first {
      limit = .fixed(known)
    } else {
      limit = .buffer(try slot(node, 0).buffer)
    }
    if let stacked = collected.first {
      // The memory of what is stacked is of a fixed size: neither more nor fewer turns may be taken.
      let turns = stacked.shape[0]
      append(
        .loop(
          counter: counter, limit: limit, condition: condition, [.expect("\(counter) < \(turns)")] + body, comment: comment(node))
      )
      append(.expect("\(counter) == \(turns)"))
    } else {
      append(.loop(counter: counter, limit: limit, condition: condition, body, comment: comment(node)))
    }
  }

  private func has(_ node: Node, _ index: Int) -> Bool { !node.operand(index).isNone }

  /// Writes one turn's element where the stack has it, the stack's axis being the first.
  private func appendElement(_ element: Slot, to stacked: Slot, part: String) throws {
    guard Array(stacked.shape.dropFirst()) == element.shape else {
      throw NativeRefusal(reason: "what is stacked changes its size from turn to turn")
    }
    let bytes = IndexText.count(element.shape) * program.buffers[element.buffer].elementType.bitWidth / 8
    append(.copyPart(from: element.buffer, fromPart: nil, to: stacked.buffer, toPart: part, byteCount: bytes))
  }

  private func lowerScan(_ node: Node) throws {
    let (count, scanned) = (node[Loop.stateCount], node[Scan.inputCount])
    let operands = try operandSlots(node, from: 0)
    let states = makeStates(node, operands, results: Array(node.results.prefix(count)))
    let elements = Array(operands[count..<count + scanned])
    let captures = operands.dropFirst(count + scanned)
    let region = node.regions[0]
    let axes = node[Scan.inputAxes] ?? []
    let stackAxes = node[Scan.outputAxes] ?? []
    guard axes.allSatisfy({ $0 == 0 }), stackAxes.allSatisfy({ $0 == 0 }) else {
      throw NativeRefusal(reason: "only scans along the first axis are written; transpose its operands")
    }
    let arguments = try graph.arguments(of: region)
    let turns = elements.first?.shape.first ?? 0
    let counter = counter()
    func part(_ directions: [Int]?, _ index: Int) -> String {
      let isBackward = directions.map { index < $0.count && $0[index] == 1 } ?? false
      return isBackward ? "(\(turns - 1) - \(counter))" : counter
    }
    let collected = try node.results.dropFirst(count).map { try resultSlot($0) }
    let body = try collect {
      var slices: [Slot] = []
      for (index, element) in elements.enumerated() {
        let type = program.buffers[element.buffer].elementType
        let shape = Array(element.shape.dropFirst())
        let slice = temporary(graph.name(of: arguments[count + index]), type, shape)
        append(
          .copyPart(
            from: element.buffer, fromPart: part(node[Scan.inputDirections], index), to: slice, toPart: nil,
            byteCount: IndexText.count(shape) * type.bitWidth / 8))
        slices.append(Slot(buffer: slice, shape: shape))
      }
      try enter(region, states + slices + captures)
      try lower(region)
      let results = try resultSlots(region, like: node)
      for (index, (element, stacked)) in zip(results.dropFirst(count), collected).enumerated() {
        try appendElement(element, to: stacked, part: part(node[Scan.outputDirections], index))
      }
      for (state, value) in zip(states, results) { try expectSameSize(state, value, "a state") }
      try update(states, with: Array(results.prefix(count)))
    }
    append(.loop(counter: counter, limit: .fixed(turns), condition: nil, body, comment: comment(node)))
  }
}
