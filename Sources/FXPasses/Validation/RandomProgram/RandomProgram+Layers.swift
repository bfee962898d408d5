import FXCore

/// Reductions, products, and the layers of networks.
extension RandomProgram {
  mutating func reduction() throws {
    let growing: [Operator] = [.reduceSum, .reduceL1, .reduceSumSquare]
    let flat: [Operator] = [.reduceMean, .reduceMax, .reduceMin, .reduceL2, .reduceLogSumExp]
    switch random.below(6) {
    case 0:
      guard let x = pick(where: { $0.isFloat && $0.rank > 0 && $0.magnitude < 1e6 }) else { return }
      let op = random.pick([.argmax, .argmin] as [Operator])
      try add(op, [x.operand], ["axis": .int(axis(x.rank)), "keepdims": .bool(random.oneIn(2))], magnitude: 10)
    case 1:
      let x = try float(in: .within(1), rank: 1...5)
      let axis = integer(axis(x.rank))
      let op = random.pick([.cumsum, .cumprod] as [Operator])
      let attributes: Attributes = ["exclusive": .bool(random.oneIn(3)), "reverse": .bool(random.oneIn(3))]
      try add(op, [x.operand, axis], attributes, magnitude: op == .cumsum ? 16 : 1)
    default:
      let op = random.pick(growing + flat + [.reduceProd, .reduceLogSum])
      var x = try float(in: .within(op == .reduceProd ? 1 : 5))
      if op == .reduceLogSum { x = try tamed(x, .positive) }
      let axes = Array(Set((0..<random.below(3)).map { _ in random.below(max(1, x.rank)) })).sorted()
      let operands = axes.isEmpty || x.rank == 0 ? [x.operand] : [x.operand, integers(axes)]
      let count = x.shape.reduce(1.0) { $0 * Double($1.size ?? 4) }
      try add(
        op, operands, ["keepdims": .bool(random.oneIn(2))],
        magnitude: growing.contains(op) ? count * max(1, x.magnitude * x.magnitude) : 4 + x.magnitude * count.squareRoot())
    }
  }

  mutating func product() throws {
    let x = try tamed(own(rank: 1...4) { $0.last?.size != nil }, .within(4))
    guard let depth = x.shape.last?.size else { return }
    let m = x.magnitude * Double(depth) + 1
    let width = 1 + random.below(4)
    switch random.below(8) {
    case 0: try add(.matmul, [x.operand, weight([depth, width]).operand], magnitude: m)
    case 1:
      let bias = random.oneIn(2) ? [try weight([width]).operand] : []
      try add(.linear, [x.operand, weight([width, depth]).operand] + bias, magnitude: m)
    case 2 where x.rank == 2:
      let transposes = random.oneIn(2)
      let bias = random.oneIn(2) ? [try weight(random.oneIn(2) ? [width] : [1, width]).operand] : []
      try add(
        .gemm, [x.operand, weight(transposes ? [width, depth] : [depth, width]).operand] + bias,
        ["transB": .bool(transposes), "alpha": .float(random.pick([1, 0.5])), "beta": .float(random.pick([1, 2]))], magnitude: m)
    case 3 where x.rank >= 2:
      var order = Array(0..<x.rank)
      order.swapAt(x.rank - 1, x.rank - 2)
      guard let turned = try call(.transpose, [x.operand], ["perm": .ints(order)], magnitude: m)?.first else { return }
      try add(.matmul, [x.operand, turned.operand], magnitude: m * m)
    case 4:
      guard let turned = try call(.transpose, [weight([width, depth]).operand], magnitude: m)?.first else { return }
      try add(.matmul, [x.operand, turned.operand], magnitude: m)
    case 5 where x.rank == 2:
      try add(.einsum, [x.operand, weight([depth, width]).operand], ["equation": "ij,jk->ik"], magnitude: m)
    case 6 where x.rank == 2:
      let parts: [Operator] = [.fusedMatmul, .fusedGemm, .scaledMatmul]
      try add(random.pick(parts), [x.operand, weight([depth, width]).operand], magnitude: m)
    case 7 where x.rank >= 2:
      guard let square = try call(.matmul, [x.operand, weight([depth, 2]).operand], magnitude: m)?.first,
        square.rank >= 2, square.shape[square.rank - 2].size == 2
      else { return }
      // Far from singular.
      let diagonal = try Tensor(square.type.elementType, [2, 2], numbers: .floats([16, 0, 0, 16]))
      let regular = try require(
        .add, [tamed(square, .within(4)).operand, .parameter(graph.addConstant(diagonal))], magnitude: 20)
      try add(.det, [regular.operand], magnitude: 800)
    default:
      // Products that read one operand, as those of queries, keys and values.
      for _ in 0..<2 + random.below(2) { try add(.matmul, [x.operand, weight([depth, width]).operand], magnitude: m) }
    }
  }

