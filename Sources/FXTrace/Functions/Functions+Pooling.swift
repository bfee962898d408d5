import FXCore

/// The largest element of each window of signals [n, c, l].
/// - Parameter stride: how far windows are apart; by default they touch.
public func maxPool1d(
  _ x: SymbolicTensor, kernel: Int, stride: Int? = nil, padding: Int = 0, dilation: Int = 1, ceilMode: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[Conv.dilations] = dilation.axisSizes
  return x.apply(.maxPool, attributes: attributes, fileID, line)
}

/// The largest element of each window of images [n, c, h, w].
/// - Parameter stride: how far windows are apart; by default they touch.
public func maxPool2d(
  _ x: SymbolicTensor, kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, dilation: Extent2d = 1,
  ceilMode: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[Conv.dilations] = dilation.axisSizes
  return x.apply(.maxPool, attributes: attributes, fileID, line)
}

/// The largest element of each window of volumes [n, c, d, h, w].
/// - Parameter stride: how far windows are apart; by default they touch.
public func maxPool3d(
  _ x: SymbolicTensor, kernel: Extent3d, stride: Extent3d? = nil, padding: Extent3d = 0, dilation: Extent3d = 1,
  ceilMode: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[Conv.dilations] = dilation.axisSizes
  return x.apply(.maxPool, attributes: attributes, fileID, line)
}

/// The mean of each window of signals [n, c, l].
/// - Parameters:
///   - stride: how far windows are apart; by default they touch.
///   - countsPadding: whether elements of padding count in the mean, as PyTorch does by default.
public func averagePool1d(
  _ x: SymbolicTensor, kernel: Int, stride: Int? = nil, padding: Int = 0, ceilMode: Bool = false,
  countsPadding: Bool = true, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[AveragePool.countIncludePad] = countsPadding
  return x.apply(.averagePool, attributes: attributes, fileID, line)
}

/// The mean of each window of images [n, c, h, w].
/// - Parameters:
///   - stride: how far windows are apart; by default they touch.
///   - countsPadding: whether elements of padding count in the mean, as PyTorch does by default.
public func averagePool2d(
  _ x: SymbolicTensor, kernel: Extent2d, stride: Extent2d? = nil, padding: Extent2d = 0, ceilMode: Bool = false,
  countsPadding: Bool = true, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[AveragePool.countIncludePad] = countsPadding
  return x.apply(.averagePool, attributes: attributes, fileID, line)
}

/// The mean of each window of volumes [n, c, d, h, w].
/// - Parameters:
///   - stride: how far windows are apart; by default they touch.
///   - countsPadding: whether elements of padding count in the mean, as PyTorch does by default.
public func averagePool3d(
  _ x: SymbolicTensor, kernel: Extent3d, stride: Extent3d? = nil, padding: Extent3d = 0, ceilMode: Bool = false,
  countsPadding: Bool = true, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: padding, ceilMode: ceilMode)
  attributes[AveragePool.countIncludePad] = countsPadding
  return x.apply(.averagePool, attributes: attributes, fileID, line)
}

/// The p-norm of each window of images [n, c, h, w].
public func lpPool2d(
  _ x: SymbolicTensor, p: Int, kernel: Extent2d, stride: Extent2d? = nil, ceilMode: Bool = false,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes.window(kernel: kernel, stride: stride, padding: 0, ceilMode: ceilMode)
  attributes[LpPool.p] = p
  return x.apply(.lpPool, attributes: attributes, fileID, line)
}

/// The mean of each channel over all spatial axes, which stay with size 1.
public func globalAveragePool(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.globalAveragePool, fileID, line)
}

/// The largest element of each channel over all spatial axes, which stay with size 1.
public func globalMaxPool(_ x: SymbolicTensor, fileID: String = #fileID, line: Int = #line) -> SymbolicTensor {
  x.apply(.globalMaxPool, fileID, line)
}

/// The mean of each cell of a grid of `size` laid over signals [n, c, l]; sizes other than 1 need known spatial sizes.
public func adaptiveAveragePool1d(
  _ x: SymbolicTensor, _ size: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveAveragePool1d", size.axisSizes, isMean: true)
}

