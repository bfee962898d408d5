import FXCore

extension TorchRows {
  mutating func addQuantization() {
    define(.quantizeLinear) { call in
      let type = call.site.elementType(2) ?? call[Quantize.outputType] ?? .uint8
      let scaleType = call.site.elementType(1) ?? .float32
      guard TorchTypes.has(type) else { throw NotExpressible("PyTorch does not compute in \(type.rawValue)") }
      let precision = call[Quantize.precision] ?? scaleType
      guard precision.isFloatingPoint, scaleType != .float8e8m0 else { throw NotExpressible("scales are floating-point numbers") }
      let x = call.site.elementType(0) == precision ? call[0] : call[0].to(precision)
      let scale = scaleType == precision ? try call.spread(1) : try call.spread(1).to(precision)
      let quotient = TorchExpression.binary(x, "/", scale)
      guard let range = type.integerRange else {
        let moved = call.has(2) ? TorchExpression.binary(quotient, "+", try call.spread(2).to(precision)) : quotient
        return try call.cast(moved, from: precision, to: type, saturating: call[Quantize.saturate])
      }
      var whole = TorchExpression.call("torch.round", [quotient])
      if call.has(2) { whole = .binary(whole.to(.float32), "+", try call.spread(2)) }
      return TorchExpression.call("torch.clamp", [whole, .int(range.lowerBound), .int(range.upperBound)]).to(type)
    }
    define(.dequantizeLinear) { call in
      let type = call.site.resultType()?.elementType ?? .float32
      let wide: ElementType = call.site.elementType(0) == .int32 ? .float64 : .float32
      guard call.site.elementType(1) != .float8e8m0 else { throw NotExpressible("scales are floating-point numbers") }
      let x = call[0].to(wide)
      let zero = call.has(2) ? try call.spread(2).to(wide) : nil
      let difference = zero.map { TorchExpression.binary(x, "-", $0) } ?? x
      let y = TorchExpression.binary(difference, "*", try call.spread(1))
      return type == wide && call.site.elementType(1) == wide ? y : y.to(type)
    }
    define(.matmulInteger) { call in
      let a = call.shifted(0, by: 2, columns: true)
      let b = call.shifted(1, by: 3, columns: false)
      return .call("torch.matmul", [a, b])
    }
    define(.convInteger) { call in
      // Sums of products of bytes are exact in double precision, for which PyTorch has convolutions.
      let rank = try call.spatialRank(1)
      let x = call.shifted(0, by: 2, columns: false).to(.float64)
      var w = call[1].to(.int32)
      if call.has(3) {
        let zero =
          (call.site.rank(3) ?? 0) == 0
          ? call[3] : .method(call[3], "reshape", [.ints([-1] + Array(repeating: 1, count: rank + 1))])
        w = .binary(w, "-", zero)
      }
      let ones = Array(repeating: 1, count: rank)
      let (strides, dilations) = (call[Conv.strides] ?? ones, call[Conv.dilations] ?? ones)
      let kernel = try call[Conv.kernelShape] ?? Array(call.site.sizes(1).dropFirst(2))
      let (starts, ends) = try call.padding(kernel: kernel, strides: strides, dilations: dilations)
      let arguments: [TorchExpression] = [
        .padded(x, starts, ends), w.to(.float64), .null, .ints(strides), .sizes(ones.map { _ in 0 }), .ints(dilations),
        .int(call[Conv.group]),
      ]
      return TorchExpression.call("F.conv\(rank)d", arguments).to(.int32)
    }
  }
}

extension TorchCall {
  /// A scale or zero point in a shape that goes with x.
  fileprivate func spread(_ index: Int) throws -> TorchExpression {
    guard let shape = site.shape(index) else { throw NotExpressible("the shape of the scales is not known") }
    if shape.rank == 0 { return self[index] }
    if shape.sizes?.reduce(1, *) == 1 {
      return .method(self[index], "reshape", language == .python ? [.name("()")] : [.list([])])
    }
    let rank = try site.knownRank(0)
    let axis = site.axis(self[Quantize.axis], rank: rank)
    let block = self[Quantize.blockSize]
    if block > 0 {
      let spread = TorchExpression.method(self[index], "repeat_interleave", [.int(block), .keyed("dim", .int(axis))])
      return .method(spread, "narrow", [.int(axis), 0, .size(self[0], axis)])
    }
    return .method(self[index], "reshape", [.ints((0..<rank).map { $0 == axis ? -1 : 1 })])
  }

  /// Operand `index` minus its zero point, as 32-bit integers.
  fileprivate func shifted(_ index: Int, by zeroPoint: Int, columns: Bool) -> TorchExpression {
    let x = self[index].to(.int32)
    guard has(zeroPoint) else { return x }
    let isVector = columns && site.rank(zeroPoint) == 1 && site.shape(zeroPoint)?.first?.size != 1
    return .binary(x, "-", isVector ? .method(self[zeroPoint], "unsqueeze", [1]) : self[zeroPoint])
  }
}
