import FXCore

/// What a call of the flat tracer takes: the name of a value (`"x"`, `"node_0"`), a `TracedValue`, or a number.
public protocol TracerOperand {
  /// The operand in the tracer's terms: what `ModuleTracer` asks of everything that a call is given.
  var tracerOperand: TracerOperandKind { get }
}

/// An operand of the flat tracer's calls: a value or parameter, by name or as it was returned, a number, or nothing.
public enum TracerOperandKind: Sendable, Hashable {
  /// The value of this name or, if there is none, the parameter. A name that neither has is an error of the call.
  case name(String)
  /// What an earlier call of the same tracer returned; that of another tracer is an error of the call.
  case value(TracedValue)
  /// A number or truth value, which takes its element type from the tensors beside it.
  case literal(Literal)
  /// An optional operand that is left out.
  case none
}

/// A value that the flat tracer made: what it is called, and what is known of its type.
public struct TracedValue: Sendable, Hashable {
  /// What later calls may call it: an input's name, `node_0`, `node_0.1` for a second result, or the name it was given.
  public let name: String
  /// The type as far as it was known when the call was made.
  public let type: ValueType
  /// The value in the finished graph.
  public let id: ValueID
}

extension TracedValue: CustomStringConvertible {
  /// `node_0: f32[batch, 10]`
  public var description: String { "\(name): \(type)" }
}

extension TracerOperandKind: TracerOperand {
  /// Itself, so that a call can be given `.none` or any other kind as it is.
  public var tracerOperand: TracerOperandKind { self }
}
extension TracedValue: TracerOperand {
  /// The value itself, which must be one of the same tracer's.
  public var tracerOperand: TracerOperandKind { .value(self) }
}
extension String: TracerOperand { public var tracerOperand: TracerOperandKind { .name(self) } }
extension Literal: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(self) } }
extension Int: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.int(Int64(self))) } }
extension Double: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.float(self)) } }
extension Float: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.float(Double(self))) } }
extension Bool: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.bool(self)) } }
