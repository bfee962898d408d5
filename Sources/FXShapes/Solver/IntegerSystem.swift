/// A fact about linear forms.
enum Row: Hashable, Sendable {
  /// The form is 0.
  case zero(LinearForm)
  /// The form is at most 0.
  case nonpositive(LinearForm)
}

/// Linear equations and inequalities, products and alternatives over integer variables, kept solved as far as that is cheap.
///
/// Equations are eliminated as they come: the variable that one of them gives is replaced everywhere, so that `rows`
/// speak of free variables only. Everything here only ever follows from what was stated: what cannot be represented is
/// left out, hence a contradiction found is a real one.
struct IntegerSystem {
  /// `result = a × b`.
  struct Product {
    let result: Int
    let a: Int
    let b: Int
  }
  /// An eliminated variable: its form over free variables, which is `form.constant` modulo `divisor`.
  struct Solution {
    let form: LinearForm
    let divisor: Wide

    init(_ form: LinearForm) {
      self.form = form
      divisor = form.divisor
    }
  }

  private(set) var bounds: [Interval] = []
  private(set) var solutions: [Solution?] = []
  /// Each at most 0, over free variables, at most one per direction.
  private(set) var rows: [LinearForm] = []
  private var rowOfDirection: [[LinearForm.Term]: Int] = [:]
  private(set) var products: [Product] = []
  private(set) var clauses: [[[Row]]] = []
  private(set) var isContradictory = false
  private var pendingZeros: [LinearForm] = []
  private var eliminationCount = 0

  private var monomialCount = 0
  /// How many products of single variables multiplying out may introduce, and how many terms it may write at a time:
  /// more cost more than they tell.
  private static let monomialLimit = 16
  private static let expansionLimit = 4
  private static let passLimit = 24
  private static let roundLimit = 64

  // MARK: Stating

  mutating func makeVariable(_ range: Interval = .all) -> Int {
    bounds.append(range)
    solutions.append(nil)
    return bounds.count - 1
  }

  mutating func add(_ row: Row) {
    switch row {
    case .zero(let form): addZero(form)
    case .nonpositive(let form): addNonpositive(form)
    }
  }

  mutating func add(_ product: Product) { products.append(product) }

  /// States that all rows of at least one alternative hold.
  mutating func add(clause: [[Row]]) { clauses.append(clause) }

  /// States that a variable lies in an interval.
  mutating func restrict(_ variable: Int, to interval: Interval) {
    bounds[variable] = bounds[variable].intersection(interval)
    if bounds[variable].isEmpty { isContradictory = true }
  }

  /// The form over free variables; `nil` beyond 128 bits.
  func reduced(_ form: LinearForm) -> LinearForm? {
    var result = form
    for term in form.terms {
      guard let solution = solutions[term.variable] else { continue }
      guard let next = result.substituting(term.variable, by: solution.form) else { return nil }
      result = next
    }
    return result
  }

  private mutating func addNonpositive(_ form: LinearForm) {
    guard !isContradictory, let row = reduced(form)?.tightened else { return }
    if row.isConstant {
      isContradictory = row.constant > 0
      return
    }
    if let known = rowOfDirection[row.terms] {
      guard row.constant > rows[known].constant else { return }
      rows[known].constant = row.constant
    } else {
      rowOfDirection[row.terms] = rows.count
      rows.append(row)
    }
    guard let negated = row.multiplied(by: -1), let opposite = rowOfDirection[negated.terms] else { return }
    // form ≥ lower and form ≤ −constant.
    let lower = rows[opposite].constant
    if lower > -row.constant { isContradictory = true }
    if lower == -row.constant { pendingZeros.append(row) }
  }

