import FXCore

/// Functions of elements.
extension RandomProgram {
  /// What a function is defined for, and how large its result is.
  private static let functions: [(op: Operator, domain: Domain, magnitude: @Sendable (Double) -> Double)] = {
    let any = Domain.within(30)
    let bounded: [(Operator, Double)] = [
      (.sin, 1), (.cos, 1), (.tanh, 1), (.sigmoid, 1), (.atan, 1.6), (.erf, 1), (.softsign, 1), (.hardSigmoid, 1), (.sign, 1),
    ]
    let growing: [Operator] = [
      .neg, .abs, .identity, .relu, .leakyRelu, .hardSwish, .mish, .silu, .quickGelu, .gelu, .elu, .celu, .thresholdedRelu,
      .shrink, .floor, .ceil, .round, .asinh,
    ]
    var list: [(op: Operator, domain: Domain, magnitude: @Sendable (Double) -> Double)] = []
    for (op, magnitude) in bounded { list.append((op, any, { _ in magnitude })) }
    for op in growing { list.append((op, any, { $0 })) }
    list.append((.selu, any, { 1.8 * $0 }))
    list.append((.softplus, any, { $0 + 0.7 }))
    list.append((.exp, .within(3), { _ in 20 }))
    list.append((.sinh, .within(3), { _ in 11 }))
    list.append((.cosh, .within(3), { _ in 11 }))
    list.append((.tan, .within(1), { _ in 1.6 }))
    list.append((.sqrt, .positive, { $0 }))
    list.append((.log, .positive, { _ in 4 }))
    list.append((.reciprocal, .positive, { _ in 2 }))
    list.append((.acosh, .aboveOne, { _ in 5 }))
    for op in [.asin, .acos, .atanh] as [Operator] { list.append((op, .unit, { _ in 3.2 })) }
    return list
  }()

  mutating func unary() throws {
    let function = random.pick(RandomProgram.functions)
    let x = try float(in: function.domain)
    var attributes: Attributes = [:]
    for specification in function.op.schema?.attributes ?? [] where random.oneIn(3) {
      switch specification.kind {
      case .float: attributes[specification.name] = .float(Float(1 + random.below(9)) / 8)
      case .string: attributes[specification.name] = .string(random.pick(specification.allowed))
      default: break
      }
    }
    try add(function.op, [x.operand], attributes, magnitude: function.magnitude(x.magnitude))
  }

  /// A partner that broadcasts with a value: itself, another of its shape, a row, a column, a number.
  private mutating func partner(of value: Value) throws -> Value {
    if random.oneIn(3), let other = pick(where: { $0.type == value.type }) { return other }
    guard value.isFloat, value.type.elementType == element else {
      let constant = try Tensor(value.type.elementType, [], numbers: .floats([Double(1 + random.below(3))]))
      return Value(operand: .parameter(graph.addConstant(constant)), type: constant.type, magnitude: 3)
    }
    let trailing = value.shape.reversed().prefix { $0.size != nil }.reversed().compactMap(\.size)
    let kept = Array(trailing.suffix(random.below(trailing.count + 1)))
    return try weight(kept.map { random.oneIn(4) ? 1 : $0 })
  }

  mutating func binary() throws {
    let x = try float(in: .within(20))
    var y = try tamed(partner(of: x), .within(20))
    var operands = [x.operand, y.operand]
    switch random.below(9) {
    case 0, 1: try add(.add, random.oneIn(2) ? operands : operands.reversed(), magnitude: x.magnitude + y.magnitude)
    case 2: try add(.sub, operands, magnitude: x.magnitude + y.magnitude)
    case 3, 4: try add(.mul, operands, magnitude: x.magnitude * y.magnitude)
    case 5:
      y = try tamed(y, .positive)
      try add(.div, [x.operand, y.operand], magnitude: 2 * x.magnitude)
    case 6:
      let base = try tamed(tamed(x, .within(3)), .positive)
      let exponent = try random.oneIn(2) ? tamed(y, .within(2)).operand : number(random.pick([2, 0.5, 3, 1]), like: x)
      try add(.pow, [base.operand, exponent], magnitude: 50)
    case 7:
      y = try tamed(y, .positive)
      try add(.mod, [x.operand, y.operand], ["fmod": true], magnitude: y.magnitude)
    default:
      if random.oneIn(2) { operands.append(x.operand) }
      let op = random.pick([.minimum, .maximum, .sum, .mean] as [Operator])
      try add(op, operands, magnitude: op == .sum ? 2 * x.magnitude + y.magnitude : max(x.magnitude, y.magnitude))
    }
  }

