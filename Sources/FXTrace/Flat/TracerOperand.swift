import FXCore

/// What a call of the flat tracer takes: the name of a value (`"x"`, `"node_0"`), a `TracedValue`, or a number.
public protocol TracerOperand {
  var tracerOperand: TracerOperandKind { get }
}

public enum TracerOperandKind: Sendable, Hashable {
  case name(String)
  case value(TracedValue)
  case literal(Literal)
  /// An optional operand that is left out.
  case none
}

/// A value that the flat tracer made: what it is called, and what is known of its type.
public struct TracedValue: Sendable, Hashable {
  public let name: String
  public let type: ValueType
  /// The value in the finished graph.
  public let id: ValueID
}

extension TracedValue: CustomStringConvertible {
  /// `node_0: f32[batch, 10]`
  public var description: String { "\(name): \(type)" }
}

extension TracerOperandKind: TracerOperand { public var tracerOperand: TracerOperandKind { self } }
extension TracedValue: TracerOperand { public var tracerOperand: TracerOperandKind { .value(self) } }
extension String: TracerOperand { public var tracerOperand: TracerOperandKind { .name(self) } }
extension Literal: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(self) } }
extension Int: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.int(Int64(self))) } }
extension Double: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.float(self)) } }
extension Float: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.float(Double(self))) } }
extension Bool: TracerOperand { public var tracerOperand: TracerOperandKind { .literal(.bool(self)) } }
