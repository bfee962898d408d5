import FXCore
import FXShapes
import FXTestSupport

/// An expression as it is written, before `Dimension` brings it into canonical form.
indirect enum Expression {
  case number(Int)
  case symbol(String)
  case add(Expression, Expression)
  case subtract(Expression, Expression)
  case multiply(Expression, Expression)
  case divide(Expression, Expression)
  case modulo(Expression, Expression)
  case minimum(Expression, Expression)
  case maximum(Expression, Expression)

  var dimension: Dimension {
    switch self {
    case .number(let value): Dimension(value)
    case .symbol(let name): Dimension(symbol: name)
    case .add(let a, let b): a.dimension + b.dimension
    case .subtract(let a, let b): a.dimension - b.dimension
    case .multiply(let a, let b): a.dimension * b.dimension
    case .divide(let a, let b): a.dimension / b.dimension
    case .modulo(let a, let b): a.dimension % b.dimension
    case .minimum(let a, let b): .minimum(a.dimension, b.dimension)
    case .maximum(let a, let b): .maximum(a.dimension, b.dimension)
    }
  }

  /// SMT-LIB, whose `div` and `mod` are the floor's for positive divisors.
  var smt: String {
    switch self {
    case .number(let value): value < 0 ? "(- \(value.magnitude))" : "\(value)"
    case .symbol(let name): name
    case .add(let a, let b): "(+ \(a.smt) \(b.smt))"
    case .subtract(let a, let b): "(- \(a.smt) \(b.smt))"
    case .multiply(let a, let b): "(* \(a.smt) \(b.smt))"
    case .divide(let a, let b): "(div \(a.smt) \(b.smt))"
    case .modulo(let a, let b): "(mod \(a.smt) \(b.smt))"
    case .minimum(let a, let b): "(ite (<= \(a.smt) \(b.smt)) \(a.smt) \(b.smt))"
    case .maximum(let a, let b): "(ite (>= \(a.smt) \(b.smt)) \(a.smt) \(b.smt))"
    }
  }
}

/// A constraint and what it is in SMT-LIB.
struct RandomConstraint {
  let constraint: ShapeConstraint
  let smt: String
}

/// Draws systems of constraints such as shapes give: few symbols, mostly linear, some products, quotients and minima.
struct RandomConstraints {
  var random: RandomSource
  private(set) var symbols: [String] = []

  init(seed: UInt64) { random = RandomSource(seed: seed) }

  mutating func system() -> [RandomConstraint] {
    symbols = (0..<2 + random.below(4)).map { "s\($0)" }
    var result: [RandomConstraint] = []
    for name in symbols where !random.oneIn(4) {
      let least = random.oneIn(3) ? 0 : 1 + random.below(20)
      let most = random.oneIn(3) ? nil : least + random.below(random.pick([4, 30, 1000, 1 << 20]))
      result.append(range(.symbol(name), least, most))
    }
    // Left to chance most systems would contradict themselves: half of them keep only what some sizes satisfy.
    let isPlanted = random.oneIn(2)
    let sizes = Dictionary(uniqueKeysWithValues: symbols.map { ($0, random.below(random.pick([3, 30, 1000]))) })
    if isPlanted { result = result.filter { $0.constraint.holds(for: sizes) == true } }
    for _ in 0..<(isPlanted ? 12 : 1 + random.below(4)) {
      let next = constraint()
      if !isPlanted || next.constraint.holds(for: sizes) == true { result.append(next) }
    }
    return result
  }

  mutating func constraint() -> RandomConstraint {
    let (a, b) = (expression(), expression())
    let (x, y) = (a.dimension, b.dimension)
    switch random.below(10) {
    case 0...2: return RandomConstraint(constraint: .equal(x, y), smt: "(= \(a.smt) \(b.smt))")
    case 3: return RandomConstraint(constraint: .less(x, y), smt: "(< \(a.smt) \(b.smt))")
    case 4, 5: return RandomConstraint(constraint: .lessOrEqual(x, y), smt: "(<= \(a.smt) \(b.smt))")
    case 6: return RandomConstraint(constraint: .greaterOrEqual(x, y), smt: "(>= \(a.smt) \(b.smt))")
    case 7:
      let divisor = random.pick([2, 3, 4, 7, 8, 16, 64])
      return RandomConstraint(constraint: .divisible(x, by: Dimension(divisor)), smt: "(= (mod \(a.smt) \(divisor)) 0)")
    case 8: return range(a, random.below(10), 10 + random.below(100))
    default:
      return RandomConstraint(
        constraint: .broadcastable(x, y), smt: "(or (= \(a.smt) \(b.smt)) (= \(a.smt) 1) (= \(b.smt) 1))")
    }
  }

  private func range(_ a: Expression, _ least: Int, _ most: Int?) -> RandomConstraint {
    RandomConstraint(
      constraint: .range(a.dimension, min: least, max: most),
      smt: "(and (>= \(a.smt) \(least))" + (most.map { " (<= \(a.smt) \($0))" } ?? "") + ")")
  }

  private mutating func expression(depth: Int = 0) -> Expression {
    let symbol = Expression.symbol(random.pick(symbols))
    switch random.below(depth < 2 ? 16 : 5) {
    case 0...2: return symbol
    case 3: return .number(random.pick([0, 1, 2, 3, 7, 8, 12, 64, 100, 768]))
    case 4: return .multiply(.number(2 + random.below(7)), symbol)
    case 5...8: return .add(expression(depth: depth + 1), expression(depth: depth + 1))
    case 9, 10: return .subtract(expression(depth: depth + 1), expression(depth: depth + 1))
    case 11: return .multiply(symbol, .symbol(random.pick(symbols)))
    case 12: return .divide(expression(depth: depth + 1), .number(random.pick([2, 3, 4, 8])))
    case 13: return .modulo(expression(depth: depth + 1), .number(random.pick([2, 3, 5, 8])))
    case 14: return .minimum(expression(depth: depth + 1), expression(depth: depth + 1))
    default: return .maximum(expression(depth: depth + 1), expression(depth: depth + 1))
    }
  }
}
