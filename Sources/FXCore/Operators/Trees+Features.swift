/// What is done to features before a model and to labels after it. Source of semantics: the operators of ONNX's domain
/// `ai.onnx.ml`.
extension Operator {
  private static func feature(
    _ name: String, _ summary: String, operands: [OperandSpecification] = ["x"], results: [OperandSpecification] = ["y"],
    types: [String: ElementTypes], attributes: [AttributeSpecification] = [], traits: OperatorTraits = [], onnx: String
  ) -> Operator {
    Operator(
      name, .trees, summary, operands: operands, results: results, types: types, attributes: attributes, traits: traits,
      onnx: "ai.onnx.ml::" + onnx)
  }

  private static let toFloat: [String: ElementTypes] = ["T": treeInputs, "F": .init(.float32)]
  private static let keys: ElementTypes = .init(.string, .int64, .float32, .int32, .int16, .float64)

  /// `array_feature_extractor`: Columns of x, by number along the last axis; [c] is taken for [1, c].
  public static let arrayFeatureExtractor = feature(
    "array_feature_extractor", "Columns of x, by number along the last axis; [c] is taken for [1, c].",
    operands: ["x", "columns: I"], types: ["T": [treeInputs, .string], "I": .int64], traits: .dataMovement,
    onnx: "ArrayFeatureExtractor")
  /// `binarizer`: 1 above a threshold, else 0.
  public static let binarizer = feature(
    "binarizer", "1 above a threshold, else 0.", types: ["T": treeInputs], attributes: [Binarizer.threshold.specification],
    traits: .elementwise, onnx: "Binarizer")
  /// `cast_map`: The values of a map in the order of its keys as [1, count], or each in the column that its key is.
  public static let castMap = feature(
    "cast_map", "The values of a map in the order of its keys as [1, count], or each in the column that its key is.",
    operands: ["x: M"], results: ["y: F"], types: ["F": .init(.float32, .int64, .string)],
    attributes: [CastMap.castTo.specification, CastMap.form.specification, CastMap.width.specification], onnx: "CastMap")
  /// `category_mapper`: Strings as their numbers, or numbers as their strings.
  public static let categoryMapper = feature(
    "category_mapper", "Strings as their numbers, or numbers as their strings.", results: ["y: R"],
    types: ["T": .init(.string, .int64), "R": .init(.string, .int64)],
    attributes: [
      CategoryMapper.integers.specification, CategoryMapper.strings.specification,
      LabelEncoder.defaultInteger.specification, LabelEncoder.defaultString.specification,
    ], traits: .elementwise, onnx: "CategoryMapper")
  /// `dict_vectorizer`: The values of a map in the order of a vocabulary as [1, words]; 0 for keys that are missing.
  public static let dictVectorizer = feature(
    "dict_vectorizer", "The values of a map in the order of a vocabulary as [1, words]; 0 for keys that are missing.",
    operands: ["x: M"], results: ["y: F"], types: ["F": .init(.int64, .float32, .float64, .string)],
    attributes: [DictVectorizer.integers.specification, DictVectorizer.strings.specification], onnx: "DictVectorizer")
  /// `feature_vectorizer`: Features side by side: [n, a], [n, b], … to [n, a + b + …]; [c] is taken for [1, c].
  public static let featureVectorizer = feature(
    "feature_vectorizer", "Features side by side: [n, a], [n, b], … to [n, a + b + …]; [c] is taken for [1, c].",
    operands: ["inputs..."], results: ["y: F"], types: toFloat,
    attributes: [FeatureVectorizer.widths.specification], onnx: "FeatureVectorizer")
  /// `imputer`: x with one value, which stands for what is missing, replaced column by column.
  public static let imputer = feature(
    "imputer", "x with one value, which stands for what is missing, replaced column by column.", types: ["T": treeInputs],
    attributes: [
      Imputer.floats.specification, Imputer.integers.specification, Imputer.replacedFloat.specification,
      Imputer.replacedInteger.specification,
    ], onnx: "Imputer")
  /// `label_encoder`: Each element's value in a table, or a default.
  public static let labelEncoder = feature(
    "label_encoder", "Each element's value in a table, or a default.", results: ["y: R"], types: ["T": keys, "R": keys],
    attributes: [
      LabelEncoder.keyStrings.specification, LabelEncoder.keyIntegers.specification, LabelEncoder.keyFloats.specification,
      LabelEncoder.keyTensor.specification, LabelEncoder.valueStrings.specification,
      LabelEncoder.valueIntegers.specification, LabelEncoder.valueFloats.specification,
      LabelEncoder.valueTensor.specification, LabelEncoder.defaultString.specification,
      LabelEncoder.defaultInteger.specification, LabelEncoder.defaultFloat.specification,
      LabelEncoder.defaultTensor.specification, LabelEncoder.classes.specification,
    ], traits: .elementwise, onnx: "LabelEncoder")
  /// `normalizer`: Rows divided by their greatest element, or by their 1- or 2-norm; rows of zeros stay.
  public static let normalizer = feature(
    "normalizer", "Rows divided by their greatest element, or by their 1- or 2-norm; rows of zeros stay.",
    results: ["y: F"], types: toFloat, attributes: [Normalizer.norm.specification], onnx: "Normalizer")
  /// `one_hot_encoder`: Along a new last axis, 1 at the place of the element's category and 0 elsewhere.
  public static let oneHotEncoder = feature(
    "one_hot_encoder", "Along a new last axis, 1 at the place of the element's category and 0 elsewhere.",
    results: ["y: F"], types: ["T": [treeInputs, .string], "F": .init(.float32)],
    attributes: [
      OneHotEncoder.integers.specification, OneHotEncoder.strings.specification, OneHotEncoder.allowsUnknown.specification,
    ], onnx: "OneHotEncoder")
  /// `scaler`: (x − offset) × scale, column by column.
  public static let scaler = feature(
    "scaler", "(x − offset) × scale, column by column.", results: ["y: F"], types: toFloat,
    attributes: [Scaler.offset.specification, Scaler.scale.specification], onnx: "Scaler")
  /// `zip_map`: For each row a map from the names of the columns to the row's elements.
  public static let zipMap = feature(
    "zip_map", "For each row a map from the names of the columns to the row's elements.", results: ["y: S"],
    types: ["T": .init(.float32)], attributes: [ZipMap.integers.specification, ZipMap.strings.specification], onnx: "ZipMap")

