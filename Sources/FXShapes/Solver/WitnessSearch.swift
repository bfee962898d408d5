/// Looks for sizes that satisfy constraints, case by case.
struct WitnessSearch {
  private let claims: [Claim]
  private var lowering = ConstraintLowering()
  private var symbols: [(name: String, variable: Int)] = []
  private(set) var stepsLeft: Int
  private var eliminationsLeft: Int

  init(_ claims: [Claim], steps: Int, eliminations: Int) {
    self.claims = claims
    stepsLeft = steps
    eliminationsLeft = eliminations
    for claim in claims { _ = lowering.add(claim.constraint, isNegated: claim.isNegated) }
    // Also those of constraints that could not be written down.
    for name in Set(claims.flatMap(\.constraint.symbols)).sorted() {
      symbols.append((name, lowering.variable(ofSymbol: name)))
    }
  }

  mutating func run() -> Satisfiability {
    // A stack of our own: cases may be nested deeper than the machine's.
    var pending = [lowering.system]
    var isUnknown = false
    while var system = pending.popLast() {
      switch examine(&system) {
      case .witness(let sizes): return .satisfiable(sizes)
      case .contradiction: break
      case .unknown: isUnknown = true
      case .cases(let cases): pending += cases.reversed()
      }
      if stepsLeft <= 0, !pending.isEmpty { return .unknown }
    }
    return isUnknown ? .unknown : .unsatisfiable
  }

  /// What follows for the symbols before any case is distinguished: the bounds and residues of each.
  func consequences() -> [String: SizeSet]? {
    var system = lowering.system
    system.settle()
    if system.isContradictory { return nil }
    return Dictionary(uniqueKeysWithValues: symbols.map { ($0.name, system.sizes(of: $0.variable)) })
  }

  private enum Finding {
    case witness([String: Int])
    case contradiction
    case unknown
    /// At least one of them holds where the system does.
    case cases([IntegerSystem])
  }

  private mutating func examine(_ system: inout IntegerSystem) -> Finding {
    system.settle()
    if system.isContradictory { return .contradiction }
    guard stepsLeft > 0 else { return .unknown }
    stepsLeft -= 1

    let ranges = symbols.map { system.bounds[$0.variable] }
    let open = symbols.indices.filter { ranges[$0].single == nil }
    // The smallest sizes often do, and cost little to try.
    var sizes: [String: Int] = [:]
    for (index, symbol) in symbols.enumerated() { sizes[symbol.name] = Int(clamping: ranges[index].lower) }
    let outcomes = claims.map { $0.holds(for: sizes) }
    if outcomes.allSatisfy({ $0 == true }) { return .witness(sizes) }
    if open.isEmpty { return outcomes.contains(nil) && !outcomes.contains(false) ? .unknown : .contradiction }

    if eliminationsLeft > 0 {
      eliminationsLeft -= 1
      if system.isRefutedByElimination() { return .contradiction }
    }
    if let branches = system.branches() { return .cases(branches) }
    guard let index = open.min(by: { ranges[$0].width < ranges[$1].width }) else { return .unknown }
    return .cases(
      WitnessSearch.parts(of: ranges[index]).map { part in
        var branch = system
        branch.restrict(symbols[index].variable, to: part)
        return branch
      })
  }

  /// The smallest value, and what remains in two parts: near it and far from it.
  private static func parts(of range: Interval) -> [Interval] {
    let (first, last) = (range.lower, range.upper)
    // Sizes are small numbers: in a wide range the near part is small.
    let middle = min(first + (last - first) / 2, first + abs(first) + 16)
    return [
      Interval(lower: first, upper: first), Interval(lower: first + 1, upper: middle),
      Interval(lower: middle + 1, upper: last),
    ].filter { !$0.isEmpty }
  }
}

extension IntegerSystem {
  /// What the bounds and the solution of a symbol allow.
  func sizes(of variable: Int) -> SizeSet {
    let range = bounds[variable]
    let solution = solutions[variable]
    let divisor = solution.map { $0.divisor } ?? 1
    // A bound that only follows from the largest number there is, rounded or not, is none.
    let isBounded = range.upper <= Wide(Int.max) - Swift.max(divisor, 1)
    return SizeSet(
      minimum: Int(clamping: range.lower), maximum: isBounded ? Int(clamping: range.upper) : nil,
      divisor: divisor == 0 ? 1 : Int(exactly: divisor) ?? 1,
      remainder: divisor == 0 ? 0 : Int(exactly: (solution?.form.constant ?? 0).remainder(modulo: divisor)) ?? 0)
  }
}
