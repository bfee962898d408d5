import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addSignal() {
    self[.dft] = { context in
      let x = try context.tensor(0)
      let rank = x.shape.count
      guard rank >= 2, x.shape[rank - 1] == 1 || x.shape[rank - 1] == 2 else {
        throw KernelError.invalid("\(x.type) is no signal")
      }
      let axis = try Selection.axis(context.has(2) ? context.integers(2).first ?? -2 : -2, rank: rank)
      guard axis < rank - 1 else { throw KernelError.axis(axis, rank: rank - 1) }
      let (isInverse, isOnesided) = (context[DFT.inverse], context[DFT.onesided])
      let length =
        try context.has(1)
        ? context.integers(1).first ?? 0 : isInverse && isOnesided ? 2 * max(x.shape[axis] - 1, 0) : x.shape[axis]
      guard length > 0 else { throw KernelError.invalid("a transform of length \(length)") }
      _ = try Selection.count([length, 4])
      return [.tensor(try transformed(x, axis, length, isInverse: isInverse, isOnesided: isOnesided))]
    }
    self[.stft] = { context in [.tensor(try framesTransformed(context))] }
    setWindow(.hannWindow) { pow(sin(.pi * $0), 2) }
    setWindow(.hammingWindow) { 25.0 / 46 - 21.0 / 46 * cos(2 * .pi * $0) }
    setWindow(.blackmanWindow) { 0.42 - 0.5 * cos(2 * .pi * $0) + 0.08 * cos(4 * .pi * $0) }
    self[.melWeightMatrix] = { context in [.tensor(try melWeights(context))] }
  }

  /// A window from a function of the part of it that has passed.
  private mutating func setWindow(_ op: Operator, _ function: @escaping @Sendable (Double) -> Double) {
    self[op] = { context in
      guard let size = try context.integers(0).first else { throw KernelError.missingOperand(0) }
      let count = try Selection.count([size])
      let period = Double(context[SignalWindow.periodic] ? size : max(size - 1, 1))
      let values = (0..<count).map { function(Double($0) / period) }
      return [.tensor(try Tensor(context[SignalWindow.outputType], [size], numbers: .floats(values), saturating: false))]
    }
  }
}

/// Complex numbers along an axis transformed; shorter ones are filled up with zeros.
///
/// Computed in `Double`, except where NumPy, from which ONNX's expected results come, computes in the operand's precision:
/// two-sided inverse transforms of numbers of 32 bits and fewer.
private func transformed(
  _ x: Tensor, _ axis: Int, _ length: Int, isInverse: Bool, isOnesided: Bool
) throws -> Tensor {
  guard x.elementType != .float64, isInverse, !isOnesided else {
    return try transformed(x, axis, FourierTransform<Double>(length), isInverse: isInverse, isOnesided: isOnesided)
  }
  return try transformed(x, axis, FourierTransform<Float>(length), isInverse: isInverse, isOnesided: isOnesided)
}

private func transformed<T>(
  _ x: Tensor, _ axis: Int, _ transform: FourierTransform<T>, isInverse: Bool, isOnesided: Bool
) throws -> Tensor {
  let (parts, size, length) = (x.shape[x.shape.count - 1], x.shape[axis], transform.count)
  guard !isOnesided || isInverse || parts == 1 else {
    throw KernelError.invalid("the spectrum of a complex signal has two sides")
  }
  var shape = x.shape
  shape[axis] = isOnesided && !isInverse ? length / 2 + 1 : length
  shape[shape.count - 1] = isOnesided && isInverse ? 1 : 2
  var result = Array(repeating: 0.0, count: try Selection.count(shape, x.elementType))
  let outer = try Selection.count(Array(x.shape[..<axis]))
  let inner = try Selection.count(Array(x.shape[(axis + 1)..<(x.shape.count - 1)]))
  let numbers = try x.numbers().doubles
  var signal = Array(repeating: ComplexNumber<T>(0, 0), count: length)
  for lane in 0..<outer * inner {
    let (block, place) = (lane / inner, lane % inner)
    for index in 0..<length {
      // What the other half of a one-sided spectrum would be mirrors the first.
      let isMirrored = isOnesided && isInverse && index > length / 2
      let source = isMirrored ? length - index : index
      let at = ((block * size + source) * inner + place) * parts
      let isThere = source < size
      let imaginary = isThere && parts == 2 ? numbers[at + 1] : 0
      signal[index] = ComplexNumber(T(isThere ? numbers[at] : 0), T(isMirrored ? -imaginary : imaginary))
    }
    let spectrum = transform(signal, isInverse: isInverse)
    for frequency in 0..<shape[axis] {
      let target = ((block * shape[axis] + frequency) * inner + place) * shape[shape.count - 1]
      result[target] = Double(spectrum[frequency].re)
      if shape[shape.count - 1] == 2 { result[target + 1] = Double(spectrum[frequency].im) }
    }
  }
  return try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false)
}

