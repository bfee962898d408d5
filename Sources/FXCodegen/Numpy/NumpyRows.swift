import FXCore

/// How NumPy spells each operator. A value: users extend a copy of `.standard`.
public struct NumpyRows: OperatorRows {
  /// Writes a call.
  /// - Throws: `NotExpressible`, with the reason for which the call is refused.
  public typealias Row = @Sendable (inout NumpyCall) throws -> CallCode

  /// The rows by operator; calls of operators without one are refused.
  public var rows: [Operator: Row] = [:]

  /// A table without rows; `standard` has those of this package.
  public init() {}

  /// The rows of this package.
  public static let standard: NumpyRows = {
    var rows = NumpyRows()
    rows.addElementwise()
    rows.addConversion()
    rows.addComparison()
    rows.addActivation()
    rows.addReduction()
    rows.addLinearAlgebra()
    rows.addConvolution()
    rows.addPooling()
    rows.addReshaping()
    rows.addIndexing()
    rows.addImage()
    rows.addQuantization()
    rows.addSequence()
    return rows
  }()

  /// A row whose expression is the only result.
  mutating func define(_ op: Operator, _ expression: @escaping @Sendable (inout NumpyCall) throws -> String) {
    self[op] = { .expression(try expression(&$0)) }
  }
}

/// A call that a row writes in NumPy.
public struct NumpyCall: Sendable {
  /// The node, and what is known of its operands.
  public let site: CallSite
  /// The operands' expressions; `None` for those that are left out.
  public let operands: [String]
  /// The functions that the program must define.
  public private(set) var functions: Set<NumpyFunction> = []

  /// A call whose operands are these expressions.
  public init(_ site: CallSite, operands: [String]) {
    self.site = site
    self.operands = operands
  }

  /// The expression of operand `index`, to be used inside other expressions.
  public subscript(index: Int) -> String { index < operands.count ? operands[index] : "None" }

  /// The expression of operand `index` with something behind it, such as a method.
  public func primary(_ index: Int) -> String { self[index].isPrimary ? self[index] : "(\(self[index]))" }

  /// Whether operand `index` is there.
  public func has(_ index: Int) -> Bool { site.has(index) }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { site[key] }

  /// Has the program define a function. Gives its name.
  public mutating func use(_ function: NumpyFunction) -> String {
    functions.insert(function)
    return function.name
  }

  /// NumPy's type for the elements of result `index`.
  public func resultType(_ index: Int = 0) -> String? { site.resultType(index).map { NumpyTypes.name($0.elementType) } }

  /// The integers of operand `index` as a tuple: a literal if they are known, else an expression.
  public func tuple(_ index: Int) -> String {
    if let known = site.integers(index) { return NumpyCall.tuple(known) }
    return "tuple(\(self[index]))"
  }

  /// The integer of operand `index`: a literal if it is known, else an expression.
  public func integer(_ index: Int) -> String { site.integers(index)?.first.map(String.init) ?? "\(primary(index)).item()" }

  /// `(1, 2)`, `(1,)`, `()`
  public static func tuple(_ numbers: [Int]) -> String {
    numbers.count == 1 ? "(\(numbers[0]),)" : "(" + numbers.map(String.init).joined(separator: ", ") + ")"
  }

  static func truth(_ value: Bool) -> String { value ? "True" : "False" }

  /// Whether the elements are integers; `false` if nothing is known of them.
  func isInteger(_ index: Int) -> Bool { site.elementType(index)?.isInteger ?? false }

  /// Sums of half-precision elements are computed in single precision.
  var isHalf: Bool { site.elementType(0) == .float16 }
}

extension String {
  /// Whether an expression binds as a name does: `x`, `f(x)`, `weights["w"]`, `x.shape`.
  var isPrimary: Bool {
    var depth = 0
    var quoted = false
    for character in self {
      if character == "\"" { quoted.toggle() }
      if quoted { continue }
      if "([{".contains(character) { depth += 1 }
      if ")]}".contains(character) { depth -= 1 }
      if depth == 0, !(character.isLetter || character.isNumber || "_.)]}\"".contains(character)) { return false }
    }
    return first.map { !$0.isNumber && $0 != "-" } ?? false
  }
}

/// The NumPy types that hold elements. NumPy has no `bfloat16` and nothing narrower than a byte: such elements are kept in a
/// wider type and rounded after every operation that computes.
enum NumpyTypes {
  static func storage(_ type: ElementType) -> ElementType {
    switch type {
    case .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0, .float4e2m1: .float32
    case .int4, .int2: .int8
    case .uint4, .uint2: .uint8
    default: type
    }
  }

  static func name(_ type: ElementType) -> String {
    switch storage(type) {
    case .float64: "np.float64"
    case .float16: "np.float16"
    case .int64: "np.int64"
    case .int32: "np.int32"
    case .int16: "np.int16"
    case .int8: "np.int8"
    case .uint64: "np.uint64"
    case .uint32: "np.uint32"
    case .uint16: "np.uint16"
    case .uint8: "np.uint8"
    case .bool: "np.bool_"
    case .string: "object"
    case .complex64: "np.complex64"
    case .complex128: "np.complex128"
    default: "np.float32"
    }
  }

  /// The arguments of the function `rounded` that round to the type: bits of the mantissa, the smallest exponent, the largest
  /// finite number, and what is beyond it.
  static func rounding(_ type: ElementType, saturating: Bool = false) -> String? {
    switch type {
    case .bfloat16: "7, -126, 0x1.fep127, np.inf"
    case .float8e4m3fn: "3, -6, 448, " + (saturating ? "448" : "np.nan")
    case .float8e4m3fnuz: "3, -7, 240, " + (saturating ? "240" : "np.nan")
    case .float8e5m2: "2, -14, 57344, " + (saturating ? "57344" : "np.inf")
    case .float8e5m2fnuz: "2, -15, 57344, " + (saturating ? "57344" : "np.nan")
    case .float4e2m1: "1, 0, 6, 6"
    default: nil
    }
  }

  static func number(_ x: Double, _ type: ElementType) -> String {
    if x.isNaN { return "np.nan" }
    if x.isInfinite { return x < 0 ? "-np.inf" : "np.inf" }
    // The shortest decimal that reads back to the same element.
    return type == .float64 ? "\(x)" : "\(Float(x))"
  }
}
