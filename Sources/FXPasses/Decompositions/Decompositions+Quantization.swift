import FXCore

/// Source of the formulas: the function body of ONNX `DynamicQuantizeLinear`, and the definitions of the others.
extension Decompositions {
  mutating func addQuantization() {
    self[.dynamicQuantizeLinear] = { context in
      let x = try context.term(0)
      let axes = try Array(0..<x.rank)
      let low = try minimum(x.reduced(.reduceMin, axes, keepDims: false), 0)
      let range = try maximum(x.max(axes, keepDims: false), 0) - low
      let scale = try select(range .== 0, 1, range / 255)
      let zeroPoint = try round(clip(-low / scale, 0, 255)).cast(to: .uint8)
      let y = try x.call(.quantizeLinear, [scale.operand, zeroPoint.operand])
      return context.results(y, scale, zeroPoint)
    }
    define(.qlinearMatmul) { context in
      let (a, b) = (try context.term(0), try context.term(3))
      // Scales of rows and columns stand before the sum: only then is the product one of integers.
      let (aScale, bScale) = (try context.term(1), try context.term(4))
      guard try a.isInteger, try b.isInteger, aScale.isScalarOrVector, bScale.isScalarOrVector, try a.rank > 1 else {
        let x = try a.dequantized(aScale, context.term(2), perRow: true)
        return try context.requantized(matmul(x, b.dequantized(bScale, context.term(5), perRow: false)))
      }
      let product = try a.call(.matmulInteger, [b.operand, context.operand(2), context.operand(5)])
      let scale = try aScale.perRow().cast(to: .float32) * bScale.cast(to: .float32)
      return try context.requantized(product.cast(to: .float32) * scale)
    }
    define(.qlinearConv) { context in
      let (x, weight, weightScale) = (try context.term(0), try context.term(3), try context.term(4))
      let attributes = Attributes(context.node.attributes.map { ($0.name, $0.value) })
      var sums = try x.call(.convInteger, [weight.operand, context.operand(2), context.operand(5)], attributes)
      let rank = try x.rank
      if let bias = try context.optionalTerm(8) { sums = try sums + bias.alongAxis(1, of: rank) }
      let kernels = try weightScale.isVector ? weightScale.alongAxis(1, of: rank) : weightScale
      return try context.requantized(sums.cast(to: .float32) * (context.term(1) * kernels))
    }
  }
}

extension Term {
  fileprivate var isInteger: Bool {
    get throws { try elementType.isInteger }
  }

  /// Whether it has one axis with more than one element, or an unknown number of them.
  fileprivate var isVector: Bool { type.shape.map { $0.rank == 1 && $0[0].size != 1 } ?? false }
  fileprivate var isScalarOrVector: Bool { type.shape.map { $0.rank <= 1 } ?? false }

  /// A vector with a number per row of a matrix as a column.
  fileprivate func perRow() throws -> Term { try isVector ? unsqueezed([1]) : self }

  /// (x − zero point) × scale in `float32`; vectors have a number per row or column.
  fileprivate func dequantized(_ scale: Term, _ zeroPoint: Term, perRow: Bool) throws -> Term {
    let isRow = try perRow && rank > 1
    let (factor, shift) = (try scale.cast(to: .float32), try zeroPoint.cast(to: .float32))
    return try (cast(to: .float32) - (isRow ? shift.perRow() : shift)) * (isRow ? factor.perRow() : factor)
  }
}

extension DecompositionContext {
  /// Numbers in the quantized form that operands 6 and 7, scale and zero point, describe.
  fileprivate func requantized(_ x: Term) throws -> Term {
    let (scale, zeroPoint) = (try term(6).cast(to: .float32), try term(7))
    let type = try zeroPoint.elementType
    let y = try x / scale
    guard let range = type.integerRange else { return try (y + zeroPoint.cast(to: .float32)).cast(to: type) }
    let shifted = try round(y) + zeroPoint.cast(to: .float32)
    return try clip(shifted, .int(Int64(range.lowerBound)), .int(Int64(range.upperBound))).cast(to: type)
  }
}
