import FXCore

/// What makes numbers that are quantized next, and is no product.
extension IntegerLowering {
  /// A `quantize_linear` whose operand follows from bytes element by element, by pooling, or by moving.
  mutating func lowerQuantization(_ node: Node) throws {
    guard let target = target(node) else { return }
    if try lowerMovement(node, target) { return }
    if try lowerLookup(node, target) { return }
    var (low, high) = (-Double.infinity, Double.infinity)
    var operand = node.operand(0)
    var cuts: [(low: Double, high: Double)] = []
    while let made = producer(operand), let bounds = cut(made), try graph.uses(of: made.results[0]).count == 1 {
      cuts.append(bounds)
      operand = made.operand(0)
    }
    for bounds in cuts.reversed() {
      (low, high) = (min(max(low, bounds.low), bounds.high), min(max(high, bounds.low), bounds.high))
    }
    guard let made = producer(operand), let first = made.results.first, try graph.uses(of: first).count == 1,
      let bounds = quantizedBounds(low, high, target)
    else { return }
    switch made.op {
    case .add, .mul: try lowerBinary(made, into: node, target, low: bounds.low, high: bounds.high)
    case .globalAveragePool, .averagePool, .maxPool:
      _ = try lowerPooling(made, into: node.results[0], target, low: bounds.low, high: bounds.high)
    case .reduceMean:
      guard let axes = (graph.tensor(of: made.operand(1)).flatMap { try? $0.integers() }),
        Set(axes.map { $0 < 0 ? $0 + 4 : $0 }) == [2, 3]
      else { return }
      _ = try lowerPooling(made, into: node.results[0], target, low: bounds.low, high: bounds.high)
    default: return
    }
  }

  private mutating func lowerBinary(_ made: Node, into node: Node, _ target: Quantized, low: Int, high: Int) throws {
    guard made.operands.count == 2, let a = activation(made.operand(0)), let b = activation(made.operand(1)),
      number(target.scale) != nil, target.zero.isNone || number(target.zero) != nil
    else { return }
    let op = made.op == .add ? Operator.integerAdd : .integerMul
    var attributes = Attributes()
    attributes[IntegerOutput.type] = target.type
    (attributes[IntegerOutput.low], attributes[IntegerOutput.high]) = (low, high)
    let operands = [a.integers, a.scale, a.zero, b.integers, b.scale, b.zero, target.scale, target.zero]
    let isImage = channelsLast(a.integers) != nil || channelsLast(b.integers) != nil
    if isImage, let shape = shape(a.integers), shape == self.shape(b.integers) {
      try replaceImage(node.results[0], by: op, operands, images: [0, 3], attributes, label: "additions of integers")
    } else {
      try replace(node.results[0], by: op, operands, attributes, label: "additions of integers")
    }
  }

  // MARK: Functions of one number

  private static let functions: Set<Operator> = [
    .relu, .leakyRelu, .thresholdedRelu, .sigmoid, .tanh, .gelu, .elu, .selu, .celu, .softplus, .softsign, .hardSigmoid,
    .hardSwish, .mish, .silu, .quickGelu, .shrink, .neg, .abs, .sqrt, .exp, .log, .reciprocal, .floor, .ceil, .round, .sign,
    .erf, .sin, .cos, .tan, .atan, .sinh, .cosh, .identity,
  ]

  /// The operand that a function of one number reads; `nil` for other calls.
  private func argument(of node: Node) -> Int? {
    if IntegerLowering.functions.contains(node.op) { return node.operands.count == 1 ? 0 : nil }
    if node.op == .clip { return node.operands.dropFirst().allSatisfy { $0.isNone || number($0) != nil } ? 0 : nil }
    guard [.add, .sub, .mul, .div, .pow].contains(node.op), node.operands.count == 2 else { return nil }
    let scalars = node.operands.map { operand in number(operand) != nil && (shape(operand)?.rank ?? 0) == 0 }
    return scalars == [false, true] ? 0 : scalars == [true, false] ? 1 : nil
  }

  /// Functions of one number between bytes become a table of all 256 results, computed by the same kernels.
  private mutating func lowerLookup(_ node: Node, _ target: Quantized) throws -> Bool {
    guard number(target.scale) != nil, target.zero.isNone || number(target.zero) != nil else { return false }
    var chain = [node]
    var operand = node.operand(0)
    while activation(operand) == nil {
      guard let made = producer(operand), let argument = argument(of: made), try graph.uses(of: made.results[0]).count == 1,
        elementType(operand) == .float32
      else { return false }
      chain.append(made)
      operand = made.operands[argument]
    }
    guard let source = activation(operand), let dequantization = producer(operand) else { return false }
    if chain.count == 1, areAlike(source, target) {
      try put(source.integers, inPlaceOf: node.id, "conversions to the same scale removed")
      return true
    }
    let table = try table(of: chain.reversed(), dequantization, source.type)
    let entries = Operand.parameter(graph.addConstant(table, name: "\(graph.name(of: node.id))_table"))
    if channelsLast(source.integers) != nil {
      try replaceImage(
        node.results[0], by: .integerLookup, [source.integers, entries], images: [0], Attributes(), label: "functions of bytes")
    } else {
      try replace(node.results[0], by: .integerLookup, [source.integers, entries], Attributes(), label: "functions of bytes")
    }
    return true
  }

