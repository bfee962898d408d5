import FXCore
import Testing

@testable import FXRuntime

@Suite struct LinearAlgebraKernelTests {
  typealias Given = KernelCase.Given

  /// Shapes of a and b: skinny, odd, deep, batched, broadcast, vectors, empty.
  static let shapes: [([Int], [Int])] = [
    ([1, 64], [64, 100]), ([5, 7], [7, 9]), ([33, 1000], [1000, 17]), ([150, 40], [40, 1]), ([2, 3, 4, 5], [2, 3, 5, 6]),
    ([3, 4, 5], [5, 6]), ([2, 1, 4, 5], [3, 5, 6]), ([4, 5], [2, 5, 6]), ([5], [5, 6]), ([4, 5], [5]), ([5], [5]),
    ([2, 4, 5], [5]), ([3, 0], [0, 4]), ([0, 3], [3, 4]), ([8, 30, 32], [8, 32, 30]), ([120, 200], [200, 130]),
  ]

  static let products: [KernelCase] = shapes.flatMap { a, b -> [KernelCase] in
    [Given.f(b), .constant(b)].map { KernelCase(op: .matmul, operands: [.f(a), $0], tolerance: 2e-5) }
  }

  /// By the system's BLAS, where there is one.
  static let doubles: [KernelCase] =
    shapes.map { a, b in
      KernelCase(
        op: .matmul, operands: [.typed(.float64, a, -1...1), .typed(.float64, b, -1...1)], tolerance: 1e-12, mustBeFast: false)
    }
    + [[[6, 5], [5, 9]], [[6, 5], [5, 9], [6, 9]], [[6, 5], [5, 9], [9]], [[6, 5], [5, 9], [6, 1]]].map { shapes in
      KernelCase(
        op: .gemm, operands: shapes.map { .typed(.float64, $0, -1...1) }, attributes: ["alpha": 0.5], tolerance: 1e-12,
        mustBeFast: false)
    }
    + [[[5, 6], [9, 5], [9]], [[5, 1], [9, 5], [9]], [[1, 6], [9, 1], [6, 9]]].map { shapes in
      KernelCase(
        op: .gemm, operands: shapes.map { .typed(.float64, $0, -1...1) }, attributes: ["transA": true, "transB": true],
        tolerance: 1e-12, mustBeFast: false)
    } + [
      KernelCase(
        op: .linear, operands: [[2, 3, 40], [11, 40], [11]].map { .typed(.float64, $0, -1...1) }, tolerance: 1e-12,
        mustBeFast: false)
    ]

  static let fused: [KernelCase] = [
    KernelCase(
      op: .fusedMatmul, operands: [.f([2, 6, 500]), .constant([500, 9]), .f([2, 6, 9])], attributes: ["activation": "relu"]),
    KernelCase(op: .fusedMatmul, operands: [.f([2, 6, 5]), .constant([5, 9]), .f([9])], attributes: ["activation": "gelu"]),
    KernelCase(op: .fusedMatmul, operands: [.f([2, 6, 5]), .f([2, 5, 9]), .f([1, 6, 9])], attributes: ["activation": "tanh"]),
    KernelCase(op: .fusedMatmul, operands: [.f([3, 2, 6, 5]), .constant([5, 9]), .f([2, 1, 9])]),
    KernelCase(op: .fusedMatmul, operands: [.f([5]), .f([5, 9]), .f([9])], attributes: ["activation": "sigmoid"]),
    KernelCase(
      op: .fusedMatmul, operands: [.f([6, 5]), .f([5, 9])],
      attributes: ["activation": "clip", "activation_params": .floats([-1, 1])]),
    KernelCase(op: .linear, operands: [.f([2, 3, 40]), .constant([11, 40]), .constant([11])]),
    KernelCase(op: .linear, operands: [.f([40]), .constant([11, 40])]),
    KernelCase(op: .linear, operands: [.f([7, 40]), .f([11, 40]), .f([11])]),
    KernelCase(
      op: .fusedLinear, operands: [.f([2, 3, 40]), .constant([11, 40]), .constant([11]), .f([2, 3, 11])],
      attributes: ["activation": "silu"]),
    KernelCase(
      op: .fusedLinear, operands: [.f([2, 3, 40]), .constant([11, 40]), nil, .f([11])], attributes: ["activation": "elu"]),
    KernelCase(op: .gemm, operands: [.f([6, 5]), .constant([5, 9])], attributes: ["alpha": 0.5]),
    KernelCase(op: .gemm, operands: [.f([5, 6]), .f([9, 5]), .f([9])], attributes: ["transA": true, "transB": true]),
    KernelCase(op: .gemm, operands: [.f([6, 5]), .constant([9, 5]), .f([6, 9])], attributes: ["transB": true]),
    KernelCase(op: .gemm, operands: [.constant([6, 5]), .f([5, 9]), .f([6, 1])]),
    KernelCase(op: .gemm, operands: [.f([6, 5]), .f([5, 9]), .f([1, 9])], attributes: ["beta": 0.0]),
    KernelCase(
      op: .fusedGemm, operands: [.f([6, 5]), .constant([9, 5]), .constant([9]), .f([6, 9])],
      attributes: ["transB": true, "activation": "hard_swish"]),
  ]

  @Test("products", arguments: products) func matmul(_ given: KernelCase) throws { try given.check() }
  @Test("products of float64", arguments: doubles) func float64(_ given: KernelCase) throws { try given.check() }
  @Test("with biases, residuals and activations", arguments: fused) func epilogues(_ given: KernelCase) throws {
    var given = given
    given.tolerance = 2e-5
    try given.check()
  }
}
