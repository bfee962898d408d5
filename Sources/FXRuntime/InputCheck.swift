import FXCore
import FXShapes

/// Checks what a caller hands to a graph against its inputs' types, symbols, constraints and parameters.
struct InputCheck: Sendable {
  private let names: [String]
  private let types: [ValueType]
  private let symbols: [String: SymbolBounds]
  /// Those whose symbols the inputs' sizes tell.
  private let constraints: [AttributedConstraint]
  private let unbound: [String]

  /// - Parameter requirements: what the graph's nodes ask beyond the graph's own constraints.
  init(_ graph: Graph, requirements: [AttributedConstraint] = []) {
    names = graph.inputs.map { graph.name(of: $0) }
    types = graph.inputs.map { (try? graph.type(of: $0)) ?? .unknown }
    symbols = graph.symbols
    unbound = graph.parameterIDs.compactMap { id in (try? graph[id]).flatMap { $0.isBound ? nil : $0.name } }
    let told = types.reduce(into: Set<String>()) { names, type in
      for dimension in type.shape ?? [] { names.formUnion(dimension.symbols) }
    }
    let own = graph.constraints.map { AttributedConstraint(ShapeConstraint($0), origin: "a constraint of the graph") }
    constraints = (own + requirements).filter { $0.constraint.symbols.isSubset(of: told) }
  }

  /// - Throws: `ExecutionError` for the wrong number of inputs, a type that does not fit, a symbol with two sizes or one
  ///   out of its bounds, an expression with another value, a constraint that the sizes break, or parameters to which
  ///   nothing is bound.
  func check(_ inputs: [RuntimeValue]) throws(ExecutionError) {
    try check(inputs.map(\.type))
  }

  /// The same for inputs of which there are types alone. Sizes in them are numbers.
  func check(_ inputs: [ValueType]) throws(ExecutionError) {
    guard unbound.isEmpty else { throw .unboundParameters(unbound) }
    guard inputs.count == names.count else { throw .inputCount(expected: names, actual: inputs.count) }
    var known = KnownSizes()
    var open: [(dimension: Dimension, place: Place)] = []
    for (index, input) in inputs.enumerated() {
      guard case .tensor(let expected) = types[index] else { continue }
      guard let actual = input.tensorType, let sizes = actual.shape?.sizes, expected.admits(actual) else {
        throw .inputType(names[index], expected: types[index], actual: input)
      }
      for (axis, dimension) in (expected.shape ?? []).enumerated() where dimension.size == nil && !dimension.isUnknown {
        let place = Place(input: index, axis: axis, size: sizes[axis])
        if let symbol = dimension.symbol {
          try record(symbol, sizes[axis], at: place, in: &known)
        } else {
          open.append((dimension, place))
        }
      }
    }
    try resolve(open, &known)
    for constraint in constraints { try check(constraint, known) }
  }

  /// An input's dimension and the size it has in this run.
  private struct Place {
    let input: Int
    let axis: Int
    let size: Int
  }

  private struct KnownSizes {
    var sizes: [String: Int] = [:]
    /// Where each symbol got its size.
    var places: [String: Place] = [:]
  }

  private func record(
    _ symbol: String, _ size: Int, at place: Place, in known: inout KnownSizes
  ) throws(ExecutionError) {
    let name = names[place.input]
    if let earlier = known.sizes[symbol], earlier != size {
      throw .symbolConflict(symbol: symbol, input: name, dimension: place.axis, size: place.size, earlier: earlier)
    }
    if let bounds = symbols[symbol], !bounds.contains(size) {
      throw .symbolBounds(symbol: symbol, input: name, dimension: place.axis, size: place.size, bounds)
    }
    if known.sizes.updateValue(size, forKey: symbol) == nil { known.places[symbol] = place }
  }

  /// Checks the inputs' expressions, and finds symbols that stand nowhere alone where an expression is linear in one.
  private func resolve(
    _ expressions: [(dimension: Dimension, place: Place)], _ known: inout KnownSizes
  ) throws(ExecutionError) {
    var open = expressions
    var count = -1
    while count != open.count {
      count = open.count
      var rest: [(dimension: Dimension, place: Place)] = []
      for (dimension, place) in open {
        let missing = dimension.symbols.subtracting(known.sizes.keys)
        if missing.isEmpty {
          let value = dimension.evaluate(known.sizes)
          if value != place.size { throw mismatch(dimension, place, expected: value) }
        } else if missing.count == 1, let symbol = missing.first {
          let reduced = dimension.substituting(known.sizes.mapValues { Dimension($0) })
          guard let (factor, constant) = reduced.linear(in: symbol) else {
            rest.append((dimension, place))
            continue
          }
          let (difference, overflow) = place.size.subtractingReportingOverflow(constant)
          guard !overflow, difference.magnitude % factor.magnitude == 0,
            difference == 0 || (difference < 0) == (factor < 0), let size = Int(exactly: difference.magnitude / factor.magnitude)
          else { throw mismatch(dimension, place, expected: nil) }
          try record(symbol, size, at: place, in: &known)
        } else {
          rest.append((dimension, place))
        }
      }
      open = rest
    }
  }

  private func mismatch(_ dimension: Dimension, _ place: Place, expected: Int?) -> ExecutionError {
    .dimensionExpression(dimension, input: names[place.input], dimension: place.axis, size: place.size, expected: expected)
  }

  /// Names the symbol that got its size last.
  private func check(_ constraint: AttributedConstraint, _ known: KnownSizes) throws(ExecutionError) {
    let names = constraint.constraint.symbols
    guard names.allSatisfy({ known.sizes[$0] != nil }), constraint.constraint.holds(for: known.sizes) != true else { return }
    let last = names.sorted().max { a, b in
      guard let x = known.places[a], let y = known.places[b] else { return false }
      return (x.input, x.axis) < (y.input, y.axis)
    }
    guard let symbol = last, let place = known.places[symbol] else { return }
    let given = known.sizes.filter { names.contains($0.key) && $0.key != symbol }
    let allowed = constraint.constraint.sizes(of: symbol, given: given, bounds: symbols[symbol] ?? SymbolBounds())
    throw .constraint(
      constraint.constraint.description, origin: constraint.origin, symbol: symbol, input: self.names[place.input],
      dimension: place.axis, size: place.size,
      allowed: allowed.isEmpty ? nil : allowed.map(\.description).joined(separator: " or "), given: given)
  }
}

extension InputCheck {
  /// The check of a graph that is compiled: its constraints, and what its nodes ask of symbolic sizes.
  /// - Throws: `ShapeConstraintError.conflict` if no sizes keep all of them.
  init(compiling graph: Graph, rules: ShapeRules) throws {
    let hasSymbols = graph.inputs.contains { input in
      (try? graph.type(of: input))?.shape?.contains { $0.size == nil && !$0.isUnknown } ?? false
    }
    guard hasSymbols else {
      _ = try DynamicShapeInferenceContext(graph)
      self.init(graph)
      return
    }
    self.init(graph, requirements: try graph.runTimeChecks(rules: rules))
  }
}

extension Dimension {
  /// `factor × symbol + constant`, if the expression is that.
  fileprivate func linear(in symbol: String) -> (factor: Int, constant: Int)? {
    var (factor, constant) = (0, 0)
    for term in terms ?? [] {
      switch term.factors {
      case []: constant = term.coefficient
      case [.symbol(symbol)]: factor = term.coefficient
      default: return nil
      }
    }
    return factor == 0 ? nil : (factor, constant)
  }
}
