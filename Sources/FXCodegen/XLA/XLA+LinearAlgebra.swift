import FXCore

extension XLARows {
  mutating func addLinearAlgebra() {
    define(.matmul) { try $0.product($0.operand(0), $0.operand(1)) }
    define(.gemm) { call in
      var (a, b) = (try call.operand(0), try call.operand(1))
      if a.type.isInteger, call[Gemm.alpha] != 1 || call[Gemm.beta] != 1 {
        throw NotExpressible("integers times alpha and beta are not defined")
      }
      if call[Gemm.transA] { a = call.builder.transpose(a, [1, 0]) }
      if call[Gemm.transB] { b = call.builder.transpose(b, [1, 0]) }
      var y = try call.product(a, b)
      if call[Gemm.alpha] != 1 {
        y = try call.builder.binary("multiply", y, call.builder.constant(Double(call[Gemm.alpha]), y.type))
      }
      guard call.has(2), call[Gemm.beta] != 0 else { return y }
      var c = try call.operand(2)
      if call[Gemm.beta] != 1 {
        c = try call.builder.binary("multiply", c, call.builder.constant(Double(call[Gemm.beta]), c.type))
      }
      return try call.builder.binary("add", y, c)
    }
  }
}

extension XLACall {
  /// The matrix product, vectors and leading axes as NumPy has them.
  mutating func product(_ a: HLOValue, _ b: HLOValue) throws -> HLOValue {
    let isRow = a.rank == 1
    let isColumn = b.rank == 1
    var x = isRow ? builder.reshape(a, [1] + a.sizes) : a
    var y = isColumn ? builder.reshape(b, b.sizes + [1]) : b
    let batch = try HLOBuilder.broadcast(Array(x.sizes.dropLast(2)), Array(y.sizes.dropLast(2)))
    // Matrices that all share one right side are one matrix.
    if y.rank == 2, x.rank > 2 {
      let rows = x.sizes.dropLast().reduce(1, *)
      x = builder.reshape(x, [rows, x.sizes[x.rank - 1]])
      var product = builder.dot(x, y, batch: 0, contracting: (1, 0), a.type)
      product = builder.reshape(product, a.sizes.dropLast() + [y.sizes[1]])
      return isColumn ? builder.reshape(product, Array(a.sizes.dropLast())) : product
    }
    x = try builder.broadcast(x, batch + x.sizes.suffix(2))
    y = try builder.broadcast(y, batch + y.sizes.suffix(2))
    let result = builder.dot(x, y, batch: batch.count, contracting: (batch.count + 1, batch.count), a.type)
    var sizes = result.sizes
    if isColumn { sizes.remove(at: sizes.count - 1) }
    if isRow { sizes.remove(at: sizes.count - (isColumn ? 1 : 2)) }
    return builder.reshape(result, sizes)
  }
}
