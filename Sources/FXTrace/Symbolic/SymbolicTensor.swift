import FXCore

/// A tensor in a model's code while the model is traced or runs eagerly.
///
/// It carries what is known of its type, symbolic sizes included; functions and operators on it add calls to the graph.
/// A mistake does not trap: the first one is kept with the user's line, later values are poisoned, and the trace throws
/// it at its end. It has no truth value, so `if x > 0` does not compile: use `cond` or `where`.
public struct SymbolicTensor {
  let session: TraceSession
  /// `nil` after a mistake.
  let operand: Operand?

  init(_ session: TraceSession, _ operand: Operand?) {
    self.session = session
    self.operand = operand
  }

  /// What is known of the type.
  public var type: ValueType { operand.map { session.graph.type(of: $0) } ?? .unknown }
  /// The type of the elements; `nil` if it is not known, the value is no tensor, or after a mistake.
  public var elementType: ElementType? { type.elementType }
  /// The symbolic shape; `nil` if the rank is unknown.
  public var shape: Shape? { type.shape }
  /// How many axes there are; `nil` if that is not known.
  public var rank: Int? { shape?.rank }

  /// The size along an axis, counted from the end if negative; unknown if it is not known or the axis does not exist.
  public func dimension(_ axis: Int) -> Dimension {
    guard let shape else { return .unknown }
    let index = axis < 0 ? shape.rank + axis : axis
    return shape.indices.contains(index) ? shape[index] : .unknown
  }

  /// The elements, if the model runs eagerly.
  public var tensor: Tensor? { operand.flatMap { session.tensor(of: $0) } }

  /// What the value is called in the graph.
  public var name: String? { operand.map { session.graph.text(of: $0) } }

  /// The value under a name of the user's, with a number appended if the name is taken.
  public func named(_ name: String) -> SymbolicTensor {
    if let value = operand?.value { session.label(value, name) }
    return self
  }

  /// A parameter, number or constant as a tensor of the same trace.
  public func lift(_ operand: any SymbolicOperand) -> SymbolicTensor {
    SymbolicTensor(session, session.operand(operand.symbolicOperand))
  }
}

extension SymbolicTensor: CustomStringConvertible {
  /// `node_3: f32[batch, 10]`
  public var description: String { "\(name ?? "a value after a mistake"): \(type)" }
}

/// What functions take beside a `SymbolicTensor`: a number, a constant tensor, a module's parameter.
public protocol SymbolicOperand {
  /// The operand in the trace's terms: what every function asks of what it is given.
  var symbolicOperand: SymbolicOperandKind { get }
}

/// An operand of a call in a trace.
public enum SymbolicOperandKind {
  /// A value of the same trace; one of another trace is a mistake.
  case tensor(SymbolicTensor)
  /// A number or truth value, which takes its element type from the tensors beside it.
  case literal(Literal)
  /// A tensor whose elements become a constant of the graph.
  case constant(Tensor)
  /// A module's parameter, which becomes one of the graph at its first use.
  case parameter(ModuleParameter)
  /// An optional operand that is left out.
  case none
}

/// An operand that belongs to no trace by itself.
public protocol ConstantOperand: SymbolicOperand {}

extension SymbolicTensor: SymbolicOperand {
  /// The value itself, for calls of the same trace.
  public var symbolicOperand: SymbolicOperandKind { .tensor(self) }
}
extension Tensor: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .constant(self) } }
extension Literal: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .literal(self) } }
extension Int: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .literal(.int(Int64(self))) } }
extension Double: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .literal(.float(self)) } }
extension Float: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .literal(.float(Double(self))) } }
extension Bool: ConstantOperand { public var symbolicOperand: SymbolicOperandKind { .literal(.bool(self)) } }
