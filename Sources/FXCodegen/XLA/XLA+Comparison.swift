import FXCore

extension XLARows {
  mutating func addComparison() {
    for (op, direction) in [
      (Operator.equal, "EQ"), (.notEqual, "NE"), (.greater, "GT"), (.greaterOrEqual, "GE"), (.less, "LT"), (.lessOrEqual, "LE"),
    ] {
      define(op) { try $0.builder.compare(direction, $0.operand(0), $0.operand(1)) }
    }
    for (op, name) in [
      (Operator.and, "and"), (.or, "or"), (.xor, "xor"), (.bitwiseAnd, "and"), (.bitwiseOr, "or"), (.bitwiseXor, "xor"),
    ] {
      define(op) { try $0.builder.binary(name, $0.operand(0), $0.operand(1)) }
    }
    define(.bitShift) { call in
      let (a, b) = (try call.operand(0), try call.operand(1))
      if call[BitShift.direction] == "LEFT" { return try call.builder.binary("shift_left", a, b) }
      return try call.builder.binary(a.type.isSignedInteger ? "shift_right_arithmetic" : "shift_right_logical", a, b)
    }
    define(.isNaN) { try $0.builder.compare("NE", $0.operand(0), $0.operand(0)) }
    define(.isInf) { call in
      let x = try call.operand(0)
      let above = try call.builder.compare("EQ", x, call.builder.constant(.infinity, x.type))
      let below = try call.builder.compare("EQ", x, call.builder.constant(-.infinity, x.type))
      switch (call[IsInf.detectNegative], call[IsInf.detectPositive]) {
      case (true, true): return try call.builder.binary("or", above, below)
      case (true, false): return below
      case (false, true): return above
      case (false, false): return call.builder.constant(0, .bool, x.sizes)
      }
    }
  }
}