  /// Eliminates one variable by an equation. Without a coefficient of ±1, a change of variables makes the coefficients
  /// smaller until there is one. Source: Pugh, "The Omega Test", 1991, section 2.3.
  private mutating func addZero(_ form: LinearForm) {
    guard !isContradictory, var rest = reduced(form) else { return }
    while true {
      let divisor = rest.divisor
      if divisor == 0 || rest.constant % divisor != 0 {
        isContradictory = rest.constant != 0
        return
      }
      rest = rest.divided(by: divisor, constant: rest.constant / divisor)
      if let unit = rest.terms.last(where: { abs($0.coefficient) == 1 }) {
        // unit.coefficient² is 1, so multiplying by its negative solves for the variable.
        guard
          let solution = rest.adding(LinearForm(variable: unit.variable), times: -unit.coefficient)?
            .multiplied(by: -unit.coefficient)
        else { return }
        eliminate(unit.variable, by: solution)
        return
      }
      guard let smallest = rest.terms.min(by: { abs($0.coefficient) < abs($1.coefficient) }) else { return }
      let fresh = makeVariable()
      // smallest.variable = fresh − Σ quotient × variable, so that fresh's coefficient is the smallest and the others
      // become remainders.
      var replacement = LinearForm(variable: fresh)
      for term in rest.terms where term.variable != smallest.variable {
        let quotient = term.coefficient.dividedRoundingDown(by: smallest.coefficient)
        guard let next = replacement.adding(LinearForm(variable: term.variable, coefficient: -quotient)) else { return }
        replacement = next
      }
      guard let next = rest.substituting(smallest.variable, by: replacement) else { return }
      eliminate(smallest.variable, by: replacement)
      rest = next
    }
  }

  private mutating func eliminate(_ variable: Int, by form: LinearForm) {
    for index in solutions.indices {
      guard let known = solutions[index]?.form, known.coefficient(of: variable) != 0 else { continue }
      // A form that grows too big makes its variable free again, which forgets a fact and is sound.
      solutions[index] = known.substituting(variable, by: form).map(Solution.init)
    }
    solutions[variable] = Solution(form)
    eliminationCount += 1
    guard rows.contains(where: { $0.coefficient(of: variable) != 0 }) else { return }
    let old = rows
    rows = []
    rowOfDirection = [:]
    for row in old { addNonpositive(row) }
  }

  // MARK: Consequences

  /// The values a form can take as far as the bounds tell.
  func range(of form: LinearForm) -> Interval {
    form.terms.reduce(Interval(lower: form.constant, upper: form.constant)) {
      $0.adding(bounds[$1.variable].multiplied(by: $1.coefficient))
    }
  }

  /// Draws cheap consequences until none is left or a bounded number of rounds is over.
  mutating func settle() {
    for _ in 0..<IntegerSystem.roundLimit where !isContradictory {
      propagate()
      let before = (eliminationCount, rows.count, products.count, clauses.count)
      eliminateFixed()
      while let zero = pendingZeros.popLast() { addZero(zero) }
      multiplyOut()
      simplifyClauses()
      if before == (eliminationCount, rows.count, products.count, clauses.count), pendingZeros.isEmpty { return }
    }
  }

  private mutating func eliminateFixed() {
    for variable in bounds.indices {
      guard let value = bounds[variable].single, solutions[variable]?.form.isConstant != true else { continue }
      let known = solutions[variable]?.form ?? LinearForm(variable: variable)
      guard let difference = known.adding(-value) else { continue }
      addZero(difference)
    }
  }

  /// Narrows bounds by every row, solution and product, pass after pass.
  private mutating func propagate() {
    for _ in 0..<IntegerSystem.passLimit where !isContradictory {
      var isNarrowed = false
      for index in rows.indices {
        isNarrowed = narrow(rows[index], to: Interval(lower: -Interval.infinity, upper: 0)) || isNarrowed
      }
      for variable in solutions.indices {
        guard let solution = solutions[variable] else { continue }
        isNarrowed = narrow(variable, to: range(of: solution.form).rounded(to: solution)) || isNarrowed
        isNarrowed = narrow(solution.form, to: bounds[variable]) || isNarrowed
      }
      for product in products {
        guard !isContradictory else { return }
        let (a, b) = (bounds[product.a], bounds[product.b])
        isNarrowed = narrow(product.result, to: a.multiplied(by: b)) || isNarrowed
        isNarrowed = narrow(product.a, to: bounds[product.result].divided(by: b)) || isNarrowed
        isNarrowed = narrow(product.b, to: bounds[product.result].divided(by: a)) || isNarrowed
      }
      if !isNarrowed { return }
    }
  }

