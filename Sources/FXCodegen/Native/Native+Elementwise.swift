import FXCore

extension NativeOperators {
  mutating func addElementwise() {
    addArithmetic()
    addFunctions()
    self[.clip] = .expression { call, x in
      var text = x[0]
      if call.has(1) { text = "fx::maximum(\(text), \(x[1]))" }
      if call.has(2) { text = "fx::minimum(\(text), \(x[2]))" }
      return text
    }
    self[.minimum] = .expression { _, x in x.dropFirst().reduce(x[0]) { "fx::minimum(\($0), \($1))" } }
    self[.maximum] = .expression { _, x in x.dropFirst().reduce(x[0]) { "fx::maximum(\($0), \($1))" } }
    self[.cast] = .expression { call, x in
      let (from, to) = (NativeType.compute(call.elementType(0)), NativeType.compute(call.resultType()))
      return from == to ? x[0] : "fx::cast<\(to)>(\(x[0]))"
    }
    self[.bitCast] = .kernel { call in
      call.lowering.append(.copy(from: try call.operandBuffer(0), to: try call.resultBuffer()))
    }
    self[.where_] = .expression { _, x in "(\(x[0]) ? \(x[1]) : \(x[2]))" }
    self[.identity] = .view()
  }

  private mutating func addArithmetic() {
    // Floating point by the language's operators, integers by functions that wrap around.
    let symbols: [(Operator, String, String)] = [(.add, "+", "add"), (.sub, "-", "sub"), (.mul, "*", "mul"), (.div, "/", "div")]
    for (op, symbol, function) in symbols {
      self[op] = .expression { call, x in
        NativeType.isFloat(call.elementType(0)) ? "(\(x[0]) \(symbol) \(x[1]))" : "fx::\(function)(\(x[0]), \(x[1]))"
      }
    }
    self[.pow] = .expression { call, x in
      if NativeType.isFloat(call.elementType(0)) {
        if call.constant(1) == 2 { return "(\(x[0]) * \(x[0]))" }
        if call.constant(1) == 0.5 { return "std::sqrt(\(x[0]))" }
      }
      return "fx::pow(\(x[0]), \(x[1]))"
    }
    self[.mod] = .expression { call, x in "fx::\(call[Mod.fmod] ? "fmod" : "mod")(\(x[0]), \(x[1]))" }
    self[.neg] = .expression { call, x in
      NativeType.isFloat(call.elementType(0)) ? "(-\(x[0]))" : "fx::sub(\(NativeType.name(call.elementType(0)))(0), \(x[0]))"
    }
    self[.abs] = .expression { call, x in
      NativeType.isFloat(call.elementType(0)) ? "std::fabs(\(x[0]))" : "fx::absolute(\(x[0]))"
    }
    self[.sign] = .expression { _, x in "fx::sign(\(x[0]))" }
    self[.reciprocal] = .expression { call, x in "(\(NativeType.literal(1 as Int64, call.elementType(0))) / \(x[0]))" }
  }

  private mutating func addFunctions() {
    // Those of the prelude are written so that compilers turn them into vector instructions.
    let functions: [(Operator, String)] = [
      (.sqrt, "std::sqrt"), (.exp, "fx::exp"), (.log, "std::log"), (.floor, "std::floor"), (.ceil, "std::ceil"),
      (.round, "std::nearbyint"), (.erf, "fx::erf"), (.sin, "std::sin"), (.cos, "std::cos"), (.tan, "std::tan"),
      (.asin, "std::asin"), (.acos, "std::acos"), (.atan, "std::atan"), (.sinh, "std::sinh"), (.cosh, "std::cosh"),
      (.asinh, "std::asinh"), (.acosh, "std::acosh"), (.atanh, "std::atanh"),
    ]
    for (op, function) in functions { self[op] = .expression { _, x in "\(function)(\(x[0]))" } }
  }
}
