/// Operators that read and write elements by index. Source of semantics: the ONNX operators of the same names.
///
/// Negative indices count from the end.
extension Operator {
  /// `gather`: The slices of data along an axis that the indices name.
  public static let gather = movement(
    "gather", .indexing, "The slices of data along an axis that the indices name.", operands: ["data", "indices: I"],
    types: ["I": .index], attributes: [Gather.axis.specification], onnx: "Gather", torch: "torch.index_select",
    aliases: ["embedding", "take"])
  /// `gather_elements`: For each index the element of data at its place but for the axis, where the index says.
  public static let gatherElements = movement(
    "gather_elements", .indexing, "For each index the element of data at its place but for the axis, where the index says.",
    operands: ["data", "indices: I"], types: ["I": .index], attributes: [GatherElements.axis.specification],
    onnx: "GatherElements", torch: "torch.gather")
  /// `gather_nd`: For each row of indices the part of data at these leading coordinates.
  public static let gatherND = movement(
    "gather_nd", .indexing, "For each row of indices the part of data at these leading coordinates.",
    operands: ["data", "indices: I"], types: ["I": .int64], attributes: [GatherND.batchDims.specification], onnx: "GatherND",
    torch: "torch.Tensor.__getitem__")
  /// `scatter_elements`: data with updates written at their places but for the axis, where the index says.
  public static let scatterElements = movement(
    "scatter_elements", .indexing, "data with updates written at their places but for the axis, where the index says.",
    operands: ["data", "indices: I", "updates"], types: ["I": .index],
    attributes: [ScatterElements.axis.specification, ScatterElements.reduction.specification], onnx: "ScatterElements",
    torch: "torch.scatter", aliases: ["scatter"])
  /// `scatter_nd`: data with parts written at the leading coordinates that rows of indices name.
  public static let scatterND = movement(
    "scatter_nd", .indexing, "data with parts written at the leading coordinates that rows of indices name.",
    operands: ["data", "indices: I", "updates"], types: ["I": .int64], attributes: [ScatterND.reduction.specification],
    onnx: "ScatterND", torch: "torch.Tensor.index_put")
  /// `tensor_scatter`: A cache with an update written along an axis from each batch's index on.
  public static let tensorScatter = movement(
    "tensor_scatter", .indexing, "A cache with an update written along an axis from each batch's index on.",
    operands: ["past_cache", "update", "write_indices?: I"], results: ["present_cache"], types: ["I": .int64],
    attributes: [TensorScatter.axis.specification, TensorScatter.mode.specification], traits: .composite,
    onnx: "TensorScatter", torch: nil)
  /// `nonzero`: The coordinates of the elements that are not zero, a column each: i64[rank, count].
  public static let nonzero = movement(
    "nonzero", .indexing, "The coordinates of the elements that are not zero, a column each: i64[rank, count].",
    operands: ["x"], results: ["y: I"], types: ["I": .int64], onnx: "NonZero")
  /// `compress`: The slices along an axis, or the elements of the flat tensor, where the condition holds.
  public static let compress = movement(
    "compress", .indexing, "The slices along an axis, or the elements of the flat tensor, where the condition holds.",
    operands: ["x", "condition: B"], types: ["B": .bool], attributes: [Compress.axis.specification], traits: .composite,
    onnx: "Compress", torch: "torch.masked_select")
  /// `one_hot`: A new axis of size depth, `values[1]` where its coordinate is the index and `values[0]` elsewhere.
  public static let oneHot = Operator(
    "one_hot", .indexing, "A new axis of size depth, `values[1]` where its coordinate is the index and `values[0]` elsewhere.",
    operands: ["indices: I", "depth: D", "values"], types: ["I": .numeric, "D": .numeric],
    attributes: [OneHot.axis.specification], traits: .composite, onnx: "OneHot", torch: "torch.nn.functional.one_hot")
  /// `topk`: The k largest or smallest elements along an axis and their indices; equal ones by index.
  public static let topK = Operator(
    "topk", .indexing, "The k largest or smallest elements along an axis and their indices; equal ones by index.",
    operands: ["x", "k: I"], results: ["values", "indices: I"], types: ["T": .numeric, "I": .int64],
    attributes: [TopK.axis.specification, TopK.largest.specification, TopK.sorted.specification], traits: .core,
    aliases: ["top_k"], onnx: "TopK", torch: "torch.topk")
  /// `unique`: The distinct elements, or slices along an axis; where each first is, which each is, and how many.
  public static let unique = movement(
    "unique", .indexing, "The distinct elements, or slices along an axis; where each first is, which each is, and how many.",
    operands: ["x"], results: ["y", "indices?: I", "inverse_indices?: I", "counts?: I"], types: ["I": .int64],
    attributes: [Unique.axis.specification, Unique.sorted.specification], traits: [], onnx: "Unique")
  /// `trilu`: Matrices with the elements below (or above) diagonal k set to zero.
  public static let trilu = movement(
    "trilu", .indexing, "Matrices with the elements below (or above) diagonal k set to zero.", operands: ["x", "k?: I"],
    types: ["I": .int64], attributes: [Trilu.upper.specification], traits: .composite, onnx: "Trilu", torch: "torch.triu")
  /// `range`: start, start + delta, … up to limit (exclusive).
  public static let range = Operator(
    "range", .indexing, "start, start + delta, … up to limit (exclusive).", operands: ["start", "limit", "delta"],
    types: ["T": [.floating, .init(.int64, .int32, .int16)]], attributes: [RangeOperator.stashType.specification],
    traits: .core, aliases: ["arange"], onnx: "Range", torch: "torch.arange")
  /// `constant_of_shape`: A tensor of the given shape with one value everywhere.
  public static let constantOfShape = Operator(
    "constant_of_shape", .indexing, "A tensor of the given shape with one value everywhere.", operands: ["shape: S"],
    types: ["S": .int64], attributes: [ConstantOfShape.value.specification], traits: .core, aliases: ["full"],
    onnx: "ConstantOfShape", torch: "torch.full")
  /// `eye_like`: A matrix of x's shape, 1 on diagonal k and 0 elsewhere.
  public static let eyeLike = Operator(
    "eye_like", .indexing, "A matrix of x's shape, 1 on diagonal k and 0 elsewhere.", operands: ["x"], results: ["y: U"],
    attributes: [EyeLike.dtype.specification, EyeLike.k.specification], traits: .composite, onnx: "EyeLike",
    torch: "torch.eye")

