import FXCore

/// The rows of a table that integer indices name, as `torch.nn.Embedding`.
public final class Embedding: Module, Sendable {
  /// [count, size]
  public let weight: ModuleParameter

  /// A table of `count` rows of `size` elements, which start normally distributed with mean 0 and deviation 1.
  public init(count: Int, size: Int, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, [count, size], initializer: .normal(mean: 0, deviation: 1))
  }

  /// A table that others may share.
  public init(weight: ModuleParameter) { self.weight = weight }

  public var parts: [ModulePart] { .parameters(("weight", weight)) }

  /// - Parameter indices: integers of any shape; the result has one more axis.
  public func forward(_ indices: SymbolicTensor) -> SymbolicTensor { indices.lift(weight).applyHere(.gather, [indices]) }
}
