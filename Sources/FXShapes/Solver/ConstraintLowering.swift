import FXCore

/// Turns constraints into rows, products and alternatives over integer variables.
///
/// Every symbol is a variable from 0 to `Int.max`. The integer functions become variables of their own with the rows that
/// define them: `q = ⌊a/n⌋` is `n·q ≤ a ≤ n·q + n − 1`, `min(a, b)` is at most both and at least one of them. A divisor is
/// taken to be other than 0.
struct ConstraintLowering {
  private(set) var system = IntegerSystem()
  private(set) var symbols: [String: Int] = [:]
  private var functions: [Dimension.Atom: Int] = [:]
  private var productVariables: [[Int]: Int] = [:]

  /// States a constraint, or that it does not hold.
  /// - Returns: whether it could be written down.
  mutating func add(_ constraint: ShapeConstraint, isNegated: Bool) -> Bool {
    guard let clauses = isNegated ? negation(of: constraint) : clauses(of: constraint) else { return false }
    for clause in clauses {
      if clause.count == 1 {
        for row in clause[0] { system.add(row) }
      } else {
        system.add(clause: clause)
      }
    }
    return true
  }

  // MARK: Constraints

  /// Conjunctions of alternatives, each a conjunction of rows.
  private typealias Clauses = [[[Row]]]

  private mutating func clauses(of constraint: ShapeConstraint) -> Clauses? {
    switch constraint {
    case .equal(let a, let b):
      guard let difference = difference(a, b) else { return nil }
      return [[[.zero(difference)]]]
    case .lessOrEqual(let a, let b), .greaterOrEqual(let b, let a):
      guard let difference = difference(a, b) else { return nil }
      return [[[.nonpositive(difference)]]]
    case .less(let a, let b):
      guard let difference = difference(a, b)?.adding(1) else { return nil }
      return [[[.nonpositive(difference)]]]
    case .range(let a, let minimum, let maximum):
      guard let form = form(of: a) else { return nil }
      var clauses: Clauses = []
      if let minimum, let row = LinearForm(Wide(minimum)).subtracting(form) { clauses.append([[.nonpositive(row)]]) }
      if let maximum, let row = form.adding(-Wide(maximum)) { clauses.append([[.nonpositive(row)]]) }
      return clauses
    case .divisible(let a, let b):
      guard let form = form(of: a), let divisor = self.form(of: b) else { return nil }
      let quotient = system.makeVariable()
      guard let multiple = product(LinearForm(variable: quotient), divisor), let difference = form.subtracting(multiple) else {
        return nil
      }
      return [[[.zero(difference)]]]
    case .broadcastable(let a, let b):
      guard let x = form(of: a), let y = form(of: b), let difference = x.subtracting(y), let xIsOne = x.adding(-1),
        let yIsOne = y.adding(-1)
      else { return nil }
      return [[[.zero(difference)], [.zero(xIsOne)], [.zero(yIsOne)]]]
    }
  }

  private mutating func negation(of constraint: ShapeConstraint) -> Clauses? {
    switch constraint {
    case .equal(let a, let b): return difference(a, b).flatMap(isOther).map { [$0] }
    case .lessOrEqual(let a, let b), .greaterOrEqual(let b, let a): return clauses(of: .less(b, a))
    case .less(let a, let b): return clauses(of: .lessOrEqual(b, a))
    case .range(let a, let minimum, let maximum):
      guard let form = form(of: a) else { return nil }
      var alternatives: [[Row]] = []
      if let minimum, let row = form.adding(1 - Wide(minimum)) { alternatives.append([.nonpositive(row)]) }
      if let maximum, let row = LinearForm(Wide(maximum) + 1).subtracting(form) { alternatives.append([.nonpositive(row)]) }
      return alternatives.isEmpty ? [[[.nonpositive(LinearForm(1))]]] : [alternatives]
    case .divisible(let a, let b):
      guard let form = form(of: a), let divisor = self.form(of: b) else { return nil }
      let quotient = system.makeVariable()
      guard let multiple = product(LinearForm(variable: quotient), divisor), let rest = form.subtracting(multiple),
        let isOther = isOther(than: form), let positive = remainder(rest, divisor, sign: 1, least: 1),
        let negative = remainder(rest, divisor, sign: -1, least: 1)
      else { return nil }
      return [[positive, negative] + isOther.map { [.zero(divisor)] + $0 }]
    case .broadcastable(let a, let b):
      guard let x = form(of: a), let y = form(of: b), let difference = x.subtracting(y), let xIsOne = x.adding(-1),
        let yIsOne = y.adding(-1)
      else { return nil }
      let clauses = [difference, xIsOne, yIsOne].compactMap(isOther)
      return clauses.count == 3 ? clauses : nil
    }
  }

  /// The form is not 0: below or above.
  private func isOther(than form: LinearForm) -> [[Row]]? {
    guard let below = form.adding(1), let above = LinearForm(1).subtracting(form) else { return nil }
    return [[.nonpositive(below)], [.nonpositive(above)]]
  }

