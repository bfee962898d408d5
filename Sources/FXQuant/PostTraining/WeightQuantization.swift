import FXCore

/// Finds scales for weights.
extension QuantizationSpec {
  /// The parameters of known numbers: one scale, or one for each index of an axis.
  func params(of tensor: Tensor, axis: Int?) throws -> QuantizationParams {
    let slices = try tensor.slices(along: axis)
    let ranges = try slices.map { slice -> ClosedRange<Float> in
      guard let low = slice.min(), let high = slice.max() else { return 0...0 }
      if observer == .minMax || observer == .movingAverage { return low...high }
      guard let statistics = try TensorStatistics(Tensor(vector: slice)) else { return low...high }
      return observer.range(of: statistics, as: elementType, scheme)
    }
    return try QuantizationParams(
      covering: ranges, as: elementType, scheme, granularity: axis.map { .perChannel(axis: $0) } ?? .perTensor)
  }
}

extension Tensor {
  /// The elements at each index of an axis, or all of them.
  func slices(along axis: Int?) throws -> [[Float]] {
    let elements = try elements(Float.self)
    guard let axis else { return [elements] }
    let (size, inner) = (shape[axis], shape[(axis + 1)...].reduce(1, *))
    var slices = Array(repeating: [Float](), count: size)
    guard inner > 0, size > 0 else { return slices }
    for row in 0..<elements.count / inner { slices[row % size] += elements[row * inner..<(row + 1) * inner] }
    return slices
  }
}

extension QuantizationParams {
  /// The parameters with scales raised where a bias of x's scale times the weights' would not fit 32 bits, as ONNX Runtime
  /// does.
  func raised(toHold bias: [Float], inputScale: Float) throws -> QuantizationParams {
    guard bias.count == scales.count || scales.count == 1 else { return self }
    var scales = scales
    for (index, value) in bias.enumerated() {
      let place = scales.count == 1 ? 0 : index
      let needed = value.magnitude / Float(1 << 30) / inputScale
      if needed.isFinite, needed > scales[place] { scales[place] = needed }
    }
    return try QuantizationParams(elementType, scales: scales, zeroPoints: zeroPoints, granularity: granularity)
  }
}
