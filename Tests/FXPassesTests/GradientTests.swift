import FXCore
import FXPasses
import FXRuntime
import FXTestSupport
import FXTrace
import Testing

@Suite struct GradientTests {
  static let wide = -2.0...2.0

  static let smooth: [Operator] = [
    .neg, .abs, .sqrt, .exp, .log, .reciprocal, .erf, .sin, .cos, .tan, .asin, .acos, .atan, .sinh, .cosh, .tanh, .asinh,
    .atanh, .relu, .sigmoid, .softplus, .leakyRelu, .elu, .gelu, .floor, .ceil, .round, .sign, .identity,
  ]
  static let signed: [Operator] = [.neg, .abs, .erf, .sin, .relu, .sigmoid, .softplus, .leakyRelu, .elu, .gelu]
  static let arithmetic: [Operator] = [.add, .sub, .mul, .div]

  static let unary =
    smooth.map { GradientCase($0, [r(2, 3)]) }
    + signed.map { GradientCase($0, [r(7, in: -1.3 ... -0.2)], "negative") }
  static let binary =
    arithmetic.map { GradientCase($0, [r(2, 3), r(2, 3)]) }
    + arithmetic.map { GradientCase($0, [r(3, 1), r(2, 1, 4)], "broadcast") }

  static let elementwise: [GradientCase] = [
    GradientCase(.acosh, [r(3, in: 1.5...3)]), GradientCase(.gelu, [r(5, in: wide)], ["approximate": "tanh"], "tanh"),
    GradientCase(.cast, [r(3)], ["to": .elementType(.float64)]),
    GradientCase(.clip, [r(9, in: wide), .constant(Tensor(-0.7)), .constant(Tensor(0.9))]),
    GradientCase(.clip, [r(9, in: wide), r()], "bound"),
    GradientCase(.minimum, [r(4), r(4), r(4)]), GradientCase(.maximum, [r(2, 3), r(3)]),
    GradientCase(.where_, [.constant(bools(true, false, true)), r(3), r(2, 3)]),
    GradientCase(.softmax, [r(2, 3, 2, in: wide)], ["axis": 1]), GradientCase(.logSoftmax, [r(2, 4, in: wide)]),
    GradientCase(.sum, [r(2, 3), r(3), r(1)]), GradientCase(.pow, [r(2, 3), r(3)]),
    GradientCase(.pow, [r(3, in: -2 ... -1), .constant(Tensor(2.0))], "square of negative numbers"),
    GradientCase(.mod, [r(5, in: 3...4), r(5, in: 0.7...0.9)], ["fmod": true]),
  ]

  static let reduce: [Operator] = [.reduceSum, .reduceMean, .reduceMax, .reduceMin, .reduceProd]
  static let reductions =
    reduce.map { GradientCase($0, [r(2, 3, 2)]) }
    + reduce.map { GradientCase($0, [r(2, 3, 2), n(0, -1)], ["keepdims": false], "two axes") }
    + reduce.map { GradientCase($0, [r(2, 3), n(1)], "one axis") }
  static let cumulative: [GradientCase] = [
    GradientCase(.reduceProd, [.random([2, 3], 0...0)], "zeros"),
    GradientCase(.cumprod, [r(2, 4), .constant(Tensor(1))]),
    GradientCase(.cumprod, [.random([3], 0...0), .constant(Tensor(0))], "zeros"),
    GradientCase(.cumprod, [r(4, 2), .constant(Tensor(0))], ["exclusive": true, "reverse": true], "backwards"),
    GradientCase(.cumsum, [r(2, 4), .constant(Tensor(1))]),
    GradientCase(.cumsum, [r(2, 4), .constant(Tensor(0))], ["exclusive": true, "reverse": true], "backwards"),
  ]

