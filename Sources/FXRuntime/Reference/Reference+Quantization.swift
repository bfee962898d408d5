import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addQuantization() {
    self[.quantizeLinear] = { context in [.tensor(try context.quantized())] }
    self[.dequantizeLinear] = { context in
      let (x, scale) = (try context.tensor(0), try context.tensor(1))
      let places = try context.scalePlaces(of: scale, in: x.shape)
      let scales = try scale.numbers().doubles
      var values = try x.numbers().doubles
      if let zeroPoint = try context.zeroPoint(beside: scale) {
        for index in values.indices { values[index] -= zeroPoint[places[index]] }
      }
      for index in values.indices { values[index] *= scales[places[index]] }
      let type = context[Quantize.outputType] ?? scale.elementType
      return [.tensor(try Tensor(type, x.shape, numbers: .floats(values), saturating: false))]
    }
    self[.dynamicQuantizeLinear] = { context in
      let x: [Float] = try context.tensor(0).elements()
      let (low, high) = x.reduce((Float(0), Float(0))) { (min($0.0, $1), max($0.1, $1)) }
      let scale = low == high ? 1 : (high - low) / 255
      let zeroPoint = min(max((-low / scale).rounded(.toNearestOrEven), 0), 255)
      let result = x.map { Double(min(max(($0 / scale).rounded(.toNearestOrEven) + zeroPoint, 0), 255)) }
      return [
        .tensor(try Tensor(.uint8, try context.tensor(0).shape, numbers: .floats(result))), .tensor(Tensor(scale)),
        .tensor(try Tensor(.uint8, [], numbers: .floats([Double(zeroPoint)]))),
      ]
    }
    self[.matmulInteger] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      let x = try a.shifted(by: try context.optionalTensor(2), perRow: true)
      let y = try b.shifted(by: try context.optionalTensor(3), perRow: false)
      let product = try MatrixProduct(a.shape, b.shape)
      return [.tensor(try Tensor(.int32, product.shape, numbers: .signed(product(x, y))))]
    }
    self[.convInteger] = { context in
      let (x, weight) = (try context.tensor(0), try context.tensor(1))
      let (shape, sums) = try convolved(
        x.widened(x.shifted(by: try context.optionalTensor(2), perRow: false)),
        weight.widened(weight.shiftedPerKernel(by: try context.optionalTensor(3))), bias: nil, context)
      // Sums of products of bytes are integers that `Double` holds exactly.
      return [.tensor(try Tensor(.int32, shape, numbers: .signed(sums.map { Int64($0) })))]
    }
    self[.qlinearConv] = { context in
      let (x, weight, weightScale) = (try context.tensor(0), try context.tensor(3), try context.tensor(4))
      var (shape, sums) = try convolved(
        x.widened(x.shifted(by: try context.tensor(2), perRow: false)),
        weight.widened(weight.shiftedPerKernel(by: try context.tensor(5))), bias: try context.optionalTensor(8), context)
      let scales = try weightScale.numbers().doubles
      guard let scale = try context.tensor(1).numbers().doubles.first, scales.count == 1 || scales.count == shape[1] else {
        throw KernelError.invalid("scales of shape \(weightScale.shape) for \(shape[1]) kernels")
      }
      let plane = max(shape[2...].reduce(1, &*), 1)
      for index in sums.indices { sums[index] *= scale * scales[scales.count == 1 ? 0 : index / plane % shape[1]] }
      let zeroPoint = try context.tensor(7)
      let result = try sums.requantized(shape, scale: try context.tensor(6), zeroPoint: zeroPoint)
      let type = zeroPoint.elementType
      return [.tensor(try Tensor(type, shape, numbers: .floats(result.saturated(to: type))))]
    }
    self[.qlinearMatmul] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(3))
      let x = try a.dequantized(try context.tensor(1), try context.tensor(2), perRow: true)
      let y = try b.dequantized(try context.tensor(4), try context.tensor(5), perRow: false)
      let product = try MatrixProduct(a.shape, b.shape)
      let zeroPoint = try context.tensor(7)
      let result = try product(x, y).requantized(product.shape, scale: try context.tensor(6), zeroPoint: zeroPoint)
      return [.tensor(try Tensor(zeroPoint.elementType, product.shape, numbers: .floats(result)))]
    }
  }
}

extension ReferenceContext {
  /// For each element of a tensor, which scale is its own.
  /// - Throws: `KernelError.invalid` if the scale's shape does not fit.
  fileprivate func scalePlaces(of scale: Tensor, in shape: [Int]) throws -> [Int] {
    let count = try Selection.count(shape)
    if count == 0 { return [] }
    if scale.elementCount == 1 { return Array(repeating: 0, count: count) }
    let axis = try Selection.axis(self[Quantize.axis], rank: shape.count)
    let block = self[Quantize.blockSize]
    let strides = Selection.strides(scale.shape)
    if scale.shape.count == 1, block == 0 {
      guard scale.shape[0] == shape[axis] else {
        throw KernelError.invalid("\(scale.shape[0]) scales for an axis of size \(shape[axis])")
      }
      return Selection.sums(shape.indices.map { $0 == axis ? Array(0..<shape[$0]) : Array(repeating: 0, count: shape[$0]) })
    }
    guard scale.shape.count == shape.count, block > 0,
      shape.indices.allSatisfy({ scale.shape[$0] == ($0 == axis ? (shape[$0] - 1) / block + 1 : shape[$0]) })
    else { throw KernelError.invalid("scales of shape \(scale.shape) do not fit \(shape) in blocks of \(block)") }
    return Selection.sums(
      shape.indices.map { other in (0..<shape[other]).map { (other == axis ? $0 / block : $0) * strides[other] } })
  }

