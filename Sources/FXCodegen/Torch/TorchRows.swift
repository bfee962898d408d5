import FXCore

/// How PyTorch spells each operator, in Python and in C++. A value: users extend a copy of `.standard`.
public struct TorchRows: OperatorRows {
  /// Writes a call.
  /// - Throws: `NotExpressible`, with the reason for which the call is refused.
  public typealias Row = @Sendable (inout TorchCall) throws -> TorchCode

  /// The rows by operator; calls of operators without one are refused.
  public var rows: [Operator: Row] = [:]

  /// A table without rows; `standard` has those of this package.
  public init() {}

  /// The rows of this package.
  public static let standard: TorchRows = {
    var rows = TorchRows()
    rows.addElementwise()
    rows.addConversion()
    rows.addComparison()
    rows.addActivation()
    rows.addReduction()
    rows.addLinearAlgebra()
    rows.addConvolution()
    rows.addPooling()
    rows.addNormalization()
    rows.addReshaping()
    rows.addSlicing()
    rows.addIndexing()
    rows.addImage()
    rows.addQuantization()
    return rows
  }()

  /// A row whose expression is the only result.
  mutating func define(_ op: Operator, _ expression: @escaping @Sendable (inout TorchCall) throws -> TorchExpression) {
    self[op] = { .expressions([try expression(&$0)]) }
  }
}

/// The code of a call in PyTorch.
public enum TorchCode: Sendable {
  /// One expression for each result.
  case expressions([TorchExpression])
  /// An expression that gives a tuple of all results.
  case tuple(TorchExpression)
}

/// A call that a row writes in PyTorch.
public struct TorchCall: Sendable {
  /// The node, and what is known of its operands.
  public let site: CallSite
  /// The operands' expressions.
  public let operands: [TorchExpression]
  /// The language that the row is asked for.
  public let language: TorchLanguage
  /// The functions that the program must define.
  public private(set) var functions: Set<TorchFunction> = []

  /// A call whose operands are these expressions.
  public init(_ site: CallSite, operands: [TorchExpression], language: TorchLanguage) {
    self.site = site
    self.operands = operands
    self.language = language
  }

  /// Operand `index`; nothing if it is left out.
  public subscript(index: Int) -> TorchExpression { index < operands.count ? operands[index] : .null }
  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { site[key] }

  /// Whether operand `index` is there.
  public func has(_ index: Int) -> Bool { site.has(index) }

  /// Calls a function that the program must define.
  /// - Throws: `NotExpressible` if it is not written in the language.
  public mutating func call(_ function: TorchFunction, _ arguments: [TorchExpression]) throws -> TorchExpression {
    guard function.source(language) != nil else {
      throw NotExpressible("\(function.name) is not written in this target's language")
    }
    functions.insert(function)
    return .call(function.name, arguments)
  }

  /// The integers of operand `index`, known or not, as a list.
  public func integers(_ index: Int) -> TorchExpression {
    site.integers(index).map { .ints($0) } ?? .integers(self[index])
  }

  /// The integer of operand `index`, known or not.
  public func integer(_ index: Int) -> TorchExpression {
    site.integers(index)?.first.map { .int($0) } ?? .item(self[index], .int64)
  }

  var isInteger: Bool { site.elementType(0)?.isInteger ?? false }
}

/// A function that PyTorch lacks and a program defines where it needs it.
public struct TorchFunction: Sendable, Hashable {
  /// What calls use. A program that needs two functions of one name is refused.
  public let name: String
  let python: String?
  let cpp: String?

  /// A function with its definition in each language; `nil` where it is not written: calls are refused there.
  public init(_ name: String, python: String?, cpp: String? = nil) {
    self.name = name
    self.python = python
    self.cpp = cpp
  }

  func source(_ language: TorchLanguage) -> String? { language == .python ? python : cpp }
}
