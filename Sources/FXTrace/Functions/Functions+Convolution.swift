import FXCore

/// Cross-correlation of images [n, c, h, w] with weights [out, c ÷ groups, kh, kw], plus bias [out].
/// - Parameters:
///   - stride: how far windows are apart, along both axes.
///   - padding: elements of zeros around the image.
///   - dilation: how far taps are apart.
public func conv2d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Extent2d = 1,
  padding: Extent2d = 0, dilation: Extent2d = 1, groups: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(
    .conv, bias.map { [weight, $0] } ?? [weight],
    attributes: .convolution(stride: stride, padding: padding, dilation: dilation, groups: groups), fileID, line)
}

/// Cross-correlation of signals [n, c, l] with weights [out, c ÷ groups, k], plus bias [out].
public func conv1d(
  _ x: SymbolicTensor, weight: any SymbolicOperand, bias: (any SymbolicOperand)? = nil, stride: Int = 1,
  padding: Int = 0, dilation: Int = 1, groups: Int = 1, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Conv.strides] = [stride]
  attributes[Conv.pads] = [padding, padding]
  attributes[Conv.dilations] = [dilation]
  attributes[Conv.group] = groups
  return x.apply(.conv, bias.map { [weight, $0] } ?? [weight], attributes: attributes, fileID, line)
}

/// A height and a width: `3` for both, or `Extent2d(3, 5)`.
public struct Extent2d: Sendable, Hashable {
  public var height: Int
  public var width: Int

  public init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  var sizes: [Int] { [height, width] }
}

extension Extent2d: ExpressibleByIntegerLiteral {
  public init(integerLiteral size: Int) { self.init(size, size) }
}

extension Attributes {
  static func convolution(stride: Extent2d, padding: Extent2d, dilation: Extent2d, groups: Int) -> Attributes {
    var attributes = Attributes()
    attributes[Conv.strides] = stride.sizes
    attributes[Conv.pads] = padding.sizes + padding.sizes
    attributes[Conv.dilations] = dilation.sizes
    attributes[Conv.group] = groups
    return attributes
  }
}
