import FXCore

/// How StableHLO spells each operator. A value: users extend a copy of `.standard`.
public struct XLARows: OperatorRows {
  /// Writes a call. Gives its results.
  /// - Throws: `NotExpressible`, with the reason for which the call is refused.
  public typealias Row = @Sendable (inout XLACall) throws -> [HLOValue]

  /// The rows by operator; calls of operators without one are refused.
  public var rows: [Operator: Row] = [:]

  /// A table without rows; `standard` has those of this package.
  public init() {}

  /// The rows of this package.
  public static let standard: XLARows = {
    var rows = XLARows()
    rows.addElementwise()
    rows.addComparison()
    rows.addActivation()
    rows.addReduction()
    rows.addLinearAlgebra()
    rows.addConvolution()
    rows.addPooling()
    rows.addReshaping()
    rows.addIndexing()
    rows.addScattering()
    rows.addQuantization()
    return rows
  }()

  mutating func define(_ op: Operator, _ value: @escaping @Sendable (inout XLACall) throws -> HLOValue) {
    self[op] = { [try value(&$0)] }
  }
}

/// A call that a row writes in StableHLO.
public struct XLACall: Sendable {
  /// The node, and what is known of its operands.
  public let site: CallSite
  /// The operands' values; `nil` for those that are left out.
  public let operands: [HLOValue?]
  /// What the row adds operations to.
  public var builder: HLOBuilder

  /// Operand `index`.
  /// - Throws: `NotExpressible` if it is left out.
  public func operand(_ index: Int) throws -> HLOValue {
    guard index < operands.count, let value = operands[index] else { throw NotExpressible("operand \(index) is left out") }
    return value
  }

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { site[key] }

  /// Whether operand `index` is there.
  public func has(_ index: Int) -> Bool { site.has(index) }

  /// The result's element type.
  func resultType(_ index: Int = 0) throws -> ElementType {
    guard let type = site.resultType(index)?.elementType else { throw NotExpressible("the result's type is not known") }
    return type
  }

  /// An axis counted from 0.
  func axis(_ axis: Int, of x: HLOValue) -> Int { axis < 0 ? axis + x.rank : axis }

  /// Half precision is computed in single precision.
  mutating func wide(_ x: HLOValue) -> HLOValue {
    x.type == .float16 || x.type == .bfloat16 ? builder.convert(x, .float32) : x
  }
}
