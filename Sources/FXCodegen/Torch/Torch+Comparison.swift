import FXCore

extension TorchRows {
  mutating func addComparison() {
    for (op, sign) in [
      (Operator.equal, "=="), (.notEqual, "!="), (.greater, ">"), (.greaterOrEqual, ">="), (.less, "<"), (.lessOrEqual, "<="),
      (.and, "&"), (.or, "|"), (.xor, "^"), (.bitwiseAnd, "&"), (.bitwiseOr, "|"), (.bitwiseXor, "^"),
    ] {
      define(op) { .binary($0[0], sign, $0[1]) }
    }
    for op in [Operator.not, .bitwiseNot] {
      define(op) { $0.language == .python ? .unary("~", $0[0]) : .call("torch.bitwise_not", [$0[0]]) }
    }
    define(.bitShift) { call in
      .call(call[BitShift.direction] == "LEFT" ? "torch.bitwise_left_shift" : "torch.bitwise_right_shift", [call[0], call[1]])
    }
    define(.isNaN) { .call("torch.isnan", [$0[0]]) }
    define(.isInf) { call in
      switch (call[IsInf.detectNegative], call[IsInf.detectPositive]) {
      case (true, true): .call("torch.isinf", [call[0]])
      case (true, false): .call("torch.isneginf", [call[0]])
      case (false, true): .call("torch.isposinf", [call[0]])
      case (false, false): TorchExpression.call("torch.zeros_like", [call[0]]).to(.bool)
      }
    }
  }
}