  /// What calls after each other make of each byte.
  private func table(of calls: [Node], _ dequantization: Node, _ type: ElementType) throws -> Tensor {
    var part = Graph(name: "table")
    let bytes = (0...255).map { UInt8($0) }
    let input = try bytes.withUnsafeBytes { try Tensor(type, [256], bytes: $0) }
    var value = Operand.parameter(part.addConstant(input))
    for (index, call) in ([dequantization] + calls).enumerated() {
      let place = index == 0 ? 0 : argument(of: call) ?? 0
      let operands = call.operands.enumerated().map { position, operand -> Operand in
        if position == place { return value }
        return graph.tensor(of: operand).map { .parameter(part.addConstant($0)) } ?? operand
      }
      value = .value(try part.call(call.op, operands, attributes: call.attributes, location: call.location))
    }
    try part.addOutput(value)
    guard let table = try executor.run(part, inputs: []).first?.tensor, table.elementCount == 256 else {
      throw KernelError.missingOperand(0)
    }
    return table
  }

  // MARK: Movement

  private static let movements: Set<Operator> = [
    .reshape, .transpose, .squeeze, .unsqueeze, .flatten, .expand, .slice, .gather, .concat, .tile,
  ]

  /// Bytes move as well as numbers. Those of another scale are converted first.
  private mutating func lowerMovement(_ node: Node, _ target: Quantized) throws -> Bool {
    guard let made = producer(node.operand(0)), IntegerLowering.movements.contains(made.op), made.results.count == 1,
      try graph.uses(of: made.results[0]).count == 1
    else { return false }
    let moved = made.op == .concat ? Array(made.operands.indices) : [0]
    guard moved.allSatisfy({ elementType(made.operands[$0]) == .float32 }) else { return false }
    // Quantizing less is never worse; more operands must all be bytes already.
    guard moved.count == 1 || moved.allSatisfy({ activation(made.operands[$0]) != nil }) else { return false }
    guard
      moved.count > 1 || made.op == .transpose || made.op == .reshape || made.op == .squeeze || made.op == .unsqueeze
        || made.op == .flatten || activation(made.operands[0]) != nil
    else { return false }
    var operands = made.operands
    for index in moved {
      if let source = activation(operands[index]), areAlike(source, target) {
        operands[index] = source.integers
        continue
      }
      let type: ValueType = .tensor(target.type, shape(operands[index]))
      let quantization = try graph.append(
        .quantizeLinear, node.operands.replacing(0, with: operands[index]), attributes: node.attributes, results: [type],
        at: .before(made.id), location: node.location)
      operands[index] = .value(try graph[quantization].results[0])
      try lowerQuantization(try graph[quantization])
      if !graph.contains(quantization) { operands[index] = latest }
    }
    var attributes = made.attributes
    let images = moved.compactMap { channelsLast(operands[$0]) }
    if made.op == .concat, images.count == moved.count {
      attributes[Concat.axis] = [0: 0, 1: 3, 2: 1, 3: 2, -4: 0, -3: 3, -2: 1, -1: 2][made[Concat.axis]] ?? made[Concat.axis]
      try replaceImage(node.results[0], by: .concat, operands, images: moved, attributes, label: "movements of integers")
    } else {
      try replace(node.results[0], by: made.op, operands, attributes, label: "movements of integers")
    }
    return true
  }

  /// Rows of a constant table of bytes become numbers after they are gathered, not before.
  mutating func lowerGather(_ node: Node) throws {
    guard let q = quantized(node.operand(0)), q.scaleCount == 1, graph.tensor(of: q.integers) != nil,
      let dequantization = producer(node.operand(0))
    else { return }
    let type = try graph.type(of: node.results[0])
    let rows = try graph.append(
      .gather, [q.integers] + node.operands.dropFirst(), attributes: node.attributes,
      results: [.tensor(q.type, type.shape)], at: .before(node.id), location: node.location)
    try replace(
      node.results[0], by: .dequantizeLinear, [.value(try graph[rows].results[0])] + dequantization.operands.dropFirst(),
      dequantization.attributes, label: "tables of integers")
  }
}

extension [Operand] {
  fileprivate func replacing(_ index: Int, with operand: Operand) -> [Operand] {
    var result = self
    result[index] = operand
    return result
  }
}
