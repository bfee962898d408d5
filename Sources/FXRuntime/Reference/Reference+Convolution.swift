import FXCore
import FXShapes

extension ReferenceKernels {
  mutating func addConvolution() {
    self[.conv] = { context in
      let x = try context.tensor(0)
      let (shape, sums) = try convolved(x, context.tensor(1), bias: context.optionalTensor(2), context)
      return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(sums), saturating: false))]
    }
    self[.fusedConv] = { context in
      let x = try context.tensor(0)
      var (shape, sums) = try convolved(x, context.tensor(1), bias: context.optionalTensor(2), context)
      if let residual = try context.optionalTensor(3) {
        guard try Broadcast.shape([shape, residual.shape]) == shape else {
          throw KernelError.notBroadcastable(shape, residual.shape)
        }
        let (numbers, indices) = (try residual.numbers().doubles, Broadcast.indices(residual.shape, to: shape))
        for index in sums.indices { sums[index] += numbers[indices[index]] }
      }
      if let activation = try FusedActivation.function(of: context) { sums = sums.map(activation) }
      return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(sums), saturating: false))]
    }
    self[.convTranspose] = { context in
      let x = try context.tensor(0)
      let (shape, sums) = try transposeConvolved(x, context.tensor(1), bias: context.optionalTensor(2), context)
      return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(sums), saturating: false))]
    }
    self[.col2im] = { context in [.tensor(try folded(context))] }
    self[.causalConvWithState] = { context in
      let (x, weight) = (try context.tensor(0), try context.tensor(1))
      guard x.shape.count == 3, weight.shape.count == 3, weight.shape[0] == x.shape[1], weight.shape[1] == 1, weight.shape[2] > 0
      else { throw KernelError.invalid("\(weight.type) does not convolve \(x.type)") }
      let length = weight.shape[2] - 1
      let past = try context.optionalTensor(3) ?? Tensor(zeros: x.elementType, [x.shape[0], x.shape[1], length])
      let padded = try Tensor.concatenated([past, x], axis: 2)
      let window = try Window(kernel: [weight.shape[2]], strides: nil, dilations: nil, pads: nil)
      let convolution = Convolution(
        taps: try Taps(window, input: [padded.shape[2]]), batch: x.shape[0], groups: x.shape[1], channels: 1, kernels: 1,
        plane: padded.shape[2])
      let bias = try context.optionalTensor(2)?.numbers().doubles
      guard past.shape[2] == length, bias == nil || bias?.count == x.shape[1] else {
        throw KernelError.invalid("\(past.type) is no state for \(weight.type)")
      }
      var sums = try convolution.sums(padded.numbers().doubles, weights: weight.numbers().doubles, bias: bias)
      if context[CausalConvWithState.activation] != "none" { sums = sums.map { ActivationFunctions.silu($0) } }
      return [
        .tensor(try Tensor(x.elementType, x.shape, numbers: .floats(sums), saturating: false)),
        .tensor(try padded.slice(axis: 2, start: padded.shape[2] - length, count: length)),
      ]
    }
    self[.deformConv] = { context in [.tensor(try deformConvolved(context))] }
  }
}

extension ReferenceContext {
  /// The window that a convolution's attributes describe.
  func window(_ weight: Tensor) throws -> Window {
    let sizes = Array(weight.shape[2...])
    guard self[Conv.kernelShape] == nil || self[Conv.kernelShape] == sizes else {
      throw KernelError.invalid("kernel_shape is not that of \(weight.type)")
    }
    return try Window(
      kernel: sizes, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: node.attributes[Conv.autoPad])
  }

  /// - Throws: `KernelError.invalid` if operand, weights, group and bias do not fit one another.
  func checkConvolution(_ x: Tensor, _ weight: Tensor, channels: Int, kernels: Int, bias: Tensor?) throws {
    let group = self[Conv.group]
    guard x.shape.count >= 3, weight.shape.count == x.shape.count, group > 0, x.shape[1] == channels, kernels % group == 0,
      channels % group == 0, bias == nil || bias?.shape == [kernels]
    else { throw KernelError.invalid("\(weight.type) in \(group) groups does not convolve \(x.type)") }
  }
}

