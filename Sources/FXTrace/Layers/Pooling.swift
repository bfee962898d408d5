import FXCore

/// `torch.nn.MaxPool1d`: signals [n, c, l].
public typealias MaxPool1d = MaxPooling<Int>
/// `torch.nn.MaxPool2d`: images [n, c, h, w].
public typealias MaxPool2d = MaxPooling<Extent2d>
/// `torch.nn.MaxPool3d`: volumes [n, c, d, h, w].
public typealias MaxPool3d = MaxPooling<Extent3d>
/// `torch.nn.AvgPool1d`
public typealias AvgPool1d = AveragePooling<Int>
/// `torch.nn.AvgPool2d`
public typealias AvgPool2d = AveragePooling<Extent2d>
/// `torch.nn.AvgPool3d`
public typealias AvgPool3d = AveragePooling<Extent3d>
/// `torch.nn.AdaptiveAvgPool1d`
public typealias AdaptiveAvgPool1d = AdaptiveAveragePooling<Int>
/// `torch.nn.AdaptiveAvgPool2d`
public typealias AdaptiveAvgPool2d = AdaptiveAveragePooling<Extent2d>
/// `torch.nn.AdaptiveAvgPool3d`
public typealias AdaptiveAvgPool3d = AdaptiveAveragePooling<Extent3d>
/// `torch.nn.AdaptiveMaxPool1d`
public typealias AdaptiveMaxPool1d = AdaptiveMaxPooling<Int>
/// `torch.nn.AdaptiveMaxPool2d`
public typealias AdaptiveMaxPool2d = AdaptiveMaxPooling<Extent2d>
/// `torch.nn.AdaptiveMaxPool3d`
public typealias AdaptiveMaxPool3d = AdaptiveMaxPooling<Extent3d>

/// The largest element of each window.
public final class MaxPooling<Extent: WindowExtent>: StatelessModule, Sendable {
  private let attributes: Attributes

  /// - Parameter stride: how far windows are apart; by default they touch.
  public init(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, dilation: Extent = 1, ceilMode: Bool = false
  ) {
    var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
    attributes[Conv.dilations] = dilation.axisSizes
    self.attributes = attributes
  }

  /// [n, c, size…] → [n, c, size′…], where size′ = ⌊(size + 2·padding − dilation·(kernel − 1) − 1) ÷ stride⌋ + 1.
  ///
  /// With `ceilMode` the quotient is rounded up, unless the last window would start in the padding. Another rank is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let axes = Extent(1).axisSizes.count
    guard x.hasSpatialAxes(axes, "MaxPool\(axes)d") else { return x.poisoned }
    return x.applyHere(.maxPool, attributes: attributes)
  }
}

/// The mean of each window, padding counted unless `countsPadding` is false.
public final class AveragePooling<Extent: WindowExtent>: StatelessModule, Sendable {
  private let attributes: Attributes

  /// - Parameter stride: how far windows are apart; by default they touch.
  public init(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, ceilMode: Bool = false, countsPadding: Bool = true
  ) {
    var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
    attributes[AveragePool.countIncludePad] = countsPadding
    self.attributes = attributes
  }

  /// [n, c, size…] → [n, c, size′…], where size′ = ⌊(size + 2·padding − kernel) ÷ stride⌋ + 1.
  ///
  /// With `ceilMode` the quotient is rounded up, unless the last window would start in the padding. Another rank is a mistake.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let axes = Extent(1).axisSizes.count
    guard x.hasSpatialAxes(axes, "AvgPool\(axes)d") else { return x.poisoned }
    return x.applyHere(.averagePool, attributes: attributes)
  }
}

/// The p-norm of each window, as `torch.nn.LPPool2d`.
public final class LPPool2d: StatelessModule, Sendable {
  private let attributes: Attributes

  /// - Parameters:
  ///   - p: the exponent: the norm is (Σ |x|ᵖ)^(1/p).
  ///   - stride: how far windows are apart; by default they touch.
  public init(p: Int, kernel: Extent2d, stride: Extent2d? = nil, ceilMode: Bool = false) {
    var attributes = Attributes.window(kernel: kernel, stride: stride, padding: 0, ceilMode: ceilMode)
    attributes[LpPool.p] = p
    self.attributes = attributes
  }

  /// [n, c, h, w] → [n, c, h′, w′], where h′ = ⌊(h − kernel) ÷ stride⌋ + 1, and w′ alike; `ceilMode`
  /// counts a last window that is not full.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.lpPool, attributes: attributes) }
}

/// The mean of each cell of a grid of a given size; sizes other than 1 need known spatial sizes.
public final class AdaptiveAveragePooling<Extent: WindowExtent>: StatelessModule, Sendable {
  /// The sizes of the result's spatial axes.
  public let size: Extent

  /// A pooling to `size`, which must be positive: one number for all axes, or one for each.
  public init(_ size: Extent) { self.size = size }

  /// [n, c, …] → [n, c, size…]. Cell i of m along an axis of n elements goes from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉, as in PyTorch.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    x.adaptivePool("AdaptiveAvgPool\(size.axisSizes.count)d", size.axisSizes, isMean: true)
  }
}

/// The largest element of each cell of a grid of a given size; sizes other than 1 need known spatial sizes.
public final class AdaptiveMaxPooling<Extent: WindowExtent>: StatelessModule, Sendable {
  /// The sizes of the result's spatial axes.
  public let size: Extent

  /// A pooling to `size`, which must be positive: one number for all axes, or one for each.
  public init(_ size: Extent) { self.size = size }

  /// [n, c, …] → [n, c, size…]. Cell i of m along an axis of n elements goes from ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉, as in PyTorch.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    x.adaptivePool("AdaptiveMaxPool\(size.axisSizes.count)d", size.axisSizes, isMean: false)
  }
}

/// The mean of each channel over all spatial axes, which stay with size 1: `torch.nn.AdaptiveAvgPool2d(1)`.
public final class GlobalAvgPool2d: StatelessModule, Sendable {
  /// A layer that calls the operator `global_average_pool`.
  public init() {}
  /// [n, c, h, w] → [n, c, 1, 1]; other numbers of spatial axes are taken too.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor { x.applyHere(.globalAveragePool) }
}
