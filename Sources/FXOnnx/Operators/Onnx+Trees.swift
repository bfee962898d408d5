import FXCore

extension OnnxForm {
  /// ONNX's domain of classical models. Which of its operator sets is written follows from the calls: version 5 has
  /// `TreeEnsemble` in place of the two operators before it.
  static let trees: [OnnxForm] =
    [
      learned(
        "LabelEncoder",
        later: [
          "keys_strings": 2, "keys_int64s": 2, "keys_floats": 2, "values_strings": 2, "values_int64s": 2, "values_floats": 2,
          "default_float": 2, "keys_tensor": 4, "values_tensor": 4, "default_tensor": 4,
        ], adjust: spelledOutClasses),
      learned("TreeEnsemble", since: 5),
      learned(
        "TreeEnsembleClassifier", last: 4,
        later: [
          "base_values_as_tensor": 3, "class_weights_as_tensor": 3, "nodes_values_as_tensor": 3,
          "nodes_hitrates_as_tensor": 3,
        ]),
      learned(
        "TreeEnsembleRegressor", last: 4,
        later: [
          "base_values_as_tensor": 3, "target_weights_as_tensor": 3, "nodes_values_as_tensor": 3,
          "nodes_hitrates_as_tensor": 3,
        ]),
    ] + plain.map { learned($0) }

  private static let plain = [
    "ArrayFeatureExtractor", "Binarizer", "CastMap", "CategoryMapper", "DictVectorizer", "FeatureVectorizer", "Imputer",
    "LinearClassifier", "LinearRegressor", "Normalizer", "OneHotEncoder", "SVMClassifier", "SVMRegressor", "Scaler",
    "ZipMap",
  ]

  private static func learned(
    _ opType: String, since: Int = 1, last: Int? = nil, later: [String: Int] = [:], adjust: Adjust? = nil
  ) -> OnnxForm {
    OnnxForm(opType, domain: "ai.onnx.ml", since: since, last: last, later: later, adjust: adjust)
  }

  /// Since version 2 a table says which way it is read.
  private static func spelledOutClasses(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    let name = LabelEncoder.classes.name
    guard call.version > 1, case .strings(let classes)? = attributes[name] else { return }
    guard let type = call.type(of: call.node.operand(0)).elementType else {
      throw OnnxError(.unsupported("the table of a label_encoder whose operand's type is not known"))
    }
    attributes[name] = nil
    let numbers = AttributeValue.ints(Array(classes.indices))
    if type == .string {
      attributes[LabelEncoder.keyStrings] = classes
      attributes[LabelEncoder.valueIntegers.name] = numbers
    } else {
      attributes[LabelEncoder.keyIntegers.name] = numbers
      attributes[LabelEncoder.valueStrings] = classes
    }
  }
}