/// The shape and sums of a convolution, not yet rounded.
func convolved(_ x: Tensor, _ weight: Tensor, bias: Tensor?, _ context: ReferenceContext) throws -> ([Int], [Double]) {
  guard x.shape.count >= 3, weight.shape.count == x.shape.count else {
    throw KernelError.invalid("\(weight.type) does not convolve \(x.type)")
  }
  let group = context[Conv.group]
  try context.checkConvolution(
    x, weight, channels: Selection.product(weight.shape[1], group), kernels: weight.shape[0], bias: bias)
  let spatial = Array(x.shape[2...])
  let taps = try Taps(context.window(weight), input: spatial)
  let shape = [x.shape[0], weight.shape[0]] + taps.output
  _ = try Selection.count(shape)
  let convolution = Convolution(
    taps: taps, batch: x.shape[0], groups: group, channels: weight.shape[1], kernels: weight.shape[0] / group,
    plane: try Selection.count(spatial))
  return (
    shape,
    convolution.sums(try x.numbers().doubles, weights: try weight.numbers().doubles, bias: try bias?.numbers().doubles)
  )
}

private func transposeConvolved(
  _ x: Tensor, _ weight: Tensor, bias: Tensor?, _ context: ReferenceContext
) throws -> ([Int], [Double]) {
  guard x.shape.count >= 3, weight.shape.count == x.shape.count else {
    throw KernelError.invalid("\(weight.type) does not convolve \(x.type)")
  }
  let group = context[Conv.group]
  let kernels = try Selection.product(weight.shape[1], group)
  try context.checkConvolution(x, weight, channels: weight.shape[0], kernels: kernels, bias: bias)
  let window = try context.window(weight)
  let input = Array(x.shape[2...])
  let padding = context[ConvTranspose.outputPadding] ?? Array(repeating: 0, count: input.count)
  let given = context[ConvTranspose.outputShape]
  guard padding.count == input.count, given == nil || given?.count == input.count,
    (input + padding + (given ?? [])).allSatisfy({ $0 >= 0 && $0 <= Int32.max })
  else { throw KernelError.invalid("output_padding and output_shape must have a number for each of \(input.count) axes") }
  let output =
    try given
    ?? input.indices.map {
      try Taps.size(try window.transposedSize(Dimension(input[$0]), $0, outputPadding: padding[$0]))
    }
  let starts = input.indices.map {
    window.transposedStart(input[$0], output[$0], $0, outputPadding: padding[$0], isShapeGiven: given != nil)
  }
  let taps = try Taps(transposing: window, input: input, output: output, starts: starts)
  let shape = [x.shape[0], kernels] + output
  _ = try Selection.count(shape)
  // Weights come as [group, channel, kernel, tap].
  let channels = x.shape[1] / group
  let ordered = try weight.reshaped([group, channels, weight.shape[1], taps.count]).transposed([0, 2, 1, 3])
  let convolution = Convolution(
    taps: taps, batch: x.shape[0], groups: group, channels: channels, kernels: weight.shape[1],
    plane: try Selection.count(input))
  return (
    shape,
    convolution.sums(try x.numbers().doubles, weights: try ordered.numbers().doubles, bias: try bias?.numbers().doubles)
  )
}

/// The blocks that columns hold summed into images.
private func folded(_ context: ReferenceContext) throws -> Tensor {
  let x = try context.tensor(0)
  let (image, block) = (try context.integers(1), try context.integers(2))
  guard x.shape.count == 3, image.count == block.count, !image.isEmpty, image.allSatisfy({ $0 >= 0 }) else {
    throw KernelError.invalid("columns \(x.type) do not fill an image \(image) by blocks \(block)")
  }
  let window = try Window(
    kernel: block, strides: context[Conv.strides], dilations: context[Conv.dilations], pads: context[Conv.pads])
  let plane = try Selection.count(image)
  let taps = try Taps(window, input: image)
  guard x.shape[1] % taps.count == 0, x.shape[2] == taps.positions else {
    throw KernelError.invalid("columns \(x.type) are not \(taps.positions) blocks of \(taps.count)")
  }
  let channels = x.shape[1] / taps.count
  let shape = [x.shape[0], channels] + image
  var sums = Array(repeating: 0.0, count: try Selection.count(shape))
  let numbers = try x.numbers().doubles
  for position in 0..<taps.positions {
    for (tap, offset) in taps.offsets(at: position).enumerated() where offset != Selection.fill {
      for channel in 0..<x.shape[0] * channels {
        sums[channel * plane + offset] += numbers[(channel * taps.count + tap) * taps.positions + position]
      }
    }
  }
  return try Tensor(x.elementType, shape, numbers: .floats(sums), saturating: false)
}

