import FXCore

/// x × weightᵀ + bias on the last axis, as `torch.nn.Linear`.
public final class Linear: Module, Sendable {
  /// [out, in]
  public let weight: ModuleParameter
  /// [out]; `nil` for none.
  public let bias: ModuleParameter?

  /// Weights and, unless `bias` is false, biases that start uniform within ±1/√`inFeatures`.
  public init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, elementType: ElementType = .float32) {
    let initializer = Initializer.kaimingUniform(fanIn: inFeatures)
    weight = ModuleParameter(elementType, [outFeatures, inFeatures], initializer: initializer)
    self.bias = bias ? ModuleParameter(elementType, [outFeatures], initializer: initializer) : nil
  }

  /// A layer on weights that others may share.
  public init(weight: ModuleParameter, bias: ModuleParameter? = nil) {
    self.weight = weight
    self.bias = bias
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// […, in] → […, out].
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.linear, [weight] + (bias.map { [$0] } ?? [])) }
}
