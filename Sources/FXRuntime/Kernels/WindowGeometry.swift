internal import CKernels
import FXCore

/// How a window slides over the spatial axes of [batch, channels, spatial…].
struct WindowGeometry {
  /// Sizes per spatial axis.
  let input: [Int]
  let output: [Int]
  let kernel: [Int]
  let strides: [Int]
  let dilations: [Int]
  /// Padding before and after each axis.
  let padBefore: [Int]
  let padAfter: [Int]

  var rank: Int { input.count }

  /// The geometry that the attributes of `Conv` describe; `nil` for lists of wrong length and for negative padding.
  init?(_ request: KernelRequest, input: [Int], output: [Int], kernel: [Int]) {
    let rank = input.count
    guard output.count == rank, kernel.count == rank else { return nil }
    let strides = request[Conv.strides] ?? Array(repeating: 1, count: rank)
    let dilations = request[Conv.dilations] ?? Array(repeating: 1, count: rank)
    guard strides.count == rank, dilations.count == rank, (strides + dilations + kernel).allSatisfy({ $0 > 0 }) else {
      return nil
    }
    var before: [Int] = []
    var after: [Int] = []
    switch request[Conv.autoPad] {
    case "NOTSET":
      let pads = request[Conv.pads] ?? Array(repeating: 0, count: 2 * rank)
      guard pads.count == 2 * rank, pads.allSatisfy({ $0 >= 0 }) else { return nil }
      before = Array(pads[..<rank])
      after = Array(pads[rank...])
    case "VALID":
      before = Array(repeating: 0, count: rank)
      after = before
    case let mode:
      for axis in 0..<rank {
        let reach = (kernel[axis] - 1) * dilations[axis] + 1
        let total = max(0, (output[axis] - 1) * strides[axis] + reach - input[axis])
        before.append(mode == "SAME_LOWER" ? (total + 1) / 2 : total / 2)
        after.append(total - (before.last ?? 0))
      }
    }
    self.input = input
    self.output = output
    self.kernel = kernel
    self.strides = strides
    self.dilations = dilations
    padBefore = before
    padAfter = after
  }
  /// The window over one or two axes as kernels take it; a window over one axis has one row.
  var plane: fxk_pool2d {
    var pool = fxk_pool2d()
    func two(_ sizes: [Int], _ fill: Int) -> (Int, Int) { sizes.count == 1 ? (fill, sizes[0]) : (sizes[0], sizes[1]) }
    (pool.in_h, pool.in_w) = two(input, 1)
    (pool.out_h, pool.out_w) = two(output, 1)
    (pool.kernel_h, pool.kernel_w) = two(kernel, 1)
    (pool.stride_h, pool.stride_w) = two(strides, 1)
    (pool.dilation_h, pool.dilation_w) = two(dilations, 1)
    (pool.pad_top, pool.pad_left) = two(padBefore, 0)
    (pool.pad_bottom, pool.pad_right) = two(padAfter, 0)
    return pool
  }
}
