import FXCore

/// The largest element of each window of images [n, c, h, w].
/// - Parameter stride: how far windows are apart; by default they touch.
public func maxPool2d(
  _ x: SymbolicTensor, kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, ceilMode: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.apply(
    .maxPool, attributes: .window(kernel: kernel, stride: stride ?? kernel, padding: padding, ceilMode: ceilMode), fileID,
    line)
}

/// The mean of each window of images [n, c, h, w].
/// - Parameters:
///   - stride: how far windows are apart; by default they touch.
///   - countsPadding: whether elements of padding count in the mean, as PyTorch does by default.
public func averagePool2d(
  _ x: SymbolicTensor, kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, ceilMode: Bool = false,
  countsPadding: Bool = true, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride ?? kernel, padding: padding, ceilMode: ceilMode)
  attributes[AveragePool.countIncludePad] = countsPadding
  return x.apply(.averagePool, attributes: attributes, fileID, line)
}

/// The mean of each channel over all spatial axes, which stay with size 1.
public func globalAveragePool(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.globalAveragePool, fileID, line)
}

extension Attributes {
  static func window(kernel: Extent2d, stride: Extent2d, padding: Extent2d, ceilMode: Bool) -> Attributes {
    var attributes = Attributes()
    attributes[MaxPool.kernelShape] = kernel.sizes
    attributes[Conv.strides] = stride.sizes
    attributes[Conv.pads] = padding.sizes + padding.sizes
    attributes[MaxPool.ceilMode] = ceilMode
    return attributes
  }
}