  static let features: [Operator] = [
    .arrayFeatureExtractor, .binarizer, .castMap, .categoryMapper, .dictVectorizer, .featureVectorizer, .imputer,
    .labelEncoder, .normalizer, .oneHotEncoder, .scaler, .zipMap,
  ]
}

/// The attributes of `binarizer`.
public enum Binarizer {
  /// ONNX's `threshold`.
  public static let threshold = AttributeKey<Float>("threshold", default: 0)
}

/// The attributes of `cast_map`.
public enum CastMap {
  /// ONNX's `cast_to`.
  public static let castTo = AttributeKey<String>(
    "cast_to", default: "TO_FLOAT", allowed: ["TO_FLOAT", "TO_STRING", "TO_INT64"])
  /// Whether keys only order the values (`DENSE`) or say their column (`SPARSE`).
  public static let form = AttributeKey<String>("map_form", default: "DENSE", allowed: ["DENSE", "SPARSE"])
  /// How many columns a sparse result has.
  public static let width = AttributeKey<Int>("max_map", default: 1)
}

/// Two lists of equal length: what stands at the same place is mapped to each other.
public enum CategoryMapper {
  /// ONNX's `cats_int64s`.
  public static let integers = AttributeKey<[Int]?>("cats_int64s")
  /// ONNX's `cats_strings`.
  public static let strings = AttributeKey<[String]?>("cats_strings")
}

