import FXCore

/// A fact about sizes: what shapes must keep for a graph to make sense.
///
/// Sides are expressions: `.equal("batch", "batch2")`, `.lessOrEqual("batch", 2 * seq)`, `.divisible("seq_len", by: 8)`.
/// A string is a symbol. A division takes its divisor to be other than 0.
public enum ShapeConstraint: Sendable, Hashable {
  /// Both are one size.
  case equal(Dimension, Dimension)
  /// The first is an integer times the second.
  case divisible(Dimension, by: Dimension)
  /// The first is below the second.
  case less(Dimension, Dimension)
  /// The first is at most the second.
  case lessOrEqual(Dimension, Dimension)
  /// The first is at least the second.
  case greaterOrEqual(Dimension, Dimension)
  /// The bounds are allowed themselves; `nil` is no bound.
  case range(Dimension, min: Int?, max: Int?)
  /// The two are equal, or one of them is 1.
  case broadcastable(Dimension, Dimension)
}

extension ShapeConstraint {
  /// Whether the sizes keep the constraint; `nil` if a symbol has no size, a divisor is 0, or a number exceeds `Int`.
  public func holds(for sizes: [String: Int]) -> Bool? {
    func both(_ a: Dimension, _ b: Dimension, _ holds: (Int, Int) -> Bool) -> Bool? {
      guard let x = a.evaluate(sizes), let y = b.evaluate(sizes) else { return nil }
      return holds(x, y)
    }
    switch self {
    case .equal(let a, let b): return both(a, b, ==)
    // The magnitudes, since the smallest integer divided by −1 exceeds `Int`.
    case .divisible(let a, let b): return both(a, b) { $1 == 0 ? $0 == 0 : $0.magnitude % $1.magnitude == 0 }
    case .less(let a, let b): return both(a, b, <)
    case .lessOrEqual(let a, let b): return both(a, b, <=)
    case .greaterOrEqual(let a, let b): return both(a, b, >=)
    case .range(let a, let minimum, let maximum):
      return a.evaluate(sizes).map { $0 >= minimum ?? .min && $0 <= maximum ?? .max }
    case .broadcastable(let a, let b): return both(a, b) { $0 == $1 || $0 == 1 || $1 == 1 }
    }
  }

  /// The expressions that the constraint relates.
  public var dimensions: [Dimension] {
    switch self {
    case .equal(let a, let b), .divisible(let a, let b), .less(let a, let b), .lessOrEqual(let a, let b),
      .greaterOrEqual(let a, let b), .broadcastable(let a, let b):
      [a, b]
    case .range(let a, _, _): [a]
    }
  }

  /// The names of all symbols.
  public var symbols: Set<String> { dimensions.reduce(into: []) { $0.formUnion($1.symbols) } }

  /// The constraint on other expressions.
  func mapDimensions(_ map: (Dimension) -> Dimension) -> ShapeConstraint {
    switch self {
    case .equal(let a, let b): .equal(map(a), map(b))
    case .divisible(let a, let b): .divisible(map(a), by: map(b))
    case .less(let a, let b): .less(map(a), map(b))
    case .lessOrEqual(let a, let b): .lessOrEqual(map(a), map(b))
    case .greaterOrEqual(let a, let b): .greaterOrEqual(map(a), map(b))
    case .range(let a, let minimum, let maximum): .range(map(a), min: minimum, max: maximum)
    case .broadcastable(let a, let b): .broadcastable(map(a), map(b))
    }
  }
}

extension ShapeConstraint {
  /// What the constraint leaves of one symbol where the others have sizes: one set for each way in which it can hold.
  package func sizes(of symbol: String, given sizes: [String: Int], bounds: SymbolBounds) -> [SizeSet] {
    let fixed = mapDimensions { $0.substituting(sizes.mapValues { Dimension($0) }) }
    let ways: [ShapeConstraint] =
      if case .broadcastable(let a, let b) = fixed { [.equal(a, b), .equal(a, 1), .equal(b, 1)] } else { [fixed] }
    var result: [SizeSet] = []
    for way in ways {
      let context = DynamicShapeInferenceContext(bounds.constraints(on: symbol) + [way])
      guard let set = context.validateConstraints().ranges[symbol], !result.contains(set) else { continue }
      result.append(set)
    }
    return result
  }
}

extension ShapeConstraint: CustomStringConvertible {
  /// `batch == batch2`, `seq_len multiple_of 8`, `batch in 1...4`, `a broadcasts_with b`
  public var description: String {
    switch self {
    case .equal(let a, let b): "\(a) == \(b)"
    case .divisible(let a, let b): "\(a) multiple_of \(b)"
    case .less(let a, let b): "\(a) < \(b)"
    case .lessOrEqual(let a, let b): "\(a) <= \(b)"
    case .greaterOrEqual(let a, let b): "\(a) >= \(b)"
    case .range(let a, let minimum, let maximum):
      "\(a) in \(minimum.map(String.init) ?? "")...\(maximum.map(String.init) ?? "")"
    case .broadcastable(let a, let b): "\(a) broadcasts_with \(b)"
    }
  }
}

// MARK: - In graphs

extension ShapeConstraint {
  /// A graph's constraint.
  public init(_ constraint: DimensionConstraint) {
    let (a, b) = (constraint.left, constraint.right)
    switch constraint.relation {
    case .equal: self = .equal(a, b)
    case .lessOrEqual: self = .lessOrEqual(a, b)
    case .multiple: self = .divisible(a, by: b)
    case .broadcastable: self = .broadcastable(a, b)
    }
  }

  /// The constraint as a graph keeps it: one or two facts, none for a range without bounds.
  public var dimensionConstraints: [DimensionConstraint] {
    switch self {
    case .equal(let a, let b): [DimensionConstraint(a, .equal, b)]
    case .divisible(let a, let b): [DimensionConstraint(a, .multiple, b)]
    // The side that cannot overflow takes the 1.
    case .less(let a, let b): [DimensionConstraint((a + 1).isUnknown ? a : a + 1, .lessOrEqual, (a + 1).isUnknown ? b - 1 : b)]
    case .lessOrEqual(let a, let b): [DimensionConstraint(a, .lessOrEqual, b)]
    case .greaterOrEqual(let a, let b): [DimensionConstraint(b, .lessOrEqual, a)]
    case .range(let a, let minimum, let maximum):
      [
        minimum.map { DimensionConstraint(Dimension($0), .lessOrEqual, a) },
        maximum.map { DimensionConstraint(a, .lessOrEqual, Dimension($0)) },
      ].compactMap { $0 }
    case .broadcastable(let a, let b): [DimensionConstraint(a, .broadcastable, b)]
    }
  }
}
