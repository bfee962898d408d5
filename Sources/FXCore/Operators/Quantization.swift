/// Affine quantization: `x ≈ (q − zero point) × scale`. Source of semantics: the ONNX operators of the same names.
///
/// A scale and its zero point are scalars (per tensor), vectors along an axis (per channel), or of the tensor's shape with
/// one axis divided into blocks.
extension Operator {
  /// `quantize_linear`: x ÷ scale rounded to nearest even, plus the zero point, saturating.
  public static let quantizeLinear = Operator(
    "quantize_linear", .quantization, "x ÷ scale rounded to nearest even, plus the zero point, saturating.",
    operands: ["x", "scale: S", "zero_point?: Q"], results: ["y: Q"],
    types: [
      "T": .init(.float32, .float16, .bfloat16, .int32),
      "S": .init(.float32, .float16, .bfloat16, .int32, .float8e8m0), "Q": .quantized,
    ],
    attributes: [
      Quantize.axis.specification, Quantize.blockSize.specification, Quantize.outputType.specification,
      Quantize.precision.specification, Quantize.saturate.specification,
    ], traits: .core, onnx: "QuantizeLinear", torch: "torch.ops.quantized_decomposed.quantize_per_tensor")
  /// `dequantize_linear`: (x − zero point) × scale.
  public static let dequantizeLinear = Operator(
    "dequantize_linear", .quantization, "(x − zero point) × scale", operands: ["x", "scale: S", "zero_point?"],
    results: ["y: R"],
    types: [
      "T": [.quantized, .init(.int32)], "S": .init(.float32, .float16, .bfloat16, .float8e8m0),
      "R": .init(.float32, .float16, .bfloat16),
    ],
    attributes: [
      Quantize.axis.specification, Quantize.blockSize.specification, Quantize.outputType.specification,
    ], traits: .core, onnx: "DequantizeLinear", torch: "torch.ops.quantized_decomposed.dequantize_per_tensor")
  /// `dynamic_quantize_linear`: x in 8 bits over its own range, widened to hold 0; its scale and zero point.
  public static let dynamicQuantizeLinear = Operator(
    "dynamic_quantize_linear", .quantization, "x in 8 bits over its own range, widened to hold 0; its scale and zero point.",
    operands: ["x"], results: ["y: Q", "scale", "zero_point: Q"],
    types: ["T": .init(.float32), "Q": .init(.uint8)], traits: .composite, onnx: "DynamicQuantizeLinear")
  /// `matmul_integer`: The matrix product (a − a's zero point) × (b − b's zero point) in 32 bits.
  public static let matmulInteger = Operator(
    "matmul_integer", .quantization, "The matrix product (a − a's zero point) × (b − b's zero point) in 32 bits.",
    operands: ["a: A", "b: B", "a_zero_point?: A", "b_zero_point?: B"], results: ["y: R"],
    types: ["A": .bytes, "B": .bytes, "R": .init(.int32)], traits: .core, onnx: "MatMulInteger", torch: "torch._int_mm")
  /// `qlinear_matmul`: The matrix product of two quantized tensors, quantized.
  public static let qlinearMatmul = Operator(
    "qlinear_matmul", .quantization, "The matrix product of two quantized tensors, quantized.",
    operands: [
      "a: A", "a_scale: S", "a_zero_point: A", "b: B", "b_scale: S", "b_zero_point: B", "y_scale: S", "y_zero_point: Y",
    ], results: ["y: Y"],
    types: [
      "A": .quantizedProduct, "B": .quantizedProduct, "Y": .quantizedProduct, "S": .init(.float32, .float16, .bfloat16),
    ], traits: .composite, onnx: "QLinearMatMul")

  /// `conv_integer`: The convolution of x − x's zero point by w − w's zero point in 32 bits.
  public static let convInteger = Operator(
    "conv_integer", .quantization, "The convolution of x − x's zero point by w − w's zero point in 32 bits.",
    operands: ["x: A", "w: B", "x_zero_point?: A", "w_zero_point?: B"], results: ["y: R"],
    types: ["A": .bytes, "B": .bytes, "R": .init(.int32)], attributes: convolutionAttributes, traits: .core, onnx: "ConvInteger")
  /// The bias is in 32 bits, of the scale x's × w's and the zero point 0.
  public static let qlinearConv = Operator(
    "qlinear_conv", .quantization, "The convolution of two quantized tensors, quantized.",
    operands: [
      "x: A", "x_scale: S", "x_zero_point: A", "w: B", "w_scale: S", "w_zero_point: B", "y_scale: S", "y_zero_point: Y",
      "b?: I",
    ], results: ["y: Y"],
    types: ["A": .bytes, "B": .bytes, "Y": .bytes, "S": .init(.float32), "I": .init(.int32)], attributes: convolutionAttributes,
    traits: .composite, onnx: "QLinearConv")

  package static let quantizations: [Operator] = [
    .quantizeLinear, .dequantizeLinear, .dynamicQuantizeLinear, .matmulInteger, .qlinearMatmul, .convInteger, .qlinearConv,
  ]
}

/// Of `quantize_linear` and `dequantize_linear`.
public enum Quantize {
  /// The axis of scales that are not scalars.
  public static let axis = AttributeKey<Int>("axis", default: 1)
  /// How many elements along the axis share a scale where it has as many axes as the tensor; 0 if it has not.
  public static let blockSize = AttributeKey<Int>("block_size", default: 0)
  /// The result's element type; left out, the zero point's (`uint8` without one), or the scale's when dequantizing.
  public static let outputType = AttributeKey<ElementType?>("output_dtype")
  /// What the division is computed in; the scale's type if left out.
  public static let precision = AttributeKey<ElementType?>("precision")
  /// Whether the 8-bit floating-point types take their largest value beyond it.
  public static let saturate = AttributeKey<Bool>("saturate", default: true)
}

extension ElementTypes {
  /// `i8` and `u8`: what integer products take.
  public static let bytes = ElementTypes(.int8, .uint8)
  /// What tensors are quantized to.
  public static let quantized = ElementTypes(
    .int8, .uint8, .int16, .uint16, .int4, .uint4, .int2, .uint2, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2,
    .float8e5m2fnuz, .float4e2m1)
  static let quantizedProduct = ElementTypes(
    .int8, .uint8, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz)
}
