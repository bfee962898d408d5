import FXCore

/// `torch.nn.BatchNorm1d`: [n, c] or [n, c, l].
public typealias BatchNorm1d = BatchNorm<Int>
/// `torch.nn.BatchNorm2d`: [n, c, h, w].
public typealias BatchNorm2d = BatchNorm<Extent2d>
/// `torch.nn.BatchNorm3d`: [n, c, d, h, w].
public typealias BatchNorm3d = BatchNorm<Extent3d>
/// `torch.nn.InstanceNorm1d`
public typealias InstanceNorm1d = InstanceNorm<Int>
/// `torch.nn.InstanceNorm2d`
public typealias InstanceNorm2d = InstanceNorm<Extent2d>
/// `torch.nn.InstanceNorm3d`
public typealias InstanceNorm3d = InstanceNorm<Extent3d>

/// (x − mean) ÷ √(variance + ε) × weight + bias per channel with the running statistics, as PyTorch's in evaluation.
public final class BatchNorm<Extent: WindowExtent>: Module, Sendable {
  /// [channels], which starts at 1; `nil` if the layer is not affine.
  public let weight: ModuleParameter?
  /// [channels], which starts at 0; `nil` if the layer is not affine.
  public let bias: ModuleParameter?
  /// [channels]: a buffer, what is subtracted. Starts at 0.
  public let runningMean: ModuleParameter
  /// [channels]: a buffer, what the root is taken of. Starts at 1.
  public let runningVariance: ModuleParameter
  /// ε, 10⁻⁵ by default.
  public let epsilon: Float
  private let channels: Int

  /// - Parameter affine: whether there are a weight and a bias.
  public init(_ channels: Int, epsilon: Float = 1e-5, affine: Bool = true, elementType: ElementType = .float32) {
    weight = affine ? ModuleParameter(elementType, [channels], initializer: .constant(1)) : nil
    bias = affine ? ModuleParameter(elementType, [channels], initializer: .constant(0)) : nil
    runningMean = ModuleParameter(elementType, [channels], role: .buffer, initializer: .constant(0))
    runningVariance = ModuleParameter(elementType, [channels], role: .buffer, initializer: .constant(1))
    self.epsilon = epsilon
    self.channels = channels
  }

  /// PyTorch's names, so that its state dictionaries load.
  public var parts: [ModulePart] {
    .parameters(
      ("weight", weight), ("bias", bias), ("running_mean", runningMean), ("running_var", runningVariance))
  }

  /// The shape of x stays. Another rank or number of channels than the layer's is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let axes = Extent(1).axisSizes.count
    guard x.hasSpatialAxes(axes, "BatchNorm\(axes)d", orNone: axes == 1) else { return x.poisoned }
    if let size = x.dimension(1).size, size != channels {
      return x.mistake("BatchNorm\(axes)d", "the tensor has \(size) channels, the layer \(channels)")
    }
    var attributes = Attributes()
    attributes[BatchNormalization.epsilon] = epsilon
    return x.applyHere(
      .batchNormalization, [weight ?? filled(1, x, channels), bias ?? filled(0, x, channels), runningMean, runningVariance],
      attributes: attributes)
  }
}

/// One number for each channel, for norms without weights.
private func filled(_ number: Float, _ x: SymbolicTensor, _ channels: Int) -> any SymbolicOperand {
  let size = Swift.max(0, channels)
  let numbers = Tensor(vector: Array(repeating: number, count: size))
  return (try? numbers.converted(to: x.elementType ?? .float32)) ?? numbers
}

/// (x − mean) ÷ √(variance + ε) per image and channel, by default without weight and bias, as PyTorch's.
public final class InstanceNorm<Extent: WindowExtent>: Module, Sendable {
  /// [channels], which starts at 1; `nil` unless the layer is affine.
  public let weight: ModuleParameter?
  /// [channels], which starts at 0; `nil` unless the layer is affine.
  public let bias: ModuleParameter?
  /// ε, 10⁻⁵ by default.
  public let epsilon: Float
  private let channels: Int

  /// - Parameter affine: whether there are a weight and a bias.
  public init(_ channels: Int, epsilon: Float = 1e-5, affine: Bool = false, elementType: ElementType = .float32) {
    weight = affine ? ModuleParameter(elementType, [channels], initializer: .constant(1)) : nil
    bias = affine ? ModuleParameter(elementType, [channels], initializer: .constant(0)) : nil
    self.epsilon = epsilon
    self.channels = channels
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// [n, channels, size…] → the same shape. Another rank or number of channels than the layer's is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let axes = Extent(1).axisSizes.count
    guard x.hasSpatialAxes(axes, "InstanceNorm\(axes)d") else { return x.poisoned }
    var attributes = Attributes()
    attributes[InstanceNormalization.epsilon] = epsilon
    return x.applyHere(
      .instanceNormalization, [weight ?? filled(1, x, channels), bias ?? filled(0, x, channels)], attributes: attributes)
  }
}