/// Either list, in the type of the map's keys.
public enum DictVectorizer {
  /// ONNX's `int64_vocabulary`.
  public static let integers = AttributeKey<[Int]?>("int64_vocabulary")
  /// ONNX's `string_vocabulary`.
  public static let strings = AttributeKey<[String]?>("string_vocabulary")
}

/// The attributes of `feature_vectorizer`.
public enum FeatureVectorizer {
  /// How many columns each operand gets: others are cut off or filled with 0. As many as it has if absent.
  public static let widths = AttributeKey<[Int]?>("inputdimensions")
}

/// The attributes of `imputer`.
public enum Imputer {
  /// One value per column or one for all.
  public static let floats = AttributeKey<[Float]?>("imputed_value_floats")
  /// ONNX's `imputed_value_int64s`.
  public static let integers = AttributeKey<[Int]?>("imputed_value_int64s")
  /// NaN stands for every NaN.
  public static let replacedFloat = AttributeKey<Float>("replaced_value_float", default: 0)
  /// ONNX's `replaced_value_int64`.
  public static let replacedInteger = AttributeKey<Int>("replaced_value_int64", default: 0)
}

/// One list of keys, in x's type, and one of values. Of equal keys the last counts; NaN equals NaN.
public enum LabelEncoder {
  /// ONNX's `keys_strings`.
  public static let keyStrings = AttributeKey<[String]?>("keys_strings")
  /// ONNX's `keys_int64s`.
  public static let keyIntegers = AttributeKey<[Int]?>("keys_int64s")
  /// ONNX's `keys_floats`.
  public static let keyFloats = AttributeKey<[Float]?>("keys_floats")
  /// ONNX's `keys_tensor`.
  public static let keyTensor = AttributeKey<Tensor?>("keys_tensor")
  /// ONNX's `values_strings`.
  public static let valueStrings = AttributeKey<[String]?>("values_strings")
  /// ONNX's `values_int64s`.
  public static let valueIntegers = AttributeKey<[Int]?>("values_int64s")
  /// ONNX's `values_floats`.
  public static let valueFloats = AttributeKey<[Float]?>("values_floats")
  /// ONNX's `values_tensor`.
  public static let valueTensor = AttributeKey<Tensor?>("values_tensor")
  /// ONNX's `default_string`.
  public static let defaultString = AttributeKey<String>("default_string", default: "_Unused")
  /// ONNX's `default_int64`.
  public static let defaultInteger = AttributeKey<Int>("default_int64", default: -1)
  /// ONNX's `default_float`.
  public static let defaultFloat = AttributeKey<Float>("default_float", default: -0.0)
  /// ONNX's `default_tensor`.
  public static let defaultTensor = AttributeKey<Tensor?>("default_tensor")
  /// The only table of version 1: strings stand for their numbers if x holds strings, else numbers for their strings.
  public static let classes = AttributeKey<[String]?>("classes_strings")
}

/// The attributes of `normalizer`.
public enum Normalizer {
  /// ONNX's `norm`.
  public static let norm = AttributeKey<String>("norm", default: "MAX", allowed: ["MAX", "L1", "L2"])
}

/// Either list, in x's type; numbers of other types are truncated to integers.
public enum OneHotEncoder {
  /// ONNX's `cats_int64s`.
  public static let integers = AttributeKey<[Int]?>("cats_int64s")
  /// ONNX's `cats_strings`.
  public static let strings = AttributeKey<[String]?>("cats_strings")
  /// Whether an element of no category gives zeros instead of an error.
  public static let allowsUnknown = AttributeKey<Bool>("zeros", default: true)
}

/// One value per column or one for all.
public enum Scaler {
  /// 0 if absent.
  public static let offset = AttributeKey<[Float]?>("offset")
  /// 1 if absent.
  public static let scale = AttributeKey<[Float]?>("scale")
}

/// Either list names the columns.
public enum ZipMap {
  /// ONNX's `classlabels_int64s`.
  public static let integers = AttributeKey<[Int]?>("classlabels_int64s")
  /// ONNX's `classlabels_strings`.
  public static let strings = AttributeKey<[String]?>("classlabels_strings")
}
