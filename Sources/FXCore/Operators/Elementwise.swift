/// Arithmetic on elements, with NumPy broadcasting. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// A function of one element.
  static func unary(
    _ name: String, _ summary: String, _ types: ElementTypes = .floating, traits: OperatorTraits = [],
    onnx: String, torch: String? = nil, aliases: [String] = []
  ) -> Operator {
    Operator(
      name, .elementwise, summary, operands: ["x"], types: ["T": types], traits: [.elementwise, .core, traits],
      aliases: aliases, onnx: onnx, torch: torch ?? "torch.\(name)")
  }

  /// A function of two elements with broadcasting.
  static func binary(
    _ name: String, _ summary: String, _ types: ElementTypes = .numeric, traits: OperatorTraits = [],
    onnx: String, torch: String? = nil, aliases: [String] = []
  ) -> Operator {
    Operator(
      name, .elementwise, summary, operands: ["a", "b"], types: ["T": types], traits: [.elementwise, .core, traits],
      aliases: aliases, onnx: onnx, torch: torch ?? "torch.\(name)")
  }

  /// `add`: a + b.
  public static let add = binary("add", "a + b", traits: [.commutative, .associative], onnx: "Add")
  /// `sub`: a − b.
  public static let sub = binary("sub", "a − b", onnx: "Sub", aliases: ["subtract"])
  /// `mul`: a × b.
  public static let mul = binary("mul", "a × b", traits: [.commutative, .associative], onnx: "Mul", aliases: ["multiply"])
  /// Integers divide toward zero; by zero they give 0.
  public static let div = binary("div", "a ÷ b", onnx: "Div", aliases: ["divide"])
  /// `pow`: a to the power b.
  public static let pow = Operator(
    "pow", .elementwise, "a to the power b", operands: ["a", "b: E"],
    types: ["T": [.floating, .init(.int64, .int32)], "E": .numeric],
    traits: [.elementwise, .core], onnx: "Pow", torch: "torch.pow")
  /// `mod`: Remainder: of the divisor's sign, or of the dividend's if fmod is set.
  public static let mod = Operator(
    "mod", .elementwise, "Remainder: of the divisor's sign, or of the dividend's if fmod is set.", operands: ["a", "b"],
    types: ["T": .numeric], attributes: [Mod.fmod.specification], traits: [.elementwise, .core], onnx: "Mod",
    torch: "torch.remainder")

  /// `neg`: −x.
  public static let neg = unary("neg", "−x", .signedNumeric, onnx: "Neg", aliases: ["negative"])
  /// `abs`: |x|.
  public static let abs = unary("abs", "|x|", .numeric, traits: .idempotent, onnx: "Abs")
  /// `sqrt`: √x.
  public static let sqrt = unary("sqrt", "√x", onnx: "Sqrt")
  /// `exp`: eˣ.
  public static let exp = unary("exp", "eˣ", onnx: "Exp")
  /// `log`: ln x.
  public static let log = unary("log", "ln x", onnx: "Log")
  /// `reciprocal`: 1 ÷ x.
  public static let reciprocal = unary("reciprocal", "1 ÷ x", onnx: "Reciprocal")
  /// `floor`: ⌊x⌋.
  public static let floor = unary("floor", "⌊x⌋", traits: .idempotent, onnx: "Floor")
  /// `ceil`: ⌈x⌉.
  public static let ceil = unary("ceil", "⌈x⌉", traits: .idempotent, onnx: "Ceil")
  /// `round`: Nearest integer, ties to even.
  public static let round = unary("round", "Nearest integer, ties to even.", traits: .idempotent, onnx: "Round")
  /// `sign`: −1, 0 or 1.
  public static let sign = unary("sign", "−1, 0 or 1", .numeric, traits: .idempotent, onnx: "Sign")
  /// `erf`: Gauss error function.
  public static let erf = unary("erf", "Gauss error function", onnx: "Erf")
  /// `sin`: sin x.
  public static let sin = unary("sin", "sin x", onnx: "Sin")
  /// `cos`: cos x.
  public static let cos = unary("cos", "cos x", onnx: "Cos")
  /// `tan`: tan x.
  public static let tan = unary("tan", "tan x", onnx: "Tan")
  /// `asin`: arcsin x.
  public static let asin = unary("asin", "arcsin x", onnx: "Asin")
  /// `acos`: arccos x.
  public static let acos = unary("acos", "arccos x", onnx: "Acos")
  /// `atan`: arctan x.
  public static let atan = unary("atan", "arctan x", onnx: "Atan")
  /// `sinh`: sinh x.
  public static let sinh = unary("sinh", "sinh x", onnx: "Sinh")
  /// `cosh`: cosh x.
  public static let cosh = unary("cosh", "cosh x", onnx: "Cosh")
  /// `asinh`: arsinh x.
  public static let asinh = unary("asinh", "arsinh x", onnx: "Asinh")
  /// `acosh`: arcosh x.
  public static let acosh = unary("acosh", "arcosh x", onnx: "Acosh")
  /// `atanh`: artanh x.
  public static let atanh = unary("atanh", "artanh x", onnx: "Atanh")

  /// `clip`: x limited to [min, max]; a bound that is left out does not limit.
  public static let clip = Operator(
    "clip", .elementwise, "x limited to [min, max]; a bound that is left out does not limit.",
    operands: ["x", "min?", "max?"], types: ["T": .numeric], traits: [.elementwise, .core, .idempotent],
    aliases: ["clamp"], onnx: "Clip", torch: "torch.clamp")
  /// `minimum`: The smallest of all operands, NaN if one is.
  public static let minimum = Operator(
    "minimum", .elementwise, "The smallest of all operands, NaN if one is.", operands: ["inputs..."],
    types: ["T": .numeric], traits: [.elementwise, .core, .commutative, .associative], aliases: ["min"], onnx: "Min",
    torch: "torch.minimum")
  /// `maximum`: The largest of all operands, NaN if one is.
  public static let maximum = Operator(
    "maximum", .elementwise, "The largest of all operands, NaN if one is.", operands: ["inputs..."],
    types: ["T": .numeric], traits: [.elementwise, .core, .commutative, .associative], aliases: ["max"], onnx: "Max",
    torch: "torch.maximum")
  /// `sum`: The sum of all operands.
  public static let sum = Operator(
    "sum", .elementwise, "The sum of all operands.", operands: ["inputs..."], types: ["T": .floating],
    traits: [.elementwise, .composite], onnx: "Sum")
  /// `mean`: The mean of all operands.
  public static let mean = Operator(
    "mean", .elementwise, "The mean of all operands.", operands: ["inputs..."], types: ["T": .floating],
    traits: [.elementwise, .composite], onnx: "Mean")

  /// `cast`: x in another element type: see Tensor.converted(to:saturating:).
  public static let cast = Operator(
    "cast", .elementwise, "x in another element type: see Tensor.converted(to:saturating:).", operands: ["x"],
    results: ["y: U"],
    attributes: [Cast.to.specification, Cast.saturate.specification, Cast.roundMode.specification],
    traits: [.elementwise, .core], onnx: "Cast", torch: "torch.Tensor.to")
  /// `cast_like`: x in the element type of another tensor.
  public static let castLike = Operator(
    "cast_like", .elementwise, "x in the element type of another tensor.", operands: ["x", "target: U"],
    results: ["y: U"], attributes: [Cast.saturate.specification, Cast.roundMode.specification],
    traits: [.elementwise, .composite], onnx: "CastLike", torch: "torch.Tensor.type_as")
  /// `bit_cast`: The bits of x read as another element type of the same width.
  public static let bitCast = Operator(
    "bit_cast", .elementwise, "The bits of x read as another element type of the same width.", operands: ["x"],
    results: ["y: U"], attributes: [BitCast.to.specification], traits: [.elementwise, .core, .dataMovement], onnx: "BitCast",
    torch: "torch.Tensor.view")
  /// `where`: a where the condition holds, else b.
  public static let where_ = Operator(
    "where", .elementwise, "a where the condition holds, else b.", operands: ["condition: B", "a", "b"],
    types: ["B": .bool], traits: [.elementwise, .core], onnx: "Where", torch: "torch.where")
  /// `identity`: x.
  public static let identity = Operator(
    "identity", .elementwise, "x", operands: ["x"], traits: [.elementwise, .core, .idempotent, .dataMovement],
    onnx: "Identity")

  package static let elementwise: [Operator] = [
    .add, .sub, .mul, .div, .pow, .mod, .neg, .abs, .sqrt, .exp, .log, .reciprocal, .floor, .ceil, .round, .sign, .erf,
    .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .asinh, .acosh, .atanh, .clip, .minimum, .maximum, .sum, .mean,
    .cast, .castLike, .bitCast, .where_, .identity,
  ]
}

/// The attributes of `mod`.
public enum Mod {
  /// Whether the result has the dividend's sign, as C's `fmod`.
  public static let fmod = AttributeKey<Bool>("fmod", default: false)
}

/// The attributes of `cast`.
public enum Cast {
  /// ONNX's `to`.
  public static let to = AttributeKey<ElementType>("to")
  /// Whether the 8-bit floating-point types take their largest value beyond it.
  public static let saturate = AttributeKey<Bool>("saturate", default: true)
  /// How `float8e8m0`, which has no mantissa, rounds: to the power of two above, below, or nearest with ties up.
  public static let roundMode = AttributeKey<String>("round_mode", default: "up", allowed: ["up", "down", "nearest"])
}

/// The attributes of `bit_cast`.
public enum BitCast {
  /// ONNX's `to`.
  public static let to = AttributeKey<ElementType>("to")
}

extension ElementTypes {
  /// The types of arithmetic that have negative numbers.
  public static let signedNumeric: ElementTypes = [.floating, .init(.int64, .int32, .int16, .int8)]
  /// The types that matrix products and most reductions take.
  public static let wideNumeric: ElementTypes = [.floating, .init(.int64, .int32, .uint64, .uint32)]
}
