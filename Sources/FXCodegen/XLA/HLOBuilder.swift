import FXCore

/// A value of a StableHLO program: a name, and a type whose sizes are numbers.
public struct HLOValue: Sendable, Hashable {
  /// With the percent sign, such as `%v3`.
  public let name: String
  /// What its elements are.
  public let type: ElementType
  /// The sizes, outermost first; none for a scalar.
  public let sizes: [Int]
  /// The line that defines it, so that it can be given the graph's name.
  fileprivate let line: Int?

  init(name: String, type: ElementType, sizes: [Int], line: Int? = nil) {
    self.name = name
    self.type = type
    self.sizes = sizes
    self.line = line
  }

  /// `tensor<2x3xf32>`
  public var typeText: String { HLOValue.typeText(type, sizes) }
  /// How many sizes there are; 0 for a scalar.
  public var rank: Int { sizes.count }

  static func typeText(_ type: ElementType, _ sizes: [Int]) -> String {
    "tensor<" + sizes.map { "\($0)x" }.joined() + elementText(type) + ">"
  }

  static func elementText(_ type: ElementType) -> String {
    switch type {
    case .bool: "i1"
    case .uint64, .uint32, .uint16, .uint8, .uint4, .uint2: "ui\(type.bitWidth)"
    case .complex64: "complex<f32>"
    case .complex128: "complex<f64>"
    case .float8e4m3fn: "f8E4M3FN"
    case .float8e4m3fnuz: "f8E4M3FNUZ"
    case .float8e5m2: "f8E5M2"
    case .float8e5m2fnuz: "f8E5M2FNUZ"
    default: type.rawValue
    }
  }
}

/// Writes StableHLO operations in their generic form, which every reader of the dialect parses.
public struct HLOBuilder: Sendable {
  var source = SourceText(indent: 2, depth: 2)
  private var names = Identifiers(reserved: [])
  private var count = 0
  /// What values were called before they got the graph's names.
  private var renamed: [String: String] = [:]

  /// A builder without operations.
  public init() {}

  mutating func unique(_ name: String) -> String { "%" + names.unique(name) }

  private mutating func fresh() -> String {
    count += 1
    return "%v\(count)"
  }

  /// Adds an operation of one result.
  public mutating func op(
    _ name: String, _ operands: [HLOValue], _ attributes: String, _ type: ElementType, _ sizes: [Int]
  ) -> HLOValue {
    let dialect = name.contains(".") ? name : "stablehlo.\(name)"
    let result = HLOValue(name: fresh(), type: type, sizes: sizes, line: source.lines.count)
    source.add(
      "\(result.name) = \"\(dialect)\"(\(operands.map(\.name).joined(separator: ", ")))"
        + (attributes.isEmpty ? "" : " {\(attributes)}")
        + " : (\(operands.map(\.typeText).joined(separator: ", "))) -> \(result.typeText)")
    return result
  }

  /// Adds an operation of one result, without attributes.
  public mutating func op(_ name: String, _ operands: [HLOValue], _ type: ElementType, _ sizes: [Int]) -> HLOValue {
    op(name, operands, "", type, sizes)
  }

  /// Gives a value the graph's name for it, if it has none yet.
  mutating func rename(_ value: HLOValue, _ name: String) -> HLOValue {
    guard let line = value.line, source.lines.indices.contains(line) else { return value }
    // Two results may be one value, such as two parts of an empty tensor.
    if let known = renamed[value.name] { return HLOValue(name: known, type: value.type, sizes: value.sizes) }
    let new = unique(name)
    renamed[value.name] = new
    source.rename(line, value.name, new)
    return HLOValue(name: new, type: value.type, sizes: value.sizes)
  }

  /// Adds an operation with regions and any number of results.
  mutating func regional(
    _ name: String, _ operands: [HLOValue], regions: [(arguments: [HLOValue], body: (inout HLOBuilder) throws -> [HLOValue])],
    attributes: String = "", results: [(ElementType, [Int])]
  ) throws -> [HLOValue] {
    let base = fresh()
    let prefix = results.isEmpty ? "" : results.count == 1 ? "\(base) = " : "\(base):\(results.count) = "
    source.add("\(prefix)\"stablehlo.\(name)\"(\(operands.map(\.name).joined(separator: ", "))) ({")
    for (index, region) in regions.enumerated() {
      if index > 0 { source.add("}, {") }
      if !region.arguments.isEmpty {
        source.add("^bb0(" + region.arguments.map { "\($0.name): \($0.typeText)" }.joined(separator: ", ") + "):")
      }
      source.depth += 1
      let values = try region.body(&self)
      source.add(
        "\"stablehlo.return\"(\(values.map(\.name).joined(separator: ", "))) : (\(values.map(\.typeText).joined(separator: ", "))) -> ()"
      )
      source.depth -= 1
    }
    let types = results.map { HLOValue.typeText($0.0, $0.1) }
    source.add(
      "})" + (attributes.isEmpty ? "" : " {\(attributes)}") + " : (\(operands.map(\.typeText).joined(separator: ", "))) -> "
        + (types.count == 1 ? types[0] : "(\(types.joined(separator: ", ")))"))
    return results.enumerated().map { index, result in
      HLOValue(name: results.count == 1 ? base : "\(base)#\(index)", type: result.0, sizes: result.1)
    }
  }

