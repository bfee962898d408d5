import FXCore

extension TorchRows {
  mutating func addElementwise() {
    for (op, sign) in [(Operator.add, "+"), (.sub, "-"), (.mul, "*")] { define(op) { .binary($0[0], sign, $0[1]) } }
    define(.div) { call in
      guard call.isInteger else { return .binary(call[0], "/", call[1]) }
      if let divisor = try? call.site.constant(1)?.numbers().doubles, !divisor.contains(0) {
        return .call("torch.div", [call[0], call[1], .keyed("rounding_mode", "trunc")])
      }
      return try call.call(.truncatedDivide, [call[0], call[1]])
    }
    define(.pow) { call in
      let power = TorchExpression.call("torch.pow", [call[0], call[1]])
      guard call.site.elementType(0) != call.site.elementType(1), let type = call.site.elementType(0) else { return power }
      return power.to(type)
    }
    define(.mod) { .call($0[Mod.fmod] ? "torch.fmod" : "torch.remainder", [$0[0], $0[1]]) }
    define(.neg) { .unary("-", $0[0]) }
    define(.identity) { $0[0] }
    for op in [
      Operator.abs, .sqrt, .exp, .log, .reciprocal, .floor, .ceil, .round, .erf, .sin, .cos, .tan, .asin, .acos, .atan,
      .sinh, .cosh, .asinh, .acosh, .atanh,
    ] {
      define(op) { .call("torch.\(op.name)", [$0[0]]) }
    }
    // PyTorch's sign of NaN is 0.
    define(.sign) { call in
      let sign = TorchExpression.call("torch.sign", [call[0]])
      return call.isInteger ? sign : .call("torch.where", [.call("torch.isnan", [call[0]]), call[0], sign])
    }
    define(.clip) { call in
      let bounds = [1, 2].map { index in call.site.number(index).map { call.bound($0) } }
      if !call.has(1), !call.has(2) { return call[0] }
      if (!call.has(1) || bounds[0] != nil) && (!call.has(2) || bounds[1] != nil) {
        return .call("torch.clamp", [call[0], .keyed("min", bounds[0] ?? .null), .keyed("max", bounds[1] ?? .null)])
      }
      let low = call.has(1) ? TorchExpression.call("torch.maximum", [call[0], call[1]]) : call[0]
      return call.has(2) ? .call("torch.minimum", [low, call[2]]) : low
    }
    for op in [Operator.minimum, .maximum] {
      define(op) { call in
        call.operands.dropFirst().reduce(call[0]) { .call("torch.\(op.name)", [$0, $1]) }
      }
    }
    define(.where_) { .call("torch.where", [$0[0], $0[1], $0[2]]) }
  }
}

extension TorchCall {
  fileprivate func bound(_ value: Double) -> TorchExpression { isInteger ? .int(Int(value)) : .number(value) }
}

extension TorchFunction {
  static let truncatedDivide = TorchFunction(
    "truncated_divide",
    python: """
      def truncated_divide(a, b):
          \"\"\"Integers divided toward zero; 0 for a divisor of 0.\"\"\"
          quotient = torch.div(a, torch.where(b == 0, 1, b), rounding_mode="trunc")
          return torch.where(b == 0, 0, quotient).to(quotient.dtype)
      """,
    cpp: """
      // Integers divided toward zero; 0 for a divisor of 0.
      at::Tensor truncated_divide(const at::Tensor& a, const at::Tensor& b) {
        auto quotient = at::div(a, at::where(b == 0, at::ones_like(b), b), "trunc");
        return at::where(b == 0, at::zeros_like(quotient), quotient);
      }
      """)
}
