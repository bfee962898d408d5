import FXCore
import FXShapes

extension XLARows {
  mutating func addConvolution() {
    define(.conv) { call in
      let x = try call.operand(0)
      let y = try call.convolution(x, call.operand(1))
      return try call.biased(y)
    }
    define(.convTranspose) { call in
      let (x, w) = (try call.operand(0), try call.operand(1))
      let (input, kernel) = (Array(x.sizes.dropFirst(2)), Array(w.sizes.dropFirst(2)))
      let group = call[Conv.group]
      let window = try Window(
        kernel: kernel, strides: call[Conv.strides], dilations: call[Conv.dilations], pads: call[Conv.pads],
        autoPad: call[Conv.autoPad])
      let output = try Array(call.site.resultSizes().dropFirst(2))
      let extra = call[ConvTranspose.outputPadding] ?? input.map { _ in 0 }
      let isGiven = call[ConvTranspose.outputShape] != nil
      let padding = input.indices.map { axis in
        let start = window.transposedStart(input[axis], output[axis], axis, outputPadding: extra[axis], isShapeGiven: isGiven)
        let span = window.extent(axis)
        let low = span - 1 - start
        return (low, output[axis] + span - 1 - ((input[axis] - 1) * window.strides[axis] + 1) - low)
      }
      // Weights [c, m / g, k...] become [m, c / g, k...], each kernel reversed.
      let (channels, kernels) = (w.sizes[0], w.sizes[1])
      let spatial = kernel.indices.map { $0 + 3 }
      var weight = call.builder.reshape(w, [group, channels / group, kernels] + kernel)
      weight = call.builder.transpose(weight, [0, 2, 1] + spatial)
      weight = call.builder.reshape(weight, [group * kernels, channels / group] + kernel)
      weight = call.builder.reverse(weight, kernel.indices.map { $0 + 2 })
      let ones = kernel.map { _ in 1 }
      let y = call.builder.convolution(
        x, weight, strides: ones, padding: padding, inputDilation: window.strides, dilations: window.dilations, group: group,
        x.type)
      return try call.biased(y)
    }
  }
}

extension XLACall {
  /// A convolution as the attributes say, without bias.
  mutating func convolution(_ x: HLOValue, _ w: HLOValue) throws -> HLOValue {
    let kernel = Array(w.sizes.dropFirst(2))
    let window = try Window(
      kernel: kernel, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: self[Conv.autoPad])
    let padding = kernel.indices.map { axis in
      let (start, end) = window.padding(x.sizes[axis + 2], axis)
      return (start, end)
    }
    return builder.convolution(
      x, w, strides: window.strides, padding: padding, inputDilation: kernel.map { _ in 1 }, dilations: window.dilations,
      group: self[Conv.group], x.type)
  }

  fileprivate mutating func biased(_ y: HLOValue) throws -> HLOValue {
    guard has(2) else { return y }
    let bias = try operand(2)
    return try builder.binary("add", y, builder.reshape(bias, bias.sizes + Array(repeating: 1, count: y.rank - 2)))
  }
}

extension HLOBuilder {
  mutating func convolution(
    _ x: HLOValue, _ w: HLOValue, strides: [Int], padding: [(Int, Int)], inputDilation: [Int], dilations: [Int], group: Int,
    _ type: ElementType
  ) -> HLOValue {
    let rank = strides.count
    let axes = (0..<rank).map(String.init).joined(separator: ", ")
    let output = (0..<rank).map { axis in
      let size = (x.sizes[axis + 2] - 1) * inputDilation[axis] + 1 + padding[axis].0 + padding[axis].1
      return (size - (w.sizes[axis + 2] - 1) * dilations[axis] - 1) / strides[axis] + 1
    }
    let pads = padding.map { "[\($0.0), \($0.1)]" }.joined(separator: ", ")
    let spatial = rank == 0 ? "" : ", \(axes)"
    return op(
      "convolution", [x, w],
      "dimension_numbers = #stablehlo.conv<[b, f\(spatial)]x[o, i\(spatial)]->[b, f\(spatial)]>, "
        + "window_strides = \(hloArray(strides)), padding = dense<[\(pads)]> : tensor<\(rank)x2xi64>, "
        + "lhs_dilation = \(hloArray(inputDilation)), rhs_dilation = \(hloArray(dilations)), "
        + "feature_group_count = \(group) : i64, batch_group_count = 1 : i64", type, [x.sizes[0], w.sizes[0]] + output)
  }
}
