import FXCore

/// A tensor in the formula of a decomposition: operators and functions on it add calls to the graph.
struct Term {
  let builder: DecompositionBuilder
  let operand: Operand

  init(_ builder: DecompositionBuilder, _ operand: Operand) {
    self.builder = builder
    self.operand = operand
  }

  var type: ValueType { builder.graph.type(of: operand) }

  /// - Throws: `DecompositionDeclined` if it is not known.
  var elementType: ElementType {
    get throws {
      guard let type = type.elementType else { throw DecompositionDeclined(reason: "an element type is not known") }
      return type
    }
  }

  /// - Throws: `DecompositionDeclined` if it is not known.
  var rank: Int {
    get throws {
      guard let rank = type.shape?.rank else { throw DecompositionDeclined(reason: "a rank is not known") }
      return rank
    }
  }

  /// An axis counted from the front.
  func axis(_ axis: Int) throws -> Int {
    let rank = try rank
    guard axis >= -rank, axis < rank else { throw DecompositionDeclined(reason: "there is no axis \(axis) of \(rank)") }
    return axis < 0 ? axis + rank : axis
  }

  /// Calls an operator with this term first.
  func call(_ op: Operator, _ others: [Operand] = [], _ attributes: Attributes = [:]) throws -> Term {
    Term(builder, try builder.call(op, [operand] + others, attributes)[0])
  }

  /// Calls an operator that has several results.
  func calls(_ op: Operator, _ others: [Operand] = [], _ attributes: Attributes = [:], resultCount: Int) throws -> [Term] {
    try builder.call(op, [operand] + others, attributes, resultCount: resultCount).map { Term(builder, $0) }
  }
}

// MARK: - Arithmetic

extension Term {
  static func + (a: Term, b: Term) throws -> Term { try a.call(.add, [b.operand]) }
  static func + (a: Term, b: Literal) throws -> Term { try a.call(.add, [.literal(b)]) }
  static func + (a: Literal, b: Term) throws -> Term { try b.call(after: a, .add) }

  static func - (a: Term, b: Term) throws -> Term { try a.call(.sub, [b.operand]) }
  static func - (a: Term, b: Literal) throws -> Term { try a.call(.sub, [.literal(b)]) }
  static func - (a: Literal, b: Term) throws -> Term { try b.call(after: a, .sub) }

  static func * (a: Term, b: Term) throws -> Term { try a.call(.mul, [b.operand]) }
  static func * (a: Term, b: Literal) throws -> Term { try a.call(.mul, [.literal(b)]) }
  static func * (a: Literal, b: Term) throws -> Term { try b.call(after: a, .mul) }

  static func / (a: Term, b: Term) throws -> Term { try a.call(.div, [b.operand]) }
  static func / (a: Term, b: Literal) throws -> Term { try a.call(.div, [.literal(b)]) }
  static func / (a: Literal, b: Term) throws -> Term { try b.call(after: a, .div) }

  static prefix func - (x: Term) throws -> Term { try x.call(.neg) }

  private func call(after literal: Literal, _ op: Operator) throws -> Term {
    Term(builder, try builder.call(op, [.literal(literal), operand])[0])
  }
}

// MARK: - Comparison

extension Term {
  static func .< (a: Term, b: Term) throws -> Term { try a.call(.less, [b.operand]) }
  static func .< (a: Term, b: Literal) throws -> Term { try a.call(.less, [.literal(b)]) }
  static func .<= (a: Term, b: Literal) throws -> Term { try a.call(.lessOrEqual, [.literal(b)]) }
  static func .> (a: Term, b: Term) throws -> Term { try a.call(.greater, [b.operand]) }
  static func .> (a: Term, b: Literal) throws -> Term { try a.call(.greater, [.literal(b)]) }
  static func .>= (a: Term, b: Term) throws -> Term { try a.call(.greaterOrEqual, [b.operand]) }
  static func .== (a: Term, b: Term) throws -> Term { try a.call(.equal, [b.operand]) }
  static func .== (a: Term, b: Literal) throws -> Term { try a.call(.equal, [.literal(b)]) }

  static func .& (a: Term, b: Term) throws -> Term { try a.call(.and, [b.operand]) }
  static func .| (a: Term, b: Term) throws -> Term { try a.call(.or, [b.operand]) }
  static prefix func .! (x: Term) throws -> Term { try x.call(.not) }
}

/// `a` where the condition holds, else `b`.
func select(_ condition: Term, _ a: Term, _ b: Term) throws -> Term {
  try condition.call(.where_, [a.operand, b.operand])
}

func select(_ condition: Term, _ a: Literal, _ b: Term) throws -> Term {
  try condition.call(.where_, [.literal(a), b.operand])
}

func select(_ condition: Term, _ a: Term, _ b: Literal) throws -> Term {
  try condition.call(.where_, [a.operand, .literal(b)])
}
