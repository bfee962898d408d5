import FXCore

func abs(_ x: Term) throws -> Term { try x.call(.abs) }
func exp(_ x: Term) throws -> Term { try x.call(.exp) }
func log(_ x: Term) throws -> Term { try x.call(.log) }
func sqrt(_ x: Term) throws -> Term { try x.call(.sqrt) }
func pow(_ x: Term, _ exponent: Literal) throws -> Term { try x.call(.pow, [.literal(exponent)]) }
func reciprocal(_ x: Term) throws -> Term { try x.call(.reciprocal) }
func floor(_ x: Term) throws -> Term { try x.call(.floor) }
func round(_ x: Term) throws -> Term { try x.call(.round) }
func erf(_ x: Term) throws -> Term { try x.call(.erf) }
func sin(_ x: Term) throws -> Term { try x.call(.sin) }
func cos(_ x: Term) throws -> Term { try x.call(.cos) }
func tanh(_ x: Term) throws -> Term { try x.call(.tanh) }
func sigmoid(_ x: Term) throws -> Term { try x.call(.sigmoid) }
/// ln(1 + eˣ), by powers that do not overflow.
func softplus(_ x: Term) throws -> Term { try maximum(x, 0) + log(1 + exp(-abs(x))) }
func maximum(_ a: Term, _ b: Literal) throws -> Term { try a.call(.maximum, [.literal(b)]) }
func minimum(_ a: Term, _ b: Literal) throws -> Term { try a.call(.minimum, [.literal(b)]) }
func mod(_ a: Term, _ b: Term) throws -> Term { try a.call(.mod, [b.operand]) }
func clip(_ x: Term, _ low: Literal, _ high: Literal) throws -> Term {
  try x.call(.clip, [.literal(low), .literal(high)])
}
func matmul(_ a: Term, _ b: Term) throws -> Term { try a.call(.matmul, [b.operand]) }
func softmax(_ x: Term, axis: Int) throws -> Term { try x.call(.softmax, [], ["axis": .int(axis)]) }

/// Tensors one after another along an axis; the only one of one.
func concat(_ parts: [Term], axis: Int) throws -> Term {
  if parts.count == 1 { return parts[0] }
  return try parts[0].call(.concat, parts.dropFirst().map(\.operand), ["axis": .int(axis)])
}

/// Tensors of one shape side by side along a new axis.
func stack(_ parts: [Term], axis: Int) throws -> Term { try concat(parts.map { try $0.unsqueezed([axis]) }, axis: axis) }

// MARK: - Types

extension Term {
  /// The term in another element type; itself if it has that.
  func cast(to type: ElementType) throws -> Term {
    try elementType == type ? self : call(.cast, [], ["to": .elementType(type)])
  }

  /// The term in `float32` if it is of half precision: for formulas that are to be rounded once.
  func widened() throws -> Term { try elementType.isHalf ? cast(to: .float32) : self }
}

extension ElementType {
  var isHalf: Bool { self == .float16 || self == .bfloat16 }
  /// The type that formulas rounded once are computed in.
  var widened: ElementType { isHalf ? .float32 : self }
}

extension Literal {
  init(_ number: Float) { self = .float(Double(number)) }
}

// MARK: - Reductions

extension Term {
  func reduced(_ op: Operator, _ axes: [Int], keepDims: Bool = true) throws -> Term {
    // No axes would mean all.
    axes.isEmpty ? self : try call(op, [builder.vector(axes).operand], ["keepdims": .bool(keepDims)])
  }

  func sum(_ axes: [Int], keepDims: Bool = true) throws -> Term { try reduced(.reduceSum, axes, keepDims: keepDims) }
  func mean(_ axes: [Int], keepDims: Bool = true) throws -> Term { try reduced(.reduceMean, axes, keepDims: keepDims) }
  func max(_ axes: [Int], keepDims: Bool = true) throws -> Term { try reduced(.reduceMax, axes, keepDims: keepDims) }
}

// MARK: - Movement

extension Term {
  func transposed(_ permutation: [Int]) throws -> Term {
    permutation == Array(permutation.indices) ? self : try call(.transpose, [], ["perm": .ints(permutation)])
  }

  /// The last two axes exchanged.
  func matrixTransposed() throws -> Term {
    var axes = Array(0..<(try rank))
    guard axes.count >= 2 else { return self }
    axes.swapAt(axes.count - 1, axes.count - 2)
    return try transposed(axes)
  }

  func unsqueezed(_ axes: [Int]) throws -> Term {
    axes.isEmpty ? self : try call(.unsqueeze, [builder.vector(axes).operand])
  }

  func squeezed(_ axes: [Int]) throws -> Term { axes.isEmpty ? self : try call(.squeeze, [builder.vector(axes).operand]) }

  /// Unsqueezed so that axis 0 of a vector becomes axis `axis` of `rank`.
  func alongAxis(_ axis: Int, of rank: Int) throws -> Term { try unsqueezed((0..<rank).filter { $0 != axis }) }

  /// The slices along an axis that the indices name.
  func gathered(_ indices: Term, axis: Int) throws -> Term { try call(.gather, [indices.operand], ["axis": .int(axis)]) }

  /// The slice at a place along an axis, which goes.
  func gathered(_ index: Int, axis: Int) throws -> Term {
    try gathered(builder.vector([index]), axis: axis).squeezed([axis])
  }

  func gatheredElements(_ indices: Term, axis: Int) throws -> Term {
    try call(.gatherElements, [indices.operand], ["axis": .int(axis)])
  }

  func scatteredElements(_ indices: Term, _ updates: Term, axis: Int, reduction: String = "none") throws -> Term {
    try call(
      .scatterElements, [indices.operand, updates.operand], ["axis": .int(axis), "reduction": .string(reduction)])
  }

  func reshaped(_ sizes: [Extent]) throws -> Term {
    // With no size left to be found out, 0 means 0.
    let isLiteral = !sizes.contains { $0.isWildcard }
    return try call(.reshape, [builder.vector(sizes).operand], ["allowzero": .bool(isLiteral)])
  }

  func expanded(_ sizes: [Extent]) throws -> Term { try call(.expand, [builder.vector(sizes).operand]) }

  /// Elements from `start` to `end` (exclusive) along an axis.
  func sliced(_ axis: Int, from start: Extent, to end: Extent, step: Extent = 1) throws -> Term {
    try call(.slice, try [[start], [end], [.size(axis)], [step]].map { try builder.vector($0).operand })
  }

  /// Elements from `start` on along an axis.
  func sliced(_ axis: Int, from start: Extent, step: Extent = 1) throws -> Term {
    try sliced(axis, from: start, to: .size(Int.max), step: step)
  }

  /// Elements added before and after along an axis.
  func padded(_ axis: Int, before: Extent, after: Extent, with value: Literal? = nil) throws -> Term {
    if before.size == 0, after.size == 0 { return self }
    return try call(
      .pad, [builder.vector([before, after]).operand, value.map(Operand.literal) ?? .none, builder.vector([axis]).operand])
  }
}