  mutating func convolution() throws {
    let x = try tamed(
      own(rank: 3...4) { $0[1].size != nil }, .within(4))
    guard let channels = x.shape[1].size else { return }
    let kernel = x.shape.dropFirst(2).map { 1 + random.below(min(3, max(1, RandomProgram.leastSize($0)))) }
    guard x.shape.dropFirst(2).allSatisfy({ RandomProgram.leastSize($0) > 0 }) else { return }
    let group = random.oneIn(4) ? channels : 1
    let width = group * (1 + random.below(3))
    var attributes: Attributes = ["group": .int(group)]
    if random.oneIn(2) { attributes["pads"] = .ints((0..<2 * kernel.count).map { _ in random.below(2) }) }
    if random.oneIn(3) { attributes["strides"] = .ints(kernel.map { _ in 1 + random.below(2) }) }
    if random.oneIn(5) { attributes["auto_pad"] = "SAME_UPPER"; attributes["pads"] = nil }
    let m = x.magnitude * Double(channels * kernel.reduce(1, *)) + 1
    let bias = random.oneIn(2) ? [try weight([width]).operand] : []
    switch random.below(7) {
    case 0:
      attributes["auto_pad"] = nil
      let w = try weight([channels, width / group] + kernel)
      try add(.convTranspose, [x.operand, w.operand] + bias, attributes, magnitude: m)
    case 1, 2:
      let w = try weight([width, channels / group] + kernel)
      guard let y = try call(.conv, [x.operand, w.operand] + bias, attributes, magnitude: m)?.first else { return }
      try normalize(y, width)
    case 3 where kernel.count == 1 && x.type.elementType != .float64:
      let w = try weight([channels, 1, kernel[0]])
      try add(.causalConvWithState, [x.operand, w.operand], results: 2, magnitude: m)
    default:
      let w = try weight([width, channels / group] + kernel)
      try add(random.oneIn(5) ? .fusedConv : .conv, [x.operand, w.operand] + bias, attributes, magnitude: m)
    }
  }

  private mutating func normalize(_ y: Value, _ channels: Int) throws {
    let operands = try [
      y.operand, weight([channels], positive: true).operand, weight([channels]).operand, weight([channels]).operand,
      weight([channels], positive: true).operand,
    ]
    guard let z = try add(.batchNormalization, operands, magnitude: 2 * y.magnitude + 2) else { return }
    if random.oneIn(2) { try add(random.pick([.relu, .sigmoid, .hardSwish]), [z.operand], magnitude: z.magnitude) }
  }

  mutating func pooling() throws {
    let x = try float(in: .within(20), rank: 3...4)
    let kernel = x.shape.dropFirst(2).map { 1 + random.below(min(3, max(1, RandomProgram.leastSize($0)))) }
    guard x.shape.dropFirst(2).allSatisfy({ RandomProgram.leastSize($0) > 0 }) else { return }
    var attributes: Attributes = ["kernel_shape": .ints(kernel)]
    if random.oneIn(2) { attributes["strides"] = .ints(kernel.map { _ in 1 + random.below(2) }) }
    if random.oneIn(3) {
      attributes["pads"] = .ints(
        kernel.flatMap { [$0 / 2, 0] }.enumerated().sorted { $0.offset % 2 < $1.offset % 2 }.map(\.element))
    }
    switch random.below(6) {
    case 0: try add(random.pick([.globalAveragePool, .globalMaxPool, .globalLpPool]), [x.operand], magnitude: 8 * x.magnitude)
    case 1: try add(.maxPool, [x.operand], attributes, results: 2, magnitude: 1000)
    case 2: try add(.lpPool, [tamed(x, .positive).operand], attributes, magnitude: 9 * x.magnitude)
    case 3:
      if random.oneIn(2) { attributes["count_include_pad"] = true }
      try add(.averagePool, [x.operand], attributes, magnitude: x.magnitude)
    case 4:
      let even: Attributes = ["kernel_shape": .ints(kernel.map { _ in 2 }), "strides": .ints(kernel.map { _ in 2 })]
      guard x.shape.dropFirst(2).allSatisfy({ ($0.size ?? 1) % 2 == 0 }),
        let parts = try call(.maxPool, [x.operand], even, results: 2, magnitude: x.magnitude), parts.count == 2
      else { return }
      try add(.maxUnpool, parts.map(\.operand), even, magnitude: x.magnitude)
    default: try add(.maxPool, [x.operand], attributes, magnitude: x.magnitude)
    }
  }

