import FXCore

extension XLARows {
  mutating func addQuantization() {
    define(.quantizeLinear) { call in
      let (x, scale) = (try call.operand(0), try call.operand(1))
      let type = try call.resultType()
      let precision = call[Quantize.precision] ?? scale.type
      guard precision.isFloatingPoint, precision.bitWidth >= 16 else { throw NotExpressible("scales are floating-point numbers") }
      let divisor = try call.spread(call.builder.convert(scale, precision), x)
      var y = try call.builder.binary("divide", call.builder.convert(x, precision), divisor)
      if type.isInteger { y = call.builder.unary("round_nearest_even", y) }
      y = call.builder.convert(y, .float32)
      if call.has(2) { y = try call.builder.binary("add", y, call.spread(call.builder.convert(call.operand(2), .float32), x)) }
      guard let range = type.integerRange else { return try call.cast(y, type, saturating: call[Quantize.saturate]) }
      y = try call.builder.binary("maximum", y, call.builder.constant(Double(range.lowerBound), .float32))
      y = try call.builder.binary("minimum", y, call.builder.constant(Double(range.upperBound), .float32))
      return call.builder.convert(y, type)
    }
    define(.dequantizeLinear) { call in
      let (x, scale) = (try call.operand(0), try call.operand(1))
      let wide: ElementType = x.type == .int32 ? .float64 : .float32
      var y = call.builder.convert(x, wide)
      if call.has(2) { y = try call.builder.binary("subtract", y, call.spread(call.builder.convert(call.operand(2), wide), x)) }
      y = try call.builder.binary("multiply", y, call.spread(call.builder.convert(scale, wide), x))
      return call.builder.convert(y, try call.resultType())
    }
    define(.matmulInteger) { call in
      let a = try call.shifted(0, by: 2, columns: true)
      let b = try call.shifted(1, by: 3, columns: false)
      return try call.product(a, b)
    }
    define(.convInteger) { call in
      let x = try call.shifted(0, by: 2, columns: false)
      var w = call.builder.convert(try call.operand(1), .int32)
      if call.has(3) {
        let zero = call.builder.convert(try call.operand(3), .int32)
        let column = zero.rank == 0 ? zero : call.builder.reshape(zero, zero.sizes + Array(repeating: 1, count: w.rank - 1))
        w = try call.builder.binary("subtract", w, column)
      }
      return try call.convolution(x, w)
    }
  }
}

extension XLACall {
  /// A scale or zero point in a shape that goes with x.
  fileprivate mutating func spread(_ scale: HLOValue, _ x: HLOValue) throws -> HLOValue {
    if scale.sizes.reduce(1, *) == 1 { return builder.reshape(scale, []) }
    let axis = axis(self[Quantize.axis], of: x)
    let block = self[Quantize.blockSize]
    guard block > 0 else { return builder.reshape(scale, x.sizes.indices.map { $0 == axis ? scale.sizes[0] : 1 }) }
    var split = scale.sizes
    split.insert(block, at: axis + 1)
    let axes = split.indices.filter { $0 != axis + 1 }
    let repeated = builder.op("broadcast_in_dim", [scale], "broadcast_dimensions = \(hloArray(axes))", scale.type, split)
    var sizes = scale.sizes
    sizes[axis] *= block
    return builder.slice(builder.reshape(repeated, sizes), axis: axis, 0..<x.sizes[axis])
  }

  /// Operand `index` minus its zero point, as 32-bit integers.
  fileprivate mutating func shifted(_ index: Int, by zeroPoint: Int, columns: Bool) throws -> HLOValue {
    let x = builder.convert(try operand(index), .int32)
    guard has(zeroPoint) else { return x }
    var zero = builder.convert(try operand(zeroPoint), .int32)
    if zero.sizes.reduce(1, *) == 1 { zero = builder.reshape(zero, []) }
    if columns, zero.rank == 1 { zero = builder.reshape(zero, zero.sizes + [1]) }
    return try builder.binary("subtract", x, zero)
  }
}
