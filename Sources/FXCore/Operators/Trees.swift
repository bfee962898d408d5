/// Ensembles of decision trees. Source of semantics: the operators of ONNX's domain `ai.onnx.ml`.
///
/// x is [n, features], or [features] for one row. A node compares one feature with its threshold and goes on to its true
/// or its false branch; what its leaves say for a target is added up, averaged, or the least or greatest of it is taken.
/// Thresholds and weights are attributes: a node's trees are known when the graph is made.
extension Operator {
  private static let ml = "ai.onnx.ml::"
  static let treeInputs: ElementTypes = .init(.float32, .float64, .int64, .int32)

  /// `tree_ensemble`: What decision trees say for each target: [n, features] to [n, targets].
  public static let treeEnsemble = Operator(
    "tree_ensemble", .trees, "What decision trees say for each target: [n, features] to [n, targets].", operands: ["x"],
    types: ["T": .init(.float64, .float32, .float16)],
    attributes: [
      TreeEnsemble.aggregateFunction.specification, TreeEnsemble.postTransform.specification,
      TreeEnsemble.targetCount.specification, TreeEnsemble.roots.specification, TreeEnsemble.modes.specification,
      TreeEnsemble.featureIDs.specification, TreeEnsemble.splits.specification, TreeEnsemble.trueIDs.specification,
      TreeEnsemble.falseIDs.specification, TreeEnsemble.trueLeafs.specification, TreeEnsemble.falseLeafs.specification,
      TreeEnsemble.missingTracksTrue.specification, TreeEnsemble.hitRates.specification,
      TreeEnsemble.members.specification, TreeEnsemble.leafTargetIDs.specification, TreeEnsemble.leafWeights.specification,
    ], onnx: ml + "TreeEnsemble")

  /// `tree_ensemble_classifier`: The class that decision trees choose, and the scores of all classes.
  public static let treeEnsembleClassifier = Operator(
    "tree_ensemble_classifier", .trees, "The class that decision trees choose, and the scores of all classes.",
    operands: ["x"], results: ["label: L", "scores: F"],
    types: ["T": treeInputs, "L": .init(.string, .int64), "F": .init(.float32)],
    attributes: TreeNodes.specifications + [
      TreeEnsembleClassifier.treeIDs.specification, TreeEnsembleClassifier.nodeIDs.specification,
      TreeEnsembleClassifier.classIDs.specification, TreeEnsembleClassifier.weights.specification,
      TreeEnsembleClassifier.weightsTensor.specification, TreeEnsembleClassifier.integerLabels.specification,
      TreeEnsembleClassifier.stringLabels.specification,
    ], onnx: ml + "TreeEnsembleClassifier")

  /// `tree_ensemble_regressor`: What decision trees say for each target: [n, features] to [n, targets].
  public static let treeEnsembleRegressor = Operator(
    "tree_ensemble_regressor", .trees, "What decision trees say for each target: [n, features] to [n, targets].",
    operands: ["x"], results: ["y: F"], types: ["T": treeInputs, "F": .init(.float32)],
    attributes: TreeNodes.specifications + [
      TreeEnsembleRegressor.aggregateFunction.specification, TreeEnsembleRegressor.targetCount.specification,
      TreeEnsembleRegressor.treeIDs.specification, TreeEnsembleRegressor.nodeIDs.specification,
      TreeEnsembleRegressor.targetIDs.specification, TreeEnsembleRegressor.weights.specification,
      TreeEnsembleRegressor.weightsTensor.specification,
    ], onnx: ml + "TreeEnsembleRegressor")

  package static let trees: [Operator] =
    [.treeEnsemble, .treeEnsembleClassifier, .treeEnsembleRegressor] + linearModels + features
}

/// How a classifier or regressor turns scores into results.
public enum PostTransform {
  /// What `post_transform` may be, in the order of the numbers that `TreeEnsemble.postTransform` holds.
  public static let names = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
  /// ONNX's `post_transform`.
  public static let key = AttributeKey<String>("post_transform", default: "NONE", allowed: names)
}

/// The attributes of `tree_ensemble`.
public enum TreeEnsemble {
  /// 0 average, 1 sum, 2 minimum, 3 maximum.
  public static let aggregateFunction = AttributeKey<Int>("aggregate_function", default: 1)
  /// The index in `PostTransform.names`.
  public static let postTransform = AttributeKey<Int>("post_transform", default: 0)
  /// One more than the greatest of `leafTargetIDs` if absent.
  public static let targetCount = AttributeKey<Int?>("n_targets")
  /// The node that each tree starts with.
  public static let roots = AttributeKey<[Int]>("tree_roots")
  /// `u8`, per node: 0 ≤, 1 <, 2 ≥, 3 >, 4 =, 5 ≠, 6 member of a set.
  public static let modes = AttributeKey<Tensor>("nodes_modes")
  /// ONNX's `nodes_featureids`.
  public static let featureIDs = AttributeKey<[Int]>("nodes_featureids")
  /// The threshold of each node.
  public static let splits = AttributeKey<Tensor>("nodes_splits")
  /// Where to go on if the comparison holds: a node, or a leaf where `trueLeafs` says so.
  public static let trueIDs = AttributeKey<[Int]>("nodes_truenodeids")
  /// ONNX's `nodes_falsenodeids`.
  public static let falseIDs = AttributeKey<[Int]>("nodes_falsenodeids")
  /// ONNX's `nodes_trueleafs`.
  public static let trueLeafs = AttributeKey<[Int]>("nodes_trueleafs")
  /// ONNX's `nodes_falseleafs`.
  public static let falseLeafs = AttributeKey<[Int]>("nodes_falseleafs")
  /// Per node, whether NaN goes the true way as well.
  public static let missingTracksTrue = AttributeKey<[Int]?>("nodes_missing_value_tracks_true")
  /// How often nodes are visited; results do not depend on it.
  public static let hitRates = AttributeKey<Tensor?>("nodes_hitrates")
  /// The sets of the nodes of mode 6, in the order of the nodes, each ended by a NaN.
  public static let members = AttributeKey<Tensor?>("membership_values")
  /// ONNX's `leaf_targetids`.
  public static let leafTargetIDs = AttributeKey<[Int]>("leaf_targetids")
  /// ONNX's `leaf_weights`.
  public static let leafWeights = AttributeKey<Tensor>("leaf_weights")
}

