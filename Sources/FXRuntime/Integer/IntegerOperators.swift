import FXCore
import FXShapes

/// What lowering makes of quantized graphs: operators on bytes, which exist in compiled graphs alone.
///
/// Their images are [batch, height, width, channels], so that convolutions read and write channels in vectors and chains
/// of them move nothing.
extension Operator {
  /// Σ (a − a's zero)(b − b's zero) + bias, times both scales, quantized. Without `y_scale` the numbers, without any scale
  /// the sums. A bias of integers is in units of both scales, one of numbers in units of 1.
  static let integerProduct = Operator(
    "integer_product", domain: "cpu", .quantization, "The product of two matrices of bytes, scaled and quantized.",
    operands: integerOperands, results: ["y: R"],
    attributes: integerAttributes + [IntegerOutput.transB.specification])
  /// The same for a convolution of images with their channels last; weights are [kernels, channels, height, width].
  static let integerConv = Operator(
    "integer_conv", domain: "cpu", .quantization, "The convolution of images of bytes, scaled and quantized.",
    operands: integerOperands, results: ["y: R"], attributes: integerAttributes + windowAttributes)
  /// `table[x]`, what any function of one quantized number comes to.
  static let integerLookup = Operator(
    "integer_lookup", domain: "cpu", .quantization, "Each byte's entry of a table.", operands: ["x: X", "table: R"],
    results: ["y: R"])
  static let integerAdd = integerBinary("integer_add", "The sum of two quantized tensors, quantized.")
  static let integerMul = integerBinary("integer_mul", "The product of two quantized tensors, quantized.")
  static let integerMaxPool = Operator(
    "integer_max_pool", domain: "cpu", .quantization, "The largest bytes of windows of images with their channels last.",
    operands: ["x"], attributes: windowAttributes + [MaxPool.kernelShape.specification])
  /// The mean of windows; of the whole image without `kernel_shape`.
  static let integerAveragePool = Operator(
    "integer_average_pool", domain: "cpu", .quantization, "The means of windows of quantized images, quantized.",
    operands: ["x", "x_scale: S", "x_zero?", "y_scale: S", "y_zero?: R"], results: ["y: R"],
    attributes: integerAttributes + windowAttributes + [
      Conv.kernelShape.specification, AveragePool.countIncludePad.specification,
    ])

  static let integers: [Operator] = [
    .integerProduct, .integerConv, .integerLookup, .integerAdd, .integerMul, .integerMaxPool, .integerAveragePool,
  ]

  private static func integerBinary(_ name: String, _ summary: String) -> Operator {
    Operator(
      name, domain: "cpu", .quantization, summary,
      operands: ["a: A", "a_scale: S", "a_zero?: A", "b: B", "b_scale: S", "b_zero?: B", "y_scale: S", "y_zero?: R"],
      results: ["y: R"], attributes: integerAttributes)
  }

  private static let integerOperands: [OperandSpecification] = [
    "a: A", "b: B", "a_scale?: S", "a_zero?: A", "b_scale?: S", "b_zero?: B", "bias?: C", "y_scale?: S", "y_zero?: Y",
  ]
  private static let integerAttributes = [
    IntegerOutput.type.specification, IntegerOutput.low.specification, IntegerOutput.high.specification,
  ]
  private static let windowAttributes = [
    Conv.group.specification, Conv.strides.specification, Conv.dilations.specification, Conv.pads.specification,
    Conv.autoPad.specification,
  ]
}

/// What operators on bytes make.
enum IntegerOutput {
  static let type = AttributeKey<ElementType>("to", default: .uint8)
  /// The least and the largest byte of a quantized result: an activation that cuts off.
  static let low = AttributeKey<Int>("low", default: -128)
  static let high = AttributeKey<Int>("high", default: 255)
  static let transB = AttributeKey<Bool>("transB", default: false)
}

extension ShapeRules {
  /// The rules of the operators that lowering makes.
  mutating func addIntegers() {
    self[.integerProduct] = { (context) throws(ShapeError) in
      let a = try context.shape(0)
      var b = try context.shape(1)
      if context[IntegerOutput.transB], let shape = b, shape.rank == 2 { b = [shape[1], shape[0]] }
      guard let a, let b else { return [.tensor(context[IntegerOutput.type], nil)] }
      guard a.rank >= 2, b.rank >= 2 else { throw .rank(operand: 0, expected: "at least 2", actual: min(a.rank, b.rank)) }
      let batch = b.rank == 2 ? Array(a.dropLast(2)) : Array((a.rank >= b.rank ? a : b).dropLast(2))
      return [.tensor(context[IntegerOutput.type], Shape(batch + [a[a.rank - 2], b[b.rank - 1]]))]
    }
    self[.integerConv] = { (context) throws(ShapeError) in
      guard let x = try context.shape(0, rank: 4), let w = try context.shape(1, rank: 4) else {
        return [.tensor(context[IntegerOutput.type], nil)]
      }
      let size = ShapeRules.windowSizes(context, [x[1], x[2]], kernel: [w[2].size ?? 1, w[3].size ?? 1])
      return [.tensor(context[IntegerOutput.type], Shape([x[0]] + size + [w[0]]))]
    }
    self[.integerLookup] = { (context) throws(ShapeError) in
      [.tensor(try context.elementType(1) ?? .uint8, try context.shape(0))]
    }
    for (op, second) in [(Operator.integerAdd, 3), (.integerMul, 3)] {
      self[op] = { (context) throws(ShapeError) in
        guard let a = try context.shape(0), let b = try context.shape(second) else {
          return [.tensor(context[IntegerOutput.type], nil)]
        }
        return [.tensor(context[IntegerOutput.type], try Broadcasting.shape(a, b))]
      }
    }
    self[.integerMaxPool] = { (context) throws(ShapeError) in
      guard let x = try context.shape(0, rank: 4), let type = try context.elementType(0) else { return [.unknown] }
      let size = ShapeRules.windowSizes(context, [x[1], x[2]], kernel: context[MaxPool.kernelShape])
      return [.tensor(type, Shape([x[0]] + size + [x[3]]))]
    }
    self[.integerAveragePool] = { (context) throws(ShapeError) in
      guard let x = try context.shape(0, rank: 4) else { return [.tensor(context[IntegerOutput.type], nil)] }
      var size: [Dimension] = [1, 1]
      if let kernel = context[Conv.kernelShape] {
        size = ShapeRules.windowSizes(context, [x[1], x[2]], kernel: kernel)
      }
      return [.tensor(context[IntegerOutput.type], Shape([x[0]] + size + [x[3]]))]
    }
  }

  /// The sizes of a convolution's or pooling's result; lowering leaves windows that round up to others.
  private static func windowSizes(_ context: InferenceContext, _ input: [Dimension], kernel: [Int]) -> [Dimension] {
    let (strides, dilations) = (context[Conv.strides] ?? [1, 1], context[Conv.dilations] ?? [1, 1])
    let pads = context[Conv.pads] ?? [0, 0, 0, 0]
    guard kernel.count == 2, strides.count == 2, dilations.count == 2, pads.count == 4 else { return [.unknown, .unknown] }
    return (0..<2).map { axis in
      let stride = strides[axis], reach = (kernel[axis] - 1) * dilations[axis] + 1
      switch context[Conv.autoPad] {
      case "NOTSET", "VALID":
        let padding = context[Conv.autoPad] == "VALID" ? 0 : pads[axis] + pads[axis + 2]
        return (input[axis] + Dimension(padding - reach)) / Dimension(stride) + 1
      default: return (input[axis] + Dimension(stride - 1)) / Dimension(stride)
      }
    }
  }
}
