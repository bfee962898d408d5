/// Comparisons, logic and operations on bits, with NumPy broadcasting. Source of semantics: the ONNX operators of the
/// same names.
extension Operator {
  private static func comparison(
    _ name: String, _ summary: String, _ types: ElementTypes = .numeric, traits: OperatorTraits = .core,
    aliases: [String], onnx: String?, torch: String
  ) -> Operator {
    Operator(
      name, .comparison, summary, operands: ["a", "b"], results: ["y: B"], types: ["T": types, "B": .bool],
      traits: [.elementwise, traits], aliases: aliases, onnx: onnx, torch: torch)
  }

  private static func logic(_ name: String, _ summary: String, onnx: String, aliases: [String] = []) -> Operator {
    Operator(
      name, .comparison, summary, operands: ["a", "b"], types: ["T": .bool],
      traits: [.elementwise, .core, .commutative, .associative], aliases: aliases, onnx: onnx, torch: "torch.logical_\(name)")
  }

  private static func bitwise(_ name: String, _ summary: String, onnx: String) -> Operator {
    Operator(
      "bitwise_\(name)", .comparison, summary, operands: ["a", "b"], types: ["T": .bits],
      traits: [.elementwise, .core, .commutative, .associative], onnx: onnx, torch: "torch.bitwise_\(name)")
  }

  /// Also on strings and `bool`. NaN equals nothing.
  public static let equal = comparison(
    "equal", "a = b", .comparable, traits: [.core, .commutative], aliases: ["eq"], onnx: "Equal", torch: "torch.eq")
  /// `not_equal`: a ≠ b.
  public static let notEqual = comparison(
    "not_equal", "a ≠ b", .comparable, traits: [.composite, .commutative], aliases: ["ne"], onnx: nil, torch: "torch.ne")
  /// `greater`: a > b.
  public static let greater = comparison("greater", "a > b", aliases: ["gt"], onnx: "Greater", torch: "torch.gt")
  /// `greater_or_equal`: a ≥ b.
  public static let greaterOrEqual = comparison(
    "greater_or_equal", "a ≥ b", aliases: ["ge", "greater_equal"], onnx: "GreaterOrEqual", torch: "torch.ge")
  /// `less`: a < b.
  public static let less = comparison("less", "a < b", aliases: ["lt"], onnx: "Less", torch: "torch.lt")
  /// `less_or_equal`: a ≤ b.
  public static let lessOrEqual = comparison(
    "less_or_equal", "a ≤ b", aliases: ["le", "less_equal"], onnx: "LessOrEqual", torch: "torch.le")

  /// `and`: a ∧ b.
  public static let and = logic("and", "a ∧ b", onnx: "And", aliases: ["logical_and"])
  /// `or`: a ∨ b.
  public static let or = logic("or", "a ∨ b", onnx: "Or", aliases: ["logical_or"])
  /// `xor`: a ⊻ b.
  public static let xor = logic("xor", "a ⊻ b", onnx: "Xor", aliases: ["logical_xor"])
  /// `not`: ¬x.
  public static let not = Operator(
    "not", .comparison, "¬x", operands: ["x"], types: ["T": .bool], traits: [.elementwise, .core],
    aliases: ["logical_not"], onnx: "Not", torch: "torch.logical_not")

  /// `is_nan`: Whether x is not a number.
  public static let isNaN = Operator(
    "is_nan", .comparison, "Whether x is not a number.", operands: ["x"], results: ["y: B"],
    types: ["T": [.floating, .float8], "B": .bool], traits: [.elementwise, .core], aliases: ["isnan"], onnx: "IsNaN",
    torch: "torch.isnan")
  /// `is_inf`: Whether x is infinite, of the signs asked for.
  public static let isInf = Operator(
    "is_inf", .comparison, "Whether x is infinite, of the signs asked for.", operands: ["x"], results: ["y: B"],
    types: ["T": [.floating, .float8], "B": .bool],
    attributes: [IsInf.detectNegative.specification, IsInf.detectPositive.specification],
    traits: [.elementwise, .core], aliases: ["isinf"], onnx: "IsInf", torch: "torch.isinf")

  /// `and`: The bits set in both.
  public static let bitwiseAnd = bitwise("and", "The bits set in both.", onnx: "BitwiseAnd")
  /// `or`: The bits set in either.
  public static let bitwiseOr = bitwise("or", "The bits set in either.", onnx: "BitwiseOr")
  /// `xor`: The bits set in one of both.
  public static let bitwiseXor = bitwise("xor", "The bits set in one of both.", onnx: "BitwiseXor")
  /// `bitwise_not`: The bits not set.
  public static let bitwiseNot = Operator(
    "bitwise_not", .comparison, "The bits not set.", operands: ["x"], types: ["T": .bits], traits: [.elementwise, .core],
    onnx: "BitwiseNot", torch: "torch.bitwise_not")
  /// Right shifts of signed integers repeat the sign. By a negative amount, or one of at least the type's width, what
  /// remains is the sign alone: −1 for right shifts of negative numbers, else 0.
  public static let bitShift = Operator(
    "bit_shift", .comparison, "The bits of a moved by b places.", operands: ["a", "b"], types: ["T": .bits],
    attributes: [BitShift.direction.specification], traits: [.elementwise, .core], onnx: "BitShift")

  package static let comparisons: [Operator] = [
    .equal, .notEqual, .greater, .greaterOrEqual, .less, .lessOrEqual, .and, .or, .xor, .not, .isNaN, .isInf, .bitwiseAnd,
    .bitwiseOr, .bitwiseXor, .bitwiseNot, .bitShift,
  ]
}

/// The attributes of `is_inf`.
public enum IsInf {
  /// ONNX's `detect_negative`.
  public static let detectNegative = AttributeKey<Bool>("detect_negative", default: true)
  /// ONNX's `detect_positive`.
  public static let detectPositive = AttributeKey<Bool>("detect_positive", default: true)
}

/// The attributes of `bit_shift`.
public enum BitShift {
  /// ONNX's `direction`.
  public static let direction = AttributeKey<String>("direction", allowed: ["LEFT", "RIGHT"])
}

extension ElementTypes {
  /// What can be compared for equality.
  public static let comparable: ElementTypes = [.numeric, .bool, .string]
  /// Integers of at least 8 bits, seen as bits.
  public static let bits = ElementTypes(.int64, .int32, .int16, .int8, .uint64, .uint32, .uint16, .uint8)
}
