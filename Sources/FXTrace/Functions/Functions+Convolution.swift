import FXCore

/// Cross-correlation of signals [n, c, l] with weights [out, c ÷ groups, k], plus bias [out].
/// - Parameters:
///   - stride: how far windows are apart.
///   - padding: elements of zeros before and after.
///   - dilation: how far taps are apart.
public func conv1d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Int = 1,
  padding: Int = 0, dilation: Int = 1, groups: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(
    .conv, bias.map { [weight, $0] } ?? [weight],
    attributes: .convolution(stride: stride, padding: padding, dilation: dilation, groups: groups), fileID, line)
}

/// Cross-correlation of images [n, c, h, w] with weights [out, c ÷ groups, kh, kw], plus bias [out].
/// - Parameters:
///   - stride: how far windows are apart.
///   - padding: elements of zeros before and after.
///   - dilation: how far taps are apart.
public func conv2d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Extent2d = 1,
  padding: Extent2d = 0, dilation: Extent2d = 1, groups: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(
    .conv, bias.map { [weight, $0] } ?? [weight],
    attributes: .convolution(stride: stride, padding: padding, dilation: dilation, groups: groups), fileID, line)
}

/// Cross-correlation of volumes [n, c, d, h, w] with weights [out, c ÷ groups, kd, kh, kw], plus bias [out].
/// - Parameters:
///   - stride: how far windows are apart.
///   - padding: elements of zeros before and after.
///   - dilation: how far taps are apart.
public func conv3d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Extent3d = 1,
  padding: Extent3d = 0, dilation: Extent3d = 1, groups: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(
    .conv, bias.map { [weight, $0] } ?? [weight],
    attributes: .convolution(stride: stride, padding: padding, dilation: dilation, groups: groups), fileID, line)
}

/// The gradient of a convolution with respect to its operand, a learned upsampling of signals [n, c, l]; weights are
/// [c, out ÷ groups, k].
/// - Parameter outputPadding: elements that the result has at its ends beyond what the kernels reach.
public func convTranspose1d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Int = 1,
  padding: Int = 0, outputPadding: Int = 0, dilation: Int = 1, groups: Int = 1, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.convolution(stride: stride, padding: padding, dilation: dilation, groups: groups)
  attributes[ConvTranspose.outputPadding] = outputPadding.axisSizes
  return x.apply(.convTranspose, bias.map { [weight, $0] } ?? [weight], attributes: attributes, fileID, line)
}

/// The gradient of a convolution with respect to its operand, a learned upsampling of images [n, c, h, w]; weights are
/// [c, out ÷ groups, kh, kw].
/// - Parameter outputPadding: elements that the result has at its ends beyond what the kernels reach.
public func convTranspose2d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Extent2d = 1,
  padding: Extent2d = 0, outputPadding: Extent2d = 0, dilation: Extent2d = 1, groups: Int = 1, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.convolution(stride: stride, padding: padding, dilation: dilation, groups: groups)
  attributes[ConvTranspose.outputPadding] = outputPadding.axisSizes
  return x.apply(.convTranspose, bias.map { [weight, $0] } ?? [weight], attributes: attributes, fileID, line)
}

/// The gradient of a convolution with respect to its operand, a learned upsampling of volumes [n, c, d, h, w]; weights are
/// [c, out ÷ groups, kd, kh, kw].
/// - Parameter outputPadding: elements that the result has at its ends beyond what the kernels reach.
public func convTranspose3d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Extent3d = 1,
  padding: Extent3d = 0, outputPadding: Extent3d = 0, dilation: Extent3d = 1, groups: Int = 1, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.convolution(stride: stride, padding: padding, dilation: dilation, groups: groups)
  attributes[ConvTranspose.outputPadding] = outputPadding.axisSizes
  return x.apply(.convTranspose, bias.map { [weight, $0] } ?? [weight], attributes: attributes, fileID, line)
}

extension Attributes {
  static func convolution<Extent: WindowExtent>(
    stride: Extent, padding: Extent, dilation: Extent, groups: Int
  ) -> Attributes {
    var attributes = Attributes()
    attributes[Conv.strides] = stride.axisSizes
    attributes[Conv.pads] = padding.axisSizes + padding.axisSizes
    attributes[Conv.dilations] = dilation.axisSizes
    attributes[Conv.group] = groups
    return attributes
  }
}
