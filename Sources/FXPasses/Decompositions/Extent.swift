import FXCore

/// A size in the formula of a decomposition: a number where the graph tells, else what the run will compute.
enum Extent {
  case size(Int)
  /// i64[1]
  case term(Term)

  var size: Int? { if case .size(let size) = self { size } else { nil } }
  /// Whether it is the −1 that a reshape finds out.
  var isWildcard: Bool { size == -1 }
}

extension Extent: ExpressibleByIntegerLiteral {
  init(integerLiteral size: Int) { self = .size(size) }
}

extension Extent {
  static func + (a: Extent, b: Extent) throws -> Extent { try a.combined(b, .add) { $0.addingReportingOverflow($1) } }
  static func - (a: Extent, b: Extent) throws -> Extent { try a.combined(b, .sub) { $0.subtractingReportingOverflow($1) } }
  static func * (a: Extent, b: Extent) throws -> Extent {
    if a.size == 1 { return b }
    if b.size == 1 { return a }
    return try a.combined(b, .mul) { $0.multipliedReportingOverflow(by: $1) }
  }
  /// Toward zero.
  static func / (a: Extent, b: Extent) throws -> Extent {
    b.size == 1 ? a : try a.combined(b, .div) { $0.dividedReportingOverflow(by: $1) }
  }
  static func maximum(_ a: Extent, _ b: Extent) throws -> Extent { try a.combined(b, .maximum) { (Swift.max($0, $1), false) } }
  static func minimum(_ a: Extent, _ b: Extent) throws -> Extent { try a.combined(b, .minimum) { (Swift.min($0, $1), false) } }

  /// ⌈self ÷ divisor⌉ for sizes.
  func ceilDivided(by divisor: Extent) throws -> Extent { try (self + divisor - 1) / divisor }

  private func combined(
    _ other: Extent, _ op: Operator, _ fold: (Int, Int) -> (partialValue: Int, overflow: Bool)
  ) throws -> Extent {
    switch (self, other) {
    case (.size(let a), .size(let b)):
      let (value, overflow) = fold(a, b)
      guard !overflow else { throw DecompositionDeclined(reason: "a size is out of range") }
      return .size(value)
    case (.term(let a), .size(let b)): return .term(try a.call(op, [.literal(.int(Int64(b)))]))
    case (.size(let a), .term(let b)):
      return .term(Term(b.builder, try b.builder.call(op, [.literal(.int(Int64(a))), b.operand])[0]))
    case (.term(let a), .term(let b)): return .term(try a.call(op, [b.operand]))
    }
  }
}

extension [Extent] {
  func product() throws -> Extent { try reduce(1) { try $0 * $1 } }
}

extension Term {
  /// The size along an axis, counted from the front.
  func size(_ axis: Int) throws -> Extent {
    if let size = dimension(axis) { return .size(size) }
    return .term(try call(.shape, [], ["start": .int(axis), "end": .int(axis + 1)]))
  }

  /// The size along an axis if it is a number that the graph tells.
  func dimension(_ axis: Int) -> Int? {
    type.shape.flatMap { $0.indices.contains(axis) ? $0[axis].size : nil }
  }

  /// The sizes along all axes.
  var sizes: [Extent] {
    get throws { try (0..<rank).map(size) }
  }

  /// The number of elements along some axes.
  func count(_ axes: some Sequence<Int>) throws -> Extent { try axes.map(size).product() }

  /// An integer tensor of one element as a size.
  func asExtent() throws -> Extent {
    if let numbers = builder.graph.integers(of: operand), numbers.count == 1 { return .size(numbers[0]) }
    let number = try cast(to: .int64)
    return .term(type.shape == [1] ? number : try number.reshaped([1]))
  }

  /// Element `index` of an integer vector as a size.
  func element(_ index: Int) throws -> Extent {
    if let numbers = builder.graph.integers(of: operand), numbers.indices.contains(index) { return .size(numbers[index]) }
    return .term(try cast(to: .int64).gathered(builder.vector([index]), axis: 0))
  }
}

extension DecompositionBuilder {
  /// Sizes as one vector.
  func vector(_ sizes: [Extent]) throws -> Term {
    let numbers = sizes.compactMap(\.size)
    if numbers.count == sizes.count { return vector(numbers) }
    // Neighbours that are numbers share a constant.
    var parts: [Term] = []
    var run: [Int] = []
    for size in sizes {
      switch size {
      case .size(let number): run.append(number)
      case .term(let term):
        if !run.isEmpty { parts.append(vector(run)) }
        run = []
        parts.append(term)
      }
    }
    if !run.isEmpty { parts.append(vector(run)) }
    return try concat(parts, axis: 0)
  }

  /// A size as a tensor of one element, i64[1].
  func term(_ size: Extent) -> Term {
    switch size {
    case .size(let number): vector([number])
    case .term(let term): term
    }
  }

  /// 0, 1, … up to `count` (exclusive), as i64.
  func range(_ count: Extent) throws -> Term {
    let limit: Operand
    switch count {
    case .size(let size): limit = .literal(.int(Int64(size)))
    case .term(let term): limit = try term.reshaped([]).operand
    }
    return Term(self, try call(.range, [.literal(0), limit, .literal(1)])[0])
  }

  /// A tensor with one value everywhere.
  func filled(_ sizes: [Extent], _ value: Literal, _ type: ElementType) throws -> Term {
    let element = try value.tensor(type).reshaped([1])
    return Term(self, try call(.constantOfShape, [vector(sizes).operand], ["value": .tensor(element)])[0])
  }

  func zeros(_ sizes: [Extent], _ type: ElementType) throws -> Term { try filled(sizes, 0, type) }

  /// A scalar constant.
  func scalar(_ value: Literal, _ type: ElementType) throws -> Term {
    Term(self, constant(try value.tensor(type), name: "scalar"))
  }
}
