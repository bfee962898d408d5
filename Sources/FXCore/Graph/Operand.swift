/// What a node is applied to.
public enum Operand: Sendable, Hashable {
  /// A result of a node, or an argument, of the same region.
  case value(ValueID)
  /// A weight or constant of the graph: every region sees it.
  case parameter(ParameterID)
  /// A number whose element type follows from the other operands, as in `x > 0`.
  case literal(Literal)
  /// An optional operand that is not there.
  case none

  /// The value's id, if the operand is a value.
  public var value: ValueID? {
    if case .value(let id) = self { id } else { nil }
  }
  /// The parameter's id, if the operand is a parameter.
  public var parameter: ParameterID? {
    if case .parameter(let id) = self { id } else { nil }
  }
  /// The number, if the operand is a literal.
  public var literal: Literal? {
    if case .literal(let literal) = self { literal } else { nil }
  }
  /// Whether it is the place of an optional operand that is not there.
  public var isNone: Bool { self == .none }
}

/// A number written in a program.
public enum Literal: Sendable, Hashable {
  /// `true` or `false`; 1 or 0 where the other operands are numbers.
  case bool(Bool)
  /// A whole number; one that does not fit the operands' element type keeps its low bits there.
  case int(Int64)
  /// A number of 64 bits, rounded into the operands' element type; toward zero into integers.
  case float(Double)

  /// Compares floats by bits, so that graphs with NaN equal themselves.
  public static func == (a: Literal, b: Literal) -> Bool {
    switch (a, b) {
    case (.bool(let x), .bool(let y)): x == y
    case (.int(let x), .int(let y)): x == y
    case (.float(let x), .float(let y)): x.bitPattern == y.bitPattern
    default: false
    }
  }

  public func hash(into hasher: inout Hasher) {
    switch self {
    case .bool(let x): hasher.combine(x)
    case .int(let x): hasher.combine(x)
    case .float(let x): hasher.combine(x.bitPattern)
    }
  }

  /// The element type the literal takes beside nothing that says otherwise: `bool`, `int64`, `float32`, as in PyTorch.
  public var defaultElementType: ElementType {
    switch self {
    case .bool: .bool
    case .int: .int64
    case .float: .float32
    }
  }

  /// A scalar tensor of `type`.
  /// - Throws: `TensorError.conversion` for string and complex types.
  public func tensor(_ type: ElementType) throws(TensorError) -> Tensor {
    switch self {
    case .bool(let x): try Tensor(type, [], numbers: .signed([x ? 1 : 0]))
    case .int(let x): try Tensor(type, [], numbers: .signed([x]))
    case .float(let x): try Tensor(type, [], numbers: .floats([x]))
    }
  }
}

extension Literal: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral {
  public init(integerLiteral value: Int64) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .float(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension Literal: CustomStringConvertible {
  /// What the text format writes: `true`, `-3`, `0.5`, `inf`, and NaN with its bits where it is not the usual one.
  public var description: String {
    switch self {
    case .bool(let x): String(x)
    case .int(let x): String(x)
    case .float(let x): x.exactText
    }
  }
}

extension Double {
  /// Decimal text that reads back to the same bits; NaNs other than the default one as `nan(0x…)`.
  package var exactText: String {
    if isNaN { return bitPattern == Double.nan.bitPattern ? "nan" : "nan(0x\(String(bitPattern, radix: 16)))" }
    return description
  }
}

extension Float {
  /// Decimal text that reads back to the same bits; NaNs other than the default one as `nan(0x…)`.
  package var exactText: String {
    if isNaN { return bitPattern == Float.nan.bitPattern ? "nan" : "nan(0x\(String(bitPattern, radix: 16)))" }
    return description
  }
}
