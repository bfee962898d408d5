import FXCore

/// What is known of the sizes in a program: constraints, their consequences, and whether they can be met at all.
///
/// ```swift
/// var context = DynamicShapeInferenceContext()
/// try context.addConstraint(.equal("batch", "batch2"))
/// try context.addConstraint(.divisible("seq_len", by: 8))
/// print(context.validateConstraints().isValid)
/// ```
///
/// A value: a copy is independent. Answers that cost too much to find are *unknown*; no answer is wrong.
public struct DynamicShapeInferenceContext: Sendable {
  /// In the order in which they were added.
  public private(set) var constraints: [AttributedConstraint] = []
  /// Where each symbol is named in them.
  private var positions: [String: [Int]] = [:]
  /// How many cases the solver looks at before it answers *unknown*. The time of an answer is bounded by this number
  /// times a polynomial in the size of the constraints that share symbols.
  public var budget: Int {
    get { solver.budget }
    set { solver.budget = newValue }
  }
  private var solver = ConstraintSolver()
  /// How many constraints there were when each open scope began.
  private var scopes: [Int] = []
  /// Sizes that keep all constraints, if some are known.
  private var witness: [String: Int]? = [:]

  /// A context without constraints.
  public init() {}

  /// A context with constraints that nobody has checked yet: `validateConstraints` says whether they can be met.
  public init(_ constraints: [ShapeConstraint], fileID: String = #fileID, line: Int = #line) {
    let origin = Location(file: fileID, line: line).description
    witness = nil
    append(constraints.map { AttributedConstraint($0, origin: origin) })
  }

  /// The bounds of symbols, unchecked.
  init(_ symbols: [String: SymbolBounds]) {
    witness = nil
    for (name, bounds) in symbols.sorted(by: { $0.key < $1.key }) {
      append(bounds.constraints(on: name).map { AttributedConstraint($0, origin: "the bounds of '\(name)'") })
    }
  }

  /// What a graph says of its symbols.
  /// - Throws: `ShapeConstraintError.conflict`, `.unknownDimension`.
  public init(_ graph: Graph) throws(ShapeConstraintError) {
    let bounds = DynamicShapeInferenceContext(graph.symbols).constraints
    let facts = graph.constraints.map { AttributedConstraint(ShapeConstraint($0), origin: "a constraint of the graph") }
    try add(bounds + facts)
  }

  // MARK: Adding

  /// Adds a constraint, unless it contradicts those that are there.
  /// - Parameter origin: what messages name it by; the caller's line if left out.
  /// - Throws: `ShapeConstraintError.conflict` with a minimal set of contradicting constraints, the new one among them, or
  ///   `.unknownDimension`. The context is then as before.
  public mutating func addConstraint(
    _ constraint: ShapeConstraint, origin: String? = nil, fileID: String = #fileID, line: Int = #line
  ) throws(ShapeConstraintError) {
    try add([AttributedConstraint(constraint, origin: origin ?? Location(file: fileID, line: line).description)])
  }

  /// Adds a dimension's bounds.
  /// - Throws: as `addConstraint`.
  public mutating func addDimension(
    _ dimension: DynamicDim, fileID: String = #fileID, line: Int = #line
  ) throws(ShapeConstraintError) {
    let origin = Location(file: fileID, line: line).description
    try add(DynamicShapeInferenceContext(dimension.symbols).constraints.map { .init($0.constraint, origin: origin) })
  }

  /// Adds the bounds and constraints of a shape.
  /// - Throws: as `addConstraint`.
  public mutating func addShape(
    _ info: DynamicShapeInfo, fileID: String = #fileID, line: Int = #line
  ) throws(ShapeConstraintError) {
    let origin = Location(file: fileID, line: line).description
    let bounds = DynamicShapeInferenceContext(info.shape.symbols).constraints
    try add(bounds.map { .init($0.constraint, origin: origin) } + info.constraints)
  }

