import FXCore
import FXRuntime
import Testing

/// Expected numbers are ONNX Runtime's, or worked out by hand.
@Suite struct ReferenceQuantizationTests {
  static let cases: [OperatorCase] = [
    .init(
      "quantize per channel", .quantizeLinear,
      [f([2, 3], [-1, 0.25, 3, 10, 5, -300]), f([2], [0.5, 2]), t([2], [UInt8(128), 0])], ["axis": 0],
      [t([2, 3], [UInt8(126), 128, 134, 5, 2, 0])]),
    .init(
      "quantize in blocks", .quantizeLinear, [ramp([1, 3]), f([1, 2], [0.5, 1])], ["axis": 1, "block_size": 2],
      [t([1, 3], [UInt8(0), 2, 2])]),
    .init(
      "quantize to 4 bits", .quantizeLinear, [f([3], [-100, 0.5, 100]), f([], [1])], ["output_dtype": .elementType(.int4)],
      [typed(.int4, -8, 0, 7)]),
    .init("as many scales as channels", .quantizeLinear, [ramp([2, 3]), ramp([2])], [:], nil),
    .init(
      "dequantize", .dequantizeLinear, [t([3], [Int8(-128), 0, 127]), f([], [0.5]), t([], [Int8(-1)])], [:],
      [f([3], [-63.5, 0.5, 64])]),
    .init(
      "dequantize in blocks", .dequantizeLinear, [typed(.uint4, 1, 2, 3, 15), f([2], [1, 10])],
      ["axis": 0, "block_size": 2], [f([4], [1, 2, 30, 150])]),
    .init(
      "dynamic", .dynamicQuantizeLinear, [f([4], [-1, 0, 0.5, 3])], [:],
      [t([4], [UInt8(0), 64, 96, 255]), f([], [4.0 / 255]), t([], [UInt8(64)])]),
    .init(
      "dynamic of zeros", .dynamicQuantizeLinear, [f([2], [0, 0])], [:],
      [t([2], [UInt8(0), 0]), f([], [1]), t([], [UInt8(0)])]),
    .init(
      "integer product", .matmulInteger,
      [
        t([2, 2], [UInt8(1), 2, 3, 4]), t([2, 2], [Int8(-1), 2, 3, -4]), t([1], [UInt8(1)]), t([2], [Int8(1), -1]),
      ], [:], [t([2, 2], [Int32(2), -3, 2, -3])]),
    .init(
      "quantized product", .qlinearMatmul,
      [
        t([2, 2], [UInt8(10), 200, 3, 4]), f([], [0.1]), t([], [UInt8(3)]), t([2, 2], [UInt8(5), 2, 30, 40]), f([], [0.2]),
        t([], [UInt8(4)]), f([], [0.7]), t([], [UInt8(100)]),
      ], [:], [t([2, 2], [UInt8(247), 255, 101, 101])]),
  ]

  @Test(arguments: cases) func gives(_ example: OperatorCase) throws { try example.check() }
}
