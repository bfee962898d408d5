import FXCore

/// Gives the types of a node's results from those of its operands.
///
/// A rule reads operands through the context, throws `ShapeError` for what does not fit, and leaves unknown what it
/// cannot tell. It may also say what integers small results hold (`context.setContents`), which is how shapes that a
/// program computes become known.
public typealias ShapeRule = @Sendable (inout InferenceContext) throws(ShapeError) -> [ValueType]

/// The shape rule of each operator. A value: users extend a copy of `.standard`.
public struct ShapeRules: OperatorRows {
  /// The rules by operator; results of others keep the types that they have.
  public var rows: [Operator: ShapeRule] = [:]

  /// A table without rules; `standard` has those of this package.
  public init() {}

  // Its own: closures that throw `ShapeError` crash the compiler (Swift 6.3) when they are written into the shared one.
  /// The rule of an operator; `nil` if it has none.
  public subscript(op: Operator) -> ShapeRule? {
    get { rows[op] }
    set { rows[op] = newValue }
  }

  /// The same rule for several operators.
  mutating func set(_ operators: [Operator], _ rule: @escaping ShapeRule) {
    for op in operators { self[op] = rule }
  }
}

/// What a shape rule sees of a node, and where it leaves what it knows beyond types.
public struct InferenceContext {
  /// The node itself: operator, operands, attributes, regions.
  public let node: Node
  /// The operands' types; `nil` where an optional operand is left out. A literal has the element type its node gives it.
  public let operandTypes: [ValueType?]
  /// For integer operands of rank 0 or 1: their elements as far as known.
  let operandContents: [[Dimension]?]
  let operandTensors: [Tensor?]
  var inferRegion: (RegionID, [ValueType], [[Dimension]?]) throws -> RegionResults
  let freshSymbol: () -> Dimension
  /// Whether a body may be visited again until its types settle: bodies inside bodies multiply.
  var mayRepeat: () -> Bool = { true }
  /// For each result what `setContents` said.
  private(set) var resultContents: [Int: [Dimension]] = [:]
  /// What is known of sizes that only the run knows.
  private(set) var facts: [ShapeConstraint] = []
  /// An error from inside a region, which already names its node.
  var innerError: (any Error)?

  init(
    node: Node, operandTypes: [ValueType?], operandContents: [[Dimension]?], operandTensors: [Tensor?],
    inferRegion: @escaping (RegionID, [ValueType], [[Dimension]?]) throws -> RegionResults,
    freshSymbol: @escaping () -> Dimension
  ) {
    self.node = node
    self.operandTypes = operandTypes
    self.operandContents = operandContents
    self.operandTensors = operandTensors
    self.inferRegion = inferRegion
    self.freshSymbol = freshSymbol
  }

  /// What a region gives for some arguments.
  struct RegionResults {
    var types: [ValueType]
    var contents: [[Dimension]?]
  }

  // MARK: Operands

  /// How many operands the node has, with those left out between others.
  public var operandCount: Int { operandTypes.count }

  /// Whether operand `index` is there.
  public func has(_ index: Int) -> Bool { index < operandTypes.count && operandTypes[index] != nil }

  /// The type of operand `index`.
  /// - Throws: `ShapeError.missingOperand`.
  public func type(_ index: Int) throws(ShapeError) -> ValueType {
    guard index < operandTypes.count, let type = operandTypes[index] else { throw .missingOperand(index) }
    return type
  }

  /// The tensor type of operand `index`; `nil` if nothing is known of the operand.
  /// - Throws: `ShapeError.missingOperand`; `.kind` if it is known to be no tensor.
  public func tensorType(_ index: Int) throws(ShapeError) -> TensorType? {
    switch try type(index) {
    case .tensor(let type): return type
    case .unknown: return nil
    case let other: throw .kind(operand: index, expected: "a tensor", actual: other)
    }
  }

  /// The shape of operand `index`; `nil` if its rank is unknown.
  public func shape(_ index: Int) throws(ShapeError) -> Shape? { try tensorType(index)?.shape }

  /// The shape of operand `index` after a check of its rank; `nil` if the rank is unknown.
  /// - Throws: `ShapeError.rank`.
  public func shape(_ index: Int, rank: Int) throws(ShapeError) -> Shape? {
    guard let shape = try shape(index) else { return nil }
    guard shape.rank == rank else { throw .rank(operand: index, expected: "\(rank)", actual: shape.rank) }
    return shape
  }

  /// The shape of operand `index`, which must have at least `rank` dimensions; `nil` if the rank is unknown.
  public func shape(_ index: Int, minimumRank rank: Int) throws(ShapeError) -> Shape? {
    guard let shape = try shape(index) else { return nil }
    guard shape.rank >= rank else { throw .rank(operand: index, expected: "at least \(rank)", actual: shape.rank) }
    return shape
  }

  /// The element type of operand `index`; `nil` if nothing is known of the operand.
  public func elementType(_ index: Int) throws(ShapeError) -> ElementType? { try tensorType(index)?.elementType }

  /// The element type of the first of these operands that has one.
  public func elementType(firstOf indices: [Int]) throws(ShapeError) -> ElementType? {
    for index in indices where has(index) {
      if let type = try elementType(index) { return type }
    }
    return nil
  }

  /// The elements of an integer operand of rank 0 or 1 as far as known: constants, sizes, and arithmetic on them.
  public func contents(_ index: Int) -> [Dimension]? { index < operandContents.count ? operandContents[index] : nil }

  /// The elements of an integer operand if all are fixed numbers.
  public func integers(_ index: Int) -> [Int]? {
    guard let contents = contents(index) else { return nil }
    let sizes = contents.compactMap(\.size)
    return sizes.count == contents.count ? sizes : nil
  }

  /// The constant that operand `index` is, if it is one.
  public func constant(_ index: Int) -> Tensor? { index < operandTensors.count ? operandTensors[index] : nil }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  // MARK: Results

  /// Says what an integer result of rank 0 or 1 holds.
  public mutating func setContents(_ contents: [Dimension], ofResult index: Int = 0) { resultContents[index] = contents }

  /// A dimension that only the run knows, such as the count of nonzero elements: a symbol that no other dimension has.
  public func dataDependentDimension() -> Dimension { freshSymbol() }

  /// As `dataDependentDimension()`, of at most the given sizes; one that is `nil` or unknown says nothing.
  public mutating func dataDependentDimension(atMost bounds: Dimension?...) -> Dimension {
    let dimension = freshSymbol()
    for case let bound? in bounds where !bound.isUnknown && !dimension.isUnknown {
      facts.append(.lessOrEqual(dimension, bound))
    }
    return dimension
  }

  /// The types a region gives for arguments of these types.
  /// - Throws: `ShapeError`; an error inside the region surfaces as it is once the rule returns.
  public mutating func results(
    ofRegion index: Int, arguments: [ValueType], contents: [[Dimension]?] = []
  ) throws(ShapeError) -> (types: [ValueType], contents: [[Dimension]?]) {
    guard node.regions.indices.contains(index) else { throw .invalid("the node has no region \(index)") }
    do {
      let results = try inferRegion(node.regions[index], arguments, contents)
      return (results.types, results.contents)
    } catch {
      innerError = error
      throw .invalid("a region does not fit")
    }
  }
}