  /// An argument of a region.
  mutating func argument(_ type: ElementType, _ sizes: [Int]) -> HLOValue {
    HLOValue(name: fresh(), type: type, sizes: sizes)
  }

  // MARK: Constants

  /// One number everywhere.
  public mutating func constant(_ x: Double, _ type: ElementType, _ sizes: [Int] = []) -> HLOValue {
    op("constant", [], "value = dense<\(HLOBuilder.number(x, type))> : \(HLOValue.typeText(type, sizes))", type, sizes)
  }

  /// A vector of integers.
  mutating func integers(_ values: [Int], _ type: ElementType = .int64, shape: [Int]? = nil) -> HLOValue {
    let sizes = shape ?? [values.count]
    let text = HLOBuilder.nested(values.map(String.init), sizes)
    return op("constant", [], "value = dense<\(text)> : \(HLOValue.typeText(type, sizes))", type, sizes)
  }

  /// A tensor's elements.
  public mutating func constant(_ tensor: Tensor) throws -> HLOValue {
    let type = tensor.elementType
    guard !type.isComplex, type != .string else { throw NotExpressible("constants of \(type.rawValue) are not written") }
    let elements: [String] =
      switch try tensor.numbers() {
      case .signed(let x): type == .bool ? x.map { $0 == 0 ? "false" : "true" } : x.map { String($0) }
      case .unsigned(let x): x.map { String($0) }
      case .floats(let x): x.map { HLOBuilder.number($0, type) }
      }
    let text = tensor.elementCount == 0 ? "" : HLOBuilder.nested(elements, tensor.shape)
    return op("constant", [], "value = dense<\(text)> : \(HLOValue.typeText(type, tensor.shape))", type, tensor.shape)
  }

  private static func nested(_ elements: [String], _ sizes: [Int]) -> String {
    guard let first = sizes.first else { return elements.first ?? "0" }
    if elements.isEmpty { return "" }
    if sizes.count == 1 { return "[" + elements.joined(separator: ", ") + "]" }
    let part = elements.count / max(first, 1)
    let parts = (0..<first).map { nested(Array(elements[$0 * part..<($0 + 1) * part]), Array(sizes.dropFirst())) }
    return "[" + parts.joined(separator: ", ") + "]"
  }

  static func number(_ x: Double, _ type: ElementType) -> String {
    if type == .bool { return x == 0 ? "false" : "true" }
    if type.isInteger {
      return x >= 0x1p63 ? "\(UInt64(exactly: x) ?? .max)" : "\(Int(exactly: x) ?? (x < 0 ? Int.min : Int.max))"
    }
    if x.isFinite { return type == .float64 ? decimal("\(x)") : decimal("\(Float(x))") }
    // What is no number has its bits.
    let bits: String =
      switch type {
      case .float64: x.isNaN ? "0x7FF8000000000000" : x < 0 ? "0xFFF0000000000000" : "0x7FF0000000000000"
      case .float16: x.isNaN ? "0x7E00" : x < 0 ? "0xFC00" : "0x7C00"
      case .bfloat16: x.isNaN ? "0x7FC0" : x < 0 ? "0xFF80" : "0x7F80"
      case .float8e5m2: x.isNaN ? "0x7E" : x < 0 ? "0xFC" : "0x7C"
      case .float8e4m3fn: "0x7F"
      case .float8e4m3fnuz, .float8e5m2fnuz: "0x80"
      default: x.isNaN ? "0x7FC00000" : x < 0 ? "0xFF800000" : "0x7F800000"
      }
    return bits
  }

  /// MLIR wants a point in a floating-point number with an exponent, too.
  private static func decimal(_ text: String) -> String {
    guard let e = text.firstIndex(of: "e"), !text[..<e].contains(".") else { return text }
    return text[..<e] + ".0" + text[e...]
  }
}

extension SourceText {
  /// Gives what a line defines another name.
  mutating func rename(_ line: Int, _ old: String, _ new: String) {
    replaceLine(line) { $0.replacing("\(old) = ", with: "\(new) = ", maxReplacements: 1) }
  }
}
