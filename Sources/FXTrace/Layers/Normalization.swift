import FXCore

/// (x − mean) ÷ √(variance + ε) × weight + bias per channel of [n, c, h, w] with the running statistics, as
/// `torch.nn.BatchNorm2d` in evaluation.
public final class BatchNorm2d: Module, Sendable {
  public let weight: ModuleParameter
  public let bias: ModuleParameter
  public let runningMean: ModuleParameter
  public let runningVariance: ModuleParameter
  public let epsilon: Float

  public init(_ channels: Int, epsilon: Float = 1e-5, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, [channels], initializer: .constant(1))
    bias = ModuleParameter(elementType, [channels], initializer: .constant(0))
    runningMean = ModuleParameter(elementType, [channels], role: .buffer, initializer: .constant(0))
    runningVariance = ModuleParameter(elementType, [channels], role: .buffer, initializer: .constant(1))
    self.epsilon = epsilon
  }

  /// PyTorch's names, so that its state dictionaries load.
  public var parts: [ModulePart] {
    [
      ModulePart("weight", weight), ModulePart("bias", bias), ModulePart("running_mean", runningMean),
      ModulePart("running_var", runningVariance),
    ]
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[BatchNormalization.epsilon] = epsilon
    return x.applyHere(.batchNormalization, [weight, bias, runningMean, runningVariance], attributes: attributes)
  }
}

/// (x − mean) ÷ √(variance + ε) × weight + bias over the last axes, as `torch.nn.LayerNorm`.
public final class LayerNorm: Module, Sendable {
  public let weight: ModuleParameter
  public let bias: ModuleParameter?
  public let epsilon: Float

  /// - Parameter shape: the sizes of the axes that are normalized, the tensor's last.
  public init(_ shape: [Int], epsilon: Float = 1e-5, bias: Bool = true, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, shape, initializer: .constant(1))
    self.bias = bias ? ModuleParameter(elementType, shape, initializer: .constant(0)) : nil
    self.epsilon = epsilon
  }

  public convenience init(_ size: Int, epsilon: Float = 1e-5, bias: Bool = true, elementType: ElementType = .float32) {
    self.init([size], epsilon: epsilon, bias: bias, elementType: elementType)
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[LayerNormalization.axis] = -weight.shape.count
    attributes[LayerNormalization.epsilon] = epsilon
    return x.applyHere(.layerNormalization, [weight] + (bias.map { [$0] } ?? []), attributes: attributes)
  }
}
