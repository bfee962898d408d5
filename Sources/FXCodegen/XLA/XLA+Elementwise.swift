import FXCore

extension XLARows {
  mutating func addElementwise() {
    for (op, name) in [(Operator.add, "add"), (.sub, "subtract"), (.mul, "multiply")] {
      define(op) { try $0.builder.binary(name, $0.operand(0), $0.operand(1)) }
    }
    define(.div) { call in
      let (a, b) = (try call.operand(0), try call.operand(1))
      guard a.type.isInteger else { return try call.builder.binary("divide", a, b) }
      let zero = call.builder.constant(0, b.type, b.sizes)
      let one = call.builder.constant(1, b.type, b.sizes)
      let isZero = try call.builder.compare("EQ", b, zero)
      let quotient = try call.builder.binary("divide", a, call.builder.select(isZero, one, b))
      return try call.builder.select(isZero, call.builder.constant(0, a.type), quotient)
    }
    define(.pow) { call in
      let (a, b) = (try call.operand(0), try call.operand(1))
      if a.type == b.type { return try call.builder.binary("power", a, b) }
      if a.type.isFloatingPoint, !b.type.isFloatingPoint {
        return try call.builder.binary("power", a, call.builder.convert(b, a.type))
      }
      if a.type.isInteger, b.type.isInteger { return try call.builder.binary("power", a, call.builder.convert(b, a.type)) }
      let wide = call.builder.convert(a, .float64)
      return call.builder.convert(try call.builder.binary("power", wide, call.builder.convert(b, .float64)), a.type)
    }
    define(.mod) { call in
      let (a, b) = (try call.operand(0), try call.operand(1))
      let rest = try call.builder.binary("remainder", a, b)
      if call[Mod.fmod] { return rest }
      let zero = call.builder.constant(0, a.type)
      let isInexact = try call.builder.compare("NE", rest, zero)
      let differs = try call.builder.binary("xor", call.builder.compare("LT", rest, zero), call.builder.compare("LT", b, zero))
      return try call.builder.select(call.builder.binary("and", isInexact, differs), call.builder.binary("add", rest, b), rest)
    }
    for (op, name) in [
      (Operator.neg, "negate"), (.abs, "abs"), (.sqrt, "sqrt"), (.exp, "exponential"), (.log, "log"), (.floor, "floor"),
      (.ceil, "ceil"), (.round, "round_nearest_even"), (.sign, "sign"), (.sin, "sine"), (.cos, "cosine"), (.tanh, "tanh"),
      (.sigmoid, "logistic"), (.tan, "tan"), (.erf, "chlo.erf"), (.asin, "chlo.asin"), (.acos, "chlo.acos"), (.atan, "chlo.atan"),
      (.sinh, "chlo.sinh"), (.cosh, "chlo.cosh"), (.asinh, "chlo.asinh"), (.acosh, "chlo.acosh"), (.atanh, "chlo.atanh"),
      (.not, "not"), (.bitwiseNot, "not"),
    ] {
      define(op) { call in
        let x = try call.operand(0)
        // Numbers without a sign are their own magnitude.
        if op == .abs, x.type.isInteger, !x.type.isSignedInteger { return x }
        if op == .sign, x.type.isInteger, !x.type.isSignedInteger {
          return try call.builder.binary("minimum", x, call.builder.constant(1, x.type, x.sizes))
        }
        return call.builder.unary(name, x)
      }
    }
    define(.reciprocal) { try $0.builder.binary("divide", $0.builder.constant(1, $0.operand(0).type), $0.operand(0)) }
    define(.identity) { try $0.operand(0) }
    define(.clip) { call in
      var x = try call.operand(0)
      if call.has(1) { x = try call.builder.binary("maximum", x, call.operand(1)) }
      if call.has(2) { x = try call.builder.binary("minimum", x, call.operand(2)) }
      return try call.builder.reshape(x, call.operand(0).sizes)
    }
    for op in [Operator.minimum, .maximum] {
      define(op) { call in
        try call.operands.indices.dropFirst().reduce(try call.operand(0)) {
          try call.builder.binary(op.name, $0, call.operand($1))
        }
      }
    }
    define(.where_) { try $0.builder.select($0.operand(0), $0.operand(1), $0.operand(2)) }
    define(.cast) { call in try call.cast(call.operand(0), call[Cast.to], saturating: call[Cast.saturate]) }
    define(.bitCast) { call in
      let x = try call.operand(0)
      // A Boolean is one bit here and a byte elsewhere.
      if x.type == .bool || call[BitCast.to] == .bool { return call.builder.convert(x, call[BitCast.to]) }
      return call.builder.op("bitcast_convert", [x], call[BitCast.to], x.sizes)
    }
  }
}

extension XLACall {
  /// x in another element type.
  mutating func cast(_ x: HLOValue, _ type: ElementType, saturating: Bool = true) throws -> HLOValue {
    if x.type == type { return x }
    let largest: Double? =
      switch type {
      case .float8e4m3fn: 448
      case .float8e4m3fnuz: 240
      case .float8e5m2, .float8e5m2fnuz: 57344
      default: nil
      }
    var y = x
    if let largest, saturating {
      if y.type.bitWidth < 32 || y.type.isInteger { y = builder.convert(y, .float32) }
      let limited = try builder.binary("minimum", builder.constant(largest, y.type), y)
      y = try builder.binary("maximum", builder.constant(-largest, y.type), limited)
    }
    // Between signed and unsigned integers of one width bits stay.
    return builder.convert(y, type)
  }
}
