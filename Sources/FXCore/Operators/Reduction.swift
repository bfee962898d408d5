/// Sums and their kin over axes. Source of semantics: the ONNX operators of the same names.
///
/// The axes are an operand; where it is left out or empty, all axes are meant, or none if `noop_with_empty_axes` is set.
extension Operator {
  private static func reduce(
    _ name: String, _ summary: String, _ types: ElementTypes = .wideNumeric, traits: OperatorTraits = .composite,
    aliases: [String] = [], onnx: String, torch: String? = nil
  ) -> Operator {
    Operator(
      "reduce_\(name)", .reduction, summary, operands: ["x", "axes?: I"], types: ["T": types, "I": .int64],
      attributes: [Reduce.keepDims.specification, Reduce.noopWithEmptyAxes.specification], traits: traits,
      aliases: aliases, onnx: onnx, torch: torch)
  }

  private static func arg(_ name: String, _ summary: String, onnx: String) -> Operator {
    Operator(
      name, .reduction, summary, operands: ["x"], results: ["y: I"], types: ["T": .numeric, "I": .int64],
      attributes: [
        ArgReduce.axis.specification, ArgReduce.keepDims.specification, ArgReduce.selectLastIndex.specification,
      ], traits: .core,
      onnx: onnx, torch: "torch.\(name)")
  }

  private static func cumulative(_ name: String, _ summary: String, onnx: String) -> Operator {
    Operator(
      name, .reduction, summary, operands: ["x", "axis: I"], types: ["T": .wideNumeric, "I": .index],
      attributes: [Cumulative.exclusive.specification, Cumulative.reverse.specification], traits: .core, onnx: onnx,
      torch: "torch.\(name)")
  }

  /// `sum`: Σ x.
  public static let reduceSum = reduce("sum", "Σ x", traits: .core, onnx: "ReduceSum", torch: "torch.sum")
  /// Integers divide toward zero.
  public static let reduceMean = reduce("mean", "Σ x ÷ n", traits: .core, onnx: "ReduceMean", torch: "torch.mean")
  /// The type's least value for no elements.
  public static let reduceMax = reduce(
    "max", "The largest x, NaN if there is one.", .ordered, traits: .core, onnx: "ReduceMax", torch: "torch.amax")
  /// The type's largest value for no elements.
  public static let reduceMin = reduce(
    "min", "The smallest x, NaN if there is one.", .ordered, traits: .core, onnx: "ReduceMin", torch: "torch.amin")
  /// `prod`: Π x.
  public static let reduceProd = reduce("prod", "Π x", traits: .core, onnx: "ReduceProd", torch: "torch.prod")
  /// `l1`: Σ |x|.
  public static let reduceL1 = reduce("l1", "Σ |x|", onnx: "ReduceL1")
  /// `l2`: √Σ x².
  public static let reduceL2 = reduce("l2", "√Σ x²", onnx: "ReduceL2")
  /// `log_sum`: ln Σ x.
  public static let reduceLogSum = reduce("log_sum", "ln Σ x", onnx: "ReduceLogSum")
  /// `log_sum_exp`: ln Σ eˣ.
  public static let reduceLogSumExp = reduce(
    "log_sum_exp", "ln Σ eˣ", .floating, onnx: "ReduceLogSumExp", torch: "torch.logsumexp")
  /// `sum_square`: Σ x².
  public static let reduceSumSquare = reduce("sum_square", "Σ x²", onnx: "ReduceSumSquare")

  /// `argmax`: Where along an axis x is largest.
  public static let argmax = arg("argmax", "Where along an axis x is largest.", onnx: "ArgMax")
  /// `argmin`: Where along an axis x is smallest.
  public static let argmin = arg("argmin", "Where along an axis x is smallest.", onnx: "ArgMin")
  /// `cumsum`: The sums of all elements up to each one along an axis.
  public static let cumsum = cumulative("cumsum", "The sums of all elements up to each one along an axis.", onnx: "CumSum")
  /// `cumprod`: The products of all elements up to each one along an axis.
  public static let cumprod = cumulative(
    "cumprod", "The products of all elements up to each one along an axis.", onnx: "CumProd")

  package static let axisReductions: [Operator] = [
    .reduceSum, .reduceMean, .reduceMax, .reduceMin, .reduceProd, .reduceL1, .reduceL2, .reduceLogSum, .reduceLogSumExp,
    .reduceSumSquare,
  ]
  package static let reductions: [Operator] = axisReductions + [.argmax, .argmin, .cumsum, .cumprod]
}

/// Of all `reduce_…` operators.
public enum Reduce {
  /// Whether reduced axes stay with size 1.
  public static let keepDims = AttributeKey<Bool>("keepdims", default: true)
  /// ONNX's `noop_with_empty_axes`.
  public static let noopWithEmptyAxes = AttributeKey<Bool>("noop_with_empty_axes", default: false)
}

/// Of `argmax` and `argmin`.
public enum ArgReduce {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
  /// Whether reduced axes stay, with size 1.
  public static let keepDims = AttributeKey<Bool>("keepdims", default: true)
  /// Whether the last of equal elements counts rather than the first.
  public static let selectLastIndex = AttributeKey<Bool>("select_last_index", default: false)
}

/// Of `cumsum` and `cumprod`.
public enum Cumulative {
  /// Whether the element itself is left out.
  public static let exclusive = AttributeKey<Bool>("exclusive", default: false)
  /// Whether to go from the axis' end to its start.
  public static let reverse = AttributeKey<Bool>("reverse", default: false)
}

extension ElementTypes {
  /// What `reduce_max` and `reduce_min` take.
  public static let ordered: ElementTypes = [.wideNumeric, .init(.int8, .uint8, .bool)]
}
