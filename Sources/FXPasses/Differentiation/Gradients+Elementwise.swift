import FXCore
import FXTrace
import Foundation

// ∂/∂x is written as what the cotangent dy of the result is multiplied by.

extension GradientRules {
  mutating func addElementwise() {
    binary(.add, { dy, _, _, _ in dy }, { dy, _, _, _ in dy })
    binary(.sub, { dy, _, _, _ in dy }, { dy, _, _, _ in -dy })
    binary(.mul, { dy, _, b, _ in dy * b }, { dy, a, _, _ in dy * a })
    binary(.div, { dy, _, b, _ in dy / b }, { dy, _, b, y in -(dy * y) / b })
    // x − y·⌊x ÷ y⌋, or rounded toward zero: either way the quotient is (x − result) ÷ y.
    binary(.mod, { dy, _, _, _ in dy }, { dy, a, b, y in dy * (y - a) / b })
    binary(.pow, { dy, a, b, _ in Self.power(dy, a, b) }, { dy, a, _, y in Self.exponent(dy, a, y) })
    addUnary()
    for op in [
      Operator.floor, .ceil, .round, .sign, .isNaN, .isInf, .equal, .notEqual, .greater, .greaterOrEqual, .less,
      .lessOrEqual, .argmax, .argmin, .shape, .size, .nonzero, .eyeLike, .constantOfShape, .oneHot,
    ] {
      self[op] = .zero
    }
    self[.minimum] = .cotangents(Self.extremum)
    self[.maximum] = .cotangents(Self.extremum)
    self[.sum] = .cotangents { context in
      try context.node.operands.indices.map { index in
        try context.cotangent().map { try context.sum($0, likeOperand: index) }
      }
    }
    self[.clip] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let x = context.operand(0)
      var isInside: SymbolicTensor?
      var results: [SymbolicTensor?] = [nil, nil, nil]
      for (index, isBeyond) in [(1, Operator.less), (2, .greater)] where context.has(index) {
        let beyond = x.calling(isBeyond, context.operand(index))
        isInside = isInside.map { $0.calling(.and, beyond.calling(.not)) } ?? beyond.calling(.not)
        if context.needs(index) { results[index] = try context.sum(dy.kept(where: beyond), likeOperand: index) }
      }
      results[0] = isInside.map { dy.kept(where: $0) } ?? dy
      return results
    }
    self[.where_] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let mask = context.operand(0)
      return [
        nil, context.needs(1) ? try context.sum(dy.kept(where: mask), likeOperand: 1) : nil,
        context.needs(2) ? try context.sum(dy.kept(where: mask.calling(.not)), likeOperand: 2) : nil,
      ]
    }
    first(.identity) { dy, _ in dy }
    first(.cast) { dy, context in dy.cast(to: context.operand(0).elementType ?? .float32) }
    first(.castLike) { dy, context in dy.cast(to: context.operand(0).elementType ?? .float32) }
  }

  private mutating func addUnary() {
    unary(.neg) { dy, _, _ in -dy }
    unary(.abs) { dy, x, _ in dy * x.calling(.sign) }
    unary(.sqrt) { dy, _, y in dy / (y * 2.0) }
    unary(.exp) { dy, _, y in dy * y }
    unary(.log) { dy, x, _ in dy / x }
    unary(.reciprocal) { dy, _, y in -(dy * y * y) }
    unary(.erf) { dy, x, _ in dy * exp(-(x * x)) * (2 / Double.pi.squareRoot()) }
    unary(.sin) { dy, x, _ in dy * cos(x) }
    unary(.cos) { dy, x, _ in -(dy * sin(x)) }
    unary(.tan) { dy, _, y in dy * (y * y + 1.0) }
    unary(.asin) { dy, x, _ in dy / sqrt(1.0 - x * x) }
    unary(.acos) { dy, x, _ in -(dy / sqrt(1.0 - x * x)) }
    unary(.atan) { dy, x, _ in dy / (x * x + 1.0) }
    unary(.sinh) { dy, x, _ in dy * x.calling(.cosh) }
    unary(.cosh) { dy, x, _ in dy * x.calling(.sinh) }
    unary(.tanh) { dy, _, y in dy * (1.0 - y * y) }
    unary(.asinh) { dy, x, _ in dy / sqrt(x * x + 1.0) }
    unary(.acosh) { dy, x, _ in dy / sqrt(x * x - 1.0) }
    unary(.atanh) { dy, x, _ in dy / (1.0 - x * x) }
  }

  private typealias Part =
    @Sendable (
      _ dy: SymbolicTensor, _ a: SymbolicTensor, _ b: SymbolicTensor, _ y: SymbolicTensor
    ) -> SymbolicTensor

  /// A rule for two operands that are broadcast.
  private mutating func binary(_ op: Operator, _ first: @escaping Part, _ second: @escaping Part) {
    self[op] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      let (a, b, y) = (context.operand(0), context.operand(1), context.result())
      return try [first, second].enumerated().map { index, part in
        context.needs(index) ? try context.sum(part(dy, a, b, y), likeOperand: index) : nil
      }
    }
  }

  /// b·a^(b−1), which is 0 for b = 0 also where a is 0.
  private static func power(_ dy: SymbolicTensor, _ a: SymbolicTensor, _ b: SymbolicTensor) -> SymbolicTensor {
    let exponent = b.cast(to: a.elementType ?? .float32)
    let isConstant = exponent.calling(.equal, 0.0)
    return (dy * exponent * pow(a, exponent - 1.0)).kept(where: isConstant.calling(.not))
  }

  /// y·ln a, which is 0 where a is.
  private static func exponent(_ dy: SymbolicTensor, _ a: SymbolicTensor, _ y: SymbolicTensor) -> SymbolicTensor {
    (dy * y * log(a)).kept(where: a.calling(.equal, 0.0).calling(.not))
  }

  /// Operands that are equally extreme share the cotangent.
  @Sendable private static func extremum(_ context: GradientContext) throws -> [SymbolicTensor?] {
    guard let dy = context.cotangent(), let element = dy.elementType else { return [] }
    let y = context.result()
    let shares = context.node.operands.indices.map { context.operand($0).calling(.equal, y).cast(to: element) }
    let share = shares.count == 1 ? dy : dy / shares.dropFirst().reduce(shares[0], +)
    return try shares.indices.map { context.needs($0) ? try context.sum(share * shares[$0], likeOperand: $0) : nil }
  }
}