  /// Operand 2, the zero points that belong to the scales.
  fileprivate func zeroPoint(beside scale: Tensor) throws -> [Double]? {
    guard let zeroPoint = try optionalTensor(2) else { return nil }
    guard zeroPoint.elementCount == scale.elementCount else {
      throw KernelError.invalid("zero points of shape \(zeroPoint.shape) beside scales of shape \(scale.shape)")
    }
    return try zeroPoint.numbers().doubles
  }

  fileprivate func quantized() throws -> Tensor {
    let (x, scale) = (try tensor(0), try tensor(1))
    let places = try scalePlaces(of: scale, in: x.shape)
    // Powers of two divide exactly in the operand's own type.
    let precision = self[Quantize.precision] ?? (scale.elementType == .float8e8m0 ? x.elementType : scale.elementType)
    let scales = try scale.numbers().doubles.rounded(to: precision)
    var values = try x.numbers().doubles.rounded(to: precision)
    for index in values.indices { values[index] /= scales[places[index]] }
    values = try values.rounded(to: precision)
    let type = try optionalTensor(2)?.elementType ?? self[Quantize.outputType] ?? .uint8
    if let asked = self[Quantize.outputType], asked != type { throw KernelError.elementTypesDiffer(asked, type) }
    let zeroPoint = try zeroPoint(beside: scale)
    for index in values.indices {
      if type.isInteger { values[index] = values[index].rounded(.toNearestOrEven) }
      if let zeroPoint { values[index] += zeroPoint[places[index]] }
    }
    return try Tensor(
      type, x.shape, numbers: .floats(values.saturated(to: type)), saturating: self[Quantize.saturate])
  }
}

extension [Double] {
  /// The numbers rounded to a floating-point type; as they are for an integer type.
  fileprivate func rounded(to type: ElementType) throws -> [Double] {
    guard type.isFloatingPoint, type != .float64 else { return self }
    return try Tensor(type, [count], numbers: .floats(self), saturating: false).numbers().doubles
  }

  /// The numbers limited to an integer type's range; as they are for other types.
  fileprivate func saturated(to type: ElementType) -> [Double] {
    guard let range = type.integerRange else { return self }
    return map { Swift.min(Swift.max($0, Double(range.lowerBound)), Double(range.upperBound)) }
  }

  /// A product of dequantized numbers in the result's quantized form.
  func requantized(_ shape: [Int], scale: Tensor, zeroPoint: Tensor) throws -> [Double] {
    let scales = Broadcast.indices(scale.shape, to: try Broadcast.shape([shape, scale.shape]))
    let (factors, shifts) = (try scale.numbers().doubles, try zeroPoint.numbers().doubles)
    guard scales.count == count, shifts.count == factors.count else {
      throw KernelError.notBroadcastable(shape, scale.shape)
    }
    let isInteger = zeroPoint.elementType.isInteger
    return indices.map {
      let value = self[$0] / factors[scales[$0]]
      return (isInteger ? value.rounded(.toNearestOrEven) : value) + shifts[scales[$0]]
    }
  }
}

extension Tensor {
  /// For each element of a matrix operand, which scale or zero point is its own: one for all, one per row of the first
  /// operand or column of the second as a vector, or a tensor that broadcasts.
  private func places(of parameters: Tensor, perRow: Bool) throws -> [Int] {
    var shape = parameters.shape
    if perRow, shape.count == 1, self.shape.count > 1, shape[0] != 1 { shape.append(1) }
    guard try Broadcast.shape([self.shape, shape]) == self.shape || parameters.elementCount == 1 else {
      throw KernelError.notBroadcastable(self.shape, parameters.shape)
    }
    return parameters.elementCount == 1
      ? Array(repeating: 0, count: elementCount) : Broadcast.indices(shape, to: self.shape)
  }

  /// The integers less their zero points.
  func shifted(by zeroPoint: Tensor?, perRow: Bool) throws -> [Int64] {
    var result = try numbers().bits
    guard let zeroPoint else { return result }
    let (shifts, places) = (try zeroPoint.numbers().bits, try places(of: zeroPoint, perRow: perRow))
    for index in result.indices { result[index] -= shifts[places[index]] }
    return result
  }

  /// The integers less their zero points: one for all, or one per kernel, which is the first axis.
  func shiftedPerKernel(by zeroPoint: Tensor?) throws -> [Int64] {
    guard let zeroPoint, zeroPoint.elementCount != 1 else { return try shifted(by: zeroPoint, perRow: false) }
    guard zeroPoint.elementCount == shape.first, zeroPoint.elementCount > 0, elementCount > 0 else {
      throw KernelError.invalid("zero points of shape \(zeroPoint.shape) for weights \(shape)")
    }
    let (shifts, size) = (try zeroPoint.numbers().bits, elementCount / zeroPoint.elementCount)
    return try numbers().bits.enumerated().map { $1 - shifts[$0 / size] }
  }

  /// A tensor of this one's shape with other integers, as numbers to compute with.
  func widened(_ integers: [Int64]) throws -> Tensor { try Tensor(.float64, shape, numbers: .signed(integers)) }

  /// (x − zero point) × scale
  func dequantized(_ scale: Tensor, _ zeroPoint: Tensor, perRow: Bool) throws -> [Double] {
    let (scales, shifts) = (try scale.numbers().doubles, try zeroPoint.numbers().doubles)
    guard scales.count == shifts.count else {
      throw KernelError.invalid("zero points of shape \(zeroPoint.shape) beside scales of shape \(scale.shape)")
    }
    let places = try places(of: scale, perRow: perRow)
    return try numbers().doubles.enumerated().map { ($1 - shifts[places[$0]]) * scales[places[$0]] }
  }
}
