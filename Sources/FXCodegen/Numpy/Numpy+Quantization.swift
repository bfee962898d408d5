import FXCore

extension NumpyRows {
  mutating func addQuantization() {
    define(.quantizeLinear) { call in
      let type = call.site.elementType(2) ?? call[Quantize.outputType] ?? .uint8
      let scaleType = call.site.elementType(1) ?? .float32
      let precision = call[Quantize.precision] ?? (scaleType == .float8e8m0 ? call.site.elementType(0) ?? .float32 : scaleType)
      let x = try call.cast(call[0], from: call.site.elementType(0), to: precision)
      let scale = try call.cast(call.spread(1), from: scaleType, to: precision)
      var quotient =
        precision.isInteger ? "\(x) / \(scale)" : "\(x.isPrimary ? x : "(\(x))") / \(scale.isPrimary ? scale : "(\(scale))")"
      if precision == .bfloat16 { quotient = "\(call.use(.bfloat16))(\(quotient))" }
      let zero = call.has(2) ? call.spread(2) : "0"
      guard let range = type.integerRange else {
        if call.has(2) { quotient = "\(quotient) + \(zero)" }
        return try call.cast(quotient, from: .float32, to: type, saturating: call[Quantize.saturate])
      }
      return "\(call.use(.quantize))(\(quotient), \(zero), \(range.lowerBound), \(range.upperBound), \(NumpyTypes.name(type)))"
    }
    define(.dequantizeLinear) { call in
      let type = call.site.resultType()?.elementType ?? .float32
      let scale = call.spread(1)
      let x = "\(call.primary(0)).astype(np.float64)"
      let difference = call.has(2) ? "(\(x) - \(call.spread(2)))" : x
      return try call.cast("\(difference) * \(scale)", from: .float64, to: type)
    }
    define(.matmulInteger) { call in
      let a = call.shifted(0, by: 2, shape: "[..., None]", rank: 1)
      let b = call.shifted(1, by: 3, shape: "", rank: 0)
      return "\(a) @ \(b)"
    }
    define(.convInteger) { call in
      let x = call.shifted(0, by: 2, shape: "", rank: 0)
      let rank = try call.site.knownRank(1)
      let ones = Array(repeating: "1", count: rank - 1).joined(separator: ", ")
      let w = call.shifted(1, by: 3, shape: ".reshape(-1, \(ones))", rank: 1)
      let arguments = try call.convolutionArguments()
      return "\(call.use(.conv))(\(x), \(w), \(arguments))"
    }
  }
}

extension NumpyCall {
  /// A scale or zero point in a shape that goes with x.
  fileprivate mutating func spread(_ index: Int) -> String {
    if site.shape(index)?.rank == 0 { return primary(index) }
    let block = self[Quantize.blockSize]
    return "\(use(.spread))(\(self[index]), \(self[0]), \(self[Quantize.axis])" + (block == 0 ? ")" : ", \(block))")
  }

  /// Operand `index` minus its zero point, as 32-bit integers.
  /// - Parameters:
  ///   - shape: what a zero point of at least `rank` axes is followed by.
  fileprivate func shifted(_ index: Int, by zeroPoint: Int, shape: String, rank: Int) -> String {
    let x = "\(primary(index)).astype(np.int32)"
    guard has(zeroPoint) else { return x }
    let isVector = (site.rank(zeroPoint) ?? 0) == 1 && rank == 1 && site.shape(zeroPoint)?.first?.size != 1
    return "(\(x) - \(primary(zeroPoint))\(isVector ? shape : ""))"
  }
}
