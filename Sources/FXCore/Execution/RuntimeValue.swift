/// A value while a graph runs: what goes in, comes out, and passes between nodes.
public enum RuntimeValue: Sendable, Equatable {
  /// A dense tensor: all that most graphs take and give.
  case tensor(Tensor)
  /// Elements of one type, which an empty sequence still has.
  case sequence([RuntimeValue], element: ValueType)
  /// A value of the type, or nothing.
  indirect case optional(RuntimeValue?, wrapped: ValueType)
  /// Keys (a vector of strings or integers) and a value for each.
  case map(keys: Tensor, values: [RuntimeValue])

  /// The tensor, if the value is one; `nil` for sequences, optionals and maps.
  public var tensor: Tensor? {
    if case .tensor(let tensor) = self { tensor } else { nil }
  }

  /// The type with the sizes at hand.
  public var type: ValueType {
    switch self {
    case .tensor(let tensor): .tensor(tensor.type)
    case .sequence(_, let element): .sequence(element)
    case .optional(_, let wrapped): .optional(wrapped)
    case .map(let keys, let values): .map(keys.elementType, values.first?.type ?? .unknown)
    }
  }
}