  static let moves: [GradientCase] = [
    GradientCase(.reshape, [r(2, 6), n(3, -1)]), GradientCase(.transpose, [r(2, 3, 4)], ["perm": .ints([2, 0, 1])]),
    GradientCase(.transpose, [r(2, 3)]), GradientCase(.squeeze, [r(2, 1, 3), n(1)]),
    GradientCase(.unsqueeze, [r(2, 3), n(0, 3)]),
    GradientCase(.flatten, [r(2, 3, 2)]), GradientCase(.expand, [r(3, 1), n(2, 3, 4)]),
    GradientCase(.concat, [r(2, 3), r(2, 1), r(2, 2)], ["axis": -1]),
    GradientCase(.split, [r(2, 5), n(2, 3)], ["axis": 1], results: 2),
    GradientCase(.slice, [r(4, 5), n(1, -1), n(4, -5), n(0, 1), n(2, -2)]),
    GradientCase(.slice, [r(5), n(-3), n(100)], "open end"),
    GradientCase(.pad, [r(2, 3), n(1, 0, 0, 2)]), GradientCase(.pad, [r(4), n(-1, 2)], "negative"),
    GradientCase(.pad, [r(2, 4), n(1, 2, 0, 3)], ["mode": "reflect"], "reflect"),
    GradientCase(.pad, [r(2, 4), n(2, 1), nil, n(1)], ["mode": "edge"], "edge"),
    GradientCase(.pad, [r(4), n(2, 3)], ["mode": "wrap"], "wrap"),
    GradientCase(.tile, [r(2, 3), n(2, 3)]), GradientCase(.trilu, [r(3, 4)], ["upper": false]),
    GradientCase(.gather, [r(4, 3), .constant(ints([2, 2], [0, 2, -1, 0]))]),
    GradientCase(.gather, [r(2, 4, 3), .constant(ints([2], [3, 3]))], ["axis": 1], "axis"),
    GradientCase(.gatherElements, [r(3, 3), .constant(ints([2, 3], [0, 2, 1, 0, 0, -1]))]),
    GradientCase(.gatherND, [r(3, 3), .constant(ints([2, 2], [0, 2, 1, 0]))]),
    GradientCase(.scatterElements, [r(3, 3), .constant(ints([1, 3], [0, 2, 1])), r(1, 3)]),
    GradientCase(
      .scatterElements, [r(3, 3), .constant(ints([2, 3], [0, 2, 1, 0, 0, 1])), r(2, 3)], ["reduction": "add"], "add"),
    GradientCase(.scatterND, [r(4, 2), .constant(ints([2, 1], [3, 1])), r(2, 2)]),
    GradientCase(.topK, [r(2, 5), n(3)], results: 2),
  ]

