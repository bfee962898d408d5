import FXCore

/// A constraint that is to hold, or with `isNegated` is not to hold.
struct Claim: Hashable, Sendable {
  let constraint: ShapeConstraint
  var isNegated = false

  /// Whether it holds for these sizes; `nil` if it has no value for them.
  func holds(for sizes: [String: Int]) -> Bool? { constraint.holds(for: sizes).map { $0 != isNegated } }
}

/// Whether some sizes satisfy all constraints.
enum Satisfiability: Sendable {
  /// Sizes for all symbols that the constraints name.
  case satisfiable([String: Int])
  case unsatisfiable
  /// Neither was found within the budget.
  case unknown
}

/// Decides systems of constraints over sizes.
///
/// What it calls satisfiable it has a witness for, which was checked against the constraints as they are written; what it
/// calls unsatisfiable follows by rules that never drop a solution. Constraints that share no symbol are decided apart.
///
/// Complexity: `budget` steps at most. A step eliminates equations, narrows intervals and splits alternatives, in time
/// polynomial in the system's size; up to `eliminationBudget` times it eliminates inequalities too.
struct ConstraintSolver: Sendable {
  /// How many cases are looked at before the answer is *unknown*.
  var budget = 500
  /// In how many of them inequalities are eliminated.
  var eliminationBudget = 60

  func check(_ claims: [Claim]) -> Satisfiability {
    var steps = 0
    return check(claims, &steps)
  }

  /// As `check`, adding the steps it took.
  private func check(_ claims: [Claim], _ steps: inout Int) -> Satisfiability {
    var witness: [String: Int] = [:]
    var isUnknown = false
    for component in ConstraintSolver.components(of: claims) {
      var search = WitnessSearch(component, steps: budget, eliminations: eliminationBudget)
      defer { steps += budget - search.stepsLeft }
      switch search.run() {
      case .satisfiable(let sizes): witness.merge(sizes) { $1 }
      case .unsatisfiable: return .unsatisfiable
      case .unknown: isUnknown = true
      }
    }
    return isUnknown ? .unknown : .satisfiable(witness)
  }

  func isUnsatisfiable(_ claims: [Claim]) -> Bool {
    if case .unsatisfiable = check(claims) { true } else { false }
  }

  /// The positions of a subset of unsatisfiable constraints that is unsatisfiable and, as far as the solver can tell, has
  /// no unsatisfiable subset but itself: removing any one leaves no conflict. O(n) checks, of about as many steps each as
  /// it took to find the conflict.
  func minimalConflict(_ claims: [Claim]) -> [Int] {
    // The last come first and are the first to go, so that of two constraints that would do the earlier is named.
    var core = Array(claims.indices.reversed())
    var steps = 0
    for component in ConstraintSolver.components(of: claims) {
      steps = 0
      guard case .unsatisfiable = check(component, &steps) else { continue }
      let members = Set(component)
      core = core.filter { members.contains(claims[$0]) }
      break
    }
    var quick = self
    quick.budget = min(budget, 2 * steps + 32)
    var chunk = max(1, core.count / 2)
    while true {
      var start = 0
      while start < core.count {
        let rest = Array(core[..<start]) + core[min(start + chunk, core.count)...]
        if quick.isUnsatisfiable(rest.map { claims[$0] }) { core = rest } else { start += chunk }
      }
      if chunk == 1 { return core.reversed() }
      chunk = max(1, chunk / 2)
    }
  }

  /// What follows for each symbol without looking at cases; `nil` for a contradiction.
  func consequences(of claims: [Claim]) -> [String: SizeSet]? {
    WitnessSearch(claims, steps: budget, eliminations: eliminationBudget).consequences()
  }

  /// What follows for an expression without looking at cases.
  func sizes(of dimension: Dimension, under claims: [Claim]) -> SizeSet {
    var lowering = ConstraintLowering()
    for claim in claims { _ = lowering.add(claim.constraint, isNegated: claim.isNegated) }
    guard let variable = lowering.variable(equalTo: dimension) else { return SizeSet(minimum: .min) }
    var system = lowering.system
    system.settle()
    return system.sizes(of: variable)
  }

  /// Symbols that equal an expression over other symbols, with it.
  func substitution(under claims: [Claim]) -> [String: Dimension] {
    var lowering = ConstraintLowering()
    for claim in claims { _ = lowering.add(claim.constraint, isNegated: claim.isNegated) }
    var system = lowering.system
    system.settle()
    let names = Dictionary(uniqueKeysWithValues: lowering.symbols.map { ($0.value, $0.key) })
    var result: [String: Dimension] = [:]
    for (variable, name) in names where !system.isContradictory {
      guard let form = system.solutions[variable]?.form, let constant = Int(exactly: form.constant) else { continue }
      var sum = Dimension(constant)
      for term in form.terms {
        guard let symbol = names[term.variable], let coefficient = Int(exactly: term.coefficient) else {
          sum = .unknown
          break
        }
        sum = sum + Dimension(coefficient) * Dimension(symbol: symbol)
      }
      if !sum.isUnknown { result[name] = sum }
    }
    return result
  }

  /// The constraints in groups that share no symbol.
  static func components(of claims: [Claim]) -> [[Claim]] {
    var parents = Array(claims.indices)
    func root(_ index: Int) -> Int {
      var index = index
      while parents[index] != index {
        parents[index] = parents[parents[index]]
        index = parents[index]
      }
      return index
    }
    var owners: [String: Int] = [:]
    for (index, claim) in claims.enumerated() {
      for symbol in claim.constraint.symbols {
        if let owner = owners[symbol] {
          let (a, b) = (root(owner), root(index))
          parents[max(a, b)] = min(a, b)
        } else {
          owners[symbol] = index
        }
      }
    }
    var groups: [[Claim]] = []
    var groupOfRoot: [Int: Int] = [:]
    for (index, claim) in claims.enumerated() {
      let root = root(index)
      if let group = groupOfRoot[root] {
        groups[group].append(claim)
      } else {
        groupOfRoot[root] = groups.count
        groups.append([claim])
      }
    }
    return groups
  }
}