  mutating func normalization() throws {
    let x = try tamed(own(rank: 1...4), .within(10))
    let stash = AttributeValue.elementType(element == .float64 ? .float64 : .float32)
    switch random.below(9) {
    case 0, 1, 2:
      let trailing = x.shape.reversed().prefix { $0.size != nil }.reversed().compactMap(\.size)
      guard !trailing.isEmpty else { return }
      let shape = Array(trailing.suffix(1 + random.below(trailing.count)))
      let attributes: Attributes = ["axis": .int(-shape.count), "stash_type": stash, "epsilon": 0.01]
      if random.oneIn(3) {
        try add(.rmsNormalization, [x.operand, weight(shape).operand], attributes, magnitude: 4)
      } else {
        let bias = random.oneIn(2) ? [try weight(shape).operand] : []
        try add(.layerNormalization, [x.operand, weight(shape).operand] + bias, attributes, magnitude: 4)
      }
    case 3:
      guard x.rank >= 2, let channels = x.shape[1].size else { return }
      try normalize(x, channels)
    case 4:
      guard x.rank >= 3, let channels = x.shape[1].size else { return }
      let operands = try [x.operand, weight([channels]).operand, weight([channels]).operand]
      if random.oneIn(2) {
        try add(.instanceNormalization, operands, ["epsilon": 0.01], magnitude: 8)
      } else {
        try add(
          .groupNormalization, operands,
          ["num_groups": .int(random.oneIn(2) ? channels : 1), "stash_type": stash, "epsilon": 0.01], magnitude: 8)
      }
    case 5:
      try add(
        .lpNormalization, [tamed(x, .positive).operand], ["axis": .int(axis(x.rank)), "p": .int(1 + random.below(2))],
        magnitude: 1)
    case 6:
      guard x.rank >= 3 else { return }
      try add(.lrn, [x.operand], ["size": .int(1 + random.below(3))], magnitude: x.magnitude)
    case 7:
      // Elements that differ: others leave nothing but rounding.
      guard x.rank == 4, let sizes = x.sizes else { return }
      try add(.meanVarianceNormalization, [weight(sizes).operand], magnitude: 8)
    default:
      let op = random.pick([.softmax, .softmax, .logSoftmax, .hardmax] as [Operator])
      try add(op, [x.operand], ["axis": .int(axis(x.rank))], magnitude: op == .logSoftmax ? 24 : 1)
    }
  }

  mutating func attention() throws {
    let x = try tamed(own(rank: 3...4) { $0.last?.size != nil }, .within(3))
    guard let width = x.shape.last?.size else { return }
    let causal = AttributeValue.bool(random.oneIn(2))
    if x.rank == 3 {
      guard width % 2 == 0 else { return }
      if random.oneIn(2) {
        try add(
          .attention, [x.operand, x.operand, x.operand], ["q_num_heads": 2, "kv_num_heads": 2, "is_causal": causal], magnitude: 3)
      } else {
        try add(.multiHeadAttention, [x.operand, x.operand, x.operand], ["num_heads": 2], magnitude: 3)
      }
    } else if random.oneIn(3), width % 2 == 0, let sizes = x.sizes {
      let caches = try (0..<2).map { _ in try weight([sizes[0], sizes[2], width / 2]).operand }
      try add(.rotaryEmbedding, [x.operand] + caches, ["interleaved": .bool(random.oneIn(2))], magnitude: 3)
    } else if random.oneIn(2) {
      // Spelt out, as exporters do.
      guard let keys = try call(.transpose, [x.operand], ["perm": .ints([0, 1, 3, 2])], magnitude: 3)?.first,
        let scores = try call(.matmul, [x.operand, keys.operand], magnitude: 40)?.first,
        let scaled = try call(.mul, [scores.operand, number(0.5, like: scores)], magnitude: 20)?.first,
        let weights = try call(.softmax, [scaled.operand], magnitude: 1)?.first
      else { return }
      try add(.matmul, [weights.operand, x.operand], magnitude: 3)
    } else {
      try add(.attention, [x.operand, x.operand, x.operand], ["is_causal": causal], magnitude: 3)
    }
  }