  /// A number on one side: neutral ones more often than chance has it.
  mutating func scalar() throws {
    let x = try float(in: .within(20))
    let c = random.pick([0, 1, 1, 2, 0.5, -1, -0.0, 3])
    let operand = try number(c, like: x)
    switch random.below(6) {
    case 0: try add(.add, [x.operand, operand], magnitude: x.magnitude + 3)
    case 1: try add(.sub, [x.operand, operand], magnitude: x.magnitude + 3)
    case 2: try add(.mul, [x.operand, operand], magnitude: 3 * x.magnitude)
    case 3: try add(.div, [x.operand, number(c == 0 ? 4 : c, like: x)], magnitude: 2 * x.magnitude)
    case 4: try add(.clip, [x.operand, .none, operand], magnitude: max(x.magnitude, 3))
    default: try add(random.pick([.prelu, .swiglu]), [x.operand, try partner(of: x).operand], magnitude: 2 * x.magnitude)
    }
  }

  // MARK: Integers and truth values

  mutating func cast() throws {
    guard let x = pick(where: { $0.magnitude < 100 }) else { return }
    let target = random.pick([.float32, .float64, element, element, .int64, .int32, .int8, .uint8, .bool] as [ElementType])
    var operand = x.operand
    if target == .uint8, x.type.elementType != .bool { operand = try require(.abs, [operand], magnitude: x.magnitude).operand }
    if random.oneIn(4) {
      let like = try Tensor(zeros: target, [])
      try add(.castLike, [operand, .parameter(graph.addConstant(like))], magnitude: x.magnitude)
    } else {
      try add(.cast, [operand], ["to": .elementType(target)], magnitude: x.magnitude)
    }
  }

  mutating func integerArithmetic() throws {
    guard let x = pick(where: { $0.type.elementType.isInteger && $0.type.elementType.bitWidth >= 32 && $0.magnitude < 1e4 })
    else { return try cast() }
    let y = try partner(of: x)
    let op = random.pick([.add, .sub, .mul, .div, .mod, .minimum, .bitwiseAnd, .bitwiseXor, .bitwiseOr] as [Operator])
    try add(op, [x.operand, y.operand], magnitude: op == .mul ? x.magnitude * y.magnitude : 2 * (x.magnitude + y.magnitude))
    if random.oneIn(4) { try add(random.pick([.bitwiseNot, .abs, .sign]), [x.operand], magnitude: x.magnitude + 1) }
    if random.oneIn(6), x.type.elementType == .int64 {
      try add(.bitCast, [x.operand], ["to": .elementType(.uint64)], magnitude: .infinity)
    }
    if random.oneIn(6), x.isIndex, let one = try? Tensor(x.type.elementType, [], numbers: .signed([3])),
      let bits = try call(.cast, [x.operand], ["to": .elementType(.uint64)], magnitude: 1)?.first,
      let shift = try call(
        .cast, [.parameter(graph.addConstant(one))], ["to": .elementType(.uint64)], magnitude: 1)?.first
    {
      try add(.bitShift, [bits.operand, shift.operand], ["direction": .string(random.pick(["LEFT", "RIGHT"]))], magnitude: 8)
    }
  }

  mutating func comparison() throws {
    let x = try float(in: .within(20))
    let y = try partner(of: x)
    let op = random.pick([.greater, .less, .greaterOrEqual, .lessOrEqual, .equal, .notEqual] as [Operator])
    guard let flags = try add(op, [x.operand, y.operand], magnitude: 1) else { return }
    switch random.below(5) {
    case 0: try add(.not, [flags.operand], magnitude: 1)
    case 1:
      guard let other = try add(random.pick([.isNaN, .isInf]), [x.operand], magnitude: 1) else { return }
      try add(random.pick([.and, .or, .xor]), [flags.operand, other.operand], magnitude: 1)
    default: try add(.where_, [flags.operand, x.operand, y.operand], magnitude: max(x.magnitude, y.magnitude))
    }
  }
}
