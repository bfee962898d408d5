import FXCore

extension TorchRows {
  mutating func addConversion() {
    define(.cast) { call in
      try call.cast(call[0], from: call.site.elementType(0), to: call[Cast.to], saturating: call[Cast.saturate])
    }
    define(.bitCast) { call in
      for type in [call.site.elementType(0) ?? .float32, call[BitCast.to]] where TorchTypes.storage(type) != type {
        throw NotExpressible("PyTorch has no \(type.rawValue), whose bits are asked for")
      }
      return .method(call[0], "view", [.type(call[BitCast.to])])
    }
  }
}

extension TorchCall {
  /// An expression in another element type. Numbers that an integer type cannot hold are PyTorch's business.
  mutating func cast(
    _ x: TorchExpression, from: ElementType?, to: ElementType, saturating: Bool = true
  ) throws -> TorchExpression {
    if from == to { return x }
    if to.isInteger, to.bitWidth < 8 {
      let count = 1 << to.bitWidth
      let low = TorchExpression.binary(x.to(.int64), "&", .int(count - 1))
      guard to.isSignedInteger else { return low.to(.uint8) }
      let half = count / 2
      return TorchExpression.binary(.binary(.binary(low, "+", .int(half)), "&", .int(count - 1)), "-", .int(half)).to(.int8)
    }
    let largest: Double? =
      switch to {
      case .float8e4m3fn: 448
      case .float8e4m3fnuz: 240
      case .float8e5m2, .float8e5m2fnuz: 57344
      default: nil
      }
    if let largest, saturating {
      return TorchExpression.call("torch.clamp", [x, .number(-largest), .number(largest)]).to(to)
    }
    // PyTorch saturates here where it would be NaN.
    if to == .float8e4m3fn {
      let isBeyond = TorchExpression.binary(.call("torch.abs", [x]), ">", .int(464))
      return TorchExpression.call("torch.where", [isBeyond, .number(.nan), x]).to(to)
    }
    return x.to(to)
  }
}
