/// Products of matrices as ONNX Runtime's domain `com.microsoft` has them.
extension Operator {
  /// `scaled_matmul`: α a′ × b′ with operands transposed on request, leading dimensions broadcast.
  public static let scaledMatmul = Operator(
    "scaled_matmul", .linearAlgebra, "α a′ × b′ with operands transposed on request, leading dimensions broadcast.",
    operands: ["a", "b"], types: ["T": .floating],
    attributes: [
      Gemm.alpha.specification, Gemm.transA.specification, Gemm.transB.specification,
      ScaledMatmul.transBatchA.specification, ScaledMatmul.transBatchB.specification,
    ], traits: .composite, onnx: "com.microsoft::FusedMatMul")

  /// x [..., k] by n columns of weights, each in ⌈k/block⌉ blocks of integers of 2, 4 or 8 bits, first in the lowest bits:
  /// u8[n, blocks, block × bits ÷ 8]. A weight is (q − zero point) × scale of its block; scales are [n, blocks]. Zero points
  /// are integers packed row by row as the weights are, or numbers, and 2^(bits − 1) if left out.
  public static let matmulNBits = Operator(
    "matmul_nbits", .linearAlgebra, "x times weights that are integers of few bits, scaled block by block, plus bias.",
    operands: ["x", "weight: W", "scales", "zero_points?: Z", "group_indices?: G", "bias?"],
    types: ["T": .floating, "W": .init(.uint8), "Z": [.init(.uint8), .floating], "G": .init(.int32)],
    attributes: [
      MatmulNBits.k.specification, MatmulNBits.n.specification, MatmulNBits.bits.specification,
      MatmulNBits.blockSize.specification,
    ], traits: .composite, onnx: "com.microsoft::MatMulNBits")

  package static let contribLinearAlgebra: [Operator] = [.scaledMatmul, .matmulNBits]
}

/// The attributes of `scaled_matmul`.
public enum ScaledMatmul {
  /// Whether the first axis of a comes after its other leading axes: [m, batch..., k] for [batch..., m, k].
  public static let transBatchA = AttributeKey<Bool>("transBatchA", default: false)
  /// ONNX's `transBatchB`.
  public static let transBatchB = AttributeKey<Bool>("transBatchB", default: false)
}

/// The attributes of `matmul_nbits`.
public enum MatmulNBits {
  /// ONNX's `K`.
  public static let k = AttributeKey<Int>("K")
  /// ONNX's `N`.
  public static let n = AttributeKey<Int>("N")
  /// ONNX's `bits`.
  public static let bits = AttributeKey<Int>("bits", default: 4)
  /// How many elements share a scale, or the side of a block.
  public static let blockSize = AttributeKey<Int>("block_size")
}
