import FXCore
import FXRuntime
import Testing

/// Expected numbers are worked out by hand.
@Suite struct ReferenceReductionTests {
  static let x = ramp([2, 3])
  static let flat: Attributes = ["keepdims": false]

  static let cases: [OperatorCase] = [
    .init("sum", .reduceSum, [x, ints(1)], [:], [f([2, 1], [3, 12])]),
    .init("sum of all", .reduceSum, [x], flat, [f([], [15])]),
    .init("sum over two axes", .reduceSum, [ramp([2, 2, 2]), ints(-1, 0)], flat, [f([2], [0 + 1 + 4 + 5, 2 + 3 + 6 + 7])]),
    .init("sum of nothing", .reduceSum, [f([2, 0], []), ints(1)], flat, [f([2], [0, 0])]),
    .init("no axes, all", .reduceSum, [x, i([0], [])], [:], [f([1, 1], [15])]),
    .init("no axes, none", .reduceSum, [x, i([0], [])], ["noop_with_empty_axes": true], [x]),
    .init("an axis beyond the rank", .reduceSum, [x, ints(2)], [:], nil),
    .init("sum wraps", .reduceSum, [t([2], [Int32.max, 1])], flat, [t([], [Int32.min])]),
    .init("mean", .reduceMean, [x, ints(0)], flat, [f([3], [1.5, 2.5, 3.5])]),
    .init("mean of integers", .reduceMean, [ints(-3, -4)], flat, [i([], [-3])]),
    .init("max", .reduceMax, [f([2, 2], [1, .nan, -1, -2]), ints(1)], flat, [f([2], [.nan, -1])]),
    .init("max of nothing", .reduceMax, [f([0], [])], flat, [f([], [-.infinity])]),
    .init("max of no integers", .reduceMax, [i([0], [])], flat, [i([], [.min])]),
    .init("max of bool", .reduceMax, [t([2, 2], [true, false, false, false]), ints(1)], flat, [t([2], [true, false])]),
    .init("min of unsigned", .reduceMin, [t([3], [UInt64.max, 5, 1 << 63])], flat, [t([], [UInt64(5)])]),
    .init("max of unsigned", .reduceMax, [t([3], [UInt64.max, 5, 1 << 63])], flat, [t([], [UInt64.max])]),
    .init("prod", .reduceProd, [f([3], [2, 3, -4])], flat, [f([], [-24])]),
    .init("l1", .reduceL1, [f([3], [2, -3, 4])], flat, [f([], [9])]),
    .init("l2", .reduceL2, [f([2], [3, -4])], flat, [f([], [5])]),
    .init("sum_square", .reduceSumSquare, [ints(3, -4)], flat, [i([], [25])]),
    .init("sum_square of each", .reduceSumSquare, [ramp([3]), i([0], [])], ["noop_with_empty_axes": true], [f([3], [0, 1, 4])]),
    .init("log_sum", .reduceLogSum, [f([2], [0.25, 0.75])], flat, [f([], [0])]),
    .init(
      "log_sum_exp", .reduceLogSumExp, [f([2, 3], [1, 2, 4, -1, 0, -3]), ints(1)], [:], [f([2, 1], [4.169846, 0.3490122])]),
    .init("log_sum_exp of large numbers", .reduceLogSumExp, [f([2], [1000, 1000])], flat, [f([], [1000.6931])]),
    .init(
      "log_sum_exp of infinities", .reduceLogSumExp, [f([2, 2], [-.infinity, -.infinity, 0, .infinity]), ints(1)], flat,
      [f([2], [-.infinity, .infinity])]),
    .init("argmax", .argmax, [f([2, 3], [1, 3, 3, 2, 0, 1])], ["axis": 1], [i([2, 1], [1, 0])]),
    .init(
      "last argmax", .argmax, [f([2, 3], [1, 3, 3, 2, 0, 1])], ["axis": 1, "select_last_index": true, "keepdims": false],
      [ints(2, 0)]),
    .init("argmin of wide integers", .argmin, [ints(.max, .max - 1)], flat, [i([], [1])]),
    .init("argmax of NaN", .argmax, [f([3], [1, .nan, 5])], flat, [i([], [1])]),
    .init("argmax of nothing", .argmax, [f([0], [])], flat, nil),
    .init("cumsum", .cumsum, [x, i([], [1])], [:], [f([2, 3], [0, 1, 3, 3, 7, 12])]),
    .init(
      "exclusive reverse cumsum", .cumsum, [ints(1, 2, 3), i([], [0])], ["exclusive": true, "reverse": true], [ints(5, 3, 0)]),
    .init("cumprod", .cumprod, [ints(1, 2, 3), i([], [-1])], [:], [ints(1, 2, 6)]),
    .init("exclusive cumprod", .cumprod, [ints(1, 2, 3), i([], [0])], ["exclusive": true], [ints(1, 1, 2)]),
  ]

  @Test(arguments: cases) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-7) }
}
