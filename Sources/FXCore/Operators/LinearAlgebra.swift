/// Products of matrices. Source of semantics: the ONNX operators of the same names; `linear` is PyTorch's.
extension Operator {
  /// Vectors as in NumPy: a first operand `[k]` is a row, a second a column, and the added dimension goes again.
  public static let matmul = Operator(
    "matmul", .linearAlgebra, "The product a × b of matrices [..., m, k] and [..., k, n], leading dimensions broadcast.",
    operands: ["a", "b"], types: ["T": .wideNumeric], traits: .core, onnx: "MatMul", torch: "torch.matmul")
  /// `gemm`: α a′ × b′ + β c, with a′ [m, k] and b′ [k, n] transposed on request; c broadcasts to [m, n].
  public static let gemm = Operator(
    "gemm", .linearAlgebra, "α a′ × b′ + β c, with a′ [m, k] and b′ [k, n] transposed on request; c broadcasts to [m, n].",
    operands: ["a", "b", "c?"], types: ["T": .wideNumeric], attributes: Gemm.specifications, traits: .core,
    onnx: "Gemm", torch: "torch.addmm")
  /// `linear`: x × weightᵀ + bias, with x [..., in], weight [out, in] and bias [out].
  public static let linear = Operator(
    "linear", .linearAlgebra, "x × weightᵀ + bias, with x [..., in], weight [out, in] and bias [out].",
    operands: ["x", "weight", "bias?"], types: ["T": .wideNumeric], traits: .composite,
    torch: "torch.nn.functional.linear")
  /// `einsum`: Einstein's summation over the subscripts that the equation leaves out of its result.
  public static let einsum = Operator(
    "einsum", .linearAlgebra, "Einstein's summation over the subscripts that the equation leaves out of its result.",
    operands: ["inputs..."], types: ["T": .numeric], attributes: [Einsum.equation.specification], traits: .composite,
    onnx: "Einsum", torch: "torch.einsum")
  /// `det`: The determinants of square matrices [..., n, n].
  public static let det = Operator(
    "det", .linearAlgebra, "The determinants of square matrices [..., n, n].", operands: ["x"], types: ["T": .floating],
    onnx: "Det", torch: "torch.linalg.det")

  /// `fused_matmul`: activation(a × b + residual)
  public static let fusedMatmul = Operator(
    "fused_matmul", .linearAlgebra, "activation(a × b + residual)", operands: ["a", "b", "residual?"],
    types: ["T": .floating], attributes: FusedActivation.specifications, traits: .composite)
  /// `fused_gemm`: activation(α a′ × b′ + β c + residual)
  public static let fusedGemm = Operator(
    "fused_gemm", .linearAlgebra, "activation(α a′ × b′ + β c + residual)", operands: ["a", "b", "c?", "residual?"],
    types: ["T": .floating], attributes: Gemm.specifications + FusedActivation.specifications, traits: .composite)
  /// `fused_linear`: activation(x × weightᵀ + bias + residual)
  public static let fusedLinear = Operator(
    "fused_linear", .linearAlgebra, "activation(x × weightᵀ + bias + residual)",
    operands: ["x", "weight", "bias?", "residual?"], types: ["T": .floating],
    attributes: FusedActivation.specifications, traits: .composite)

  package static let linearAlgebra: [Operator] = [
    .matmul, .gemm, .linear, .einsum, .det, .fusedMatmul, .fusedGemm, .fusedLinear,
  ]
}

/// The attributes of `gemm`.
public enum Gemm {
  /// ONNX's `alpha`.
  public static let alpha = AttributeKey<Float>("alpha", default: 1)
  /// ONNX's `beta`.
  public static let beta = AttributeKey<Float>("beta", default: 1)
  /// Whether a is [k, m] rather than [m, k].
  public static let transA = AttributeKey<Bool>("transA", default: false)
  /// Whether b is [n, k] rather than [k, n].
  public static let transB = AttributeKey<Bool>("transB", default: false)
  static let specifications = [alpha.specification, beta.specification, transA.specification, transB.specification]
}

/// The attributes of `einsum`.
public enum Einsum {
  /// ONNX's `equation`.
  public static let equation = AttributeKey<String>("equation")
}
