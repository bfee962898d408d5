import FXCore
import FXTrace

// The regions' forward computation is repeated from what the loop kept, a turn at a time, as the gradient needs it.

extension GradientRules {
  mutating func addControlFlow() {
    self[.cond] = .cotangents { context in try context.branches() }
    self[.call] = .rewriting { context in
      let contents = try context.sweep.writer.copyContents(
        of: context.node.regions[0], arguments: context.node.operands.indices.map { context.operand($0) })
      return contents.results.map(context.sweep.writer.tensor)
    }
    self[.scan] = .cotangents { context in
      let count = context[Scan.inputCount]
      let states = context[Loop.stateCount]
      let inputs = (states..<states + count).map { context.operand($0) }
      let outputs = context.node.results.count - states
      let zeros = Array(repeating: 0, count: max(count, outputs))
      return try context.turns(
        own: [], scanned: inputs, axes: context[Scan.inputAxes] ?? Array(zeros[..<count]),
        directions: context[Scan.inputDirections] ?? Array(zeros[..<count]),
        outputAxes: context[Scan.outputAxes] ?? Array(zeros[..<outputs]),
        outputDirections: context[Scan.outputDirections] ?? Array(zeros[..<outputs]))
    }
    self[.loop] = .cotangents { context in
      let outputs = context.node.results.count - context[Loop.stateCount]
      let zeros = Array(repeating: 0, count: outputs)
      return try context.turns(
        own: [.tensor(.int64, []), .tensor(.bool, [])], scanned: [], axes: [], directions: [], outputAxes: zeros,
        outputDirections: zeros)
    }
    self[.whileLoop] = .rewriting { context in try context.asLoop() }
  }
}

extension GradientContext {
  private var writer: GraphWriter { sweep.writer }

  /// Backwards through nodes of a region that is being written.
  /// - Returns: the cotangents of `wanted`, zeros where nothing depends on one.
  private func backward(
    _ contents: (nodes: [NodeID], results: [Operand]), seeds: [(Int, SymbolicTensor)], wanted: [Operand]
  ) throws -> [SymbolicTensor] {
    let inner = ReverseSweep(writer, sweep.rules, wanted: wanted)
    try inner.run(contents.nodes, seeds: seeds.map { (contents.results[$0.0], $0.1) })
    writer.setLocation(node.location)
    return try wanted.map { try inner.cotangent(of: $0) ?? writer.tensor($0).zeros() }
  }

  /// A branch per branch: each repeats its forward part and goes back through it.
  fileprivate func branches() throws -> [SymbolicTensor?] {
    let parameters = try sweep.activeParameters(in: node.regions)
    let captures = node.operands.dropFirst()
    // An operand that is captured twice gets its cotangent once.
    let wanted = captures.enumerated().filter { index, operand in
      sweep.isActive(operand) && captures.firstIndex(of: operand) == index + 1
    }.map(\.offset)
    let seeds = cotangents.enumerated().compactMap { index, cotangent in cotangent.map { (index, $0) } }
    let results = try writer.call(
      .cond, [operand(0)], attributes: [:], arguments: [[], []], resultCount: { $0[0] }
    ) { region, _ in
      let arguments = captures.map { writer.tensor($0) }
      let contents = try writer.copyContents(of: node.regions[region], arguments: arguments)
      return try backward(
        contents, seeds: seeds, wanted: wanted.map { try writer.operand(arguments[$0]) } + parameters)
    }
    for (parameter, cotangent) in zip(parameters, results.dropFirst(wanted.count)) {
      sweep.accumulate(cotangent, to: parameter)
    }
    var answer: [SymbolicTensor?] = Array(repeating: nil, count: node.operands.count)
    for (index, cotangent) in zip(wanted, results) { answer[1 + index] = cotangent }
    return answer
  }

