import FXCore

extension ShardingRules {
  mutating func addProducts() {
    self[.matmul] = { call in
      guard call.operands.count == 2, let result = call.results.first, call.operands.allSatisfy({ $0.count >= 2 }) else {
        return nil
      }
      let (a, b) = (call.operands[0], call.operands[1])
      var rule = call.wholeRule
      let m = rule.factor(a[a.count - 2]), k = rule.factor(a[a.count - 1]), n = rule.factor(b[b.count - 1])
      let batch = result.dropLast(2).map { $0 > 1 ? Optional(rule.factor($0)) : nil }
      func outer(_ shape: [Int]) -> [Int?] {
        let count = shape.count - 2
        return (0..<count).map { axis in
          let place = axis + batch.count - count
          return shape[axis] == result[place] ? batch[place] : nil
        }
      }
      rule.operands = [outer(a) + [m, k], outer(b) + [k, n]]
      rule.results = [batch + [m, n]]
      rule.reductions = [k: .sum]
      rule.weight = (1, n, k)
      return rule
    }
    self[.gemm] = { call in
      var rule = call.wholeRule
      let (a, b) = (call.operands[0], call.operands[1])
      let (transA, transB) = (call[Gemm.transA], call[Gemm.transB])
      let m = rule.factor(a[transA ? 1 : 0]), k = rule.factor(a[transA ? 0 : 1]), n = rule.factor(b[transB ? 0 : 1])
      rule.operands[0] = transA ? [k, m] : [m, k]
      rule.operands[1] = transB ? [n, k] : [k, n]
      rule.results = [[m, n]]
      if call.has(2) {
        let c = call.operands[2]
        rule.operands[2] = zip(c, [m, n].suffix(c.count)).map { $0 > 1 ? $1 : nil }
        rule.addend = 2
      }
      rule.reductions = [k: .sum]
      rule.weight = (1, n, k)
      return rule
    }
    self[.linear] = { call in
      let (x, weight) = (call.operands[0], call.operands[1])
      guard x.count >= 1, weight.count == 2 else { return nil }
      var rule = call.wholeRule
      let outer = x.dropLast().map { Optional(rule.factor($0)) }
      let k = rule.factor(weight[1]), n = rule.factor(weight[0])
      rule.operands[0] = outer + [k]
      rule.operands[1] = [n, k]
      rule.results = [outer + [n]]
      if call.has(2) {
        rule.operands[2] = [n]
        rule.addend = 2
      }
      rule.reductions = [k: .sum]
      rule.weight = (1, n, k)
      return rule
    }
    self[.conv] = { ShardingRules.convolution($0, channels: (input: 1, output: 0)) }
    self[.convTranspose] = { ShardingRules.convolution($0, channels: (input: 0, output: 1)) }
    self[.einsum] = { call in
      guard let equation = try? EinsumEquation(call[Einsum.equation]) else { return nil }
      var rule = call.wholeRule
      var factors: [EinsumEquation.Subscript: Int] = [:]
      var sizes: [EinsumEquation.Subscript: Int] = [:]
      for (term, shape) in zip(equation.inputs, call.operands) {
        // Repeated letters and ellipses stay whole.
        guard !term.contains(.ellipsis), Set(term).count == term.count, term.count == shape.count else { return nil }
        for (letter, size) in zip(term, shape) {
          guard sizes[letter, default: size] == size else { return nil }
          sizes[letter] = size
        }
      }
      for letter in sizes.keys.sorted(by: { "\($0)" < "\($1)" }) { factors[letter] = rule.factor(sizes[letter] ?? 1) }
      rule.operands = equation.inputs.map { $0.map { factors[$0] } }
      rule.results = [equation.output.map { factors[$0] }]
      for (letter, factor) in factors where !equation.output.contains(letter) { rule.reductions[factor] = .sum }
      return rule
    }
  }
  /// Images apart, and channels as the columns and rows of a product.
  /// - Parameter channels: the weight's axes of the channels that come in and go out.
  private static func convolution(_ call: ShardedCall, channels: (input: Int, output: Int)) -> ShardingRule? {
    let (x, weight) = (call.operands[0], call.operands[1])
    guard x.count >= 3, weight.count == x.count else { return nil }
    var rule = call.wholeRule
    let group = call[Conv.group]
    let n = rule.factor(x[0])
    rule.operands[0][0] = n
    rule.results[0][0] = n
    guard group == 1 else {
      // Parts are whole groups, which lie along the weight's first axis.
      let groups = rule.factor(group)
      rule.operands[0][1] = groups
      rule.operands[1][0] = groups
      rule.results[0][1] = groups
      if call.has(2) { rule.operands[2] = [groups] }
      rule.dividedAttribute = (Conv.group.name, groups)
      return rule
    }
    let input = rule.factor(x[1]), output = rule.factor(weight[channels.output])
    rule.operands[0][1] = input
    rule.operands[1][channels.input] = input
    rule.operands[1][channels.output] = output
    rule.results[0][1] = output
    if call.has(2) {
      rule.operands[2] = [output]
      rule.addend = 2
    }
    rule.reductions = [input: .sum]
    rule.weight = (1, output, input)
    return rule
  }
}