/// The largest element of each cell of a grid of `size` laid over signals [n, c, l]; sizes other than 1 need known spatial sizes.
public func adaptiveMaxPool1d(
  _ x: SymbolicTensor, _ size: Int, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveMaxPool1d", size.axisSizes, isMean: false)
}

/// The mean of each cell of a grid of `size` laid over images [n, c, h, w]; sizes other than 1 need known spatial sizes.
public func adaptiveAveragePool2d(
  _ x: SymbolicTensor, _ size: Extent2d, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveAveragePool2d", size.axisSizes, isMean: true)
}

/// The largest element of each cell of a grid of `size` laid over images [n, c, h, w]; sizes other than 1 need known spatial sizes.
public func adaptiveMaxPool2d(
  _ x: SymbolicTensor, _ size: Extent2d, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveMaxPool2d", size.axisSizes, isMean: false)
}

/// The mean of each cell of a grid of `size` laid over volumes [n, c, d, h, w]; sizes other than 1 need known spatial sizes.
public func adaptiveAveragePool3d(
  _ x: SymbolicTensor, _ size: Extent3d, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveAveragePool3d", size.axisSizes, isMean: true)
}

/// The largest element of each cell of a grid of `size` laid over volumes [n, c, d, h, w]; sizes other than 1 need known spatial sizes.
public func adaptiveMaxPool3d(
  _ x: SymbolicTensor, _ size: Extent3d, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  x.at(fileID, line).adaptivePool("adaptiveMaxPool3d", size.axisSizes, isMean: false)
}

extension SymbolicTensor {
  /// Cell i of m along an axis of n elements goes from ⌊i n/m⌋ to ⌈(i + 1) n/m⌉, as in PyTorch.
  func adaptivePool(_ name: String, _ sizes: [Int], isMean: Bool) -> SymbolicTensor {
    guard let shape, operand != nil else { return operand == nil ? self : mistake(name, "the rank must be known") }
    guard hasSpatialAxes(sizes.count, name) else { return poisoned }
    guard sizes.allSatisfy({ $0 > 0 }) else { return mistake(name, "the size is \(sizes), it must be positive") }
    if sizes.allSatisfy({ $0 == 1 }) { return apply(isMean ? .globalAveragePool : .globalMaxPool) }
    guard let spatial = Shape(Array(shape.dropFirst(2))).sizes else {
      return mistake(name, "the spatial sizes must be known for a result of \(sizes): only a size of 1 adapts to any")
    }
    let divides = zip(spatial, sizes).allSatisfy { $0 > 0 && $0 % $1 == 0 }
    if divides {
      var attributes = Attributes()
      attributes[MaxPool.kernelShape] = zip(spatial, sizes).map { $0 / $1 }
      attributes[Conv.strides] = zip(spatial, sizes).map { $0 / $1 }
      return apply(isMean ? .averagePool : .maxPool, attributes: attributes)
    }
    // Means and maxima over a box are those along one axis after another.
    return zip(spatial, sizes).enumerated().reduce(self) { x, entry in
      x.cells(axis: entry.offset + 2, from: entry.element.0, to: entry.element.1, isMean: isMean)
    }
  }

  private func cells(axis: Int, from count: Int, to cells: Int, isMean: Bool) -> SymbolicTensor {
    var attributes = Attributes()
    attributes[Concat.axis] = axis
    let parts = (0..<cells).map { cell in
      let (start, end) = (cell * count / cells, ((cell + 1) * count + cells - 1) / cells)
      return apply(.slice, [Tensor(vector: [start]), Tensor(vector: [end]), Tensor(vector: [axis])])
        .reduce(isMean ? .reduceMean : .reduceMax, [axis], keepDims: true)
    }
    return parts[0].apply(.concat, Array(parts.dropFirst()), attributes: attributes)
  }
}

extension Attributes {
  static func window<Extent: WindowExtent>(
    kernel: Extent, stride: Extent?, padding: Extent, ceilMode: Bool
  ) -> Attributes {
    var attributes = Attributes()
    attributes[MaxPool.kernelShape] = kernel.axisSizes
    attributes[Conv.strides] = (stride ?? kernel).axisSizes
    attributes[Conv.pads] = padding.axisSizes + padding.axisSizes
    attributes[MaxPool.ceilMode] = ceilMode
    return attributes
  }
}
