extension IntegerSystem {
  /// Whether no integers satisfy the inequalities, found by eliminating one variable after the other.
  ///
  /// Each step replaces the rows that hold a variable by the sums of a row that bounds it from above and one that bounds
  /// it from below, and divides and rounds them. Source: Fourier and Motzkin; the rounding is Pugh's (1991). What it
  /// refutes has no solution; what it does not refute may have none. At most `limit` rows at a time.
  func isRefutedByElimination(limit: Int = 160) -> Bool {
    var rows = InequalityList()
    for row in self.rows { rows.insert(row) }
    for variable in bounds.indices { insertBounds(of: variable, into: &rows) }
    for product in products { insertEnvelope(of: product, into: &rows) }
    while !rows.isContradictory {
      guard let variable = rows.cheapestVariable(limit: limit) else { return false }
      rows.eliminate(variable)
      if rows.rows.count > limit { return false }
    }
    return true
  }

  private func form(of variable: Int) -> LinearForm { solutions[variable]?.form ?? LinearForm(variable: variable) }

  private func insertBounds(of variable: Int, into rows: inout InequalityList) {
    let form = form(of: variable)
    guard !form.isConstant else { return }
    let range = bounds[variable]
    if range.hasLower, let row = LinearForm(range.lower).subtracting(form) { rows.insert(row) }
    // The bound that every size has would only make rows longer.
    if range.hasUpper, range.upper < Wide(Int.max), let row = form.adding(-range.upper) { rows.insert(row) }
  }

  /// The planes that a product lies between. Source: McCormick, 1976.
  private func insertEnvelope(of product: Product, into rows: inout InequalityList) {
    let (a, b) = (bounds[product.a], bounds[product.b])
    let (x, y, result) = (form(of: product.a), form(of: product.b), form(of: product.result))
    /// (x − p)(y − q) = xy − p·y − q·x + p·q, whose sign is known at corners.
    func insert(_ p: Wide, _ q: Wide, sign: Wide) {
      guard let corner = Wide(0).adding(p, times: q),
        let plane = LinearForm(-corner).adding(y, times: p)?.adding(x, times: q)?.subtracting(result)?.multiplied(by: sign)
      else { return }
      rows.insert(plane)
    }
    if a.hasLower, b.hasLower { insert(a.lower, b.lower, sign: 1) }
    let isShort = a.upper < Wide(Int.max) && b.upper < Wide(Int.max)
    if isShort { insert(a.upper, b.upper, sign: 1) }
    if a.hasLower, b.upper < Wide(Int.max) { insert(a.lower, b.upper, sign: -1) }
    if b.hasLower, a.upper < Wide(Int.max) { insert(a.upper, b.lower, sign: -1) }
  }
}

/// Forms that are at most 0, the strongest of each direction.
private struct InequalityList {
  private(set) var rows: [LinearForm] = []
  private var rowOfDirection: [[LinearForm.Term]: Int] = [:]
  private(set) var isContradictory = false

  mutating func insert(_ form: LinearForm) {
    let row = form.tightened
    if row.isConstant {
      if row.constant > 0 { isContradictory = true }
    } else if let known = rowOfDirection[row.terms] {
      rows[known].constant = max(rows[known].constant, row.constant)
    } else {
      rowOfDirection[row.terms] = rows.count
      rows.append(row)
    }
  }

  /// The variable whose elimination makes the fewest rows; `nil` if there is none or all make more than `limit`.
  func cheapestVariable(limit: Int) -> Int? {
    var counts: [Int: (positive: Int, negative: Int)] = [:]
    for row in rows {
      for term in row.terms {
        if term.coefficient > 0 {
          counts[term.variable, default: (0, 0)].positive += 1
        } else {
          counts[term.variable, default: (0, 0)].negative += 1
        }
      }
    }
    let costs = counts.map { (cost: $0.value.positive * $0.value.negative, variable: $0.key) }
    guard let best = costs.min(by: <), best.cost <= limit else { return nil }
    return best.variable
  }

  mutating func eliminate(_ variable: Int) {
    let old = rows
    rows = []
    rowOfDirection = [:]
    var (above, below): ([LinearForm], [LinearForm]) = ([], [])
    for row in old {
      let coefficient = row.coefficient(of: variable)
      if coefficient == 0 { insert(row) } else if coefficient > 0 { above.append(row) } else { below.append(row) }
    }
    for upper in above {
      for lower in below {
        let (p, q) = (upper.coefficient(of: variable), -lower.coefficient(of: variable))
        let divisor = Wide.greatestCommonDivisor(p, q)
        // A sum too big to write down is left out.
        if let sum = upper.multiplied(by: q / divisor)?.adding(lower, times: p / divisor) { insert(sum) }
      }
    }
  }
}