/// (x − mean) ÷ √(variance + ε) × weight + bias per image and group of channels of [n, c, ...], as `torch.nn.GroupNorm`.
public final class GroupNorm: Module, Sendable {
  /// [channels], which starts at 1; `nil` if the layer is not affine.
  public let weight: ModuleParameter?
  /// [channels], which starts at 0; `nil` if the layer is not affine.
  public let bias: ModuleParameter?
  private let attributes: Attributes
  private let channels: Int

  /// - Parameters:
  ///   - groups: how many; they must divide the channels, which is checked when the layer is called.
  ///   - affine: whether there are a weight and a bias.
  public init(
    groups: Int, _ channels: Int, epsilon: Float = 1e-5, affine: Bool = true, elementType: ElementType = .float32
  ) {
    weight = affine ? ModuleParameter(elementType, [channels], initializer: .constant(1)) : nil
    bias = affine ? ModuleParameter(elementType, [channels], initializer: .constant(0)) : nil
    var attributes = Attributes()
    attributes[GroupNormalization.groupCount] = groups
    attributes[GroupNormalization.epsilon] = epsilon
    self.attributes = attributes
    self.channels = channels
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// The shape of x stays. Another number of channels than the layer's is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    return x.applyHere(
      .groupNormalization, [weight ?? filled(1, x, channels), bias ?? filled(0, x, channels)], attributes: attributes)
  }
}

/// What is wrong with a norm over the last axes of which the shape names none.
private let noAxes = "the shape that is normalized is [], it must have an axis"

/// (x − mean) ÷ √(variance + ε) × weight + bias over the last axes, as `torch.nn.LayerNorm`.
public final class LayerNorm: Module, Sendable {
  /// Of the shape that is normalized; starts at 1.
  public let weight: ModuleParameter
  /// Of the shape that is normalized, starts at 0; `nil` for none.
  public let bias: ModuleParameter?
  /// ε, 10⁻⁵ by default.
  public let epsilon: Float

  /// - Parameter shape: the sizes of the axes that are normalized, the tensor's last.
  public init(_ shape: [Int], epsilon: Float = 1e-5, bias: Bool = true, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, shape, initializer: .constant(1))
    self.bias = bias ? ModuleParameter(elementType, shape, initializer: .constant(0)) : nil
    self.epsilon = epsilon
  }

  /// A norm over the last axis, which has `size` elements.
  public convenience init(_ size: Int, epsilon: Float = 1e-5, bias: Bool = true, elementType: ElementType = .float32) {
    self.init([size], epsilon: epsilon, bias: bias, elementType: elementType)
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// The shape of x stays. The mean and variance are over as many last axes as the weight has; it is a mistake if it has none.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    guard !weight.shape.isEmpty else { return x.mistake("LayerNorm", noAxes) }
    var attributes = Attributes()
    attributes[LayerNormalization.axis] = -weight.shape.count
    attributes[LayerNormalization.epsilon] = epsilon
    return x.applyHere(.layerNormalization, [weight] + (bias.map { [$0] } ?? []), attributes: attributes)
  }
}

/// x ÷ √(mean of x² + ε) × weight over the last axes, as `torch.nn.RMSNorm`.
public final class RMSNorm: Module, Sendable {
  /// Of the shape that is normalized; starts at 1.
  public let weight: ModuleParameter
  /// ε, 2⁻²³ by default.
  public let epsilon: Float

  /// - Parameters:
  ///   - shape: the sizes of the axes that are normalized, the tensor's last.
  ///   - epsilon: by default 2⁻²³, the distance from 1 to the next `float32`, whatever the element type is.
  public init(_ shape: [Int], epsilon: Float = .ulpOfOne, elementType: ElementType = .float32) {
    weight = ModuleParameter(elementType, shape, initializer: .constant(1))
    self.epsilon = epsilon
  }

  /// A norm over the last axis, which has `size` elements.
  public convenience init(_ size: Int, epsilon: Float = .ulpOfOne, elementType: ElementType = .float32) {
    self.init([size], epsilon: epsilon, elementType: elementType)
  }

  public var parts: [ModulePart] { .parameters(("weight", weight)) }

  /// The shape of x stays. The mean is over as many last axes as the weight has; it is a mistake if it has none.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    guard !weight.shape.isEmpty else { return x.mistake("RMSNorm", noAxes) }
    var attributes = Attributes()
    attributes[LayerNormalization.axis] = -weight.shape.count
    attributes[LayerNormalization.epsilon] = epsilon
    return x.applyHere(.rmsNormalization, [weight], attributes: attributes)
  }
}
