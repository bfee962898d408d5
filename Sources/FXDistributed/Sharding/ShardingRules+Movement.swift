import FXCore

extension ShardingRules {
  mutating func addMovement() {
    self[.transpose] = { call in
      let rank = call.operands[0].count
      let order = call[Transpose.permutation] ?? (0..<rank).reversed()
      var rule = call.wholeRule
      rule.operands[0] = call.operands[0].map { rule.factor($0) }
      rule.results[0] = order.map { rule.operands[0][$0] }
      return rule
    }
    for op in [Operator.reshape, .flatten, .squeeze, .unsqueeze] { self[op] = { ShardingRules.reshape($0) } }
    self[.expand] = { call in
      guard var rule = ShardingRules.elementwise(call) else { return nil }
      for index in 1..<call.operands.count { rule.operands[index] = [nil] }
      rule.shapeOperand = 1
      return rule
    }
    self[.constantOfShape] = { call in
      var rule = call.wholeRule
      rule.results[0] = call.results[0].map { $0 > 1 ? Optional(rule.factor($0)) : nil }
      rule.shapeOperand = 0
      return rule
    }
    self[.concat] = { call in
      guard let result = call.results.first, !result.isEmpty else { return nil }
      let axis = call.axis(call[Concat.axis], rank: result.count)
      var rule = call.wholeRule
      let factors = result.indices.map { $0 == axis ? nil : Optional(rule.factor(result[$0])) }
      rule.operands = call.operands.map { _ in factors }
      rule.results = [factors]
      return rule
    }
    self[.split] = ShardingRules.apart { call, rank in rank == 0 ? nil : [call.axis(call[Split.axis], rank: rank)] }
    self[.slice] = ShardingRules.apart { call, rank in
      guard let starts = call.integers(1) else { return nil }
      guard let axes = call.has(3) ? call.integers(3) : Array(starts.indices) else { return nil }
      return Set(axes.map { call.axis($0, rank: rank) })
    }
    self[.pad] = ShardingRules.apart { call, rank in
      guard let pads = call.integers(1) else { return nil }
      guard let axes = call.has(3) ? call.integers(3) : Array(0..<rank), pads.count == 2 * axes.count else { return nil }
      return Set(axes.indices.filter { pads[$0] != 0 || pads[$0 + axes.count] != 0 }.map { call.axis(axes[$0], rank: rank) })
    }
    self[.tile] = ShardingRules.apart { call, rank in
      call.integers(1).map { repeats in Set((0..<rank).filter { repeats[$0] != 1 }) }
    }
    self[.gather] = { call in
      let (data, indices) = (call.operands[0], call.operands[1])
      let axis = call.axis(call[Gather.axis], rank: data.count)
      var rule = call.wholeRule
      let outer = data.map { Optional(rule.factor($0)) }
      rule.operands[0] = outer
      rule.operands[0][axis] = nil
      rule.operands[1] = indices.map { rule.factor($0) }
      rule.results = [Array(outer[..<axis]) + rule.operands[1] + Array(outer[(axis + 1)...])]
      // A table of vectors is cut along the vectors.
      if axis == 0, data.count == 2, let width = outer[1] { rule.weight = (0, width, nil) }
      return rule
    }
    self[.gatherElements] = { call in
      let (data, indices) = (call.operands[0], call.operands[1])
      let axis = call.axis(call[GatherElements.axis], rank: data.count)
      var rule = call.wholeRule
      let factors = data.indices.map { $0 == axis || data[$0] != indices[$0] ? nil : Optional(rule.factor(data[$0])) }
      (rule.operands, rule.results) = ([factors, factors], [factors])
      return rule
    }
    self[.scatterElements] = { call in
      let (data, indices) = (call.operands[0], call.operands[1])
      let axis = call.axis(call[ScatterElements.axis], rank: data.count)
      var rule = call.wholeRule
      let factors = data.indices.map { $0 == axis || data[$0] != indices[$0] ? nil : Optional(rule.factor(data[$0])) }
      (rule.operands, rule.results) = ([factors, factors, factors], [factors])
      return rule
    }
    self[.scatterND] = { call in
      let (data, indices, updates) = (call.operands[0], call.operands[1], call.operands[2])
      guard let depth = indices.last, depth <= data.count else { return nil }
      var rule = call.wholeRule
      let inner = data[depth...].map { Optional(rule.factor($0)) }
      // What parts of the updates add to zeros is summed.
      let adds = call[ScatterND.reduction] == "add" && call.isZero(0)
      let outer = updates.prefix(indices.count - 1).map { adds && $0 > 1 ? Optional(rule.factor($0)) : nil }
      for case let factor? in outer { rule.reductions[factor] = .sum }
      rule.operands = [Array(repeating: nil, count: depth) + inner, outer + [nil], outer + inner]
      rule.results = [rule.operands[0]]
      return rule
    }
  }

  /// Sizes fall into groups of equal products. In each, the first dimension of either side is cut as the other's is: parts of
  /// the group are then the same elements.
  private static func reshape(_ call: ShardedCall) -> ShardingRule? {
    let (from, to) = (call.operands[0], call.results[0])
    guard from.reduce(1, *) == to.reduce(1, *), !from.contains(0) else { return nil }
    var rule = call.wholeRule
    var (i, j) = (0, 0)
    while i < from.count || j < to.count {
      // Sizes of 1 belong to no group.
      if i < from.count, from[i] == 1 {
        i += 1
        continue
      }
      if j < to.count, to[j] == 1 {
        j += 1
        continue
      }
      guard i < from.count, j < to.count else { break }
      let (first, second) = (i, j)
      var (a, b) = (from[i], to[j])
      (i, j) = (i + 1, j + 1)
      while a != b {
        if a < b {
          a *= from[i]
          i += 1
        } else {
          b *= to[j]
          j += 1
        }
      }
      let factor = rule.factor(greatestCommonDivisor(from[first], to[second]))
      rule.operands[0][first] = factor
      rule.results[0][second] = factor
    }
    if call.node.op == .reshape { rule.shapeOperand = 1 }
    return rule
  }
}

func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
  var (a, b) = (a, b)
  while b != 0 { (a, b) = (b, a % b) }
  return a
}
