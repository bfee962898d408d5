import FXCore

/// A dimension with a name and bounds, or an expression over such dimensions.
///
/// ```swift
/// let seq = try DynamicDim("seq", min: 1, max: 512)
/// let padded = 2 * seq + 1
/// ```
///
/// Equal bounds make it static: it then is that size, and its name is a label.
public struct DynamicDim: Sendable, Hashable {
  /// The name given; of an expression, its text.
  public let name: String
  /// What stands in shapes: a symbol, a size, or an expression.
  public let dimension: Dimension
  /// The bounds of the symbols in `dimension`.
  public let symbols: [String: SymbolBounds]

  /// A dimension whose sizes are those from `min` to `max`; `nil` is no bound.
  /// - Throws: `ShapeConstraintError.badRange` for a negative least size, or one above the greatest.
  public init(_ name: String, min: Int? = nil, max: Int? = nil) throws(ShapeConstraintError) {
    let least = min ?? 0
    guard least >= 0, least <= max ?? .max else { throw .badRange(name, min: least, max: max) }
    self.name = name
    if let max, least == max {
      dimension = Dimension(max)
      symbols = [:]
    } else {
      dimension = Dimension(symbol: name)
      symbols = [name: SymbolBounds(minimum: least, maximum: max)]
    }
  }

  /// A fixed size.
  public init(_ size: Int) {
    name = String(size)
    dimension = Dimension(size)
    symbols = [:]
  }

  private init(_ dimension: Dimension, _ parts: DynamicDim...) {
    name = dimension.description
    self.dimension = dimension
    var symbols: [String: SymbolBounds] = [:]
    for part in parts { symbols.merge(part.symbols) { $0.intersection($1) } }
    self.symbols = symbols.filter { dimension.symbols.contains($0.key) }
  }

  /// Whether there is only one size.
  public var isStatic: Bool { dimension.size != nil }
  /// The sizes that the bounds allow.
  public var sizes: SizeSet { DynamicShapeInferenceContext(symbols).sizes(of: dimension) }
  /// The least of `sizes`, which are solved for at each access; that of a difference may be negative.
  public var min: Int { sizes.minimum }
  /// The greatest of `sizes`, which are solved for at each access; `nil` if no upper bound is known.
  public var max: Int? { sizes.maximum }
}

extension DynamicDim {
  /// The sum. A symbol that both name keeps the bounds of both.
  public static func + (a: DynamicDim, b: DynamicDim) -> DynamicDim { DynamicDim(a.dimension + b.dimension, a, b) }
  /// The difference, which may be negative. A symbol that goes out takes its bounds with it.
  public static func - (a: DynamicDim, b: DynamicDim) -> DynamicDim { DynamicDim(a.dimension - b.dimension, a, b) }
  /// The product, multiplied out.
  public static func * (a: DynamicDim, b: DynamicDim) -> DynamicDim { DynamicDim(a.dimension * b.dimension, a, b) }
  /// Floor division; unknown for the divisor 0.
  public static func / (a: DynamicDim, b: DynamicDim) -> DynamicDim { DynamicDim(a.dimension / b.dimension, a, b) }
  /// The remainder of floor division; unknown for the divisor 0.
  public static func % (a: DynamicDim, b: DynamicDim) -> DynamicDim { DynamicDim(a.dimension % b.dimension, a, b) }
  /// The lesser of two sizes.
  public static func minimum(_ a: DynamicDim, _ b: DynamicDim) -> DynamicDim {
    DynamicDim(.minimum(a.dimension, b.dimension), a, b)
  }
  /// The greater of two sizes.
  public static func maximum(_ a: DynamicDim, _ b: DynamicDim) -> DynamicDim {
    DynamicDim(.maximum(a.dimension, b.dimension), a, b)
  }
}

extension DynamicDim: ExpressibleByIntegerLiteral, CustomStringConvertible {
  public init(integerLiteral size: Int) { self.init(size) }

  /// `batch in 1...1024`, `hidden = 768`, `2*seq + 1 in 3...1025, 2·n + 1`, `768`
  public var description: String {
    guard let size = dimension.size else { return "\(name) in \(sizes)" }
    return name == String(size) ? name : "\(name) = \(size)"
  }
}

extension SymbolBounds {
  /// The bounds that both keep; the least size may exceed the greatest.
  func intersection(_ other: SymbolBounds) -> SymbolBounds {
    var result = SymbolBounds(minimum: Swift.max(minimum, other.minimum), maximum: maximum ?? other.maximum)
    if let a = maximum, let b = other.maximum { result.maximum = Swift.min(a, b) }
    // Both divisors hold where one divides the other; else the larger is kept, which forgets a fact.
    result.divisor = Swift.max(divisor, other.divisor)
    return result
  }

  /// The bounds as constraints on the symbol.
  func constraints(on symbol: String) -> [ShapeConstraint] {
    let dimension = Dimension(symbol: symbol)
    var result: [ShapeConstraint] = []
    if minimum > 0 || maximum != nil {
      result.append(.range(dimension, min: minimum > 0 ? minimum : nil, max: maximum))
    }
    if divisor > 1 { result.append(.divisible(dimension, by: Dimension(divisor))) }
    return result
  }
}