private func framesTransformed(_ context: ReferenceContext) throws -> Tensor {
  let (x, window) = (try context.tensor(0), try context.optionalTensor(2))
  guard x.shape.count == 3, x.shape[2] == 1 || x.shape[2] == 2, let step = try context.integers(1).first, step > 0 else {
    throw KernelError.invalid("\(x.type) is no signal to take frames of")
  }
  let length = try context.has(3) ? context.integers(3).first ?? 0 : window?.elementCount ?? x.shape[1]
  guard length > 0, length <= x.shape[1], window == nil || window?.shape == [length] else {
    throw KernelError.invalid(
      "frames of \(length) with a window \(window.map { "\($0.type)" } ?? "of ones") do not fit \(x.type)")
  }
  let frames = (x.shape[1] - length) / step + 1
  let numbers = try x.numbers().doubles
  // An empty signal may name any length; no frame of it is weighed.
  let weights = try window?.numbers().doubles ?? Array(repeating: 1, count: min(length, numbers.count))
  var cut: [Double] = []
  cut.reserveCapacity(try Selection.count([x.shape[0], frames, length, x.shape[2]]))
  for sequence in 0..<x.shape[0] {
    for frame in 0..<frames {
      for index in 0..<length * x.shape[2] {
        cut.append(numbers[(sequence * x.shape[1] + frame * step) * x.shape[2] + index] * weights[index / x.shape[2]])
      }
    }
  }
  _ = try Selection.count([length, 4])
  // Frames are kept in full precision between window and transform.
  let tensor = try Tensor(.float64, [x.shape[0], frames, length, x.shape[2]], numbers: .floats(cut))
  let spectra = try transformed(tensor, 2, length, isInverse: false, isOnesided: context[STFT.onesided])
  return try Tensor(x.elementType, spectra.shape, numbers: spectra.numbers(), saturating: false)
}

/// Triangles between bounds that are equidistant on the mel scale 2595 log₁₀(1 + f ÷ 700). Source: ONNX `MelWeightMatrix`.
private func melWeights(_ context: ReferenceContext) throws -> Tensor {
  guard let bins = try context.integers(0).first, let length = try context.integers(1).first,
    let rate = try context.integers(2).first, let low = try context.tensor(3).numbers().doubles.first,
    let high = try context.tensor(4).numbers().doubles.first, bins >= 0, bins <= Selection.limit, length >= 0, rate > 0
  else { throw KernelError.invalid("the sizes and rate of a mel scale must be positive numbers") }
  let rows = length / 2 + 1
  var result = Array(repeating: 0.0, count: try Selection.count([rows, bins]))
  func mel(_ hertz: Double) -> Double { 2595 * log10(1 + hertz / 700) }
  let step = (mel(high) - mel(low)) / Double(bins + 2)
  let bounds = try (0..<bins + 2).map { index in
    let hertz = 700 * (pow(10, (mel(low) + Double(index) * step) / 2595) - 1)
    let bound = ((Double(length) + 1) * hertz / Double(rate)).rounded(.down)
    guard bound >= 0, bound < Double(rows) else { throw KernelError.invalid("\(hertz) Hz is beyond the spectrum") }
    return Int(bound)
  }
  for bin in 0..<bins {
    let (left, center, right) = (bounds[bin], bounds[bin + 1], bounds[bin + 2])
    if left == center { result[center * bins + bin] = 1 }
    for row in left..<max(center, left) { result[row * bins + bin] = Double(row - left) / Double(center - left) }
    if left < center { result[center * bins + bin] = 1 }
    for row in center..<max(right, center) { result[row * bins + bin] = Double(right - row) / Double(right - center) }
  }
  return try Tensor(context[SignalWindow.outputType], [rows, bins], numbers: .floats(result), saturating: false)
}
