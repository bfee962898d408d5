import FXCore

/// tan x, element by element.
public func tan(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.tan, fileID, line)
}

/// arcsin x, element by element.
public func asin(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.asin, fileID, line)
}

/// arccos x, element by element.
public func acos(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.acos, fileID, line)
}

/// arctan x, element by element.
public func atan(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.atan, fileID, line)
}

/// sinh x, element by element.
public func sinh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.sinh, fileID, line)
}

/// cosh x, element by element.
public func cosh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.cosh, fileID, line)
}

/// arsinh x, element by element.
public func asinh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.asinh, fileID, line)
}

/// arcosh x, element by element.
public func acosh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.acosh, fileID, line)
}

/// artanh x, element by element.
public func atanh(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.atanh, fileID, line)
}

/// x², element by element.
public func square(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x * x
}

/// 1 ÷ √x, element by element.
public func rsqrt(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.sqrt).apply(.reciprocal)
}

/// 2ˣ, element by element.
public func exp2(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (x * 0.693_147_180_559_945_3).apply(.exp)
}

/// The logarithm to base 2, element by element.
public func log2(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.log) * 1.442_695_040_888_963_4
}

/// The logarithm to base 10, element by element.
public func log10(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.log) * 0.434_294_481_903_251_8
}

/// ln(1 + x), exact for small x too. Source: Kahan's x ln(u) ÷ (u − 1) with u = 1 + x rounded.
public func log1p(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let u = x + 1
  return (u .== 1).choose(x, x * u.apply(.log) / (u - 1))
}

/// eˣ − 1, exact for small x too: 2t ÷ (1 − t) with t = tanh(x/2).
public func expm1(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let t = (x / 2).apply(.tanh)
  return (x.apply(.abs) .< 1).choose(2 * t / (1 - t), x.apply(.exp) - 1)
}

/// 1 − erf x, element by element.
public func erfc(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return 1 - x.apply(.erf)
}

/// x without its fraction: rounded toward zero.
public func trunc(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.sign) * x.apply(.abs).apply(.floor)
}

/// The fraction of x, with its sign.
public func frac(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x - x.apply(.sign) * x.apply(.abs).apply(.floor)
}

/// ln(x ÷ (1 − x)), the inverse of `sigmoid`.
public func logit(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (x / (1 - x)).apply(.log)
}

/// x limited to what is at least `min` and at most `max`; a bound that is left out does not limit.
public func clamp(
  _ x: SymbolicTensor, min: (any SymbolicOperand)? = nil, max: (any SymbolicOperand)? = nil,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x.apply(.clip, [min, max], at: nil)
}

/// The remainder of x ÷ divisor with the divisor's sign, as Python's `%`; with broadcasting.
public func remainder(
  _ x: SymbolicTensor, _ divisor: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  guard x.elementType?.isFloatingPoint ?? true else { return x.apply(.mod, [divisor], fileID, line) }
  let (x, divisor) = (x.at(fileID, line), x.lift(divisor))
  return x - (x / divisor).apply(.floor) * divisor
}

/// The remainder of a ÷ b with the sign of a, as C's `fmod`; with broadcasting.
public func fmod(
  _ a: SymbolicTensor, _ b: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Mod.fmod] = true
  return a.apply(.mod, [b], attributes: attributes, fileID, line)
}

/// ⌊x ÷ divisor⌋, with broadcasting; integers too are rounded down, unlike by `/`.
public func floorDivide(
  _ x: SymbolicTensor, _ divisor: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let divisor = x.lift(divisor)
  if x.elementType?.isFloatingPoint ?? true { return (x / divisor).apply(.floor) }
  return (x - x.apply(.mod, [divisor], at: nil)) / divisor
}

/// The angle of the point (x, y) in (−π, π], y being the operand.
public func atan2(
  _ x: SymbolicTensor, _ other: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let across = x.lift(other)
  let angle = (x / across).apply(.atan)
  let turned = angle + (x .>= 0).choose(Double.pi, -Double.pi)
  return (across .> 0).choose(angle, (across .< 0).choose(turned, x.apply(.sign) * (Double.pi / 2)))
}

/// √(x² + other²), with broadcasting.
public func hypot(
  _ x: SymbolicTensor, _ other: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let (a, b) = (x.apply(.abs), x.lift(other).apply(.abs))
  return (a * a + b * b).apply(.sqrt)
}

/// x + weight × (end − x), with broadcasting.
public func lerp(
  _ x: SymbolicTensor, _ end: any SymbolicOperand, weight: any SymbolicOperand, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return x + x.lift(weight) * (x.lift(end) - x)
}

/// x + value × a × b, with broadcasting.
public func addcmul(
  _ x: SymbolicTensor, _ a: SymbolicTensor, _ b: any SymbolicOperand, value: Double = 1,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return value == 1 ? x + a * x.lift(b) : x + a * x.lift(b) * value
}

/// x + value × a ÷ b, with broadcasting.
public func addcdiv(
  _ x: SymbolicTensor, _ a: SymbolicTensor, _ b: any SymbolicOperand, value: Double = 1,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return value == 1 ? x + a / x.lift(b) : x + a / x.lift(b) * value
}

/// x with NaN replaced, and infinities by the largest numbers of `float32`.
public func nanToNum(_ x: SymbolicTensor, nan: Double = 0, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let limit = Double(Float.greatestFiniteMagnitude)
  return x.apply(.isNaN).choose(nan, x.apply(.clip, [-limit, limit], at: nil))
}
