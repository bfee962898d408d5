import FXCore

extension NumpyRows {
  mutating func addConversion() {
    define(.cast) { call in
      let from = call.site.elementType(0)
      return try call.cast(call[0], from: from, to: call[Cast.to], saturating: call[Cast.saturate], round: call[Cast.roundMode])
    }
    define(.bitCast) { call in
      let to = call[BitCast.to]
      for type in [call.site.elementType(0), to] {
        if let type, NumpyTypes.storage(type) != type {
          throw NotExpressible("NumPy has no \(type.rawValue), whose bits are asked for")
        }
      }
      return "\(call.primary(0)).view(\(NumpyTypes.name(to)))"
    }
  }
}

extension NumpyCall {
  /// An expression in another element type, as `Tensor.converted(to:saturating:)` has it.
  /// - Parameter round: how powers of two round.
  mutating func cast(
    _ x: String, from: ElementType?, to: ElementType, saturating: Bool = true, round: String = "nearest"
  ) throws -> String {
    if from == to { return x }
    if from == .string || to == .string { return try castString(x, from: from, to: to) }
    if let arguments = NumpyTypes.rounding(to, saturating: saturating) {
      return to == .bfloat16 ? "\(use(.bfloat16))(\(x))" : "\(use(.rounded))(\(x), \(arguments))"
    }
    if to == .float8e8m0 { return "\(use(.roundedPower))(\(x), \"\(round)\")" }
    if to.isInteger, to.bitWidth < 8 { return "\(use(.lowBits))(\(x), \(to.bitWidth), \(NumpyCall.truth(to.isSignedInteger)))" }
    let base = x.isPrimary ? x : "(\(x))"
    if to.isInteger, from?.isFloatingPoint ?? false { return "\(use(.toInteger))(\(x), \(NumpyTypes.name(to)))" }
    return "\(base).astype(\(NumpyTypes.name(to)))"
  }

  private func castString(_ x: String, from: ElementType?, to: ElementType) throws -> String {
    guard from == .string else { throw NotExpressible("numbers are not written as text") }
    guard NumpyTypes.storage(to) == to, !to.isComplex, to != .bool else {
      throw NotExpressible("text is not read as \(to.rawValue)")
    }
    return "np.asarray(\(x)).astype(\(to.isInteger ? "np.int64" : "np.float64")).astype(\(NumpyTypes.name(to)))"
  }
}