  /// The divisor has the sign given, and `sign × rest` lies between `least` and the divisor's magnitude less 1.
  private func remainder(_ rest: LinearForm, _ divisor: LinearForm, sign: Wide, least: Wide) -> [Row]? {
    guard let magnitude = divisor.multiplied(by: sign), let size = rest.multiplied(by: sign),
      let isSigned = LinearForm(1).subtracting(magnitude), let isLeast = LinearForm(least).subtracting(size),
      let isSmall = size.adding(1)?.subtracting(magnitude)
    else { return nil }
    return [.nonpositive(isSigned), .nonpositive(isLeast), .nonpositive(isSmall)]
  }

  // MARK: Expressions

  private mutating func difference(_ a: Dimension, _ b: Dimension) -> LinearForm? {
    guard let x = form(of: a), let y = form(of: b) else { return nil }
    return x.subtracting(y)
  }

  /// The expression over variables; `nil` if it is unknown or exceeds 128 bits.
  mutating func form(of dimension: Dimension) -> LinearForm? {
    guard let terms = dimension.terms else { return nil }
    var sum = LinearForm(0)
    for term in terms {
      var factor: LinearForm?
      for atom in term.factors {
        guard let variable = variable(of: atom) else { return nil }
        guard let known = factor else {
          factor = LinearForm(variable: variable)
          continue
        }
        guard let next = product(known, LinearForm(variable: variable)) else { return nil }
        factor = next
      }
      guard let next = sum.adding(factor ?? LinearForm(1), times: Wide(term.coefficient)) else { return nil }
      sum = next
    }
    return sum
  }

  private mutating func product(_ a: LinearForm, _ b: LinearForm) -> LinearForm? {
    if a.isConstant { return b.multiplied(by: a.constant) }
    if b.isConstant { return a.multiplied(by: b.constant) }
    let (x, y) = (variable(for: a), variable(for: b))
    let key = [min(x, y), max(x, y)]
    if let known = productVariables[key] { return LinearForm(variable: known) }
    let result = system.makeVariable()
    productVariables[key] = result
    system.add(IntegerSystem.Product(result: result, a: x, b: y))
    return LinearForm(variable: result)
  }

  /// A variable that equals the form.
  private mutating func variable(for form: LinearForm) -> Int {
    if let variable = form.variable { return variable }
    let variable = system.makeVariable()
    if let difference = form.subtracting(LinearForm(variable: variable)) { system.add(.zero(difference)) }
    return variable
  }

  private mutating func variable(of atom: Dimension.Atom) -> Int? {
    if case .symbol(let name) = atom { return variable(ofSymbol: name) }
    if let known = functions[atom] { return known }
    let variable: Int?
    switch atom {
    case .symbol: variable = nil
    case .floorDivide(let a, let b): variable = quotient(a, b)
    case .modulo(let a, let b):
      guard let q = self.variable(of: .floorDivide(a, b)), let form = form(of: a), let divisor = self.form(of: b),
        let multiple = product(LinearForm(variable: q), divisor), let rest = form.subtracting(multiple)
      else { return nil }
      variable = self.variable(for: rest)
      if let variable, let n = b.size {
        system.restrict(variable, to: n > 0 ? Interval(lower: 0, upper: Wide(n) - 1) : Interval(lower: Wide(n) + 1, upper: 0))
      }
    case .minimum(let a, let b): variable = extremum(a, b, sign: 1)
    case .maximum(let a, let b): variable = extremum(a, b, sign: -1)
    }
    functions[atom] = variable
    return variable
  }

  mutating func variable(ofSymbol name: String) -> Int {
    if let known = symbols[name] { return known }
    let variable = system.makeVariable(Interval(lower: 0, upper: Wide(Int.max)))
    symbols[name] = variable
    return variable
  }

  /// A variable that equals the expression; `nil` if that is unknown or exceeds 128 bits.
  mutating func variable(equalTo dimension: Dimension) -> Int? { form(of: dimension).map { variable(for: $0) } }

  private mutating func quotient(_ a: Dimension, _ b: Dimension) -> Int? {
    guard let form = form(of: a), let divisor = self.form(of: b) else { return nil }
    let quotient = system.makeVariable()
    guard let multiple = product(LinearForm(variable: quotient), divisor), let rest = form.subtracting(multiple),
      let positive = remainder(rest, divisor, sign: 1, least: 0), let negative = remainder(rest, divisor, sign: -1, least: 0)
    else { return nil }
    if divisor.isConstant {
      for row in divisor.constant > 0 ? positive : negative { system.add(row) }
    } else {
      system.add(clause: [positive, negative])
    }
    return quotient
  }

  /// The smaller of two forms, or with `sign` −1 the larger.
  private mutating func extremum(_ a: Dimension, _ b: Dimension, sign: Wide) -> Int? {
    guard let x = form(of: a), let y = form(of: b) else { return nil }
    let result = system.makeVariable()
    guard let belowX = LinearForm(variable: result).subtracting(x)?.multiplied(by: sign),
      let belowY = LinearForm(variable: result).subtracting(y)?.multiplied(by: sign),
      let isX = belowX.multiplied(by: -1), let isY = belowY.multiplied(by: -1)
    else { return nil }
    system.add(.nonpositive(belowX))
    system.add(.nonpositive(belowY))
    system.add(clause: [[.nonpositive(isX)], [.nonpositive(isY)]])
    return result
  }
}
