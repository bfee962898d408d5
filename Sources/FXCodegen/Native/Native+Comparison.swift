import FXCore

extension NativeOperators {
  mutating func addComparison() {
    let comparisons: [(Operator, String)] = [
      (.equal, "=="), (.notEqual, "!="), (.greater, ">"), (.greaterOrEqual, ">="), (.less, "<"), (.lessOrEqual, "<="),
      (.and, "&&"), (.or, "||"), (.xor, "!="),
    ]
    for (op, symbol) in comparisons { self[op] = .expression { _, x in "(\(x[0]) \(symbol) \(x[1]))" } }
    self[.not] = .expression { _, x in "(!\(x[0]))" }
    self[.isNaN] = .expression { _, x in "fx::is_nan(\(x[0]))" }
    self[.isInf] = .expression { call, x in
      switch (call[IsInf.detectNegative], call[IsInf.detectPositive]) {
      case (true, true): "fx::is_infinite(fx::absolute(\(x[0])))"
      case (false, true): "fx::is_infinite(\(x[0]))"
      case (true, false): "fx::is_infinite(-\(x[0]))"
      case (false, false): "false"
      }
    }
    for (op, symbol) in [(Operator.bitwiseAnd, "&"), (.bitwiseOr, "|"), (.bitwiseXor, "^")] {
      // Narrow integers are widened to `int` and must come back.
      self[op] = .expression { call, x in "\(NativeType.name(call.elementType(0)))(\(x[0]) \(symbol) \(x[1]))" }
    }
    self[.bitwiseNot] = .expression { call, x in "\(NativeType.name(call.elementType(0)))(~\(x[0]))" }
    self[.bitShift] = .expression { call, x in
      "fx::shift_\(call[BitShift.direction] == "LEFT" ? "left" : "right")(\(x[0]), \(x[1]))"
    }
  }
}
