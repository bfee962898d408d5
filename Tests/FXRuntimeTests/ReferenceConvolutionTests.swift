import FXCore
import FXRuntime
import Testing

@Suite struct ReferenceConvolutionTests {
  static let line = f([1, 1, 5], [1, 2, 3, 4, 5])
  static let image = ramp([1, 1, 3, 3])
  static func ones(_ shape: [Int]) -> Tensor { f(shape, Array(repeating: 1, count: shape.reduce(1, *))) }

  static let convolutions: [OperatorCase] = [
    .init("conv", .conv, [line, f([1, 1, 2], [1, 10]), f([1], [100])], [:], [f([1, 1, 4], [121, 132, 143, 154])]),
    .init("dilated", .conv, [line, ones([1, 1, 2])], ["dilations": .ints([3])], [f([1, 1, 2], [5, 7])]),
    .init(
      "strided and padded", .conv, [line, ones([1, 1, 3])], ["strides": .ints([2]), "pads": .ints([1, 1])],
      [f([1, 1, 3], [3, 9, 9])]),
    .init(
      "same, odd element at the start", .conv, [line, ones([1, 1, 2])], ["auto_pad": "SAME_LOWER"],
      [f([1, 1, 5], [1, 3, 5, 7, 9])]),
    .init(
      "groups", .conv, [f([1, 2, 1], [3, 5]), f([4, 1, 1], [1, 2, 10, 20])], ["group": 2], [f([1, 4, 1], [3, 6, 50, 100])]),
    .init("in three axes", .conv, [ones([1, 1, 2, 2, 2]), ones([1, 1, 2, 2, 2])], [:], [f([1, 1, 1, 1, 1], [8])]),
    .init("a kernel that does not fit", .conv, [line, ones([1, 1, 6])], [:], nil),
    .init("channels that differ", .conv, [line, ones([1, 2, 1])], [:], nil),
    .init("a huge pad", .conv, [line, ones([1, 1, 1])], ["pads": .ints([Int(Int32.max), 1 << 28])], nil),
    .init(
      "fused", .fusedConv, [line, f([1, 1, 5], [1, 1, 1, 1, -4]), nil, f([1], [1])], ["activation": "relu"], [f([1, 1, 1], [0])]),
    .init(
      "transposed", .convTranspose, [f([1, 1, 2], [1, 2]), f([1, 1, 3], [1, 10, 100])], ["strides": .ints([2])],
      [f([1, 1, 5], [1, 10, 102, 20, 200])]),
    .init(
      "transposed to a shape", .convTranspose, [f([1, 1, 2], [1, 2]), f([1, 1, 3], [1, 10, 100])],
      ["strides": .ints([2]), "output_shape": .ints([3])], [f([1, 1, 3], [10, 102, 20])]),
    .init(
      "columns to an image", .col2im, [f([1, 2, 4], [1, 2, 3, 4, 10, 20, 30, 40]), ints(5), ints(2)], [:],
      [f([1, 1, 5], [1, 12, 23, 34, 40])]),
    .init("columns that do not fit", .col2im, [f([1, 2, 3], [1, 2, 3, 4, 5, 6]), ints(5), ints(2)], [:], nil),
    .init(
      "deformed by half an element", .deformConv, [image, ones([1, 1, 1, 1]), f([1, 2, 1, 1], [0.5, 1])],
      ["pads": .ints([-1, -1, -1, -1])],
      [f([1, 1, 1, 1], [6.5])]),
    .init(
      "causal with state", .causalConvWithState, [line, f([1, 1, 2], [10, 1]), nil, f([1, 1, 1], [9])], [:],
      [f([1, 1, 5], [91, 12, 23, 34, 45]), f([1, 1, 1], [5])]),
  ]

  static let poolings: [OperatorCase] = [
    .init(
      "max", .maxPool, [image], ["kernel_shape": .ints([2, 2])],
      [f([1, 1, 2, 2], [4, 5, 7, 8]), i([1, 1, 2, 2], [4, 5, 7, 8])]),
    .init(
      "max in column-major order", .maxPool, [image], ["kernel_shape": .ints([2, 2]), "storage_order": 1],
      [f([1, 1, 2, 2], [4, 5, 7, 8]), i([1, 1, 2, 2], [4, 7, 5, 8])]),
    .init("max with NaN", .maxPool, [f([1, 1, 3], [1, .nan, 2])], ["kernel_shape": .ints([2])], [f([1, 1, 2], [.nan, .nan])]),
    .init(
      "max with a last window that is not full", .maxPool, [line],
      ["kernel_shape": .ints([2]), "strides": .ints([2]), "ceil_mode": true],
      [f([1, 1, 3], [2, 4, 5])]),
    .init(
      "mean without padding", .averagePool, [line], ["kernel_shape": .ints([3]), "pads": .ints([1, 1])],
      [f([1, 1, 5], [1.5, 2, 3, 4, 4.5])]),
    .init(
      "mean with padding", .averagePool, [line], ["kernel_shape": .ints([3]), "pads": .ints([1, 1]), "count_include_pad": true],
      [f([1, 1, 5], [1, 2, 3, 4, 3])]),
    .init("norm", .lpPool, [f([1, 1, 2], [3, -4])], ["kernel_shape": .ints([2])], [f([1, 1, 1], [5])]),
    .init("global mean", .globalAveragePool, [ramp([1, 2, 2])], [:], [f([1, 2, 1], [0.5, 2.5])]),
    .init("global maximum", .globalMaxPool, [ramp([1, 2, 2])], [:], [f([1, 2, 1], [1, 3])]),
    .init("global norm", .globalLpPool, [f([1, 1, 2], [3, -4])], ["p": 1], [f([1, 1, 1], [7])]),
    .init(
      "unpool", .maxUnpool, [f([1, 1, 2], [5, 6]), i([1, 1, 2], [1, 2])], ["kernel_shape": .ints([2]), "strides": .ints([2])],
      [f([1, 1, 4], [0, 5, 6, 0])]),
    .init("unpool out of range", .maxUnpool, [f([1, 1, 1], [5]), i([1, 1, 1], [7])], ["kernel_shape": .ints([2])], nil),
    .init(
      "regions", .maxRoiPool, [image, f([1, 5], [0, 0, 0, 1, 1])], ["pooled_shape": .ints([1, 2])], [f([1, 1, 1, 2], [3, 4])]),
    .init("a kernel of size 0", .maxPool, [image], ["kernel_shape": .ints([0, 1])], nil),
    .init("a huge kernel", .maxPool, [image], ["kernel_shape": .ints([.max, .max])], nil),
  ]

  @Test(arguments: convolutions + poolings) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-6) }
}
