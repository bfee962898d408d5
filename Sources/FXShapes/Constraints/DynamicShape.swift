import FXCore

/// The dimensions of a tensor, each with its bounds, outermost first.
public struct DynamicShape: Sendable, Hashable {
  /// One per axis; those of one name have one size.
  public let dimensions: [DynamicDim]
  /// The bounds of every symbol, those that several dimensions give taken together.
  public let symbols: [String: SymbolBounds]

  /// - Throws: `ShapeConstraintError.badRange` if two dimensions of one name have bounds that exclude each other.
  public init(_ dimensions: [DynamicDim]) throws(ShapeConstraintError) {
    var symbols: [String: SymbolBounds] = [:]
    for dimension in dimensions { symbols.merge(dimension.symbols) { $0.intersection($1) } }
    for (name, bounds) in symbols.sorted(by: { $0.key < $1.key }) where bounds.minimum > bounds.maximum ?? .max {
      throw .badRange(name, min: bounds.minimum, max: bounds.maximum)
    }
    self.dimensions = dimensions
    self.symbols = symbols
  }

  /// How many dimensions there are; 0 for a scalar.
  public var rank: Int { dimensions.count }
  /// Whether every dimension is.
  public var isStatic: Bool { dimensions.allSatisfy(\.isStatic) }
  /// What stands in types: `graph.addInput("x", .tensor(.float32, shape.shape))`.
  public var shape: Shape { Shape(dimensions.map(\.dimension)) }
}

extension DynamicShape: CustomStringConvertible {
  /// `[batch in 1...1024, seq_len in 1...512, hidden = 768]`
  public var description: String { "[" + dimensions.map(\.description).joined(separator: ", ") + "]" }
}

/// A shape and the constraints on it.
public struct DynamicShapeInfo: Sendable, Hashable {
  /// The dimensions, with the bounds of their symbols.
  public let shape: DynamicShape
  /// What `addConstraint` added, in order.
  public private(set) var constraints: [AttributedConstraint] = []

  /// A shape under no constraints but its bounds.
  public init(_ shape: DynamicShape) { self.shape = shape }

  /// Adds a constraint on the shape's symbols, and others.
  public mutating func addConstraint(
    _ constraint: ShapeConstraint, origin: String? = nil, fileID: String = #fileID, line: Int = #line
  ) {
    constraints.append(AttributedConstraint(constraint, origin: origin ?? Location(file: fileID, line: line).description))
  }

  /// The symbols' sizes in a shape of these sizes: of those that are dimensions of their own, and those that follow.
  /// - Throws: `ShapeConstraintError` for another rank, a size out of bounds, a symbol with two sizes, an expression with
  ///   another value or that no sizes of its symbols give it, or a constraint that the sizes break.
  @discardableResult
  public func check(_ sizes: [Int]) throws(ShapeConstraintError) -> [String: Int] {
    guard sizes.count == shape.rank else { throw .rank(expected: shape.rank, actual: sizes.count) }
    var known: [String: Int] = [:]
    for (axis, (dim, size)) in zip(shape.dimensions, sizes).enumerated() {
      guard let symbol = dim.dimension.symbol else { continue }
      let allowed = SizeSet(shape.symbols[symbol] ?? SymbolBounds())
      guard allowed.contains(size) else { throw .size(dimension: symbol, axis: axis, size: size, allowed: allowed) }
      if let earlier = known.updateValue(size, forKey: symbol), earlier != size {
        throw .expression(dim.dimension, axis: axis, size: size, expected: earlier)
      }
    }
    var open: [AttributedConstraint] = []
    for (axis, (dim, size)) in zip(shape.dimensions, sizes).enumerated() where dim.dimension.symbol == nil {
      guard dim.dimension.symbols.allSatisfy({ known[$0] != nil }) else {
        let rest = dim.dimension.substituting(known.mapValues { Dimension($0) })
        open.append(AttributedConstraint(.equal(rest, Dimension(size)), origin: "dimension \(axis)"))
        continue
      }
      let expected = dim.dimension.evaluate(known)
      guard expected == size else { throw .expression(dim.dimension, axis: axis, size: size, expected: expected) }
    }
    known.merge(try solved(open)) { size, _ in size }
    for constraint in constraints where constraint.constraint.symbols.allSatisfy({ known[$0] != nil }) {
      guard constraint.constraint.holds(for: known) == true else { throw .violated(constraint, sizes: known) }
    }
    return known
  }

  /// The sizes of symbols that follow from what expressions of them are.
  private func solved(_ equations: [AttributedConstraint]) throws(ShapeConstraintError) -> [String: Int] {
    guard !equations.isEmpty else { return [:] }
    var context = DynamicShapeInferenceContext(shape.symbols)
    try context.add(equations)
    let symbols = Set(equations.flatMap(\.constraint.symbols))
    return Dictionary(
      uniqueKeysWithValues: symbols.compactMap { symbol in
        context.sizes(of: Dimension(symbol: symbol)).size.map { (symbol, $0) }
      })
  }
}

extension DynamicShapeInfo: CustomStringConvertible {
  /// `[batch in 1...1024, 768] where batch multiple_of 8`
  public var description: String {
    shape.description
      + (constraints.isEmpty ? "" : " where " + constraints.map(\.constraint.description).joined(separator: ", "))
  }
}

extension SizeSet {
  /// The sizes that a symbol's bounds allow.
  public init(_ bounds: SymbolBounds) {
    self.init(minimum: bounds.minimum, maximum: bounds.maximum, divisor: bounds.divisor)
  }
}
