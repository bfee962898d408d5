import FXCore

/// How the dimensions of a call's operands and results hang together: each belongs to a factor, which may be cut, or to none
/// and stays whole. A factor that results lack is one that the call reduces over: the parts' results are combined.
///
/// Source: the operation sharding rules of Shardy and GSPMD (Xu et al. 2021, "GSPMD: General and Scalable Parallelization
/// for ML Computation Graphs").
public struct ShardingRule: Sendable {
  /// For each operand, for each dimension the factor.
  public var operands: [[Int?]]
  /// For each result, for each dimension the factor.
  public var results: [[Int?]]
  /// For each factor a number that the number of parts must divide.
  public var sizes: [Int]
  /// The factors that are reduced over.
  public var reductions: [Int: Reduction] = [:]
  /// An operand that is added once, not by every part of a reduction.
  public var addend: Int?
  /// An operand that holds the sizes of the result.
  public var shapeOperand: Int?
  /// An integer attribute that is divided by the number of parts of a factor.
  public var dividedAttribute: (name: String, factor: Int)?
  /// The operand that is a matrix of weights, with the factors of its rows' and columns' sides: what tensor parallelism cuts.
  public var weight: (operand: Int, output: Int, input: Int?)?

  /// A rule without reductions. A factor is its place in `sizes`; what else the call needs is set afterwards.
  public init(operands: [[Int?]], results: [[Int?]], sizes: [Int] = []) {
    (self.operands, self.results, self.sizes) = (operands, results, sizes)
  }

  /// A new factor.
  mutating func factor(_ size: Int) -> Int {
    sizes.append(size)
    return sizes.count - 1
  }
}

/// A call whose rule is asked for, with the sizes of all tensors.
public struct ShardedCall: Sendable {
  /// The call, as it is in the whole graph.
  public let node: Node
  let graph: Graph
  /// For each operand its sizes; empty for one that is left out.
  public let operands: [[Int]]
  /// For each result its sizes.
  public let results: [[Int]]

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  /// Whether operand `index` is there: given and not left out.
  public func has(_ index: Int) -> Bool { !node.operand(index).isNone }

  /// Operand `index` as integers, if it is a constant.
  public func integers(_ index: Int) -> [Int]? {
    guard let tensor = graph.tensor(of: node.operand(index)) else { return nil }
    return try? tensor.converted(to: .int64).elements(Int64.self).map(Int.init)
  }

  /// A literal, or a constant of one element, as an integer.
  func integer(_ operand: Operand) -> Int? {
    if case .literal(.int(let number)) = operand { return Int(number) }
    let elements = try? graph.tensor(of: operand)?.converted(to: .int64).elements(Int64.self)
    return elements?.count == 1 ? elements?.first.map { Int($0) } : nil
  }

  /// Whether operand `index` is filled with zeros as it is made.
  func isZero(_ index: Int) -> Bool {
    guard let value = node.operand(index).value, let producer = try? graph.producer(of: value), let maker = try? graph[producer],
      maker.op == .expand, let fill = graph.tensor(of: maker.operand(0))
    else { return false }
    return (try? fill.converted(to: .float64).elements(Double.self).allSatisfy { $0 == 0 }) ?? false
  }

  /// The nodes that use a result.
  func users(_ index: Int) -> [Node] {
    ((try? graph.uses(of: node.results[index])) ?? []).compactMap { try? graph[$0.node] }
  }

  /// A rule in which nothing is cut.
  var wholeRule: ShardingRule {
    ShardingRule(
      operands: operands.map { Array(repeating: nil, count: $0.count) },
      results: results.map { Array(repeating: nil, count: $0.count) })
  }

  func axis(_ axis: Int, rank: Int) -> Int { axis < 0 ? axis + rank : axis }
}

/// The rules of operators. A value: users extend a copy of `.standard`. What has no rule runs whole on every rank.
public struct ShardingRules: Sendable {
  /// `nil` for a call that must stay whole.
  public typealias Rule = @Sendable (ShardedCall) -> ShardingRule?
  private var table: [Operator: Rule] = [:]

  /// A table without rules of its own, in which element-wise operators follow theirs.
  public init() {}

  /// The rule of an operator, `nil` where it has none. Element-wise operators without one of their own share a rule.
  public subscript(op: Operator) -> Rule? {
    get { table[op] ?? (op.has(.elementwise) ? ShardingRules.elementwise : nil) }
    set { table[op] = newValue }
  }

  /// The rules of products, convolutions, windows, normalizations, reductions and movements of elements.
  public static let standard: ShardingRules = {
    var rules = ShardingRules()
    rules.addProducts()
    rules.addWindows()
    rules.addRows()
    rules.addMovement()
    return rules
  }()

  /// Dimensions are those of the result, from the last on; a dimension of size 1 that is stretched stays whole.
  static let elementwise: Rule = { call in
    guard let shape = call.results.first, call.results.allSatisfy({ $0 == shape }) else { return nil }
    var rule = call.wholeRule
    let factors = shape.map { $0 > 1 ? Optional(rule.factor($0)) : nil }
    for (index, operand) in call.operands.enumerated() {
      rule.operands[index] = operand.indices.map { axis in
        let place = axis + shape.count - operand.count
        return place >= 0 && operand[axis] == shape[place] ? factors[place] : nil
      }
    }
    rule.results = call.results.map { _ in factors }
    return rule
  }

  /// A rule for calls that treat the elements of some axes of the first operand as one, and those of others apart: every
  /// result has the same axes, and the others' sizes.
  static func apart(_ mixed: @escaping @Sendable (ShardedCall, Int) -> Set<Int>?) -> Rule {
    { call in
      guard let shape = call.operands.first, let mixed = mixed(call, shape.count) else { return nil }
      var rule = call.wholeRule
      let factors = shape.indices.map { mixed.contains($0) || shape[$0] <= 1 ? nil : Optional(rule.factor(shape[$0])) }
      rule.operands[0] = factors
      for (index, result) in call.results.enumerated() where result.count == shape.count {
        rule.results[index] = result.indices.map { result[$0] == shape[$0] ? factors[$0] : nil }
      }
      // A factor that a result lacks would be reduced over.
      guard rule.results.allSatisfy({ Set($0.compactMap(\.self)) == Set(factors.compactMap(\.self)) }) else { return nil }
      return rule
    }
  }
}
