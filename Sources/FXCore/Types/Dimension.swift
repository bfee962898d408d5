/// One dimension of a shape: an integer expression over named symbols in canonical form, or unknown.
///
/// An expression is a polynomial with integer coefficients whose factors are symbols and the
/// opaque integer functions floor division, modulo, minimum and maximum. Canonical form makes equality of
/// values the equality of polynomials: `batch + batch == 2 * batch`.
public struct Dimension: Sendable, Hashable {
  /// A factor that is not a number.
  public indirect enum Atom: Sendable, Hashable {
    /// A size that is known by name only, such as `batch`.
    case symbol(String)
    /// ⌊first / second⌋, where division leaves a rest or may.
    case floorDivide(Dimension, Dimension)
    /// first − second · ⌊first / second⌋: the sign is the second's.
    case modulo(Dimension, Dimension)
    /// The less of two sizes whose order is not known.
    case minimum(Dimension, Dimension)
    /// The greater of two sizes whose order is not known.
    case maximum(Dimension, Dimension)
  }

  /// `coefficient × factors`; the factors are sorted.
  public struct Term: Sendable, Hashable {
    /// The number before the factors; never 0.
    public let coefficient: Int
    /// What is multiplied, powers as repeated factors; empty for the constant term.
    public let factors: [Atom]
  }

  private enum Form: Hashable, Sendable {
    case unknown
    case constant(Int)
    /// Sorted by factors, no coefficient is zero, at least one term has factors.
    case sum([Term])
  }
  private let form: Form

  private init(form: Form) { self.form = form }

  /// A dimension of which nothing is known. Two unknown dimensions are equal as values, not as sizes.
  public static let unknown = Dimension(form: .unknown)

  /// A fixed size.
  public init(_ size: Int) { form = .constant(size) }

  /// The size named `name`.
  public init(symbol name: String) { self.init(atom: .symbol(name)) }

  init(atom: Atom) { form = .sum([Term(coefficient: 1, factors: [atom])]) }

  /// Whether nothing is known of it. An expression of symbols is not unknown.
  public var isUnknown: Bool { form == .unknown }

  /// The size, if it does not depend on any symbol.
  @inlinable public var size: Int? { constantSize }
  @usableFromInline var constantSize: Int? {
    if case .constant(let size) = form { size } else { nil }
  }

  /// The symbol's name, if the dimension is exactly one symbol.
  public var symbol: String? {
    guard case .sum(let terms) = form, terms.count == 1, terms[0].coefficient == 1, terms[0].factors.count == 1,
      case .symbol(let name) = terms[0].factors[0]
    else { return nil }
    return name
  }

  /// The polynomial's terms; empty for zero; `nil` if unknown.
  public var terms: [Term]? {
    switch form {
    case .unknown: nil
    case .constant(0): []
    case .constant(let value): [Term(coefficient: value, factors: [])]
    case .sum(let terms): terms
    }
  }

  /// The names of all symbols in the expression.
  public var symbols: Set<String> {
    var names: Set<String> = []
    for term in terms ?? [] {
      for factor in term.factors {
        switch factor {
        case .symbol(let name): names.insert(name)
        case .floorDivide(let a, let b), .modulo(let a, let b), .minimum(let a, let b), .maximum(let a, let b):
          names.formUnion(a.symbols)
          names.formUnion(b.symbols)
        }
      }
    }
    return names
  }

  /// The size for the given values of the symbols; `nil` if one is missing, a divisor is zero, or the result exceeds `Int`.
  public func evaluate(_ values: [String: Int]) -> Int? {
    if let size { return size }
    guard let terms else { return nil }
    var sum = 0
    for term in terms {
      var product = term.coefficient
      for factor in term.factors {
        guard let value = factor.evaluate(values) else { return nil }
        let (p, overflow) = product.multipliedReportingOverflow(by: value)
        if overflow { return nil }
        product = p
      }
      let (s, overflow) = sum.addingReportingOverflow(product)
      if overflow { return nil }
      sum = s
    }
    return sum
  }

  /// The expression with symbols replaced; symbols that are not in `bindings` stay.
  public func substituting(_ bindings: [String: Dimension]) -> Dimension {
    guard let terms, size == nil else { return self }
    return terms.reduce(Dimension(0)) { sum, term in
      sum + term.factors.reduce(Dimension(term.coefficient)) { $0 * $1.substituting(bindings) }
    }
  }

  fileprivate init(terms: [Term]) {
    if terms.isEmpty {
      form = .constant(0)
    } else if terms.count == 1, terms[0].factors.isEmpty {
      form = .constant(terms[0].coefficient)
    } else {
      form = .sum(terms)
    }
  }
}

