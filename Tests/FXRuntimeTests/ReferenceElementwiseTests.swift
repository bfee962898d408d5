import FXCore
import FXRuntime
import Testing

/// Expected numbers are worked out by hand or by NumPy.
@Suite struct ReferenceElementwiseTests {
  static let nan = Float.nan

  static let arithmetic: [OperatorCase] = [
    .init("add broadcasts", .add, [ramp([2, 1]), ramp([3])], [:], [f([2, 3], [0, 1, 2, 1, 2, 3])]),
    .init("add wraps", .add, [t([2], [Int8(127), -128]), t([2], [Int8(1), -1])], [:], [t([2], [Int8(-128), 127])]),
    .init("shapes that do not broadcast", .add, [ramp([2]), ramp([3])], [:], nil),
    .init("a result beyond memory", .add, [zeros([1 << 20, 1]), zeros([1 << 20])], [:], nil),
    .init("element types that differ", .add, [ramp([2]), ints(1, 2)], [:], nil),
    .init("integers divide toward zero", .div, [ints(-7, 7, 5, .min), ints(2, -2, 0, -1)], [:], [ints(-3, -3, 0, .min)]),
    .init("unsigned division", .div, [t([1], [UInt64.max]), t([1], [UInt64(2)])], [:], [t([1], [UInt64.max / 2])]),
    .init("floats divide by zero", .div, [f([2], [1, -1]), f([], [0])], [:], [f([2], [.infinity, -.infinity])]),
    .init("mod has the divisor's sign", .mod, [ints(-4, 7, 5, 3), ints(2, -3, 8, 0)], [:], [ints(0, -2, 5, 0)]),
    .init("fmod has the dividend's", .mod, [ints(-7, 7, 5), ints(3, -3, 8)], ["fmod": true], [ints(-1, 1, 5)]),
    .init(
      "mod of floats", .mod, [f([3], [-4.5, 4.5, -1]), f([3], [2, -2, .infinity])], [:], [f([3], [1.5, -1.5, .infinity])]),
    .init("pow of integers", .pow, [ints(2, -3, 2, -1, 0), ints(10, 3, -1, -3, 0)], [:], [ints(1024, -27, 0, -1, 1)]),
    .init("pow of other types", .pow, [f([3], [1, 2, 3]), t([3], [UInt64(4), 5, 2])], [:], [f([3], [1, 32, 9])]),
    .init("pow of integers to floats", .pow, [ints(4, 2), f([], [0.5])], [:], [ints(2, 1)]),
    .init("neg", .neg, [ints(1, -2)], [:], [ints(-1, 2)]),
    .init("abs", .abs, [t([2], [UInt64.max, 3])], [:], [t([2], [UInt64.max, 3])]),
    .init("sign", .sign, [f([3], [-2, 0, nan])], [:], [f([3], [-1, 0, nan])]),
    .init("round to even", .round, [f([4], [0.5, 1.5, -2.5, 2.4])], [:], [f([4], [0, 2, -2, 2])]),
    .init("clip", .clip, [f([4], [-2, 0, 2, nan]), f([], [-1]), f([], [1])], [:], [f([4], [-1, 0, 1, nan])]),
    .init("clip where bounds contradict", .clip, [ints(0, 9), i([], [5]), i([], [3])], [:], [ints(3, 3)]),
    .init("clip from above", .clip, [ints(0, 9), nil, i([], [3])], [:], [ints(0, 3)]),
    .init("minimum", .minimum, [f([3], [1, nan, 3]), f([], [2]), f([3], [5, 5, -1])], [:], [f([3], [1, nan, -1])]),
    .init("maximum of unsigned", .maximum, [t([2], [UInt64.max, 0]), t([2], [UInt64(1), 2])], [:], [t([2], [UInt64.max, 2])]),
    .init("sum", .sum, [ramp([2]), ramp([2, 1]), f([], [10])], [:], [f([2, 2], [10, 11, 11, 12])]),
    .init("mean", .mean, [ramp([2]), f([2], [4, 5])], [:], [f([2], [2, 3])]),
    .init("add has no complex numbers", .add, [zeros([1], .complex64), zeros([1], .complex64)], [:], nil),
  ]