  /// Adds all or none.
  mutating func add(_ added: [AttributedConstraint]) throws(ShapeConstraintError) {
    for new in added where new.constraint.dimensions.contains(where: \.isUnknown) { throw .unknownDimension(new.constraint) }
    // As long as the sizes known to keep the old constraints keep the new ones too, there is nothing to solve.
    if var sizes = witness {
      for symbol in added.flatMap(\.constraint.symbols) where sizes[symbol] == nil { sizes[symbol] = 1 }
      if added.allSatisfy({ $0.constraint.holds(for: sizes) == true }) {
        witness = sizes
        append(added)
        return
      }
    }
    let known = related(to: Set(added.flatMap(\.constraint.symbols)))
    switch solver.check((known + added).map { Claim(constraint: $0.constraint) }) {
    case .satisfiable(let sizes): witness?.merge(sizes) { $1 }
    case .unsatisfiable: throw .conflict(conflict(in: known + added))
    case .unknown: witness = nil
    }
    append(added)
  }

  private mutating func append(_ added: [AttributedConstraint]) {
    for (offset, new) in added.enumerated() {
      for symbol in new.constraint.symbols { positions[symbol, default: []].append(constraints.count + offset) }
    }
    constraints += added
  }

  /// The constraints that a chain of shared symbols ties to `symbols`: all that matter to a question about these, as long
  /// as the others can be met. O(result).
  private func related(to symbols: Set<String>) -> [AttributedConstraint] {
    var reached = symbols
    var pending = Array(symbols)
    var found: Set<Int> = []
    while let symbol = pending.popLast() {
      for position in positions[symbol] ?? [] where found.insert(position).inserted {
        for other in constraints[position].constraint.symbols where reached.insert(other).inserted { pending.append(other) }
      }
    }
    return found.sorted().map { constraints[$0] }
  }

  private func claims(relatedTo symbols: Set<String>) -> [Claim] {
    related(to: symbols).map { Claim(constraint: $0.constraint) }
  }

  private func conflict(in constraints: [AttributedConstraint]) -> ConstraintConflict {
    let claims = constraints.map { Claim(constraint: $0.constraint) }
    return ConstraintConflict(constraints: solver.minimalConflict(claims).map { constraints[$0] })
  }

  // MARK: Scopes

  /// Begins a scope: constraints from here on go with the matching `pop`.
  public mutating func push() { scopes.append(constraints.count) }

  /// Ends the innermost scope and forgets its constraints.
  /// - Returns: whether a scope was open.
  @discardableResult
  public mutating func pop() -> Bool {
    guard let count = scopes.popLast() else { return false }
    for constraint in constraints[count...] {
      for symbol in constraint.constraint.symbols { positions[symbol]?.removeAll { $0 >= count } }
    }
    constraints.removeSubrange(count...)
    return true
  }

  /// Runs `body` under further constraints, such as the condition of a branch.
  /// - Throws: as `addConstraint`, where the branch can never be taken; what `body` throws.
  public mutating func withScope<Result>(
    assuming assumptions: [ShapeConstraint], fileID: String = #fileID, line: Int = #line,
    _ body: (inout DynamicShapeInferenceContext) throws -> Result
  ) throws -> Result {
    push()
    defer { pop() }
    for assumption in assumptions { try addConstraint(assumption, fileID: fileID, line: line) }
    return try body(&self)
  }

  // MARK: Asking

  /// Whether sizes exist that keep all constraints, which, and what the constraints leave of each symbol.
  public func validateConstraints() -> ConstraintValidation {
    let claims = constraints.map { Claim(constraint: $0.constraint) }
    var ranges: [String: SizeSet] = [:]
    for component in ConstraintSolver.components(of: claims) {
      guard let found = solver.consequences(of: component) else {
        return ConstraintValidation(outcome: .unsatisfiable(conflict(in: constraints)), ranges: [:])
      }
      ranges.merge(found) { $1 }
    }
    if constraints.contains(where: { $0.constraint.dimensions.contains(where: \.isUnknown) }) {
      return ConstraintValidation(outcome: .unknown, ranges: ranges)
    }
    switch solver.check(claims) {
    case .satisfiable(let sizes): return ConstraintValidation(outcome: .satisfiable(witness: sizes), ranges: ranges)
    case .unsatisfiable: return ConstraintValidation(outcome: .unsatisfiable(conflict(in: constraints)), ranges: [:])
    case .unknown: return ConstraintValidation(outcome: .unknown, ranges: ranges)
    }
  }

