import FXCore

extension ShardingRules {
  /// Windows over spatial axes: images and channels are apart.
  mutating func addWindows() {
    let images = ShardingRules.apart { _, rank in rank < 2 ? nil : Set(2..<rank) }
    let batch = ShardingRules.apart { _, rank in rank < 2 ? nil : Set(1..<rank) }
    self[.maxPool] = { call in
      if call.results.count == 1 { return images(call) }
      // Positions in the whole tensor are another's after a cut, but within an image they are the same.
      let image = call.operands[0].dropFirst().reduce(1, *)
      let areWithin = call.users(1).allSatisfy { user in
        user.op == .mod && user.operands.first?.value == call.node.results[1]
          && call.integer(user.operand(1)).map { $0 > 0 && image % $0 == 0 } ?? false
      }
      return areWithin ? batch(call) : nil
    }
    for op in [Operator.averagePool, .globalAveragePool, .globalMaxPool] { self[op] = images }
    self[.instanceNormalization] = ShardingRules.normalization(channel: 1) { $0 == 0 || $0 == 1 }
    self[.groupNormalization] = ShardingRules.normalization(channel: nil) { $0 == 0 }
    self[.batchNormalization] = { call in
      // Statistics of a batch are those of the whole batch.
      call[BatchNormalization.trainingMode] ? nil : ShardingRules.normalization(channel: 1) { _ in true }(call)
    }
  }

  /// Normalizations whose vectors lie along the channels.
  private static func normalization(
    channel: Int?, _ isApart: @escaping @Sendable (Int) -> Bool
  ) -> Rule {
    { call in
      guard let shape = call.operands.first, call.results.count == 1, shape.count >= 2 else { return nil }
      var rule = call.wholeRule
      let factors = shape.indices.map { isApart($0) && shape[$0] > 1 ? Optional(rule.factor(shape[$0])) : nil }
      rule.operands[0] = factors
      if let channel { for index in 1..<call.operands.count { rule.operands[index] = [factors[channel]] } }
      rule.results = [factors]
      return rule
    }
  }

  /// What treats the elements of an axis together.
  mutating func addRows() {
    for op in [Operator.softmax, .logSoftmax, .hardmax] {
      self[op] = ShardingRules.apart { call, rank in rank == 0 ? nil : [call.axis(call[Softmax.axis], rank: rank)] }
    }
    for op in [Operator.layerNormalization, .rmsNormalization] {
      self[op] = ShardingRules.apart { call, rank in
        guard call.results.count == 1 else { return nil }
        return Set(call.axis(call[LayerNormalization.axis], rank: rank)..<rank)
      }
    }
    let combined: [(Operator, Reduction?)] = [
      (.reduceSum, .sum), (.reduceMean, .mean), (.reduceMax, .max), (.reduceMin, .min), (.reduceProd, .prod),
      (.reduceL1, .sum), (.reduceL2, nil), (.reduceLogSum, nil), (.reduceLogSumExp, nil), (.reduceSumSquare, .sum),
    ]
    for (op, reduction) in combined { self[op] = ShardingRules.reduction(reduction) }
    for op in [Operator.argmax, .argmin] {
      self[op] = { call in
        let rank = call.operands[0].count
        guard rank > 0 else { return nil }
        return ShardingRules.reduced(call, [call.axis(call[ArgReduce.axis], rank: rank)], call[ArgReduce.keepDims], nil)
      }
    }
    for op in [Operator.cumsum, .cumprod] {
      self[op] = ShardingRules.apart { call, rank in call.integers(1)?.first.map { [call.axis($0, rank: rank)] } }
    }
  }

  private static func reduction(_ reduction: Reduction?) -> Rule {
    { call in
      let rank = call.operands[0].count
      var axes = Set(0..<rank)
      if call.has(1) {
        guard let named = call.integers(1) else { return nil }
        if !named.isEmpty { axes = Set(named.map { call.axis($0, rank: rank) }) }
      }
      if axes.count == rank, !call.has(1) || call.integers(1)?.isEmpty == true, call[Reduce.noopWithEmptyAxes] { return nil }
      return reduced(call, axes, call[Reduce.keepDims], reduction)
    }
  }

  private static func reduced(_ call: ShardedCall, _ axes: Set<Int>, _ keeps: Bool, _ reduction: Reduction?) -> ShardingRule {
    let shape = call.operands[0]
    var rule = call.wholeRule
    var result: [Int?] = []
    for axis in shape.indices {
      if axes.contains(axis) {
        if keeps { result.append(nil) }
        guard let reduction, shape[axis] > 1 else { continue }
        let factor = rule.factor(shape[axis])
        rule.operands[0][axis] = factor
        rule.reductions[factor] = reduction
      } else {
        let factor = shape[axis] > 1 ? Optional(rule.factor(shape[axis])) : nil
        rule.operands[0][axis] = factor
        result.append(factor)
      }
    }
    rule.results = [result]
    return rule
  }
}
