import FXCore
import Synchronization

/// A weight or buffer of a module. Copies of a module share it, and using one in two places ties them.
///
/// In a trace it becomes a parameter of the graph, named by its path in the module: `layers.0.weight`.
public final class ModuleParameter: Sendable {
  /// The element type and shape, whether a tensor is bound or not.
  public let type: TensorType
  /// What the graph's parameter is: a weight, which training changes, or a buffer, which it does not.
  public let role: Parameter.Role
  /// What it holds before training.
  public let initializer: Initializer
  /// What it is called where no module holds it as a property.
  public let name: String?

  private let storage: Mutex<Tensor?>

  /// A parameter to which nothing is bound yet.
  public init(
    _ elementType: ElementType = .float32, _ shape: [Int], role: Parameter.Role = .weight,
    initializer: Initializer? = nil, name: String? = nil
  ) {
    type = TensorType(elementType, Shape(shape))
    self.role = role
    self.initializer = initializer ?? .standard(for: shape)
    self.name = name
    storage = Mutex(nil)
  }

  /// A parameter that holds a tensor.
  public init(_ tensor: Tensor, role: Parameter.Role = .weight, name: String? = nil) {
    type = tensor.type
    self.role = role
    initializer = .standard(for: tensor.shape)
    self.name = name
    storage = Mutex(tensor)
  }

  /// The tensor bound to the parameter; `nil` before it is initialized or loaded.
  public var tensor: Tensor? { storage.withLock { $0 } }
  /// The sizes of the type; empty for a scalar.
  public var shape: [Int] { type.shape?.sizes ?? [] }

  /// Binds a tensor, replacing one already bound.
  /// - Throws: `GraphError.bindingType` if element type or shape differ.
  public func bind(_ tensor: Tensor) throws(GraphError) {
    guard type.admits(tensor.type) else {
      throw .bindingType(name ?? "of this module", expected: type, actual: tensor.type)
    }
    storage.withLock { $0 = tensor }
  }
}

extension ModuleParameter: ConstantOperand {
  /// The parameter, which becomes one of the graph at its first use and is found again at the next.
  public var symbolicOperand: SymbolicOperandKind { .parameter(self) }
}