  private mutating func narrow(_ variable: Int, to interval: Interval) -> Bool {
    let narrower = bounds[variable].intersection(interval)
    guard narrower != bounds[variable] else { return false }
    bounds[variable] = narrower
    if narrower.isEmpty { isContradictory = true }
    return true
  }

  /// Narrows the variables of a form whose value lies in `target`.
  private mutating func narrow(_ form: LinearForm, to target: Interval) -> Bool {
    // Sums of the bounds that exist, and how many are missing.
    var (low, high, lowMissing, highMissing) = (form.constant, form.constant, 0, 0)
    guard abs(form.constant) < Interval.infinity else { return false }
    for term in form.terms {
      let part = bounds[term.variable].multiplied(by: term.coefficient)
      if part.hasLower { low += part.lower } else { lowMissing += 1 }
      if part.hasUpper { high += part.upper } else { highMissing += 1 }
    }
    if lowMissing == 0, target.hasUpper, low > target.upper { isContradictory = true }
    if highMissing == 0, target.hasLower, high < target.lower { isContradictory = true }
    var isNarrowed = false
    for term in form.terms where !isContradictory {
      let part = bounds[term.variable].multiplied(by: term.coefficient)
      var allowed = Interval.all
      if target.hasUpper, lowMissing == (part.hasLower ? 0 : 1) {
        allowed.upper = Interval.clamped(target.upper - (part.hasLower ? low - part.lower : low))
      }
      if target.hasLower, highMissing == (part.hasUpper ? 0 : 1) {
        allowed.lower = Interval.clamped(target.lower - (part.hasUpper ? high - part.upper : high))
      }
      let factor = Interval(lower: term.coefficient, upper: term.coefficient)
      guard narrow(term.variable, to: allowed.divided(by: factor)) else { continue }
      isNarrowed = true
      let now = bounds[term.variable].multiplied(by: term.coefficient)
      if now.hasLower {
        low += part.hasLower ? now.lower - part.lower : now.lower
        lowMissing -= part.hasLower ? 0 : 1
      }
      if now.hasUpper {
        high += part.hasUpper ? now.upper - part.upper : now.upper
        highMissing -= part.hasUpper ? 0 : 1
      }
    }
    return isNarrowed
  }

  /// Replaces products whose factors became known by linear forms, of single variables where both factors are sums.
  private mutating func multiplyOut() {
    var known: [[Int]: Int] = [:]
    var kept: [Product] = []
    var pending = products
    products = []
    while let product = pending.popLast(), !isContradictory {
      guard let a = reduced(LinearForm(variable: product.a)), let b = reduced(LinearForm(variable: product.b)) else {
        kept.append(product)
        continue
      }
      let result = LinearForm(variable: product.result)
      if a.isConstant || b.isConstant {
        let (factor, form) = a.isConstant ? (a.constant, b) : (b.constant, a)
        if let difference = result.adding(form, times: -factor) { addZero(difference) }
      } else if let x = a.variable, let y = b.variable {
        let key = [min(x, y), max(x, y)]
        if let same = known[key] {
          if let difference = result.subtracting(LinearForm(variable: same)) { addZero(difference) }
        } else {
          known[key] = product.result
          kept.append(Product(result: product.result, a: x, b: y))
        }
      } else if a.terms.count * b.terms.count <= IntegerSystem.expansionLimit,
        monomialCount < IntegerSystem.monomialLimit, let sum = expanded(a, b, &known, &kept),
        let difference = result.subtracting(sum)
      {
        addZero(difference)
      } else {
        kept.append(product)
      }
    }
    products = kept + pending
  }