  static let products: [GradientCase] = [
    GradientCase(.matmul, [r(2, 3), r(3, 4)]), GradientCase(.matmul, [r(5, 2, 3), r(3, 4)], "batch"),
    GradientCase(.matmul, [r(2, 1, 2, 3), r(4, 3, 2)], "broadcast batch"), GradientCase(.matmul, [r(3), r(3)], "vectors"),
    GradientCase(.matmul, [r(2, 3), r(3)], "column"), GradientCase(.matmul, [r(3), r(2, 3, 4)], "row"),
    GradientCase(.linear, [r(2, 3), r(4, 3), r(4)]),
    GradientCase(.gemm, [r(2, 3), r(3, 4), r(4)], ["alpha": 0.5, "beta": 2.0]),
    GradientCase(.gemm, [r(3, 2), r(4, 3), r(2, 1)], ["transA": true, "transB": true], "transposed"),
    GradientCase(.gemm, [r(3, 2), r(3, 4)], ["transA": true], "left transposed"),
    GradientCase(.gemm, [r(2, 3), r(4, 3)], ["transB": true], "right transposed"),
    GradientCase(.conv, [r(2, 3, 5), r(4, 3, 3), r(4)], "1-D"),
    GradientCase(
      .conv, [r(1, 2, 6, 5), r(3, 2, 3, 2)], ["strides": .ints([2, 1]), "pads": .ints([1, 0, 2, 1])], "strides, pads"),
    GradientCase(.conv, [r(2, 4, 5, 5), r(6, 2, 2, 2)], ["group": 2, "dilations": .ints([2, 1])], "groups, dilations"),
    GradientCase(
      .conv, [r(1, 3, 6), r(3, 1, 3)], ["group": 3, "auto_pad": "SAME_UPPER", "strides": .ints([2])], "depthwise, same"),
    GradientCase(.convTranspose, [r(2, 3, 4), r(3, 2, 3), r(2)], "1-D"),
    GradientCase(
      .convTranspose, [r(1, 4, 3, 3), r(4, 1, 3, 2)],
      [
        "group": 2, "strides": .ints([2, 2]), "pads": .ints([1, 0, 0, 1]),
        "output_padding": .ints([1, 0]),
      ], "groups, strides"),
    GradientCase(
      .maxPool, [r(2, 2, 5, 5)], ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "pads": .ints([1, 0, 1, 1])]),
    GradientCase(
      .averagePool, [r(1, 2, 5, 4)], ["kernel_shape": .ints([3, 2]), "strides": .ints([2, 1]), "pads": .ints([1, 0, 1, 1])]),
    GradientCase(
      .averagePool, [r(1, 2, 5)], ["kernel_shape": .ints([2]), "pads": .ints([1, 1]), "count_include_pad": true], "padding counts"
    ),
    GradientCase(.globalAveragePool, [r(2, 3, 2, 2)]), GradientCase(.globalMaxPool, [r(2, 3, 2, 2)]),
    GradientCase(.batchNormalization, [r(2, 3, 4), r(3), r(3), r(3), r(3)]),
    GradientCase(
      .batchNormalization, [r(3, 2, 2), r(2), r(2), .constant(doubles(0, 0)), .constant(doubles(1, 1))],
      ["training_mode": true], "training"),
    GradientCase(
      .layerNormalization, [r(2, 3, 4, in: wide), r(3, 4), r(3, 4)], ["axis": 1, "stash_type": .elementType(.float64)]),
    GradientCase(.resize, [r(1, 2, 3, 4), nil, nil, n(1, 2, 5, 7)], ["mode": "linear"], "linear"),
    GradientCase(.resize, [r(1, 1, 4, 3), nil, .constant(floats(1, 1, 0.6, 2.5))], ["mode": "cubic"], "cubic"),
    GradientCase(.resize, [r(2, 3), nil, nil, n(5)], ["axes": .ints([1])], "nearest"),
    GradientCase(.fusedLinear, [r(2, 3), r(4, 3), r(4)], ["activation": "relu"], "by decomposition"),
  ]

  @Test(arguments: [unary, binary, elementwise, reductions, cumulative, moves, products].flatMap(\.self))
  func isThatOfDifferences(_ example: GradientCase) throws {
    try example.check()
  }

  /// Core operators without a gradient, and why.
  static let exceptions: [String: String] = [
    "range": "starts and steps are seldom learned", "bit_shift": "integers", "bitwise_and": "integers",
    "bitwise_or": "integers", "bitwise_xor": "integers", "bitwise_not": "integers", "and": "truth values",
    "or": "truth values", "xor": "truth values", "not": "truth values", "matmul_integer": "integers",
    "conv_integer": "integers", "quantize_linear": "gives integers", "dequantize_linear": "takes integers",
    "bit_cast": "bits have no slope",
  ]

  @Test func coreOperatorsHaveAGradient() {
    let missing = OperatorTable.standard.operators.filter { $0.has(.core) && GradientRules.standard[$0] == nil }
    #expect(Set(missing.map(\.description)) == Set(Self.exceptions.keys))
  }
}

private func ints(_ shape: [Int], _ elements: [Int]) -> Tensor { (try? Tensor(shape, elements)) ?? Tensor(vector: elements) }
private func bools(_ elements: Bool...) -> Tensor { Tensor(vector: elements) }
private func floats(_ elements: Float...) -> Tensor { Tensor(vector: elements) }
private func doubles(_ elements: Double...) -> Tensor { Tensor(vector: elements) }
