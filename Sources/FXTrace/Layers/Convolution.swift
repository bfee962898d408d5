import FXCore

/// Cross-correlation of images [n, c, h, w] with a bank of kernels, as `torch.nn.Conv2d`.
public final class Conv2d: Module, Sendable {
  /// [out, in ÷ groups, kh, kw]
  public let weight: ModuleParameter
  /// [out]; `nil` for none.
  public let bias: ModuleParameter?
  private let attributes: Attributes

  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Extent2d, stride: Extent2d = 1, padding: Extent2d = 0,
    dilation: Extent2d = 1, groups: Int = 1, bias: Bool = true, elementType: ElementType = .float32
  ) {
    let shape = [outChannels, inChannels / max(1, groups)] + kernel.sizes
    let initializer = Initializer.kaimingUniform(fanIn: shape.dropFirst().reduce(1, *))
    weight = ModuleParameter(elementType, shape, initializer: initializer)
    self.bias = bias ? ModuleParameter(elementType, [outChannels], initializer: initializer) : nil
    attributes = .convolution(stride: stride, padding: padding, dilation: dilation, groups: groups)
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    x.applyHere(.conv, [weight] + (bias.map { [$0] } ?? []), attributes: attributes)
  }
}