  package static let indexing: [Operator] = [
    .gather, .gatherElements, .gatherND, .scatterElements, .scatterND, .tensorScatter, .nonzero, .compress, .oneHot, .topK,
    .unique, .trilu, .range, .constantOfShape, .eyeLike,
  ]
}

/// The attributes of `gather`.
public enum Gather {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
}

/// The attributes of `gather_elements`.
public enum GatherElements {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
}

/// The attributes of `gather_nd`.
public enum GatherND {
  /// The number of leading axes that data and indices share.
  public static let batchDims = AttributeKey<Int>("batch_dims", default: 0)
}

/// The attributes of `scatter_elements`.
public enum ScatterElements {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
  /// How an update joins what is there; `none` replaces it.
  public static let reduction = ScatterND.reduction
}

/// The attributes of `scatter_nd`.
public enum ScatterND {
  /// How an update joins what is there; `none` replaces it.
  public static let reduction = AttributeKey<String>(
    "reduction", default: "none", allowed: ["none", "add", "mul", "min", "max"])
}

/// The attributes of `tensor_scatter`.
public enum TensorScatter {
  /// The sequence axis.
  public static let axis = AttributeKey<Int>("axis", default: -2)
  /// Whether writing goes on at the start after the end (`circular`).
  public static let mode = AttributeKey<String>("mode", default: "linear", allowed: ["linear", "circular"])
}

/// The attributes of `compress`.
public enum Compress {
  /// Absent for the flat tensor.
  public static let axis = AttributeKey<Int?>("axis")
}

/// The attributes of `one_hot`.
public enum OneHot {
  /// Where the new axis stands in the result.
  public static let axis = AttributeKey<Int>("axis", default: -1)
}

/// The attributes of `topk`.
public enum TopK {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: -1)
  /// ONNX's `largest`.
  public static let largest = AttributeKey<Bool>("largest", default: true)
  /// Whether the elements must come in order; they always do.
  public static let sorted = AttributeKey<Bool>("sorted", default: true)
}

/// The attributes of `unique`.
public enum Unique {
  /// Absent for the flat tensor.
  public static let axis = AttributeKey<Int?>("axis")
  /// Whether results are in ascending order rather than that of first occurrence.
  public static let sorted = AttributeKey<Bool>("sorted", default: true)
}

/// The attributes of `trilu`.
public enum Trilu {
  /// Whether the elements from diagonal k upwards stay, rather than those down from it.
  public static let upper = AttributeKey<Bool>("upper", default: true)
}

/// The attributes of `range`.
public enum RangeOperator {
  /// The type in which half-precision ranges are computed at least.
  public static let stashType = AttributeKey<ElementType>("stash_type", default: .float32)
}

/// The attributes of `constant_of_shape`.
public enum ConstantOfShape {
  /// One element; a `float32` zero if absent.
  public static let value = AttributeKey<Tensor?>("value")
}

/// The attributes of `eye_like`.
public enum EyeLike {
  /// The result's element type; the operand's if absent.
  public static let dtype = AttributeKey<ElementType?>("dtype")
  /// The diagonal, counted upwards from the main one.
  public static let k = AttributeKey<Int>("k", default: 0)
}
