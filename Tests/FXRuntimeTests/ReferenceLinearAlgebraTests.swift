import FXCore
import FXRuntime
import Testing

/// Expected numbers are worked out by hand or by NumPy.
@Suite struct ReferenceLinearAlgebraTests {
  static let a = ramp([2, 3])
  static let b = f([3, 2], [1, 0, 0, 1, 2, 2])

  static let products: [OperatorCase] = [
    .init("matmul", .matmul, [a, b], [:], [f([2, 2], [4, 5, 13, 14])]),
    .init("matmul of vectors", .matmul, [ramp([3]), ramp([3])], [:], [f([], [5])]),
    .init("a row by matrices", .matmul, [ramp([2]), ramp([2, 2, 2])], [:], [f([2, 2], [2, 3, 6, 7])]),
    .init("matmul of batches", .matmul, [ramp([2, 1, 1, 2]), ramp([2, 2, 1])], [:], [f([2, 2, 1, 1], [1, 3, 3, 13])]),
    .init("matmul of nothing", .matmul, [f([2, 0], []), f([0, 2], [])], [:], [f([2, 2], [0, 0, 0, 0])]),
    .init("matmul of integers", .matmul, [i([1, 2], [1 << 62, 1]), i([2, 1], [2, 3])], [:], [i([1, 1], [.min + 3])]),
    .init("sizes that differ", .matmul, [a, a], [:], nil),
    .init("matmul of a scalar", .matmul, [f([], [1]), ramp([1])], [:], nil),
    .init("gemm", .gemm, [a, b, ramp([2, 1])], ["alpha": 2.0, "beta": 3.0], [f([2, 2], [8, 10, 29, 31])]),
    .init(
      "gemm of transposes", .gemm, [ramp([3, 2]), ramp([2, 3])], ["transA": true, "transB": true], [f([2, 2], [10, 28, 13, 40])]),
    .init("gemm of integers", .gemm, [ints(1, 2).matrix(1, 2), ints(3, 4).matrix(2, 1), i([], [5])], [:], [i([1, 1], [16])]),
    .init("gemm's c is not widened", .gemm, [a, b, ramp([3, 2, 2])], [:], nil),
    .init("linear", .linear, [a, ramp([2, 3]), ramp([2])], [:], [f([2, 2], [5, 15, 14, 51])]),
    .init("linear of a vector", .linear, [ramp([3]), ramp([2, 3])], [:], [f([2], [5, 14])]),
    .init(
      "fused matmul", .fusedMatmul, [a, b, f([2], [-5, 0])], ["activation": "relu"], [f([2, 2], [0, 5, 8, 14])]),
    .init(
      "fused gemm", .fusedGemm, [a, b, nil, f([2, 2], [-10, 0, 0, 0])],
      ["alpha": 2.0, "activation": "leaky_relu", "activation_params": .floats([0.5])], [f([2, 2], [-1, 10, 26, 28])]),
    .init(
      "fused linear", .fusedLinear, [a, ramp([2, 3]), ramp([2]), f([], [1])],
      ["activation": "clip", "activation_params": .floats([0, 20])], [f([2, 2], [6, 16, 15, 20])]),
    .init("parameters that do not fit", .fusedLinear, [a, a], ["activation": "clip", "activation_params": .floats([0])], nil),
    .init("det", .det, [f([2, 2, 2], [2, 1, 1, 3, 0, 1, 1, 0])], [:], [f([2], [5, -1])]),
    .init("det of a singular matrix", .det, [f([2, 2], [1, 2, 2, 4])], [:], [f([], [0])]),
    .init("det of no square", .det, [a], [:], nil),
  ]

  static let sums: [OperatorCase] = [
    einsum("ij,jk->ki", [ramp([2, 2]), ramp([2, 3])], f([3, 2], [3, 9, 4, 14, 5, 19])),
    einsum("ij->ji", [a], f([3, 2], [0, 3, 1, 4, 2, 5])),
    einsum("ij->", [a], f([], [15])),
    einsum("ii->i", [ramp([2, 2])], f([2], [0, 3])),
    einsum("ii", [ramp([2, 2])], f([], [3])),
    einsum("i,i", [ramp([3]), ramp([3])], f([], [5])),
    einsum("i,j->ij", [ramp([2]), ramp([2])], f([2, 2], [0, 0, 0, 1])),
    einsum("...ij,...jk->...ik", [ramp([2, 1, 2]), ramp([1, 2, 1])], f([2, 1, 1], [1, 3])),
    einsum(" b i j , b j k -> b i k ", [ramp([2, 1, 2]), ramp([2, 2, 1])], f([2, 1, 1], [1, 13])),
    einsum("ij,jk", [ramp([2, 2]), ramp([2, 2])], f([2, 2], [2, 3, 6, 11])),
    einsum("ij,kj", [ramp([2]), ramp([2, 2])], nil),
    einsum("i->j", [ramp([2])], nil),
    einsum("i-j", [ramp([2])], nil),
    einsum("i,i", [ramp([2]), ramp([3])], nil),
  ]

  static func einsum(_ equation: String, _ operands: [Tensor], _ expected: Tensor?) -> OperatorCase {
    .init(equation, .einsum, operands, ["equation": .string(equation)], expected.map { [$0] })
  }

  @Test(arguments: products + sums) func gives(_ example: OperatorCase) throws { try example.check(tolerance: 1e-6) }
}

extension Tensor {
  fileprivate func matrix(_ rows: Int, _ columns: Int) -> Tensor { (try? reshaped([rows, columns])) ?? self }
}
