import FXCore

/// An expression of PyTorch's tensor library, which Python and C++ spell alike but for details.
///
/// A function's arguments stand in the order of its C++ signature; Python may name them.
public indirect enum TorchExpression: Sendable {
  /// A variable, or what is spelled the same in both languages.
  case name(String)
  /// An integer, such as `-1`.
  case int(Int)
  /// A floating-point number; infinities and NaN as the language spells them.
  case number(Double)
  /// `True` or `true`.
  case bool(Bool)
  /// A text, in double quotes, with what both languages escape alike.
  case string(String)
  /// An argument that is left out before others.
  case null
  /// A list of integers or tensors.
  case list([TorchExpression])
  /// An element type: `torch.float32`, `at::kFloat`.
  case type(ElementType)
  /// `torch.relu(x)`, `F.conv2d(…)`: in C++ `at::relu(x)`, `at::conv2d(…)`.
  case call(String, [TorchExpression])
  /// A method of an expression, by name, with its arguments: `x.sum(1)`.
  case method(TorchExpression, String, [TorchExpression])
  /// An argument that Python names.
  case keyed(String, TorchExpression)
  /// Two expressions with a sign between them: `a + b`.
  case binary(TorchExpression, String, TorchExpression)
  /// An expression behind a sign: `-x`.
  case unary(String, TorchExpression)
  /// `x.shape[1]`, `x.size(1)`
  case size(TorchExpression, Int)
  /// The integers in a vector, as a list.
  case integers(TorchExpression)
  /// The number in a tensor of one.
  case item(TorchExpression, ElementType)
  /// `x[:, 1:3]`
  case subscript_(TorchExpression, [Place])
  /// What has little in common.
  case either(python: String, cpp: String)

  /// What is taken of one axis.
  public enum Place: Sendable {
    /// The whole axis: `:` or `Slice()`.
    case all
    /// One place, or a tensor of places.
    case at(TorchExpression)
    /// Start and end may be left out; the step is positive.
    case range(TorchExpression?, TorchExpression?, step: Int)
  }
}

extension TorchExpression: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral
{
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: TorchExpression...) { self = .list(elements) }

  static func ints(_ values: [Int]) -> TorchExpression { .list(values.map { .int($0) }) }

  func to(_ type: ElementType) -> TorchExpression { .method(self, "to", [.type(type)]) }
}

/// A language that `TorchExpression` is spelled in.
public enum TorchLanguage: Sendable {
  /// As `PyTorchTarget` writes it.
  case python
  /// C++ on ATen, as `LibTorchTarget` writes it.
  case cpp
}

extension TorchExpression {
  /// The expression as source.
  public func text(_ language: TorchLanguage) -> String {
    let isPython = language == .python
    switch self {
    case .name(let name): return name
    case .int(let value):
      // The least integer has no literal in C++.
      return !isPython && value == Int.min ? "INT64_MIN" : "\(value)"
    case .number(let value): return TorchExpression.number(value, isPython)
    case .bool(let value): return isPython ? (value ? "True" : "False") : "\(value)"
    case .string(let text): return text.sourceQuoted
    case .null: return isPython ? "None" : "{}"
    case .list(let elements):
      let inside = elements.map { $0.text(language) }.joined(separator: ", ")
      return isPython ? "[\(inside)]" : "{\(inside)}"
    case .type(let type): return TorchTypes.name(type, language)
    case .call(let function, let arguments):
      let inside = arguments.map { $0.text(language) }.joined(separator: ", ")
      return "\(isPython ? function : TorchExpression.cppName(function))(\(inside))"
    case .method(let base, let name, let arguments):
      return "\(base.primary(language)).\(name)(\(arguments.map { $0.text(language) }.joined(separator: ", ")))"
    case .keyed(let name, let value): return isPython ? "\(name)=\(value.text(language))" : value.text(language)
    case .binary(let a, let sign, let b): return "\(a.primary(language)) \(sign) \(b.primary(language))"
    case .unary(let sign, let x): return sign + x.primary(language)
    case .size(let x, let axis):
      return isPython ? "\(x.primary(language)).shape[\(axis)]" : "\(x.primary(language)).size(\(axis))"
    case .integers(let x): return isPython ? "\(x.primary(language)).tolist()" : "integers(\(x.text(language)))"
    case .item(let x, let type):
      return "\(x.primary(language)).item" + (isPython ? "()" : "<\(type.isFloatingPoint ? "double" : "int64_t")>()")
    case .subscript_(let base, let places):
      let inside = places.map { $0.text(language) }.joined(separator: ", ")
      return isPython ? "\(base.primary(language))[\(inside)]" : "\(base.primary(language)).index({\(inside)})"
    case .either(let python, let cpp): return isPython ? python : cpp
    }
  }