/// Each tap reads between elements, by linear interpolation in all spatial axes, zeros outside.
private func deformConvolved(_ context: ReferenceContext) throws -> Tensor {
  let (x, weight, offset) = (try context.tensor(0), try context.tensor(1), try context.tensor(2))
  let (bias, mask) = (try context.optionalTensor(3), try context.optionalTensor(4))
  guard x.shape.count >= 3, weight.shape.count == x.shape.count else {
    throw KernelError.invalid("\(weight.type) does not convolve \(x.type)")
  }
  let (group, offsetGroups) = (context[Conv.group], context[DeformConv.offsetGroup])
  try context.checkConvolution(
    x, weight, channels: Selection.product(weight.shape[1], group), kernels: weight.shape[0], bias: bias)
  let input = Array(x.shape[2...])
  let (rank, window) = (input.count, try context.window(weight))
  guard rank <= 8 else { throw KernelError.invalid("\(rank) spatial axes are too many to interpolate in") }
  let taps = try Taps(window, input: input)
  let (positions, plane) = (taps.positions, try Selection.count(input))
  guard offsetGroups > 0, x.shape[1] % offsetGroups == 0,
    offset.shape == [x.shape[0], try Selection.product(offsetGroups, taps.count * rank)] + taps.output,
    mask == nil || mask?.shape == [x.shape[0], offsetGroups * taps.count] + taps.output
  else { throw KernelError.invalid("offsets \(offset.type) do not fit \(x.type) and \(weight.type)") }
  let (numbers, shifts, masks) = (try x.numbers().doubles, try offset.numbers().doubles, try mask?.numbers().doubles)
  let (weights, biases) = (try weight.numbers().doubles, try bias?.numbers().doubles)
  let (kernels, channels) = (weight.shape[0] / group, weight.shape[1])
  let outputStrides = Selection.strides(taps.output)
  let kernelStrides = Selection.strides(window.kernel)
  let starts = input.indices.map { window.padding(input[$0], $0).start }
  var result = Array(repeating: 0.0, count: try Selection.count([x.shape[0], weight.shape[0]] + taps.output))
  for image in 0..<(result.isEmpty ? 0 : x.shape[0]) {
    for position in 0..<positions {
      // What each channel gives at each tap, before any kernel.
      var samples = Array(repeating: 0.0, count: x.shape[1] * taps.count)
      for channel in 0..<x.shape[1] {
        let part = (image * offsetGroups + channel / (x.shape[1] / offsetGroups)) * taps.count
        for tap in 0..<taps.count {
          let point = (0..<rank).map { axis in
            let place = position / outputStrides[axis] % taps.output[axis] * window.strides[axis] - starts[axis]
            let step = tap / kernelStrides[axis] % window.kernel[axis] * window.dilations[axis]
            return Double(place + step) + shifts[((part + tap) * rank + axis) * positions + position]
          }
          let value = Interpolation.linear(numbers, at: (image * x.shape[1] + channel) * plane, input, point)
          samples[channel * taps.count + tap] = value * (masks?[(part + tap) * positions + position] ?? 1)
        }
      }
      for kernel in 0..<weight.shape[0] {
        var sum = biases?[kernel] ?? 0
        let (first, row) = (kernel / kernels * channels * taps.count, kernel * channels * taps.count)
        for index in 0..<channels * taps.count { sum += weights[row + index] * samples[first + index] }
        result[(image * weight.shape[0] + kernel) * positions + position] = sum
      }
    }
  }
  return try Tensor(
    x.elementType, [x.shape[0], weight.shape[0]] + taps.output, numbers: .floats(result), saturating: false)
}

enum Interpolation {
  /// The value between elements of a channel that starts at `base`; elements outside are zeros.
  static func linear(_ x: [Double], at base: Int, _ shape: [Int], _ point: [Double]) -> Double {
    guard zip(point, shape).allSatisfy({ $0 > -1 && $0 < Double($1) }) else { return 0 }
    let strides = Selection.strides(shape)
    var sum = 0.0
    for corner in 0..<(1 << shape.count) {
      var (weight, offset, isInside) = (1.0, base, true)
      for axis in shape.indices {
        let low = point[axis].rounded(.down)
        let isHigh = corner >> axis & 1 == 1
        let coordinate = Int(low) + (isHigh ? 1 : 0)
        weight *= isHigh ? point[axis] - low : 1 - (point[axis] - low)
        isInside = isInside && coordinate >= 0 && coordinate < shape[axis]
        offset += coordinate * strides[axis]
      }
      if isInside && weight != 0 { sum += weight * x[offset] }
    }
    return sum
  }
}
