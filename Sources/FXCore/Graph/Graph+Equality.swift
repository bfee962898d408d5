/// Two graphs are equal if they say the same: the same names, operators, operands, attributes, types, parameters and
/// facts, node by node in execution order. Floats compare by bits. Ids, source locations and the order of parameters
/// do not count. O(nodes); weights that share memory are not read.
extension Graph: Equatable {
  public static func == (a: Graph, b: Graph) -> Bool {
    guard a.name == b.name, a.callCount == b.callCount, a.parameters.count == b.parameters.count,
      a.metadata == b.metadata, a.operatorSets == b.operatorSets, a.symbols == b.symbols, a.constraints == b.constraints
    else { return false }
    for id in a.parameters.ids {
      guard let other = b.parameterNames[a.parameters[id].name], a.parameters[id] == b.parameters[other] else {
        return false
      }
    }
    var comparison = GraphComparison(a, b)
    return comparison.areEqual()
  }
}

/// Walks two graphs in step.
private struct GraphComparison {
  private let a: Graph
  private let b: Graph
  /// Where each value stands among the values of its region, by the index of its id.
  private var positionsA: [Int32]
  private var positionsB: [Int32]
  /// Pairs of regions still to compare: a list of its own, since regions may be nested deeper than the machine's stack.
  private var pending: [(RegionID, RegionID)]

  init(_ a: Graph, _ b: Graph) {
    self.a = a
    self.b = b
    positionsA = Array(repeating: -1, count: a.values.capacity)
    positionsB = Array(repeating: -1, count: b.values.capacity)
    pending = [(a.body, b.body)]
  }

  mutating func areEqual() -> Bool {
    while let (x, y) = pending.popLast() {
      guard number(x, y), compare(x, y) else { return false }
    }
    return true
  }

  /// Numbers the values of two regions, and says whether they have names and types in common.
  private mutating func number(_ x: RegionID, _ y: RegionID) -> Bool {
    var count: Int32 = 0
    func number(_ p: ValueID, _ q: ValueID) -> Bool {
      positionsA[Int(p.index)] = count
      positionsB[Int(q.index)] = count
      count += 1
      return a.values[p].type == b.values[q].type && haveEqualNames(p, q)
    }
    let (arguments, others) = (a.regions[x].arguments, b.regions[y].arguments)
    guard arguments.count == others.count else { return false }
    for (p, q) in zip(arguments, others) where !number(p, q) { return false }
    var (first, second) = (a.regions[x].first, b.regions[y].first)
    while let m = first, let n = second {
      let (results, others) = (a.nodes[m].results, b.nodes[n].results)
      guard results.count == others.count else { return false }
      for (p, q) in zip(results, others) where !number(p, q) { return false }
      (first, second) = (a.nodes[m].next, b.nodes[n].next)
    }
    return first == nil && second == nil
  }

  private func haveEqualNames(_ p: ValueID, _ q: ValueID) -> Bool {
    switch (a.values[p].name, b.values[q].name) {
    case (let x?, let y?): return x == y
    case (nil, nil):
      switch (a.values[p].definition, b.values[q].definition) {
      case (.result(let m, let i), .result(let n, let j)): return i == j && a.nodes[m].serial == b.nodes[n].serial
      case (.argument(_, let i), .argument(_, let j)): return i == j
      default: return false
      }
    default: return a.name(of: p) == b.name(of: q)
    }
  }

  private mutating func compare(_ x: RegionID, _ y: RegionID) -> Bool {
    var (first, second) = (a.regions[x].first, b.regions[y].first)
    while let m = first, let n = second {
      guard compare(m, n) else { return false }
      (first, second) = (a.nodes[m].next, b.nodes[n].next)
    }
    let (results, others) = (a.results(of: x), b.results(of: y))
    return compare(results, others) && a.resultNames(of: x) == b.resultNames(of: y)
  }

  private mutating func compare(_ m: NodeID, _ n: NodeID) -> Bool {
    let (x, y) = (a.nodes[m], b.nodes[n])
    guard x.op == y.op, x.op.isRegistered == y.op.isRegistered, x.name == y.name, compare(x.operands, y.operands),
      x.attributes == y.attributes, x.regions.count == y.regions.count, !x.results.isEmpty || x.serial == y.serial
    else { return false }
    pending += zip(x.regions, y.regions)
    return true
  }

  private func compare(_ x: [Operand], _ y: [Operand]) -> Bool {
    guard x.count == y.count else { return false }
    for (p, q) in zip(x, y) {
      switch (p, q) {
      case (.value(let u), .value(let v)): if positionsA[Int(u.index)] != positionsB[Int(v.index)] { return false }
      case (.parameter(let u), .parameter(let v)): if a.parameters[u].name != b.parameters[v].name { return false }
      default: if p != q { return false }
      }
    }
    return true
  }
}
