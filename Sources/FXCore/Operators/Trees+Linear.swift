/// Linear models and support vector machines. Source of semantics: the operators of ONNX's domain `ai.onnx.ml`.
///
/// x is [n, features], or [features] for one row. Classifiers give the label of each row's class and the scores of all.
extension Operator {
  private static let ml = "ai.onnx.ml::"

  /// `linear_classifier`: The class of the greatest of some weighted sums of features, and all sums.
  public static let linearClassifier = Operator(
    "linear_classifier", .trees, "The class of the greatest of some weighted sums of features, and all sums.",
    operands: ["x"], results: ["label: L", "scores: F"],
    types: ["T": treeInputs, "L": .init(.string, .int64), "F": .init(.float32)],
    attributes: [
      LinearModel.coefficients.specification, LinearModel.intercepts.specification, LinearModel.multiClass.specification,
      PostTransform.key.specification, LinearModel.integerLabels.specification, LinearModel.stringLabels.specification,
    ], onnx: ml + "LinearClassifier")

  /// `linear_regressor`: Weighted sums of features: [n, features] to [n, targets].
  public static let linearRegressor = Operator(
    "linear_regressor", .trees, "Weighted sums of features: [n, features] to [n, targets].", operands: ["x"],
    results: ["y: F"], types: ["T": treeInputs, "F": .init(.float32)],
    attributes: [
      LinearModel.regressionCoefficients.specification, LinearModel.intercepts.specification,
      LinearModel.targets.specification, PostTransform.key.specification,
    ], onnx: ml + "LinearRegressor")

  /// `svm_classifier`: The class that support vectors choose, and the scores or probabilities.
  public static let svmClassifier = Operator(
    "svm_classifier", .trees, "The class that support vectors choose, and the scores or probabilities.",
    operands: ["x"], results: ["label: L", "scores: F"],
    types: ["T": treeInputs, "L": .init(.string, .int64), "F": .init(.float32)],
    attributes: SupportVectors.specifications + [
      SupportVectors.vectorsPerClass.specification, SupportVectors.probabilityA.specification,
      SupportVectors.probabilityB.specification, LinearModel.integerLabels.specification,
      LinearModel.stringLabels.specification,
    ], onnx: ml + "SVMClassifier")

  /// `svm_regressor`: A function of support vectors: [n, features] to [n, 1].
  public static let svmRegressor = Operator(
    "svm_regressor", .trees, "A function of support vectors: [n, features] to [n, 1].", operands: ["x"],
    results: ["y: F"], types: ["T": treeInputs, "F": .init(.float32)],
    attributes: SupportVectors.specifications + [
      SupportVectors.count.specification, SupportVectors.isOneClass.specification,
    ], onnx: ml + "SVMRegressor")

  static let linearModels: [Operator] = [.linearClassifier, .linearRegressor, .svmClassifier, .svmRegressor]
}

/// The attributes of linear models.
public enum LinearModel {
  /// [classes, features], row by row.
  public static let coefficients = AttributeKey<[Float]>("coefficients")
  /// [targets, features], row by row.
  public static let regressionCoefficients = AttributeKey<[Float]?>("coefficients")
  /// One per class or target; 0 if absent.
  public static let intercepts = AttributeKey<[Float]?>("intercepts")
  /// Whether the model was trained one class against the rest (0) or on all at once (1); results do not depend on it.
  public static let multiClass = AttributeKey<Int>("multi_class", default: 0)
  /// ONNX's `targets`.
  public static let targets = AttributeKey<Int>("targets", default: 1)
  /// Either these or `stringLabels` name the classes.
  public static let integerLabels = AttributeKey<[Int]?>("classlabels_ints")
  /// ONNX's `classlabels_strings`.
  public static let stringLabels = AttributeKey<[String]?>("classlabels_strings")
}

/// The attributes of `support_vectors`.
public enum SupportVectors {
  /// x·v; (γ x·v + c)^d; e^(−γ|x−v|²); tanh(γ x·v + c).
  public static let kernelType = AttributeKey<String>(
    "kernel_type", default: "LINEAR", allowed: ["LINEAR", "POLY", "RBF", "SIGMOID"])
  /// γ, c, d.
  public static let kernelParameters = AttributeKey<[Float]?>("kernel_params")
  /// [vectors, features], row by row; without any, the coefficients are those of a linear function.
  public static let vectors = AttributeKey<[Float]?>("support_vectors")
  /// Of a classifier with vectors: [classes − 1, vectors]; of one without: [classes, features].
  public static let coefficients = AttributeKey<[Float]?>("coefficients")
  /// Added to the sums: one per pair of classes, or one.
  public static let rho = AttributeKey<[Float]?>("rho")
  /// ONNX's `vectors_per_class`.
  public static let vectorsPerClass = AttributeKey<[Int]?>("vectors_per_class")
  /// With `probabilityB` one per pair of classes: 1 / (1 + e^(a s + b)) is the probability of the pair's first class.
  public static let probabilityA = AttributeKey<[Float]?>("prob_a")
  /// ONNX's `prob_b`.
  public static let probabilityB = AttributeKey<[Float]?>("prob_b")
  /// How many vectors a regressor has.
  public static let count = AttributeKey<Int>("n_supports", default: 0)
  /// Whether only the sign is wanted: 1 for what is like the training data, −1 for what is not.
  public static let isOneClass = AttributeKey<Bool>("one_class", default: false)

  static let specifications: [AttributeSpecification] = [
    kernelType.specification, kernelParameters.specification, vectors.specification, coefficients.specification,
    rho.specification, PostTransform.key.specification,
  ]
}
