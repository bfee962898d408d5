/// The type of a tensor: its elements and, where the rank is known, its shape.
public struct TensorType: Sendable, Hashable {
  /// What the elements are.
  public var elementType: ElementType
  /// `nil` if the rank is unknown.
  public var shape: Shape?

  /// A tensor of such elements; of unknown rank if `shape` is `nil`.
  public init(_ elementType: ElementType, _ shape: Shape?) {
    self.elementType = elementType
    self.shape = shape
  }
}

/// The type of a value in a graph.
public enum ValueType: Sendable, Hashable {
  /// Nothing is known yet: shape inference has not run, or the operator is not registered.
  case unknown
  /// A tensor.
  case tensor(TensorType)
  /// A list of values of one type, of any length, as ONNX has it.
  indirect case sequence(ValueType)
  /// A value of the type, or nothing, as ONNX has it.
  indirect case optional(ValueType)
  /// A map from keys (`string` or an integer type) to values, as `ai.onnx.ml` uses.
  indirect case map(ElementType, ValueType)

  /// The type of a tensor of such elements; of unknown rank if `shape` is `nil`.
  public static func tensor(_ elementType: ElementType, _ shape: Shape?) -> ValueType {
    .tensor(TensorType(elementType, shape))
  }

  /// The tensor type, if the value is a tensor.
  public var tensorType: TensorType? {
    if case .tensor(let type) = self { type } else { nil }
  }
  /// What the elements are, if the value is a tensor; `nil` for other values, whatever they hold.
  public var elementType: ElementType? { tensorType?.elementType }
  /// The shape, if the value is a tensor of known rank.
  public var shape: Shape? { tensorType?.shape }
}

extension TensorType: CustomStringConvertible {
  /// `f32[batch, 784]`, `f32[]` for a scalar, `f32[*]` for unknown rank.
  public var description: String { elementType.rawValue + (shape?.description ?? "[*]") }
}

extension ValueType: CustomStringConvertible {
  public var description: String {
    switch self {
    case .unknown: "_"
    case .tensor(let type): type.description
    case .sequence(let element): "seq<\(element)>"
    case .optional(let wrapped): "opt<\(wrapped)>"
    case .map(let key, let value): "map<\(key.rawValue), \(value)>"
    }
  }
}