extension SymbolicTensor {
  /// This tensor where the mask holds, zero elsewhere.
  func kept(where mask: SymbolicTensor) -> SymbolicTensor { mask.calling(.where_, self, 0.0) }

  /// Zeros of this type.
  func zeros() throws -> SymbolicTensor {
    let zero = try Tensor(elementType ?? .float32, [1], numbers: .floats([0]))
    return sizes().calling(.constantOfShape, attributes: ["value": .tensor(zero)])
  }

  /// The sizes as a tensor: a constant where they are known.
  func sizes() -> SymbolicTensor {
    if let sizes = shape?.sizes { return lift(Tensor(vector: sizes)) }
    return calling(.shape)
  }

  /// This tensor in the shape of another one.
  func reshaped(like other: SymbolicTensor) -> SymbolicTensor {
    if let shape, shape == other.shape, !shape.contains(.unknown) { return self }
    return calling(.reshape, other.sizes(), attributes: ["allowzero": .bool(true)])
  }

  /// The sum over the axes, kept with size 1.
  func summed(over axes: [Int]) -> SymbolicTensor {
    axes.isEmpty ? self : calling(.reduceSum, Tensor(vector: axes), attributes: ["keepdims": .bool(true)])
  }
}

extension GradientContext {
  /// The sum of a cotangent over the axes along which an operand was broadcast.
  func sum(_ cotangent: SymbolicTensor, likeOperand index: Int) throws -> SymbolicTensor {
    try sum(cotangent, like: operand(index))
  }

  func sum(_ cotangent: SymbolicTensor, like x: SymbolicTensor) throws -> SymbolicTensor {
    if let shape = cotangent.shape, shape == x.shape, !shape.contains(.unknown) { return cotangent }
    let lead = try rank(cotangent) - rank(x)
    guard lead >= 0 else { throw unsupported("a cotangent of rank \(try rank(cotangent)) for \(x)") }
    guard let from = cotangent.shape, let to = x.shape else { return cotangent }
    var axes = Array(0..<lead)
    var isOpen = false
    for axis in to.indices {
      if to[axis].size == 1 {
        axes.append(lead + axis)
      } else if to[axis] != from[lead + axis] || to[axis].isUnknown {
        // A size other than 1 is not broadcast.
        isOpen = isOpen || to[axis].size == nil
      }
    }
    var result = cotangent.summed(over: axes)
    if isOpen {
      // The sizes that turn out to be 1 are those along which x was broadcast.
      if lead > 0 { result = squeeze(result, axes: Array(0..<lead)) }
      let ones = x.calling(.shape).calling(.equal, 1).calling(.nonzero)
      result = result.calling(
        .reduceSum, squeeze(ones, axes: [0]), attributes: ["keepdims": .bool(true), "noop_with_empty_axes": .bool(true)])
    }
    return result.reshaped(like: x)
  }
}
