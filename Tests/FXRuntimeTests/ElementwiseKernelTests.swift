import FXCore
import Testing

@testable import FXRuntime

@Suite struct ElementwiseKernelTests {
  static let shapes: [([Int], [Int])] = [
    ([5, 7], [5, 7]), ([3, 4, 5], [5]), ([5], [3, 4, 5]), ([2, 3, 1, 5], [3, 4, 1]), ([], [3, 3]), ([4, 1], [1, 6]),
    ([2, 1, 3, 1, 2], [4, 1, 5, 1]), ([0, 3], [3]), ([70_000], [70_000]), ([64, 500], [64, 1]), ([1, 1], [1]), ([], []),
  ]

  static let binaryCases: [KernelCase] =
    shapes.flatMap { a, b in
      [Operator.add, .sub, .mul, .div, .minimum, .maximum].map { op in
        KernelCase(op: op, operands: [.f(a), .f(b, 0.5...2)])
      }
    }
    + [ElementType.float64, .int32, .int64].flatMap { type in
      [Operator.add, .sub, .mul].map { op in
        KernelCase(op: op, operands: [.typed(type, [3, 1, 4]), .typed(type, [2, 4])], tolerance: 0)
      }
    } + [
      KernelCase(op: .div, operands: [.typed(.int64, [40]), .typed(.int64, [40], 1...5)]),
      KernelCase(op: .pow, operands: [.f([3, 5], 0.1...3), .f([5], -3...3)], tolerance: 1e-5),
      KernelCase(op: .pow, operands: [.f([3, 5]), .init(shape: [], isConstant: true, elements: [2])]),
      KernelCase(op: .mod, operands: [.f([30], -9...9), .f([30], 1...3)], attributes: ["fmod": true]),
      KernelCase(op: .prelu, operands: [.f([2, 3, 4]), .f([3, 1])]),
      KernelCase(op: .sum, operands: [.f([3, 4]), .f([4]), .f([3, 1])]),
      KernelCase(op: .mean, operands: [.f([4]), .f([3, 4]), .f([])]),
      KernelCase(op: .maximum, operands: [.f([4]), .f([3, 1]), .f([3, 4])]),
      KernelCase(op: .minimum, operands: [.f([4])]),
    ]

  static let unaryCases: [KernelCase] =
    [
      Operator.neg, .abs, .sign, .reciprocal, .sqrt, .floor, .ceil, .round, .exp, .log, .sin, .cos, .erf, .tan, .asin, .acos,
      .atan, .sinh, .cosh, .asinh, .atanh, .relu, .sigmoid, .tanh, .softplus, .softsign, .hardSwish, .mish, .gelu, .elu, .selu,
      .celu, .hardSigmoid, .silu, .quickGelu, .leakyRelu, .thresholdedRelu,
    ].flatMap { op in
      [
        KernelCase(op: op, operands: [.f([3, 11], 0.1...0.9)]),
        KernelCase(op: op, operands: [.typed(.float64, [5, 3], 0.1...0.9)]),
      ]
    } + [
      KernelCase(op: .gelu, operands: [.f([200], -6...6)], attributes: ["approximate": "tanh"]),
      KernelCase(op: .elu, operands: [.f([200], -6...6)], attributes: ["alpha": 0.3]),
      KernelCase(op: .acosh, operands: [.f([20], 1...6)]),
      KernelCase(op: .relu, operands: [.f([100_000])]),
      KernelCase(op: .clip, operands: [.f([50]), .init(shape: [], isConstant: true, elements: [-0.5]), nil]),
      KernelCase(
        op: .clip,
        operands: [
          .f([50]), .init(shape: [], isConstant: true, elements: [0]), .init(shape: [], isConstant: true, elements: [1.5]),
        ]),
    ]

  static let otherCases: [KernelCase] =
    [Operator.equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual].flatMap { op in
      [ElementType.float32, .int32, .int64].map { type in
        KernelCase(op: op, operands: [.typed(type, [3, 40], -3...3), .typed(type, [40], -3...3)])
      }
    }
    + [Operator.and, .or, .xor, .equal].map { op in
      KernelCase(op: op, operands: [.typed(.bool, [4, 5]), .typed(.bool, [5])])
    }
    + [ElementType.float32, .int64, .bool, .int32].map { type in
      KernelCase(op: .where_, operands: [.typed(.bool, [3, 1, 4]), .typed(type, [2, 4]), .typed(type, [])])
    } + [
      KernelCase(op: .not, operands: [.typed(.bool, [33])]), KernelCase(op: .isNaN, operands: [.f([9])]),
    ]
    + [
      (ElementType.float32, ElementType.float64), (.float64, .float32), (.float32, .float16), (.float16, .float32),
      (.float32, .bfloat16), (.bfloat16, .float32), (.int64, .float32), (.int32, .float32), (.uint8, .float32),
      (.int8, .float32), (.bool, .float32), (.float32, .int64), (.float32, .int32), (.int64, .int32), (.int32, .int64),
      (.float32, .bool), (.int64, .bool), (.int32, .bool), (.bool, .int64), (.bool, .int32),
    ].map { from, to in
      KernelCase(
        op: .cast, operands: [.typed(from, [7, 9], from == .uint8 ? 0...200 : -3...3)], attributes: ["to": .elementType(to)])
    }

  @Test("binary", arguments: binaryCases) func binary(_ given: KernelCase) throws { try given.check() }
  @Test("unary", arguments: unaryCases) func unary(_ given: KernelCase) throws { try given.check() }
  @Test("comparison, logic, selection, casts", arguments: otherCases) func others(_ given: KernelCase) throws {
    try given.check()
  }
}
