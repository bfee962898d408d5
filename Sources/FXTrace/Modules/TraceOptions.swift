import FXCore
import FXShapes

/// What a trace's caller may ask for.
public struct TraceOptions {
  /// The graph's name.
  public var name = "main"
  /// What the outputs are called, in order; those not named are called as their values are. More names than outputs are a
  /// mistake.
  public var outputNames: [String] = []
  /// What is known of symbols in the inputs' shapes.
  public var symbols: [String: SymbolBounds] = [:]
  /// What else holds of them; checked when the graph runs.
  public var constraints: [ShapeConstraint] = []
  /// Which modules stay opaque, given the module and its path: one `call` node each, with the module's graph inside.
  public var isLeaf: ((any Module, String) -> Bool)?
  /// Sees every call of an operator and may do something else instead.
  public var proxy: (any TracingProxy)?
  /// What infers the type of each call: rules for operators of the program's own are added here.
  public var inference = ShapeInference()

  /// A graph called `main` in which nothing is opaque, and no proxy.
  public init() {}
}

/// Handles calls of operators while a model is traced: to count, refuse, rename or replace them.
///
/// ```swift
/// struct ExactGelu: TracingProxy {
///   func call(_ call: OperatorCall) throws -> [SymbolicTensor] {
///     guard call.op == .gelu else { return call.proceed() }
///     let x = call.tensors[0]
///     return [x * 0.5 * (1 + erf(x / 2.squareRoot()))]
///   }
/// }
/// ```
public protocol TracingProxy {
  /// Answers a call. What the proxy itself calls does not come back to it.
  /// - Returns: as many tensors as the call has results.
  /// - Throws: an error that the trace ends with.
  func call(_ call: OperatorCall) throws -> [SymbolicTensor]
}

/// A call that a `TracingProxy` may answer.
public struct OperatorCall {
  /// The operator called.
  public let op: Operator
  /// In the operator's order, with `none` for those left out.
  public let operands: [SymbolicOperandKind]
  /// Those that the call gives; the operator's defaults are filled in when it is added to the graph.
  public let attributes: Attributes
  /// How many results the caller wants: at least 1, and as many as the proxy must answer with.
  public let resultCount: Int
  /// The user's line and the module's path.
  public let location: Location
  let session: TraceSession
  let site: TraceSession.CallSite?

  /// The operands as tensors of the trace, operands left out excluded.
  public var tensors: [SymbolicTensor] {
    operands.compactMap { operand in
      if case .none = operand { return nil }
      return SymbolicTensor(session, session.operand(operand))
    }
  }

  /// What the call does without a proxy, with other operands or attributes if given.
  public func proceed(operands: [SymbolicOperandKind]? = nil, attributes: Attributes? = nil) -> [SymbolicTensor] {
    session.append(op, operands ?? self.operands, attributes: attributes ?? self.attributes, resultCount: resultCount, at: site)
      ?? Array(repeating: SymbolicTensor(session, nil), count: resultCount)
  }
}
