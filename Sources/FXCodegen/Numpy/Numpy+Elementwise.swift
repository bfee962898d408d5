import FXCore

extension NumpyRows {
  mutating func addElementwise() {
    binary(.add, "+")
    binary(.sub, "-")
    binary(.mul, "*")
    define(.div) { call in
      if call.isInteger(0) { return "\(call.use(.truncatedDivide))(\(call[0]), \(call[1]))" }
      return "\(call.primary(0)) / \(call.primary(1))"
    }
    define(.pow) { call in
      if call.isInteger(0), call.isInteger(1) { return "\(call.use(.integerPower))(\(call[0]), \(call[1]))" }
      if call.site.elementType(0) == call.site.elementType(1) { return "\(call.primary(0)) ** \(call.primary(1))" }
      guard let type = call.resultType() else { return "np.power(\(call[0]), \(call[1]))" }
      return "np.power(\(call[0]), \(call[1])).astype(\(type))"
    }
    define(.mod) { "\($0[Mod.fmod] ? "np.fmod" : "np.mod")(\($0[0]), \($0[1]))" }

    define(.neg) { "-\($0.primary(0))" }
    define(.reciprocal) { "1 / \($0.primary(0))" }
    define(.erf) { "\($0.use(.erf))(\($0[0]))" }
    define(.identity) { $0[0] }
    let functions: [(Operator, String)] = [
      (.abs, "abs"), (.sqrt, "sqrt"), (.exp, "exp"), (.log, "log"), (.floor, "floor"), (.ceil, "ceil"), (.round, "rint"),
      (.sign, "sign"), (.sin, "sin"), (.cos, "cos"), (.tan, "tan"), (.asin, "arcsin"), (.acos, "arccos"), (.atan, "arctan"),
      (.sinh, "sinh"), (.cosh, "cosh"), (.asinh, "arcsinh"), (.acosh, "arccosh"), (.atanh, "arctanh"),
    ]
    for (op, name) in functions { define(op) { "np.\(name)(\($0[0]))" } }

    define(.clip) { call in
      switch (call.has(1), call.has(2)) {
      case (true, true): "np.minimum(np.maximum(\(call[0]), \(call[1])), \(call[2]))"
      case (true, false): "np.maximum(\(call[0]), \(call[1]))"
      case (false, true): "np.minimum(\(call[0]), \(call[2]))"
      case (false, false): call[0]
      }
    }
    variadic(.minimum, "np.minimum")
    variadic(.maximum, "np.maximum")
    define(.where_) { "np.where(\($0[0]), \($0[1]), \($0[2]))" }
  }

  private mutating func binary(_ op: Operator, _ sign: String) {
    define(op) { "\($0.primary(0)) \(sign) \($0.primary(1))" }
  }

  private mutating func variadic(_ op: Operator, _ function: String) {
    define(op) { call in
      call.operands.indices.dropFirst().reduce(call[0]) { "\(function)(\($0), \(call[$1]))" }
    }
  }
}