  static let conversions: [OperatorCase] = [
    .init("cast cuts", .cast, [f([3], [-1.9, 2.9, nan])], ["to": .elementType(.int32)], [t([3], [Int32(-1), 2, 0])]),
    .init("cast keeps low bits", .cast, [ints(200, -1)], ["to": .elementType(.int8)], [t([2], [Int8(-56), -1])]),
    .init("cast to bool", .cast, [f([3], [0, -0.0, 0.1])], ["to": .elementType(.bool)], [t([3], [false, false, true])]),
    .init("cast to text", .cast, [ints(-7)], ["to": .elementType(.string)], [words([1], ["-7"])]),
    .init(
      "cast up to a power of two", .cast, [f([3], [3, 4, 0.6])], ["to": .elementType(.float8e8m0)],
      [typed(.float8e8m0, 4, 4, 1)]),
    .init(
      "cast down to a power of two", .cast, [f([2], [3.9, 4])], ["to": .elementType(.float8e8m0), "round_mode": "down"],
      [typed(.float8e8m0, 2, 4)]),
    .init("cast like", .castLike, [ints(1, 2), ramp([])], [:], [f([2], [1, 2])]),
    .init("bit cast", .bitCast, [f([1], [1])], ["to": .elementType(.int32)], [t([1], [Int32(0x3F80_0000)])]),
    .init("bit cast of another width", .bitCast, [f([1], [1])], ["to": .elementType(.int64)], nil),
    .init(
      "where", .where_, [t([2, 1], [true, false]), ramp([2]), f([], [9])], [:], [f([2, 2], [0, 1, 9, 9])]),
    .init(
      "where of strings", .where_,
      [t([2], [true, false]), words([], ["a"]), words([2], ["b", "c"])], [:],
      [words([2], ["a", "c"])]),
    .init("where by numbers", .where_, [ints(1, 0), ramp([2]), ramp([2])], [:], nil),
    .init("identity", .identity, [typed(.int4, -8, 7)], [:], [typed(.int4, -8, 7)]),
  ]

  static let comparisons: [OperatorCase] = [
    .init("equal", .equal, [f([3], [1, nan, 0]), f([3], [1, nan, -0.0])], [:], [t([3], [true, false, true])]),
    .init("not equal", .notEqual, [f([2], [1, nan]), f([2], [1, nan])], [:], [t([2], [false, true])]),
    .init("equal strings", .equal, [words([2], ["a", "b"]), words([], ["b"])], [:], [t([2], [false, true])]),
    .init("greater", .greater, [t([2], [UInt64.max, 0]), t([], [UInt64(1)])], [:], [t([2], [true, false])]),
    .init("greater or equal", .greaterOrEqual, [ints(1, 2, 3), i([], [2])], [:], [t([3], [false, true, true])]),
    .init("less", .less, [ramp([2, 1]), ramp([2])], [:], [t([2, 2], [false, true, false, false])]),
    .init("less or equal", .lessOrEqual, [f([2], [nan, 1]), f([], [1])], [:], [t([2], [false, true])]),
    .init("less has no bool", .less, [t([1], [true]), t([1], [true])], [:], nil),
    .init("and", .and, [t([2, 1], [true, false]), t([2], [true, false])], [:], [t([2, 2], [true, false, false, false])]),
    .init("or", .or, [t([2], [true, false]), t([], [false])], [:], [t([2], [true, false])]),
    .init("xor", .xor, [t([2], [true, false]), t([], [true])], [:], [t([2], [false, true])]),
    .init("not", .not, [t([2], [true, false])], [:], [t([2], [false, true])]),
    .init("is NaN", .isNaN, [f([3], [nan, .infinity, 0])], [:], [t([3], [true, false, false])]),
    .init(
      "is negative infinity", .isInf, [f([3], [nan, .infinity, -.infinity])], ["detect_positive": false],
      [t([3], [false, false, true])]),
    .init("bitwise and", .bitwiseAnd, [t([2], [UInt8(0b1100), 7]), t([], [UInt8(0b1010)])], [:], [t([2], [UInt8(0b1000), 2])]),
    .init("bitwise xor", .bitwiseXor, [ints(-1, 5), i([], [3])], [:], [ints(-4, 6)]),
    .init("bitwise not", .bitwiseNot, [t([2], [UInt8(1), 255])], [:], [t([2], [UInt8(254), 0])]),
    .init(
      "shift left", .bitShift, [t([3], [UInt8(1), 255, 3]), t([3], [UInt8(3), 1, 8])], ["direction": "LEFT"],
      [t([3], [UInt8(8), 254, 0])]),
    .init(
      "shift right repeats the sign", .bitShift, [ints(-8, -8, 8, 8), ints(1, 64, -1, 2)], ["direction": "RIGHT"],
      [ints(-4, -1, 0, 2)]),
    .init("shift up", .bitShift, [ints(1), ints(1)], ["direction": "LEFT"], [ints(2)]),
  ]

  @Test(arguments: arithmetic + conversions + comparisons) func gives(_ example: OperatorCase) throws { try example.check() }

  /// One rounding, from the exact result.
  @Test func halfPrecisionRoundsOnce() throws {
    let sum = try OperatorCase("", .add, [typed(.bfloat16, 256, 1), typed(.bfloat16, 1, 0.00390625)], [:], nil).result()
    #expect(try sum.numbers().doubles == [256, 1.0])
    let product = try OperatorCase("", .mul, [typed(.float16, 1.0009765625), typed(.float16, 1.0009765625)], [:], nil).result()
    #expect(try product.numbers().doubles == [1.001953125])
  }
}

private func zeros(_ shape: [Int], _ type: ElementType = .uint8) -> Tensor {
  (try? Tensor(zeros: type, shape)) ?? Tensor(vector: [UInt8]())
}

private func words(_ shape: [Int], _ strings: [String]) -> Tensor {
  (try? Tensor(shape, strings: strings)) ?? Tensor(vector: [UInt8]())
}
