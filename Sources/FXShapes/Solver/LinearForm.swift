/// Integers of the solver: sizes are 64 bits wide, so that sums and products of two of them are exact here.
typealias Wide = Int128

/// `constant + Σ coefficient × variable` with exact integers. Variables are numbers that the solver gives out.
struct LinearForm: Hashable, Sendable {
  struct Term: Hashable, Sendable {
    let variable: Int
    let coefficient: Wide
  }

  var constant: Wide
  /// Sorted by variable; no coefficient is zero.
  private(set) var terms: [Term]

  init(_ constant: Wide) {
    self.constant = constant
    terms = []
  }

  init(variable: Int, coefficient: Wide = 1) {
    constant = 0
    terms = coefficient == 0 ? [] : [Term(variable: variable, coefficient: coefficient)]
  }

  private init(constant: Wide, terms: [Term]) {
    self.constant = constant
    self.terms = terms
  }

  var isConstant: Bool { terms.isEmpty }

  /// The variable, if the form is nothing else.
  var variable: Int? { constant == 0 && terms.count == 1 && terms[0].coefficient == 1 ? terms[0].variable : nil }

  func coefficient(of variable: Int) -> Wide {
    for term in terms where term.variable >= variable { return term.variable == variable ? term.coefficient : 0 }
    return 0
  }

  /// `self + factor × other`; `nil` beyond 128 bits. O(terms).
  func adding(_ other: LinearForm, times factor: Wide = 1) -> LinearForm? {
    guard let sum = constant.adding(other.constant, times: factor) else { return nil }
    var merged: [Term] = []
    merged.reserveCapacity(terms.count + other.terms.count)
    var (i, j) = (0, 0)
    while i < terms.count || j < other.terms.count {
      if j == other.terms.count || (i < terms.count && terms[i].variable < other.terms[j].variable) {
        merged.append(terms[i])
        i += 1
        continue
      }
      var coefficient: Wide = 0
      let variable = other.terms[j].variable
      if i < terms.count, terms[i].variable == variable {
        coefficient = terms[i].coefficient
        i += 1
      }
      guard let total = coefficient.adding(other.terms[j].coefficient, times: factor) else { return nil }
      if total != 0 { merged.append(Term(variable: variable, coefficient: total)) }
      j += 1
    }
    return LinearForm(constant: sum, terms: merged)
  }

  func adding(_ number: Wide) -> LinearForm? { adding(LinearForm(number)) }
  func subtracting(_ other: LinearForm) -> LinearForm? { adding(other, times: -1) }
  func multiplied(by factor: Wide) -> LinearForm? { LinearForm(0).adding(self, times: factor) }

  /// The form with a form in place of a variable; `nil` beyond 128 bits.
  func substituting(_ variable: Int, by replacement: LinearForm) -> LinearForm? {
    let factor = coefficient(of: variable)
    guard factor != 0 else { return self }
    return LinearForm(constant: constant, terms: terms.filter { $0.variable != variable }).adding(replacement, times: factor)
  }

  /// The greatest common divisor of the coefficients; 0 for a constant.
  var divisor: Wide { terms.reduce(0) { Wide.greatestCommonDivisor($0, $1.coefficient) } }

  /// All coefficients divided by `divisor`, which divides them; the constant becomes `constant`.
  func divided(by divisor: Wide, constant: Wide) -> LinearForm {
    LinearForm(
      constant: constant,
      terms: divisor == 1
        ? terms : terms.map { Term(variable: $0.variable, coefficient: $0.coefficient / divisor) })
  }

  /// For `self ≤ 0`: the strongest form that has the same integer solutions, by division and rounding.
  var tightened: LinearForm {
    let divisor = divisor
    guard divisor > 1 else { return self }
    return divided(by: divisor, constant: constant.dividedRoundingUp(by: divisor))
  }
}

extension Wide {
  /// `self + other × factor`, `nil` on overflow.
  func adding(_ other: Wide, times factor: Wide) -> Wide? {
    let (product, isProductTooBig) = other.multipliedReportingOverflow(by: factor)
    let (sum, isSumTooBig) = addingReportingOverflow(product)
    // The smallest number has no negative; keeping it out lets the rest negate freely.
    return isProductTooBig || isSumTooBig || sum == .min ? nil : sum
  }

  /// ⌊self ÷ divisor⌋ for a divisor other than 0.
  func dividedRoundingDown(by divisor: Wide) -> Wide {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder != 0 && (remainder < 0) != (divisor < 0) ? quotient - 1 : quotient
  }

