/// Sequences of tensors, and values that may be absent. Source of semantics: the ONNX operators of the same names.
///
/// Positions count from the end where they are negative.
extension Operator {
  private static func sequence(
    _ name: String, _ summary: String, operands: [OperandSpecification], results: [OperandSpecification] = ["y: S"],
    types: [String: ElementTypes] = [:], attributes: [AttributeSpecification] = [], regions: [String] = [], onnx: String
  ) -> Operator {
    Operator(
      name, .sequence, summary, operands: operands, results: results, types: types, attributes: attributes,
      regions: regions, traits: .dataMovement, onnx: onnx)
  }

  /// `sequence_construct`: A sequence of tensors.
  public static let sequenceConstruct = sequence(
    "sequence_construct", "A sequence of tensors.", operands: ["inputs..."], types: ["T": .any], onnx: "SequenceConstruct")
  /// `sequence_empty`: A sequence without elements.
  public static let sequenceEmpty = sequence(
    "sequence_empty", "A sequence without elements.", operands: [], attributes: [SequenceEmpty.dtype.specification],
    onnx: "SequenceEmpty")
  /// `sequence_insert`: A sequence with a tensor inserted before a position, or at the end.
  public static let sequenceInsert = sequence(
    "sequence_insert", "A sequence with a tensor inserted before a position, or at the end.",
    operands: ["sequence: S", "tensor", "position?: I"], types: ["I": .index], onnx: "SequenceInsert")
  /// `sequence_erase`: A sequence without the tensor at a position, or at the end.
  public static let sequenceErase = sequence(
    "sequence_erase", "A sequence without the tensor at a position, or at the end.",
    operands: ["sequence: S", "position?: I"], types: ["I": .index], onnx: "SequenceErase")
  /// `sequence_at`: The tensor at a position.
  public static let sequenceAt = sequence(
    "sequence_at", "The tensor at a position.", operands: ["sequence: S", "position: I"], results: ["y"],
    types: ["I": .index], onnx: "SequenceAt")
  /// `sequence_length`: The number of elements.
  public static let sequenceLength = sequence(
    "sequence_length", "The number of elements.", operands: ["sequence: S"], results: ["y: I"], types: ["I": .int64],
    onnx: "SequenceLength")
  /// `split_to_sequence`: A tensor cut along an axis: into slices, parts of a size, or parts of the sizes given.
  public static let splitToSequence = sequence(
    "split_to_sequence", "A tensor cut along an axis: into slices, parts of a size, or parts of the sizes given.",
    operands: ["x", "split?: I"], types: ["I": .index],
    attributes: [SplitToSequence.axis.specification, SplitToSequence.keepDims.specification], onnx: "SplitToSequence")
  /// `concat_from_sequence`: The tensors of a sequence one after another along an axis, or stacked along a new one.
  public static let concatFromSequence = sequence(
    "concat_from_sequence", "The tensors of a sequence one after another along an axis, or stacked along a new one.",
    operands: ["sequence: S"], results: ["y"],
    attributes: [ConcatFromSequence.axis.specification, ConcatFromSequence.newAxis.specification],
    onnx: "ConcatFromSequence")
  /// `sequence_map`: The results of a region for each element; sequences go along element by element, tensors as they are.
  public static let sequenceMap = sequence(
    "sequence_map", "The results of a region for each element; sequences go along element by element, tensors as they are.",
    operands: ["sequence: S", "operands...: C"], results: ["results...: R"],
    attributes: [SequenceMap.inputCount.specification], regions: ["body"], onnx: "SequenceMap")
  /// `optional`: A value that may be absent: it is there if the operand is.
  public static let optional = sequence(
    "optional", "A value that may be absent: it is there if the operand is.", operands: ["x?: V"], results: ["y: O"],
    attributes: [OptionalOperator.type.specification], onnx: "Optional")
  /// `optional_get_element`: The value of an optional, which must be there.
  public static let optionalGetElement = sequence(
    "optional_get_element", "The value of an optional, which must be there.", operands: ["x: O"], results: ["y: V"],
    onnx: "OptionalGetElement")
  /// `optional_has_element`: Whether an optional has a value.
  public static let optionalHasElement = sequence(
    "optional_has_element", "Whether an optional has a value.", operands: ["x?: O"], results: ["y: B"],
    types: ["B": .bool], onnx: "OptionalHasElement")

  package static let sequences: [Operator] = [
    .sequenceConstruct, .sequenceEmpty, .sequenceInsert, .sequenceErase, .sequenceAt, .sequenceLength, .splitToSequence,
    .concatFromSequence, .sequenceMap, .optional, .optionalGetElement, .optionalHasElement,
  ]
}

/// The attributes of `sequence_empty`.
public enum SequenceEmpty {
  /// The element type of the tensors to come.
  public static let dtype = AttributeKey<ElementType>("dtype", default: .float32)
}

/// The attributes of `split_to_sequence`.
public enum SplitToSequence {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis", default: 0)
  /// Whether slices keep the axis; only without sizes.
  public static let keepDims = AttributeKey<Bool>("keepdims", default: true)
}

/// The attributes of `concat_from_sequence`.
public enum ConcatFromSequence {
  /// The axis; a negative one counts from the last.
  public static let axis = AttributeKey<Int>("axis")
  /// Whether the axis is a new one.
  public static let newAxis = AttributeKey<Bool>("new_axis", default: false)
}

/// The attributes of `sequence_map`.
public enum SequenceMap {
  /// How many operands the region is mapped over; the rest are captures. All of them if absent.
  public static let inputCount = AttributeKey<Int?>("input_count")
}

/// The attributes of operators on optionals.
public enum OptionalOperator {
  /// The type of the value; the operand's if absent.
  public static let type = AttributeKey<ValueType?>("type")
}
