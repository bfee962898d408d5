import FXCore

/// How element types are spelled in C++ and in CUDA.
enum NativeType {
  /// The types that the native targets know.
  static let supported: ElementTypes = [
    .floating, .init(.int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8, .bool),
  ]

  /// What an array of the type holds.
  static func name(_ type: ElementType) -> String {
    switch type {
    case .float64: "double"
    case .float32: "float"
    case .float16: "fx::half"
    case .bfloat16: "fx::bfloat16"
    case .bool: "bool"
    case .uint64, .uint32, .uint16, .uint8: "std::uint\(type.bitWidth)_t"
    default: "std::int\(type.bitWidth)_t"
    }
  }

  /// What is computed in: half precision in `float`, every other type in itself.
  static func compute(_ type: ElementType) -> String {
    isHalf(type) ? "float" : name(type)
  }

  /// What sums of many elements are kept in.
  static func accumulator(_ type: ElementType) -> String {
    switch type {
    case .float64, .float32, .float16, .bfloat16: "fx::sum_of<\(name(type))>"
    default: name(type)
    }
  }

  /// The element type of an operand; of a literal that of operands of the same type variable.
  static func ofOperand(_ node: Node, _ index: Int, _ graph: Graph) -> ElementType {
    let operand = node.operand(index)
    if let type = graph.type(of: operand).elementType { return type }
    let variable = node.op.schema?.operand(index)?.typeVariable
    for (other, candidate) in node.operands.enumerated()
    where node.op.schema?.operand(other)?.typeVariable == variable {
      if let type = graph.type(of: candidate).elementType { return type }
    }
    return operand.literal?.defaultElementType ?? .float32
  }

  static func isHalf(_ type: ElementType) -> Bool { type == .float16 || type == .bfloat16 }
  static func isFloat(_ type: ElementType) -> Bool { ElementTypes.floating.contains(type) }

  /// A number as a constant of the type that is computed in.
  static func literal(_ value: Double, _ type: ElementType) -> String {
    let compute = compute(type)
    guard isFloat(type) else {
      if type == .bool { return value == 0 ? "false" : "true" }
      return literal(Int64(exactly: value.rounded(.towardZero)) ?? (value > 0 ? .max : .min), type)
    }
    if value.isNaN { return "std::numeric_limits<\(compute)>::quiet_NaN()" }
    if value.isInfinite { return "\(value < 0 ? "-" : "")std::numeric_limits<\(compute)>::infinity()" }
    if type == .float64 { return "\(value)" }
    return "\(Float(value))f"
  }

  static func literal(_ value: Int64, _ type: ElementType) -> String {
    if isFloat(type) { return literal(Double(value), type) }
    if type == .bool { return value == 0 ? "false" : "true" }
    // The least number has no literal of its own.
    if value == .min { return "std::numeric_limits<\(name(type))>::min()" }
    return "\(name(type))(\(value))"
  }

  static func literal(_ literal: Literal, _ type: ElementType) -> String {
    switch literal {
    case .bool(let x): self.literal(x ? 1 : 0 as Int64, type)
    case .int(let x): self.literal(x, type)
    case .float(let x): self.literal(x, type)
    }
  }

  /// The only element of a tensor as a constant; `nil` if it has several, or a type that is not supported.
  static func scalar(_ tensor: Tensor) -> String? {
    guard tensor.elementCount == 1, supported.contains(tensor.elementType), let numbers = try? tensor.numbers() else {
      return nil
    }
    switch numbers {
    case .signed(let x): return literal(x[0], tensor.elementType)
    case .unsigned(let x): return "\(name(tensor.elementType))(\(x[0])u)"
    case .floats(let x): return literal(x[0], tensor.elementType)
    }
  }
}

extension Identifiers {
  /// Keywords, macros of the standard headers, and what generated C++ calls things.
  static let native = cpp.union(macros).union([
    "fx", "std", "model", "inputs", "outputs", "status", "stream", "index", "arena", "weights", "signal", "abs",
    "exp", "log", "sqrt", "double_t", "float_t", "value_at", "found", "limit", "queue", "nvinfer1", "DataType",
    "FX_SHARED", "FX_WEIGHTS", "FX_CBLAS", "FX_NO_MAIN",
  ])
}