  /// ⌈self ÷ divisor⌉ for a divisor other than 0.
  func dividedRoundingUp(by divisor: Wide) -> Wide {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder != 0 && (remainder < 0) == (divisor < 0) ? quotient + 1 : quotient
  }

  /// The remainder that has the divisor's sign, for a divisor other than 0.
  func remainder(modulo divisor: Wide) -> Wide {
    let remainder = self % divisor
    return remainder != 0 && (remainder < 0) != (divisor < 0) ? remainder + divisor : remainder
  }

  static func greatestCommonDivisor(_ a: Wide, _ b: Wide) -> Wide {
    var (x, y) = (abs(a), abs(b))
    while y != 0 { (x, y) = (y, x % y) }
    return x
  }
}

/// The integers between two bounds, either of which may be missing.
struct Interval: Hashable, Sendable {
  var lower: Wide
  var upper: Wide

  /// Stands for a missing bound. Bounds that would lie beyond are left out, which widens the interval and is sound.
  static let infinity: Wide = 1 << 100
  static let all = Interval(lower: -infinity, upper: infinity)

  var isEmpty: Bool { lower > upper }
  /// The only integer, if there is just one.
  var single: Wide? { lower == upper && abs(lower) < Interval.infinity ? lower : nil }
  var hasLower: Bool { lower > -Interval.infinity }
  var hasUpper: Bool { upper < Interval.infinity }
  /// The number of integers, at most `infinity`.
  var width: Wide { hasLower && hasUpper ? upper - lower + 1 : Interval.infinity }

  func intersection(_ other: Interval) -> Interval {
    Interval(lower: max(lower, other.lower), upper: min(upper, other.upper))
  }

  /// The interval times a number other than 0.
  func multiplied(by factor: Wide) -> Interval {
    let (a, b) = (Interval.product(lower, factor), Interval.product(upper, factor))
    return factor > 0 ? Interval(lower: a, upper: b) : Interval(lower: b, upper: a)
  }

  func adding(_ other: Interval) -> Interval {
    Interval(
      lower: hasLower && other.hasLower ? Interval.clamped(lower + other.lower) : -Interval.infinity,
      upper: hasUpper && other.hasUpper ? Interval.clamped(upper + other.upper) : Interval.infinity)
  }

  func multiplied(by other: Interval) -> Interval {
    let corners = [
      Interval.product(lower, other.lower), Interval.product(lower, other.upper), Interval.product(upper, other.lower),
      Interval.product(upper, other.upper),
    ]
    return Interval(lower: corners.min() ?? -Interval.infinity, upper: corners.max() ?? Interval.infinity)
  }

  /// What `x` may be where `x × other` lies in this interval; `all` if `other` may be 0 or is empty.
  func divided(by other: Interval) -> Interval {
    guard other.lower > 0 || other.upper < 0, !other.isEmpty else { return .all }
    // Both bounds of the divisor have one sign, so the extremes lie at the corners, rounded inwards.
    let divisors = [other.lower, other.upper]
    func bound(_ number: Wide, _ round: (Wide, Wide) -> Wide, _ choose: (Wide, Wide) -> Wide) -> Wide {
      let quotients = divisors.map { divisor in
        abs(divisor) == Interval.infinity ? 0 : Interval.clamped(round(number, divisor))
      }
      return choose(quotients[0], quotients[1])
    }
    let isPositive = other.lower > 0
    let (low, high) = isPositive ? (lower, upper) : (upper, lower)
    let isLowKnown = isPositive ? hasLower : hasUpper
    let isHighKnown = isPositive ? hasUpper : hasLower
    return Interval(
      lower: isLowKnown ? bound(low, { $0.dividedRoundingUp(by: $1) }, min) : -Interval.infinity,
      upper: isHighKnown ? bound(high, { $0.dividedRoundingDown(by: $1) }, max) : Interval.infinity)
  }

  static func clamped(_ number: Wide) -> Wide { min(max(number, -infinity), infinity) }

  private static func product(_ a: Wide, _ b: Wide) -> Wide {
    if a == 0 || b == 0 { return 0 }
    let (product, overflow) = a.multipliedReportingOverflow(by: b)
    if overflow || abs(a) == infinity || abs(b) == infinity { return (a < 0) == (b < 0) ? infinity : -infinity }
    return clamped(product)
  }
}