  private mutating func expanded(
    _ a: LinearForm, _ b: LinearForm, _ known: inout [[Int]: Int], _ kept: inout [Product]
  ) -> LinearForm? {
    guard let constant = Wide(0).adding(a.constant, times: b.constant) else { return nil }
    var sum: LinearForm? = LinearForm(constant)
    let (linearA, linearB) = (a.adding(-a.constant), b.adding(-b.constant))
    guard let linearA, let linearB else { return nil }
    sum = sum?.adding(linearA, times: b.constant)?.adding(linearB, times: a.constant)
    for x in linearA.terms {
      for y in linearB.terms {
        guard let coefficient = Wide(0).adding(x.coefficient, times: y.coefficient) else { return nil }
        let key = [min(x.variable, y.variable), max(x.variable, y.variable)]
        let monomial: Int
        if let same = known[key] {
          monomial = same
        } else {
          monomial = makeVariable()
          monomialCount += 1
          known[key] = monomial
          kept.append(Product(result: monomial, a: x.variable, b: y.variable))
        }
        sum = sum?.adding(LinearForm(variable: monomial), times: coefficient)
      }
    }
    return sum
  }

  // MARK: Alternatives

  private mutating func simplifyClauses() {
    let old = clauses
    clauses = []
    for clause in old where !isContradictory {
      var open: [[Row]] = []
      var isSatisfied = false
      for alternative in clause {
        switch state(of: alternative) {
        case true?: isSatisfied = true
        case false?: break
        case nil: open.append(alternative)
        }
      }
      if isSatisfied { continue }
      switch open.count {
      case 0: isContradictory = true
      case 1: for row in open[0] { add(row) }
      default: clauses.append(open)
      }
    }
  }

  /// Whether all rows surely hold, or one surely does not.
  private func state(of alternative: [Row]) -> Bool? {
    var isSure = true
    for row in alternative {
      switch row {
      case .zero(let form):
        guard let form = reduced(form) else { return nil }
        let range = range(of: form)
        if range.lower > 0 || range.upper < 0 { return false }
        if form.divisor != 0, form.constant % form.divisor != 0 { return false }
        if form != LinearForm(0) { isSure = false }
      case .nonpositive(let form):
        guard let form = reduced(form)?.tightened else { return nil }
        let range = range(of: form)
        if range.lower > 0 { return false }
        let isKnown = rowOfDirection[form.terms].map { rows[$0].constant >= form.constant } ?? false
        if range.upper > 0, !isKnown { isSure = false }
        if let negated = form.multiplied(by: -1), let opposite = rowOfDirection[negated.terms],
          rows[opposite].constant > -form.constant
        {
          return false
        }
      }
    }
    return isSure ? true : nil
  }

  /// Splits on the alternatives of the shortest clause.
  func branches() -> [IntegerSystem]? {
    guard let index = clauses.indices.min(by: { clauses[$0].count < clauses[$1].count }) else { return nil }
    return clauses[index].map { alternative in
      var branch = self
      branch.clauses.remove(at: index)
      for row in alternative { branch.add(row) }
      return branch
    }
  }
}

extension Interval {
  /// The bounds moved inwards to the next values that the solution can take.
  fileprivate func rounded(to solution: IntegerSystem.Solution) -> Interval {
    guard solution.divisor > 1 else { return self }
    let rest = solution.form.constant.remainder(modulo: solution.divisor)
    var result = self
    if hasLower { result.lower = Interval.clamped(lower + (rest - lower).remainder(modulo: solution.divisor)) }
    if hasUpper { result.upper = Interval.clamped(upper - (upper - rest).remainder(modulo: solution.divisor)) }
    return result
  }
}
