import FXCore
import FXTrace

/// How the gradient goes through one operator.
public enum GradientRule: Sendable {
  /// The cotangents of the operands from those of the results: one per operand, `nil` where it is zero.
  case cotangents(@Sendable (GradientContext) throws -> [SymbolicTensor?])
  /// Other calls that give the same results; the gradient goes through them.
  case rewriting(@Sendable (GradientContext) throws -> [SymbolicTensor])
  /// The results do not change with small changes of the operands.
  case zero
}

/// The gradient of each operator that has one. A value: users extend a copy of `.standard`.
public struct GradientRules: OperatorRows {
  /// The rules by operator; calls of others are decomposed, or an error.
  public var rows: [Operator: GradientRule] = [:]

  /// A table without rules; `standard` has those of this package.
  public init() {}

  /// The rules of this package, those of control flow and collectives included.
  public static let standard: GradientRules = {
    var rules = GradientRules()
    rules.addElementwise()
    rules.addActivation()
    rules.addReduction()
    rules.addReshaping()
    rules.addIndexing()
    rules.addLinearAlgebra()
    rules.addConvolution()
    rules.addPooling()
    rules.addNormalization()
    rules.addImage()
    rules.addControlFlow()
    rules.addCollective()
    return rules
  }()

  /// A rule for one operand and one result.
  mutating func unary(
    _ op: Operator,
    _ rule: @escaping @Sendable (_ dy: SymbolicTensor, _ x: SymbolicTensor, _ y: SymbolicTensor) -> SymbolicTensor
  ) {
    self[op] = .cotangents { context in
      [context.cotangent().map { rule($0, context.operand(0), context.result()) }]
    }
  }

  /// A rule for one result whose other operands, such as axes and shapes, have no gradient.
  mutating func first(_ op: Operator, _ rule: @escaping @Sendable (SymbolicTensor, GradientContext) throws -> SymbolicTensor) {
    self[op] = .cotangents { context in [try context.cotangent().map { try rule($0, context) }] }
  }
}

/// A call whose gradient is computed.
public struct GradientContext {
  /// The call itself: operator, operands, attributes, results.
  public let node: Node
  let sweep: ReverseSweep
  let cotangents: [SymbolicTensor?]

  /// The value of a typed attribute.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { node.attributes[key] }

  /// Whether operand `index` is there; `false` for one that is left out or beyond the last.
  public func has(_ index: Int) -> Bool { !node.operand(index).isNone }

  /// Operand `index`, which must be there.
  public func operand(_ index: Int) -> SymbolicTensor { sweep.writer.tensor(node.operand(index)) }

  /// Result `index`; what the call does not give is a left-out operand of the calls that read it.
  public func result(_ index: Int = 0) -> SymbolicTensor {
    sweep.writer.tensor(index < node.results.count ? .value(node.results[index]) : .none)
  }

  /// The cotangent of result `index`; `nil` where it is zero.
  public func cotangent(_ index: Int = 0) -> SymbolicTensor? { index < cotangents.count ? cotangents[index] : nil }

  /// Whether the cotangent of operand `index` is asked for.
  public func needs(_ index: Int) -> Bool { sweep.isActive(node.operand(index)) }

  /// The elements of operand `index`, if it is a constant.
  public func constant(_ index: Int) -> Tensor? { sweep.writer.graph.tensor(of: node.operand(index)) }

  /// Operand `index` as integers, if it is a constant.
  public func integers(_ index: Int) throws -> [Int]? {
    guard let tensor = constant(index) else { return nil }
    return try tensor.converted(to: .int64).elements(Int64.self).map(Int.init)
  }

  /// The node's case is not differentiated.
  public func unsupported(_ reason: String) -> DifferentiationError { sweep.error(node, .unsupported(reason)) }

  /// The rank of a tensor.
  /// - Throws: `DifferentiationError` if it is not known.
  public func rank(_ tensor: SymbolicTensor) throws -> Int {
    guard let rank = tensor.rank else { throw unsupported("the rank of \(tensor) is not known") }
    return rank
  }
}

/// Why a graph has no gradient here, as facts; the wording is in `description`.
public struct DifferentiationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What stood in the way.
  public enum Reason: Sendable, Equatable {
    /// No rule and no decomposition.
    case noRule
    /// The operator has a rule, but not for this case: says which, such as a rank that is not known.
    case unsupported(String)
    /// What is differentiated is no float tensor.
    case notFloating(ValueType)
    /// Without a cotangent to start from it must be one number.
    case notScalar(ValueType)
    /// The graph has no output, input, parameter or value of this name.
    case unknownName(String)
  }
  /// What is wrong; the other properties say where.
  public let reason: Reason
  /// The name of the call that has no gradient; `nil` where the mistake is in what was asked for.
  public let node: String?
  /// The call's operator, such as `conv`; `nil` without a call.
  public let op: String?
  /// The source line that made the call, if it is known.
  public let location: Location?

  init(_ reason: Reason, node: String? = nil, op: String? = nil, location: Location? = nil) {
    (self.reason, self.node, self.op, self.location) = (reason, node, op, location)
  }

  public var description: String {
    let place = node.map { "node '\($0)' (\(op ?? "")" + (location.map { ", \($0)" } ?? "") + "): " } ?? ""
    return place
      + {
        switch reason {
        case .noRule: "the operator has no gradient"
        case .unsupported(let reason): reason
        case .notFloating(let type): "only floating tensors are differentiated, this is \(type)"
        case .notScalar(let type): "the gradient is that of one number, this is \(type): give its cotangent or reduce it"
        case .unknownName(let name): "'\(name)' is no output, input, parameter or value of the graph's body"
        }
      }()
  }
}
