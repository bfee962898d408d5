import FXCore

/// Tensors to integers and back, with the arithmetic of `quantize_linear` and `dequantize_linear` in `float32`.
extension QuantizationParams {
  /// The integers of a tensor: x ÷ scale rounded to nearest, ties to even, plus the zero point, saturating.
  /// - Throws: `QuantizationError.params` if the scales do not fit the shape; `TensorError` if it is no `float32` tensor.
  public func quantize(_ tensor: Tensor) throws -> Tensor {
    let x = try tensor.elements(Float.self)
    let limits = elementType.integerRange ?? 0...0
    let (low, high) = (Float(limits.lowerBound), Float(limits.upperBound))
    var integers = [Int64](repeating: 0, count: x.count)
    try forEachRun(of: tensor.shape) { range, place in
      let (scale, zeroPoint) = (scales[place], Float(zeroPoints[place]))
      for index in range {
        let q = (x[index] / scale).rounded(.toNearestOrEven) + zeroPoint
        integers[index] = Int64(min(max(q.isNaN ? zeroPoint : q, low), high))
      }
    }
    return try Tensor(elementType, tensor.shape, numbers: .signed(integers))
  }

  /// The numbers that integers stand for: (q − zero point) × scale.
  /// - Throws: `QuantizationError.params` if the scales do not fit the shape.
  public func dequantize(_ tensor: Tensor) throws -> Tensor {
    let integers = try tensor.numbers().doubles
    var x = [Float](repeating: 0, count: integers.count)
    try forEachRun(of: tensor.shape) { range, place in
      for index in range { x[index] = Float(integers[index] - Double(zeroPoints[place])) * scales[place] }
    }
    return try Tensor(tensor.shape, x)
  }

  /// What is left of a tensor that is quantized and dequantized.
  public func fakeQuantize(_ tensor: Tensor) throws -> Tensor { try dequantize(quantize(tensor)) }

  /// The scales as `quantize_linear` takes them beside a tensor of `shape`.
  public func scaleTensor(for shape: [Int]) throws -> Tensor { try Tensor(parameterShape(for: shape), scales) }

  /// The zero points as `quantize_linear` takes them beside a tensor of `shape`.
  public func zeroPointTensor(for shape: [Int]) throws -> Tensor {
    try Tensor(elementType, parameterShape(for: shape), numbers: .signed(zeroPoints.map(Int64.init)))
  }

  /// The attributes of `quantize_linear` and `dequantize_linear`.
  public var attributes: Attributes {
    var attributes = Attributes()
    switch granularity {
    case .perTensor: break
    case .perChannel(let axis): attributes[Quantize.axis] = axis
    case .perBlock(let axis, let size):
      attributes[Quantize.axis] = axis
      attributes[Quantize.blockSize] = size
    }
    return attributes
  }

  /// The same integers for numbers that are `factor` times as large.
  func scaled(by factor: Float) throws -> QuantizationParams {
    try QuantizationParams(elementType, scales: scales.map { $0 * factor }, zeroPoints: zeroPoints, granularity: granularity)
  }

  private func parameterShape(for shape: [Int]) throws -> [Int] {
    let result: [Int]
    switch granularity {
    case .perTensor: result = []
    case .perChannel: result = [scales.count]
    case .perBlock(let axis, let size):
      guard axis < shape.count else { throw QuantizationError.params(.doesNotFit(scales: scales.count, shape)) }
      result = shape.indices.map { $0 == axis ? (shape[$0] + size - 1) / size : shape[$0] }
    }
    guard result.reduce(1, *) == scales.count else {
      throw QuantizationError.params(.doesNotFit(scales: scales.count, shape))
    }
    return result
  }

  /// Calls `body` with runs of elements that share a scale, and the scale's index.
  func forEachRun(of shape: [Int], _ body: (Range<Int>, Int) throws -> Void) throws {
    let count = shape.reduce(1, *)
    guard count > 0 else { return }
    guard case let axis? = axis, axis < shape.count else {
      guard axis == nil else { throw QuantizationError.params(.doesNotFit(scales: scales.count, shape)) }
      return try body(0..<count, 0)
    }
    let size = shape[axis]
    let inner = shape[(axis + 1)...].reduce(1, *)
    var block = 1
    if case .perBlock(_, let size) = granularity { block = size }
    let blocks = (size + block - 1) / block
    let isBlocked = if case .perBlock = granularity { true } else { false }
    guard scales.count == (isBlocked ? count / size * blocks : size) else {
      throw QuantizationError.params(.doesNotFit(scales: scales.count, shape))
    }
    for row in 0..<count / inner {
      let (outer, position) = (row / size, row % size)
      if isBlocked {
        for column in 0..<inner {
          let index = row * inner + column
          try body(index..<index + 1, (outer * blocks + position / block) * inner + column)
        }
      } else {
        try body(row * inner..<(row + 1) * inner, position)
      }
    }
  }

  private var axis: Int? {
    switch granularity {
    case .perTensor: nil
    case .perChannel(let axis), .perBlock(let axis, _): axis
    }
  }
}
