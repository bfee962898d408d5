import FXCore

/// The largest element of each window of images [n, c, h, w], as `torch.nn.MaxPool2d`.
public final class MaxPool2d: Module, Sendable {
  private let attributes: Attributes

  /// - Parameter stride: how far windows are apart; by default they touch.
  public init(kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, ceilMode: Bool = false) {
    attributes = .window(kernel: kernel, stride: stride ?? kernel, padding: padding, ceilMode: ceilMode)
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.maxPool, attributes: attributes) }
}

/// The mean of each window of images [n, c, h, w], padding counted, as `torch.nn.AvgPool2d`.
public final class AvgPool2d: Module, Sendable {
  private let attributes: Attributes

  /// - Parameter stride: how far windows are apart; by default they touch.
  public init(
    kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, ceilMode: Bool = false, countsPadding: Bool = true
  ) {
    var attributes = Attributes.window(kernel: kernel, stride: stride ?? kernel, padding: padding, ceilMode: ceilMode)
    attributes[AveragePool.countIncludePad] = countsPadding
    self.attributes = attributes
  }

  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.averagePool, attributes: attributes) }
}

/// The mean of each channel over all spatial axes, which stay with size 1: `torch.nn.AdaptiveAvgPool2d(1)`.
public final class GlobalAvgPool2d: Module, Sendable {
  public init() {}
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.globalAveragePool) }
}