/// The nodes of ensembles before version 5 of `ai.onnx.ml`: lists of equal length, leaves among them. A node is known by
/// the id of its tree and its own; the first node listed of a tree is the tree's root.
public enum TreeNodes {
  /// ONNX's `nodes_treeids`.
  public static let treeIDs = AttributeKey<[Int]?>("nodes_treeids")
  /// ONNX's `nodes_nodeids`.
  public static let nodeIDs = AttributeKey<[Int]?>("nodes_nodeids")
  /// ONNX's `nodes_featureids`.
  public static let featureIDs = AttributeKey<[Int]?>("nodes_featureids")
  /// `BRANCH_LEQ`, `BRANCH_LT`, `BRANCH_GTE`, `BRANCH_GT`, `BRANCH_EQ`, `BRANCH_NEQ` or `LEAF`.
  public static let modes = AttributeKey<[String]?>("nodes_modes")
  /// The threshold of each node.
  public static let values = AttributeKey<[Float]?>("nodes_values")
  /// ONNX's `nodes_values_as_tensor`.
  public static let valuesTensor = AttributeKey<Tensor?>("nodes_values_as_tensor")
  /// ONNX's `nodes_truenodeids`.
  public static let trueIDs = AttributeKey<[Int]?>("nodes_truenodeids")
  /// ONNX's `nodes_falsenodeids`.
  public static let falseIDs = AttributeKey<[Int]?>("nodes_falsenodeids")
  /// Per node, whether NaN goes the true way as well.
  public static let missingTracksTrue = AttributeKey<[Int]?>("nodes_missing_value_tracks_true")
  /// How often nodes are visited; results do not depend on it.
  public static let hitRates = AttributeKey<[Float]?>("nodes_hitrates")
  /// ONNX's `nodes_hitrates_as_tensor`.
  public static let hitRatesTensor = AttributeKey<Tensor?>("nodes_hitrates_as_tensor")
  /// Added to the score of each class or target; one value is added to all.
  public static let baseValues = AttributeKey<[Float]?>("base_values")
  /// ONNX's `base_values_as_tensor`.
  public static let baseValuesTensor = AttributeKey<Tensor?>("base_values_as_tensor")

  static let specifications: [AttributeSpecification] = [
    treeIDs.specification, nodeIDs.specification, featureIDs.specification, modes.specification, values.specification,
    valuesTensor.specification, trueIDs.specification, falseIDs.specification, missingTracksTrue.specification,
    hitRates.specification, hitRatesTensor.specification, baseValues.specification, baseValuesTensor.specification,
    PostTransform.key.specification,
  ]
}

/// Which leaf adds what to which class: lists of equal length.
public enum TreeEnsembleClassifier {
  /// ONNX's `class_treeids`.
  public static let treeIDs = AttributeKey<[Int]?>("class_treeids")
  /// ONNX's `class_nodeids`.
  public static let nodeIDs = AttributeKey<[Int]?>("class_nodeids")
  /// ONNX's `class_ids`.
  public static let classIDs = AttributeKey<[Int]?>("class_ids")
  /// ONNX's `class_weights`.
  public static let weights = AttributeKey<[Float]?>("class_weights")
  /// ONNX's `class_weights_as_tensor`.
  public static let weightsTensor = AttributeKey<Tensor?>("class_weights_as_tensor")
  /// Either these or `stringLabels` name the classes.
  public static let integerLabels = AttributeKey<[Int]?>("classlabels_int64s")
  /// ONNX's `classlabels_strings`.
  public static let stringLabels = AttributeKey<[String]?>("classlabels_strings")
}

/// Which leaf says what for which target: lists of equal length.
public enum TreeEnsembleRegressor {
  /// ONNX's `aggregate_function`.
  public static let aggregateFunction = AttributeKey<String>(
    "aggregate_function", default: "SUM", allowed: ["AVERAGE", "SUM", "MIN", "MAX"])
  /// ONNX's `n_targets`.
  public static let targetCount = AttributeKey<Int?>("n_targets")
  /// ONNX's `target_treeids`.
  public static let treeIDs = AttributeKey<[Int]?>("target_treeids")
  /// ONNX's `target_nodeids`.
  public static let nodeIDs = AttributeKey<[Int]?>("target_nodeids")
  /// ONNX's `target_ids`.
  public static let targetIDs = AttributeKey<[Int]?>("target_ids")
  /// ONNX's `target_weights`.
  public static let weights = AttributeKey<[Float]?>("target_weights")
  /// ONNX's `target_weights_as_tensor`.
  public static let weightsTensor = AttributeKey<Tensor?>("target_weights_as_tensor")
}