  mutating func recurrent() throws {
    let x = try tamed(own(rank: 3...3) { $0[2].size != nil }, .within(2))
    guard let width = x.shape[2].size, x.shape.allSatisfy({ RandomProgram.leastSize($0) > 0 }) else { return }
    let hidden = 1 + random.below(3)
    let (op, gates, results) = random.pick([(.lstm, 4, 3), (.gru, 3, 2), (.rnn, 1, 2)] as [(Operator, Int, Int)])
    let both = random.oneIn(3)
    let directions = both ? 2 : 1
    var operands = try [
      x.operand, weight([directions, gates * hidden, width]).operand, weight([directions, gates * hidden, hidden]).operand,
    ]
    if random.oneIn(2) { operands.append(try weight([directions, 2 * gates * hidden]).operand) }
    try add(
      op, operands,
      ["hidden_size": .int(hidden), "direction": .string(both ? "bidirectional" : random.pick(["forward", "reverse"]))],
      results: results, magnitude: 3)
  }

  mutating func quantization() throws {
    guard let x = pick(where: { $0.type.elementType == .float32 && $0.magnitude <= 30 }) else { return }
    let step = Operand.parameter(graph.addConstant(Tensor(0.25 as Float)))
    let zero = Operand.parameter(graph.addConstant(try Tensor(.uint8, [], numbers: .signed([128]))))
    if random.oneIn(4) {
      guard let parts = try call(.dynamicQuantizeLinear, [x.operand], results: 3, magnitude: 255), parts.count == 3 else {
        return
      }
      try add(.dequantizeLinear, parts.map(\.operand), magnitude: x.magnitude)
      return
    }
    guard let q = try call(.quantizeLinear, [x.operand, step, zero], magnitude: 255)?.first else { return }
    if random.oneIn(2), x.rank >= 2, let depth = x.shape.last?.size {
      let numbers = (0..<depth * 2).map { _ in Int64(random.below(255)) }
      let w = graph.addConstant(try Tensor(.uint8, [depth, 2], numbers: .signed(numbers)))
      if random.oneIn(2) {
        try add(.matmulInteger, [q.operand, .parameter(w), zero], magnitude: 1e6)
      } else {
        let wide = Operand.parameter(graph.addConstant(Tensor(64 as Float)))
        try add(.qlinearMatmul, [q.operand, step, zero, .parameter(w), step, zero, wide, zero], magnitude: 255)
      }
      return
    }
    try add(.dequantizeLinear, [q.operand, step, zero], magnitude: x.magnitude)
  }

  mutating func loss() throws {
    let x = try float(in: .within(10), rank: 2...2)
    guard let classes = x.shape[1].size, classes > 0, RandomProgram.leastSize(x.shape[0]) > 0,
      let labels = try call(.argmax, [x.operand], ["axis": 1, "keepdims": false], magnitude: 4)?.first
    else { return }
    let reduction = AttributeValue.string(random.pick(["none", "sum", "mean"]))
    if random.oneIn(2) {
      try add(
        .softmaxCrossEntropyLoss, [x.operand, labels.operand], ["reduction": reduction], results: 1 + random.below(2),
        magnitude: 100)
    } else {
      try add(.nllLoss, [x.operand, labels.operand], ["reduction": reduction], magnitude: 100)
    }
  }

  mutating func signal() throws {
    let x = try float(in: .within(3), rank: 1...3)
    switch random.below(3) {
    case 0:
      let op = random.pick([.hannWindow, .hammingWindow, .blackmanWindow] as [Operator])
      try add(op, [integer(3 + random.below(3))], ["periodic": .bool(random.oneIn(2))], magnitude: 1)
    default:
      guard x.rank >= 2, RandomProgram.leastSize(x.shape[x.rank - 1]) > 0,
        let column = try call(.unsqueeze, [x.operand, integers([-1])], magnitude: x.magnitude)?.first
      else { return }
      try add(.dft, [column.operand], ["onesided": .bool(random.oneIn(2))], magnitude: 20)
    }
  }

  /// Random numbers, which two runs agree on only as far as their shape.
  mutating func randomness() throws {
    let x = try float(rank: 1...3)
    switch random.below(3) {
    case 0: try add(.dropout, [x.operand], results: 1 + random.below(2), magnitude: x.magnitude)
    default:
      let op = random.pick([.randomNormalLike, .randomUniformLike] as [Operator])
      guard let noise = try call(op, [x.operand], ["dtype": .elementType(element)], magnitude: 8)?.first else { return }
      try add(.shape, [noise.operand], magnitude: 10)
    }
  }
}