  /// Checks sizes that are at hand.
  /// - Throws: `ShapeConstraintError.violated` or `.missingSize` for the first constraint that they do not keep.
  public func validate(_ sizes: [String: Int]) throws(ShapeConstraintError) {
    for constraint in constraints {
      if let missing = constraint.constraint.symbols.sorted().first(where: { sizes[$0] == nil }) {
        throw .missingSize(missing, constraint: constraint)
      }
      guard constraint.constraint.holds(for: sizes) == true else { throw .violated(constraint, sizes: sizes) }
    }
  }

  /// What the constraints say of another one.
  public func decide(_ constraint: ShapeConstraint) -> ConstraintVerdict {
    guard !constraint.dimensions.contains(where: \.isUnknown) else { return .unknown }
    let claim = Claim(constraint: constraint)
    let related = related(to: constraint.symbols)
    let known = related.map { Claim(constraint: $0.constraint) }
    // Sizes at hand that break it spare the proof, those that keep it spare the refutation.
    let sample = witness.flatMap { claim.holds(for: $0) }
    if sample != true, solver.isUnsatisfiable(known + [claim]) {
      return .refuted(conflict(in: related + [AttributedConstraint(constraint, origin: "asked")]))
    }
    if sample != false, solver.isUnsatisfiable(known + [Claim(constraint: constraint, isNegated: true)]) { return .proved }
    return .unknown
  }

  /// The sizes that an expression can have under the constraints; at most wider than it is.
  public func sizes(of dimension: Dimension) -> SizeSet {
    if let size = dimension.size { return SizeSet(minimum: size, maximum: size) }
    return solver.sizes(of: dimension, under: claims(relatedTo: dimension.symbols))
  }

  /// The expression with every symbol that the constraints fix, or make equal to an earlier symbol's multiple, replaced.
  public func simplified(_ dimension: Dimension) -> Dimension {
    guard dimension.size == nil else { return dimension }
    let known = claims(relatedTo: dimension.symbols)
    return known.isEmpty ? dimension : dimension.substituting(solver.substitution(under: known))
  }
}

/// What `validateConstraints` found.
public struct ConstraintValidation: Sendable, Equatable {
  /// Whether the constraints can be met.
  public enum Outcome: Sendable, Equatable {
    /// These sizes keep all constraints.
    case satisfiable(witness: [String: Int])
    /// No sizes keep all constraints: these contradict each other.
    case unsatisfiable(ConstraintConflict)
    /// Neither was found within the budget: only a run can tell.
    case unknown
  }
  /// What the solver found out.
  public let outcome: Outcome
  /// What the constraints leave of each symbol they name; empty if they contradict each other.
  public let ranges: [String: SizeSet]

  /// Whether some sizes are known to keep all constraints.
  public var isValid: Bool { witness != nil }
  /// Sizes by symbol that keep all constraints; `nil` unless some are known.
  public var witness: [String: Int]? {
    if case .satisfiable(let sizes) = outcome { sizes } else { nil }
  }
  /// The constraints that contradict each other; `nil` unless some are known to.
  public var conflict: ConstraintConflict? {
    if case .unsatisfiable(let conflict) = outcome { conflict } else { nil }
  }
}

/// What is known of a constraint under others.
public enum ConstraintVerdict: Sendable, Equatable {
  /// It holds for all sizes that keep the others.
  case proved
  /// It holds for none: these contradict each other.
  case refuted(ConstraintConflict)
  /// It may hold or not: a check when sizes are at hand decides.
  case unknown
}
