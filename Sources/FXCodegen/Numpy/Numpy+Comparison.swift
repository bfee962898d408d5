import FXCore

extension NumpyRows {
  mutating func addComparison() {
    for (op, sign) in [
      (Operator.equal, "=="), (.notEqual, "!="), (.greater, ">"), (.greaterOrEqual, ">="), (.less, "<"), (.lessOrEqual, "<="),
      (.and, "&"), (.or, "|"), (.xor, "^"), (.bitwiseAnd, "&"), (.bitwiseOr, "|"), (.bitwiseXor, "^"),
    ] {
      define(op) { "\($0.primary(0)) \(sign) \($0.primary(1))" }
    }
    define(.not) { "~\($0.primary(0))" }
    define(.bitwiseNot) { "~\($0.primary(0))" }
    define(.bitShift) { "\($0.primary(0)) \($0[BitShift.direction] == "LEFT" ? "<<" : ">>") \($0.primary(1))" }
    define(.isNaN) { "np.isnan(\($0[0]))" }
    define(.isInf) { call in
      switch (call[IsInf.detectNegative], call[IsInf.detectPositive]) {
      case (true, true): "np.isinf(\(call[0]))"
      case (true, false): "np.isneginf(\(call[0]))"
      case (false, true): "np.isposinf(\(call[0]))"
      case (false, false): "np.zeros_like(\(call[0]), dtype=np.bool_)"
      }
    }
  }
}
