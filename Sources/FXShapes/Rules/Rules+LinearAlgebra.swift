import FXCore

extension ShapeRules {
  mutating func addLinearAlgebra() {
    self[.matmul] = { (context) throws(ShapeError) in [try context.product()] }
    self[.gemm] = { (context) throws(ShapeError) in [try context.gemm()] }
    self[.linear] = { (context) throws(ShapeError) in [try context.linear()] }
    self[.fusedMatmul] = { (context) throws(ShapeError) in [try context.fused(try context.product(), residual: 2)] }
    self[.fusedGemm] = { (context) throws(ShapeError) in [try context.fused(try context.gemm(), residual: 3)] }
    self[.fusedLinear] = { (context) throws(ShapeError) in [try context.fused(try context.linear(), residual: 3)] }
    self[.det] = { (context) throws(ShapeError) in
      guard let type = try context.tensorType(0) else { return [.unknown] }
      guard let shape = try context.shape(0, minimumRank: 2) else { return [.tensor(type)] }
      _ = try InferenceContext.same("the number of rows", shape[shape.rank - 2], "the number of columns", shape[shape.rank - 1])
      return [.tensor(type.elementType, Shape(Array(shape.dropLast(2))))]
    }
    self[.einsum] = { (context) throws(ShapeError) in [try context.einsum()] }
  }
}

extension InferenceContext {
  /// The shape of a matrix product as `numpy.matmul` has it; `nil` if a rank is unknown.
  static func product(_ a: Shape?, _ b: Shape?) throws(ShapeError) -> Shape? {
    guard let a, let b else { return nil }
    guard a.rank > 0 else { throw .rank(operand: 0, expected: "at least 1", actual: 0) }
    guard b.rank > 0 else { throw .rank(operand: 1, expected: "at least 1", actual: 0) }
    _ = try same(
      "the last dimension of the first operand", a[a.rank - 1],
      b.rank == 1 ? "the length of the second" : "the last but one of the second", b[max(b.rank - 2, 0)])
    let batch = try Broadcasting.shape(Shape(Array(a.dropLast(2))), Shape(Array(b.dropLast(2))))
    let rows = a.rank == 1 ? [] : [a[a.rank - 2]]
    let columns = b.rank == 1 ? [] : [b[b.rank - 1]]
    return Shape(batch.dimensions + rows + columns)
  }

  fileprivate func product() throws(ShapeError) -> ValueType {
    let shape = try InferenceContext.product(shape(0), shape(1))
    guard let element = try elementType(firstOf: [0, 1]) else { return .unknown }
    return .tensor(element, shape)
  }

  fileprivate func gemm() throws(ShapeError) -> ValueType {
    guard let element = try elementType(firstOf: [0, 1]) else { return .unknown }
    guard let a = try shape(0, rank: 2), let b = try shape(1, rank: 2) else {
      return .tensor(element, [.unknown, .unknown])
    }
    let (m, k) = self[Gemm.transA] ? (a[1], a[0]) : (a[0], a[1])
    let (l, n) = self[Gemm.transB] ? (b[1], b[0]) : (b[0], b[1])
    _ = try InferenceContext.same("the number of columns of a", k, "the number of rows of b", l)
    try checkBroadcasts(2, to: [m, n])
    return .tensor(element, [m, n])
  }

  fileprivate func linear() throws(ShapeError) -> ValueType {
    guard let element = try elementType(firstOf: [0, 1]) else { return .unknown }
    guard let x = try shape(0, minimumRank: 1) else { return .tensor(element, nil) }
    guard let weight = try shape(1, rank: 2) else { return .tensor(element, Shape(Array(x.dropLast()) + [.unknown])) }
    _ = try InferenceContext.same("the last dimension of x", x[x.rank - 1], "the weight's number of columns", weight[1])
    try checkBroadcasts(2, to: [weight[0]])
    return .tensor(element, Shape(Array(x.dropLast()) + [weight[0]]))
  }

  /// The type of a fused operator's result: its base operator's.
  func fused(_ type: ValueType, residual: Int) throws(ShapeError) -> ValueType {
    try checkBroadcasts(residual, to: type.shape)
    return type
  }

  fileprivate func einsum() throws(ShapeError) -> ValueType {
    let equation: EinsumEquation
    do { equation = try EinsumEquation(self[Einsum.equation]) } catch { throw .attribute("equation", reason: error.reason) }
    guard equation.inputs.count == operandCount else {
      throw .attribute("equation", reason: "has \(equation.inputs.count) terms for \(operandCount) operands")
    }
    var sizes: [EinsumEquation.Subscript: Dimension] = [:]
    var ellipsis = Shape([Dimension]())
    var isKnown = true
    for (index, term) in equation.inputs.enumerated() {
      guard let shape = try shape(index) else {
        if term.contains(.ellipsis) { isKnown = false }
        continue
      }
      let letters = term.count { $0 != .ellipsis }
      guard term.contains(.ellipsis) ? shape.rank >= letters : shape.rank == letters else {
        throw .rank(operand: index, expected: "\(letters)" + (term.contains(.ellipsis) ? " or more" : ""), actual: shape.rank)
      }
      var axis = 0
      for name in term {
        if name == .ellipsis {
          let count = shape.rank - letters
          ellipsis = try Broadcasting.shape(ellipsis, Shape(Array(shape[axis..<axis + count])))
          axis += count
        } else {
          let known = sizes[name] ?? 1
          guard let size = Broadcasting.dimension(known, shape[axis]) else {
            throw .dimensionsDiffer("a subscript", known, "the same subscript of operand \(index)", shape[axis])
          }
          sizes[name] = size
          axis += 1
        }
      }
    }
    guard let element = try elementType(firstOf: Array(0..<operandCount)) else { return .unknown }
    guard isKnown || !equation.output.contains(.ellipsis) else { return .tensor(element, nil) }
    var result: [Dimension] = []
    for name in equation.output {
      if name == .ellipsis { result += ellipsis.dimensions } else { result.append(sizes[name] ?? .unknown) }
    }
    return .tensor(element, Shape(result))
  }
}
