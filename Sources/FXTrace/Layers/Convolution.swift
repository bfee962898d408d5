import FXCore

/// `torch.nn.Conv1d`: signals [n, c, l].
public typealias Conv1d = Convolution<Int>
/// `torch.nn.Conv2d`: images [n, c, h, w].
public typealias Conv2d = Convolution<Extent2d>
/// `torch.nn.Conv3d`: volumes [n, c, d, h, w].
public typealias Conv3d = Convolution<Extent3d>
/// `torch.nn.ConvTranspose1d`
public typealias ConvTranspose1d = TransposedConvolution<Int>
/// `torch.nn.ConvTranspose2d`
public typealias ConvTranspose2d = TransposedConvolution<Extent2d>
/// `torch.nn.ConvTranspose3d`
public typealias ConvTranspose3d = TransposedConvolution<Extent3d>

/// Cross-correlation with a bank of kernels, plus bias: `Conv1d`, `Conv2d` and `Conv3d`.
public final class Convolution<Extent: WindowExtent>: Module, Sendable {
  /// [out, in ÷ groups, kernel…]
  public let weight: ModuleParameter
  /// [out]; `nil` for none.
  public let bias: ModuleParameter?
  /// How many elements are added on both sides of each spatial axis; 0 by default.
  public let padding: Extent
  /// What they are. For all modes but `constant`, which stands for zeros, a `pad` goes before the convolution.
  public let paddingMode: PaddingMode
  private let attributes: Attributes
  private let channels: Int

  /// - Parameters:
  ///   - padding: elements before and after each spatial axis, on both sides.
  ///   - paddingMode: what they are; `constant` is zeros.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    dilation: Extent = 1, groups: Int = 1, bias: Bool = true, paddingMode: PaddingMode = .constant,
    elementType: ElementType = .float32
  ) {
    let shape = [outChannels, inChannels / Swift.max(1, groups)] + kernel.axisSizes
    let initializer = Initializer.kaimingUniform(fanIn: Initializer.fanIn(of: shape))
    weight = ModuleParameter(elementType, shape, initializer: initializer)
    self.bias = bias ? ModuleParameter(elementType, [outChannels], initializer: initializer) : nil
    self.padding = padding
    self.paddingMode = paddingMode
    channels = inChannels
    attributes = .convolution(
      stride: stride, padding: paddingMode == .constant ? padding : 0, dilation: dilation, groups: groups)
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// [n, in, size…] → [n, out, size′…], where size′ = ⌊(size + 2·padding − dilation·(kernel − 1) − 1) ÷ stride⌋ + 1.
  ///
  /// Another rank or number of channels is a mistake, and so are groups that do not divide both numbers of channels.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let groups = attributes[Conv.group]
    guard x.hasSpatialAxes(padding.axisSizes.count, "Conv\(padding.axisSizes.count)d") else { return x.poisoned }
    guard groups > 0, channels % groups == 0, weight.shape[0] % groups == 0 else {
      return x.mistake(
        "Conv\(padding.axisSizes.count)d",
        "\(channels) channels to \(weight.shape[0]) cannot be divided into \(groups) groups: both must be multiples")
    }
    let isPadded = paddingMode != .constant && padding != 0
    let padded =
      isPadded
      ? pad(x, padding.axisSizes.reversed().flatMap { [$0, $0] }, mode: paddingMode, fileID: x.file, line: x.line) : x
    return padded.applyHere(.conv, [weight] + (bias.map { [$0] } ?? []), attributes: attributes)
  }
}

/// The gradient of a convolution with respect to its operand, a learned upsampling: `ConvTranspose1d`, `2d` and `3d`.
public final class TransposedConvolution<Extent: WindowExtent>: Module, Sendable {
  /// [in, out ÷ groups, kernel…]
  public let weight: ModuleParameter
  /// [out]; `nil` for none.
  public let bias: ModuleParameter?
  private let attributes: Attributes
  private let channels: Int

  /// - Parameter outputPadding: elements that the result has at its ends beyond what the kernels reach.
  public init(
    _ inChannels: Int, _ outChannels: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    outputPadding: Extent = 0, dilation: Extent = 1, groups: Int = 1, bias: Bool = true,
    elementType: ElementType = .float32
  ) {
    let shape = [inChannels, outChannels / Swift.max(1, groups)] + kernel.axisSizes
    let initializer = Initializer.kaimingUniform(fanIn: Initializer.fanIn(of: shape))
    weight = ModuleParameter(elementType, shape, initializer: initializer)
    self.bias = bias ? ModuleParameter(elementType, [outChannels], initializer: initializer) : nil
    var attributes = Attributes.convolution(stride: stride, padding: padding, dilation: dilation, groups: groups)
    attributes[ConvTranspose.outputPadding] = outputPadding.axisSizes
    self.attributes = attributes
    channels = outChannels
  }

  public var parts: [ModulePart] { .parameters(("weight", weight), ("bias", bias)) }

  /// [n, in, size…] → [n, out, size′…], where
  /// size′ = (size − 1)·stride − 2·padding + dilation·(kernel − 1) + outputPadding + 1.
  ///
  /// Another rank or number of channels is a mistake, and so are groups that do not divide both numbers of channels.
  public func forward(_ x: SymbolicTensor) -> SymbolicTensor {
    let axes = Extent(1).axisSizes.count
    let groups = attributes[Conv.group]
    guard x.hasSpatialAxes(axes, "ConvTranspose\(axes)d") else { return x.poisoned }
    guard groups > 0, weight.shape[0] % groups == 0, channels % groups == 0 else {
      return x.mistake(
        "ConvTranspose\(axes)d",
        "\(weight.shape[0]) channels to \(channels) cannot be divided into \(groups) groups: both must be multiples")
    }
    return x.applyHere(.convTranspose, [weight] + (bias.map { [$0] } ?? []), attributes: attributes)
  }
}