  /// A scan from the last turn to the first.
  /// - Parameters:
  ///   - own: the types of the body's arguments before the states.
  ///   - scanned: the operands that are run along, with their axes and directions.
  fileprivate func turns(
    own: [ValueType], scanned: [SymbolicTensor], axes: [Int], directions: [Int], outputAxes: [Int], outputDirections: [Int]
  ) throws -> [SymbolicTensor?] {
    let stateCount = self[Loop.stateCount]
    let region = node.regions[0]
    let parameters = try sweep.activeParameters(in: node.regions)
    let kept = try keepArguments(own.count + stateCount)
    // The body's results start with the condition of a loop.
    let offset = node.op == .loop ? 1 : 0
    let firstCapture = (node.op == .loop ? 2 : 0) + stateCount + scanned.count
    let captures = Array(node.operands[min(firstCapture, node.operands.count)...])
    let wanted = captures.indices.filter { sweep.isActive(captures[$0]) && captures.firstIndex(of: captures[$0]) == $0 }

    let states = (0..<stateCount).filter { sweep.isFloating(.value(node.results[$0])) }
    let stacked = (0..<outputAxes.count).filter { cotangent(stateCount + $0) != nil }
    let floating = scanned.indices.filter { scanned[$0].elementType?.isFloatingPoint ?? false }
    var operands = try states.map { try cotangent($0) ?? result($0).zeros() }
    operands += try (wanted.map { captures[$0] } + parameters).map { try writer.tensor($0).zeros() }
    let carried = operands.count
    operands += kept + scanned + stacked.compactMap { cotangent(stateCount + $0) }
    let attributes: Attributes = [
      "state_count": .int(carried), "num_scan_inputs": .int(operands.count - carried),
      "scan_input_axes": .ints(kept.map { _ in 0 } + axes + stacked.map { outputAxes[$0] }),
      "scan_input_directions": .ints(
        kept.map { _ in 1 } + directions.map { 1 - $0 } + stacked.map { 1 - outputDirections[$0] }),
      "scan_output_axes": .ints(floating.map { axes[$0] }),
      "scan_output_directions": .ints(floating.map { 1 - directions[$0] }),
    ]
    let slices = try writer.graph.arguments(of: region).prefix(own.count + stateCount + scanned.count).map {
      try writer.graph.type(of: $0)
    }
    let elements = stacked.map { index in
      writer.graph.type(of: writer.graph.results(of: region)[offset + stateCount + index])
    }
    let results = try writer.call(
      .scan, operands, attributes: attributes, arguments: [operands[..<carried].map(\.type) + slices + elements],
      resultCount: { $0[0] }
    ) { _, arguments in
      let inner = Array(arguments[carried..<carried + slices.count])
      let outside = captures.map { writer.tensor($0) }
      let contents = try writer.copyContents(of: region, arguments: inner + outside)
      var seeds: [(Int, SymbolicTensor)] = []
      for (index, state) in states.enumerated() { seeds.append((offset + state, arguments[index])) }
      for (index, output) in stacked.enumerated() {
        seeds.append((offset + stateCount + output, arguments[carried + slices.count + index]))
      }
      var targets = try states.map { try writer.operand(inner[own.count + $0]) }
      targets += try wanted.map { try writer.operand(outside[$0]) }
      targets += parameters
      targets += try floating.map { try writer.operand(inner[own.count + stateCount + $0]) }
      let gradients = try backward(contents, seeds: seeds, wanted: targets)
      // The states' cotangents are handed on, those of captures and parameters are added up.
      return gradients.enumerated().map { index, gradient in
        index >= states.count && index < carried ? arguments[index] + gradient : gradient
      }
    }
    for (parameter, cotangent) in zip(parameters, results[(states.count + wanted.count)...]) {
      sweep.accumulate(cotangent, to: parameter)
    }
    var answer: [SymbolicTensor?] = Array(repeating: nil, count: node.operands.count)
    let firstState = node.op == .loop ? 2 : 0
    for (index, cotangent) in zip(states, results) { answer[firstState + index] = cotangent }
    for (index, cotangent) in zip(floating, results[carried...]) { answer[firstState + stateCount + index] = cotangent }
    for (index, cotangent) in zip(wanted, results[states.count...]) { answer[firstCapture + index] = cotangent }
    return answer
  }

  /// Makes the node give, stacked, what the first arguments of its body are in each turn.
  private func keepArguments(_ count: Int) throws -> [SymbolicTensor] {
    let region = node.regions[0]
    try writer.edit { graph in
      let arguments = try graph.arguments(of: region).prefix(count)
      try graph.setResults(
        of: region, graph.results(of: region) + arguments.map(Operand.value), names: graph.resultNames(of: region))
      for _ in arguments { _ = try graph.addResult(to: node.id) }
      guard node.op == .scan else { return }
      var attributes = try graph[node.id].attributes
      let more = Array(repeating: 0, count: count)
      if let axes = self[Scan.outputAxes] { attributes[Scan.outputAxes] = axes + more }
      if let directions = self[Scan.outputDirections] { attributes[Scan.outputDirections] = directions + more }
      try graph.setAttributes(of: node.id, to: attributes)
    }
    return Array(try writer.inferTypes(of: node.id).suffix(count))
  }

  /// A `while_loop` as a `loop`, which can keep what its states were.
  fileprivate func asLoop() throws -> [SymbolicTensor] {
    let operands = node.operands.indices.map { operand($0) }
    let stateCount = node.results.count
    let captures = Array(operands[stateCount...])
    let states = Array(operands[..<stateCount])
    func holds(_ states: [SymbolicTensor]) throws -> SymbolicTensor {
      let contents = try writer.copyContents(of: node.regions[0], arguments: states + captures)
      return writer.tensor(contents.results[0])
    }
    let types = try node.results.map { try writer.graph.type(of: $0) }
    let first = try holds(states)
    return try writer.call(
      .loop, [writer.tensor(.none), first] + states, attributes: ["state_count": .int(stateCount)],
      arguments: [[.tensor(.int64, []), .tensor(.bool, [])] + types], resultCount: { $0[0] - 1 }
    ) { _, arguments in
      let contents = try writer.copyContents(of: node.regions[1], arguments: Array(arguments[2...]) + captures)
      let next = contents.results.map(writer.tensor)
      return [try holds(next)] + next
    }
  }
}

extension GraphWriter {
  /// Adds one more result to a node.
  func addResult(to node: NodeID) throws -> SymbolicTensor {
    _ = try edit { try $0.addResult(to: node) }
    return try inferTypes(of: node).last ?? tensor(.none)
  }
}