  /// The expression as it stands before a dot or beside a sign.
  func primary(_ language: TorchLanguage) -> String {
    let text = text(language)
    switch self {
    case .name, .either: return text.isPrimary || text.allSatisfy { $0.isNumber || $0 == "." } ? text : "(\(text))"
    case .binary, .unary: return "(\(text))"
    case .int(let value): return value < 0 ? "(\(text))" : text
    case .number(let value): return value < 0 ? "(\(text))" : text
    default: return text
    }
  }

  private static func number(_ value: Double, _ isPython: Bool) -> String {
    if value.isNaN { return isPython ? "math.nan" : "NAN" }
    if value.isInfinite { return (value < 0 ? "-" : "") + (isPython ? "math.inf" : "INFINITY") }
    return "\(value)"
  }

  private static func cppName(_ function: String) -> String {
    for prefix in ["torch.nn.functional.", "torch.", "F."] where function.hasPrefix(prefix) {
      return "at::" + function.dropFirst(prefix.count).replacing(".", with: "_")
    }
    return function
  }
}

extension TorchExpression.Place {
  func text(_ language: TorchLanguage) -> String {
    let isPython = language == .python
    switch self {
    case .all: return isPython ? ":" : "Slice()"
    case .at(let expression): return expression.text(language)
    case .range(let start, let end, let step):
      if isPython {
        return "\(start?.text(language) ?? ""):\(end?.text(language) ?? "")" + (step == 1 ? "" : ":\(step)")
      }
      let parts = [start?.text(language) ?? "None", end?.text(language) ?? "None"] + (step == 1 ? [] : ["\(step)"])
      return "Slice(\(parts.joined(separator: ", ")))"
    }
  }
}

/// The types of PyTorch that hold elements.
enum TorchTypes {
  private static let names: [ElementType: (python: String, cpp: String)] = [
    .float64: ("float64", "kDouble"), .float32: ("float32", "kFloat"), .float16: ("float16", "kHalf"),
    .bfloat16: ("bfloat16", "kBFloat16"), .float8e4m3fn: ("float8_e4m3fn", "kFloat8_e4m3fn"),
    .float8e4m3fnuz: ("float8_e4m3fnuz", "kFloat8_e4m3fnuz"), .float8e5m2: ("float8_e5m2", "kFloat8_e5m2"),
    .float8e5m2fnuz: ("float8_e5m2fnuz", "kFloat8_e5m2fnuz"), .int64: ("int64", "kLong"), .int32: ("int32", "kInt"),
    .int16: ("int16", "kShort"), .int8: ("int8", "kChar"), .uint64: ("uint64", "kUInt64"), .uint32: ("uint32", "kUInt32"),
    .uint16: ("uint16", "kUInt16"), .uint8: ("uint8", "kByte"), .bool: ("bool", "kBool"),
    .complex64: ("complex64", "kComplexFloat"), .complex128: ("complex128", "kComplexDouble"),
  ]

  /// Integers narrower than a byte are kept in bytes.
  static func storage(_ type: ElementType) -> ElementType {
    switch type {
    case .int4, .int2: .int8
    case .uint4, .uint2: .uint8
    default: type
    }
  }

  static func has(_ type: ElementType) -> Bool { names[storage(type)] != nil }

  static func name(_ type: ElementType, _ language: TorchLanguage) -> String {
    let name = names[storage(type)] ?? ("float32", "kFloat")
    return language == .python ? "torch.\(name.python)" : "at::\(name.cpp)"
  }
}