extension Dimension.Atom {
  fileprivate func evaluate(_ values: [String: Int]) -> Int? {
    switch self {
    case .symbol(let name): return values[name]
    case .floorDivide(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      return floorQuotient(x, y)
    case .modulo(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      return floorRemainder(x, y)
    case .minimum(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      return min(x, y)
    case .maximum(let a, let b):
      guard let x = a.evaluate(values), let y = b.evaluate(values) else { return nil }
      return max(x, y)
    }
  }

  fileprivate var weight: Int {
    switch self {
    case .symbol: 1
    case .floorDivide(let a, let b), .modulo(let a, let b), .minimum(let a, let b), .maximum(let a, let b): a.weight + b.weight
    }
  }

  fileprivate func substituting(_ bindings: [String: Dimension]) -> Dimension {
    switch self {
    case .symbol(let name): bindings[name] ?? Dimension(atom: self)
    case .floorDivide(let a, let b): a.substituting(bindings) / b.substituting(bindings)
    case .modulo(let a, let b): a.substituting(bindings) % b.substituting(bindings)
    case .minimum(let a, let b): .minimum(a.substituting(bindings), b.substituting(bindings))
    case .maximum(let a, let b): .maximum(a.substituting(bindings), b.substituting(bindings))
    }
  }
}

/// ⌊x / y⌋, `nil` for a zero divisor or overflow.
private func floorQuotient(_ x: Int, _ y: Int) -> Int? {
  guard y != 0, !(x == .min && y == -1) else { return nil }
  return x / y - (x % y != 0 && (x < 0) != (y < 0) ? 1 : 0)
}

/// x − y⌊x / y⌋, `nil` for a zero divisor.
private func floorRemainder(_ x: Int, _ y: Int) -> Int? {
  guard y != 0 else { return nil }
  if y == -1 { return 0 }
  let remainder = x % y
  return remainder != 0 && (remainder < 0) != (y < 0) ? remainder + y : remainder
}

// MARK: - Arithmetic

/// Results that exceed `Int` are unknown dimensions, never wrapped ones.
extension Dimension {
  /// The sum; unknown if one of the two is, or if the result is too large for an `Int` or too long to be of use.
  public static func + (a: Dimension, b: Dimension) -> Dimension {
    if let m = a.size, let n = b.size { return Dimension(m.addingReportingOverflow(n)) }
    guard let x = a.terms, let y = b.terms else { return .unknown }
    if y.isEmpty { return a }
    if x.isEmpty { return b }
    return sum(x + y)
  }

  /// The difference; unknown as with `+`. Like terms cancel: `(a + b) - b == a`.
  public static func - (a: Dimension, b: Dimension) -> Dimension { a + b * Dimension(-1) }

  /// The product, multiplied out; unknown as with `+`, also for 0 times unknown.
  public static func * (a: Dimension, b: Dimension) -> Dimension {
    if a.size == 1 { return b }
    if b.size == 1 { return a }
    if let m = a.size, let n = b.size { return Dimension(m.multipliedReportingOverflow(by: n)) }
    guard let x = a.terms, let y = b.terms else { return .unknown }
    guard x.count * y.count <= 256, a.weight * y.count + b.weight * x.count <= weightLimit else { return .unknown }
    var products: [Term] = []
    for p in x {
      for q in y {
        let (coefficient, overflow) = p.coefficient.multipliedReportingOverflow(by: q.coefficient)
        if overflow { return .unknown }
        products.append(Term(coefficient: coefficient, factors: (p.factors + q.factors).sorted(by: Atom.isOrdered)))
      }
    }
    return sum(products)
  }

  private init(_ number: (partialValue: Int, overflow: Bool)) {
    form = number.overflow ? .unknown : .constant(number.partialValue)
  }

  /// Floor division. Exact polynomial division by a number or a single term is carried out; the rest stays a factor.
  public static func / (a: Dimension, b: Dimension) -> Dimension {
    guard let x = a.terms, let y = b.terms, b.size != 0 else { return .unknown }
    if b.size == 1 { return a }
    if let m = a.size, let n = b.size { return floorQuotient(m, n).map(Dimension.init(_:)) ?? .unknown }
    if a == b { return Dimension(1) }
    if x.isEmpty { return Dimension(0) }
    if y.count == 1, let quotient = divideExactly(x, by: y[0]) { return quotient }
    return function(.floorDivide(a, b), a, b)
  }

  /// Floor modulo: the sign is the divisor's.
  public static func % (a: Dimension, b: Dimension) -> Dimension {
    guard let x = a.terms, let y = b.terms, b.size != 0 else { return .unknown }
    if b.size == 1 || a == b || x.isEmpty { return Dimension(0) }
    if let m = a.size, let n = b.size { return floorRemainder(m, n).map(Dimension.init(_:)) ?? .unknown }
    if y.count == 1, divideExactly(x, by: y[0]) != nil { return Dimension(0) }
    return function(.modulo(a, b), a, b)
  }

  /// The less of two: one of them where their difference is a number, else an expression; unknown if one is.
  public static func minimum(_ a: Dimension, _ b: Dimension) -> Dimension {
    choose(a, b, min) { .minimum($0, $1) }
  }

  /// The greater of two: one of them where their difference is a number, else an expression; unknown if one is.
  public static func maximum(_ a: Dimension, _ b: Dimension) -> Dimension {
    choose(a, b, max) { .maximum($0, $1) }
  }

  private static func choose(
    _ a: Dimension, _ b: Dimension, _ number: (Int, Int) -> Int, _ atom: (Dimension, Dimension) -> Atom
  ) -> Dimension {
    if a.isUnknown || b.isUnknown { return .unknown }
    if a == b { return a }
    if let d = (a - b).size { return number(d, 0) == d ? a : b }
    // Only one of the two differences may fit.
    if let d = (b - a).size { return number(d, 0) == d ? b : a }
    return function(a.description < b.description ? atom(a, b) : atom(b, a), a, b)
  }

  private static func function(_ atom: Atom, _ a: Dimension, _ b: Dimension) -> Dimension {
    a.weight + b.weight < weightLimit ? Dimension(atom: atom) : .unknown
  }

  /// An expression of more parts comes from no real shape and would make analysis slow: programs that compute sizes from
  /// sizes can double an expression with each node.
  private static let weightLimit = 256

  /// The number of terms, symbols and functions in the expression, those inside functions included.
  fileprivate var weight: Int {
    guard case .sum(let terms) = form else { return 1 }
    return terms.reduce(terms.count) { sum, term in term.factors.reduce(sum) { $0 + $1.weight } }
  }

  private static func divideExactly(_ terms: [Term], by divisor: Term) -> Dimension? {
    var quotients: [Term] = []
    for term in terms {
      guard divisor.coefficient != 0, !(term.coefficient == .min && divisor.coefficient == -1),
        term.coefficient % divisor.coefficient == 0
      else { return nil }
      var rest = term.factors
      for factor in divisor.factors {
        guard let at = rest.firstIndex(of: factor) else { return nil }
        rest.remove(at: at)
      }
      quotients.append(Term(coefficient: term.coefficient / divisor.coefficient, factors: rest))
    }
    return sum(quotients)
  }

  /// The sum of all of them. O(n log n).
  static func sum(_ dimensions: [Dimension]) -> Dimension {
    var all: [Term] = []
    for dimension in dimensions {
      guard let terms = dimension.terms else { return .unknown }
      all += terms
    }
    return sum(all)
  }

  /// `coefficient` times all of `atoms`.
  init(coefficient: Int, atoms: [Atom]) {
    self = Dimension.sum([Term(coefficient: coefficient, factors: atoms.sorted(by: Atom.isOrdered))])
  }

  /// The factor that the expression consists of, if it is a single one.
  var atom: Atom? {
    guard case .sum(let terms) = form, terms.count == 1, terms[0].coefficient == 1, terms[0].factors.count == 1 else {
      return nil
    }
    return terms[0].factors[0]
  }

  /// Collects like terms and sorts.
  private static func sum(_ terms: [Term]) -> Dimension {
    var coefficients: [[Atom]: Int] = [:]
    for term in terms {
      let (value, overflow) = coefficients[term.factors, default: 0].addingReportingOverflow(term.coefficient)
      if overflow { return .unknown }
      coefficients[term.factors] = value
    }
    let kept = coefficients.compactMap { $0.value == 0 ? nil : Term(coefficient: $0.value, factors: $0.key) }
    if kept.count <= 1 { return Dimension(terms: kept) }
    guard kept.reduce(0, { $1.factors.reduce($0 + 1) { $0 + $1.weight } }) <= weightLimit else { return .unknown }
    let keyed = kept.map { (key: $0.factors.map(\.description).joined(separator: "*"), term: $0) }
    // Numbers last, so that `2*s + 1` reads as people write it.
    return Dimension(terms: keyed.sorted { ($0.key.isEmpty ? 1 : 0, $0.key) < ($1.key.isEmpty ? 1 : 0, $1.key) }.map(\.term))
  }
}

extension Dimension.Atom {
  fileprivate static func isOrdered(_ a: Dimension.Atom, _ b: Dimension.Atom) -> Bool { a.description < b.description }
}

// MARK: - Text

extension Dimension.Atom: CustomStringConvertible {
  public var description: String {
    switch self {
    case .symbol(let name): name.isDimensionName ? name : name.quoted
    case .floorDivide(let a, let b): "floordiv(\(a), \(b))"
    case .modulo(let a, let b): "mod(\(a), \(b))"
    case .minimum(let a, let b): "min(\(a), \(b))"
    case .maximum(let a, let b): "max(\(a), \(b))"
    }
  }
}

extension Dimension: CustomStringConvertible {
  /// `?`, `768`, `batch`, `2*s + 1`, `floordiv(s, 8)`: what the text format reads.
  public var description: String {
    switch form {
    case .unknown: return "?"
    case .constant(let size): return String(size)
    case .sum(let terms):
      var text = ""
      for (index, term) in terms.enumerated() {
        if index > 0 { text += term.coefficient < 0 ? " - " : " + " } else if term.coefficient < 0 { text += "-" }
        let magnitude = term.coefficient.magnitude
        let factors = term.factors.map(\.description).joined(separator: "*")
        text += factors.isEmpty ? String(magnitude) : magnitude == 1 ? factors : "\(magnitude)*\(factors)"
      }
      return text
    }
  }
}

extension Dimension: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public init(integerLiteral size: Int) { self.init(size) }
  /// A symbol; `"?"` is unknown.
  public init(stringLiteral name: String) { self = name == "?" ? .unknown : Dimension(symbol: name) }
}
