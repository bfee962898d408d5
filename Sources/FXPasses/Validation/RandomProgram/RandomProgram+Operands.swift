import FXCore

/// Choosing operands, and bringing them where operators are defined and do not grow.
extension RandomProgram {
  /// Where a function is defined and tame.
  enum Domain: Sendable {
    /// Elements up to this magnitude.
    case within(Double)
    /// From 1/2 on.
    case positive
    /// Strictly between −1 and 1.
    case unit
    /// From 5/4 on.
    case aboveOne
  }

  /// A value that fits, more often one of the last; `nil` if there is none.
  mutating func pick(where fits: (Value) -> Bool) -> Value? {
    for attempt in 0..<12 {
      let span = attempt < 6 ? min(values.count, 4) : values.count
      let value = values[values.count - 1 - random.below(span)]
      if fits(value) { return value }
    }
    return values.last(where: fits)
  }

  /// A floating-point value, a new parameter if there is none.
  mutating func float(rank: ClosedRange<Int> = 0...5, where fits: (Value) -> Bool = { _ in true }) throws -> Value {
    if let value = pick(where: { $0.isFloat && rank.contains($0.rank) && fits($0) }) { return value }
    let rank = max(rank.lowerBound, min(rank.upperBound, 1 + random.below(3)))
    return try weight((0..<rank).map { _ in 1 + random.below(4) })
  }

  /// A value of the program's own type.
  mutating func own(rank: ClosedRange<Int> = 0...5, where fits: (Shape) -> Bool = { _ in true }) throws -> Value {
    let element = element
    return try float(rank: rank) { $0.type.elementType == element && fits($0.shape) }
  }

  /// A floating-point value that a function is defined for.
  mutating func float(in domain: Domain, rank: ClosedRange<Int> = 0...5) throws -> Value {
    let value = try float(rank: rank)
    return try tamed(value, domain)
  }

  /// The value brought into a domain, by calls where it may be outside.
  mutating func tamed(_ value: Value, _ domain: Domain) throws -> Value {
    switch domain {
    case .within(let limit):
      guard value.magnitude > limit else { return value }
      if limit >= 1, random.oneIn(2) { return try require(random.pick([.tanh, .sigmoid]), [value.operand], magnitude: 1) }
      let bounds = try [number(-limit, like: value), number(limit, like: value)]
      return try require(.clip, [value.operand] + bounds, magnitude: limit)
    case .positive: return try shifted(value, by: 0.5)
    case .aboveOne: return try shifted(value, by: 1.25)
    case .unit:
      let small = try require(.tanh, [value.operand], magnitude: 1)
      return try require(.mul, [small.operand, number(0.875, like: value)], magnitude: 0.875)
    }
  }

  private mutating func shifted(_ value: Value, by offset: Double) throws -> Value {
    let value = try tamed(value, .within(20))
    let size = try require(.abs, [value.operand], magnitude: value.magnitude)
    return try require(.add, [size.operand, number(offset, like: value)], magnitude: value.magnitude + offset)
  }

  /// A call that every operand of the kind fits.
  mutating func require(_ op: Operator, _ operands: [Operand], magnitude: Double) throws -> Value {
    guard let value = try call(op, operands, magnitude: magnitude)?.first else {
      throw RandomProgramError(description: "\(op) does not take \(operands.map { graph.type(of: $0) })")
    }
    return value
  }

  /// A number of a value's element type: a literal or a constant.
  mutating func number(_ number: Double, like value: Value) throws -> Operand {
    if value.isFloat, random.oneIn(2) { return .literal(.float(number)) }
    return .parameter(graph.addConstant(try Tensor(value.type.elementType, [], numbers: .floats([number]))))
  }

  // MARK: Parameters and constants

  /// A parameter of the program's type, elements within ±1/2; now and then one that is there already.
  mutating func weight(_ shape: [Int], positive: Bool = false, element: ElementType? = nil) throws -> Value {
    let element = element ?? self.element
    if !positive, random.oneIn(4),
      let tied = graph.parameterIDs.last(where: {
        graph.type(of: .parameter($0)) == .tensor(element, Shape(shape)) && (try? graph[$0].role) == .weight
      })
    {
      return Value(operand: .parameter(tied), type: TensorType(element, Shape(shape)), magnitude: 0.5)
    }
    let count = shape.reduce(1, *)
    let numbers = (0..<count).map { _ in random.unit() / 2 + (positive ? 1 : 0) }
    let tensor = try Tensor(element, shape, numbers: .floats(numbers))
    let role: Parameter.Role = positive || random.oneIn(3) ? .constant : .weight
    let id = try graph.addParameter("w\(graph.parameterIDs.count)", tensor, role: role)
    return Value(operand: .parameter(id), type: tensor.type, magnitude: positive ? 1.5 : 0.5)
  }

  mutating func integers(_ numbers: [Int]) -> Operand { .parameter(graph.addConstant(Tensor(vector: numbers))) }

  mutating func integer(_ number: Int) -> Operand { .parameter(graph.addConstant(Tensor(Int64(number)))) }

  /// Integers below a limit in a shape; now and then counted from the end.
  mutating func indices(_ shape: [Int], below limit: Int, negative: Bool = true) throws -> Operand {
    let count = shape.reduce(1, *)
    let numbers = (0..<count).map { _ in Int64(random.below(limit)) - (negative && random.oneIn(4) ? Int64(limit) : 0) }
    return .parameter(graph.addConstant(try Tensor(.int64, shape, numbers: .signed(numbers))))
  }

  /// An axis, now and then counted from the end.
  mutating func axis(_ rank: Int) -> Int { random.below(max(1, rank)) - (random.oneIn(2) && rank > 0 ? rank : 0) }

  /// The size of an axis, or the least it may have.
  static func leastSize(_ dimension: Dimension) -> Int { dimension.size ?? (["n", "m"].contains(dimension.description) ? 2 : 0) }
}

/// A mistake of the generator.
struct RandomProgramError: Error, CustomStringConvertible {
  let description: String
}
