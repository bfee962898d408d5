import FXCore

extension ReferenceKernels {
  mutating func addTrees() {
    self[.treeEnsemble] = { context in
      let x = try context.tensor(0)
      let model = try context.prepared { try TreeRegressor(ensemble: context.node.attributes) }
      return [.tensor(try model.results(FeatureRows(x), x.elementType))]
    }
    self[.treeEnsembleRegressor] = { context in
      let model = try context.prepared { try TreeRegressor(context.node.attributes) }
      return [.tensor(try model.results(FeatureRows(try context.tensor(0)), .float32))]
    }
    self[.treeEnsembleClassifier] = { context in
      let model = try context.prepared { try TreeClassifier(context.node.attributes) }
      let (labels, scores) = try model.results(FeatureRows(try context.tensor(0)))
      return [.tensor(labels), .tensor(scores)]
    }
    addLinearModels()
    addFeatures()
    addMaps()
  }
}

/// What trees say of each target, with what is done to it.
struct TreeRegressor: Sendable {
  let trees: DecisionTrees
  let aggregation: DecisionTrees.Aggregation
  /// One per target.
  let base: [Double]
  let transform: ScoreTransform

  init(ensemble attributes: Attributes) throws {
    trees = try DecisionTrees(ensemble: attributes)
    switch attributes[TreeEnsemble.aggregateFunction] {
    case 0: aggregation = .average
    case 1: aggregation = .sum
    case 2: aggregation = .minimum
    case 3: aggregation = .maximum
    case let other: throw KernelError.invalid("there is no aggregate_function \(other)")
    }
    let number = attributes[TreeEnsemble.postTransform]
    guard PostTransform.names.indices.contains(number) else {
      throw KernelError.invalid("there is no post_transform \(number)")
    }
    transform = try ScoreTransform(PostTransform.names[number])
    base = Array(repeating: 0, count: trees.targetCount)
  }

  init(_ attributes: Attributes) throws {
    let ids = attributes[TreeEnsembleRegressor.targetIDs] ?? []
    let count = try DecisionTrees.targetCount(attributes[TreeEnsembleRegressor.targetCount], ids)
    let weights = try DecisionTrees.numbers(
      attributes, TreeEnsembleRegressor.weights, TreeEnsembleRegressor.weightsTensor)
    trees = try DecisionTrees(
      attributes: attributes,
      targets: .init(
        attributes[TreeEnsembleRegressor.treeIDs], attributes[TreeEnsembleRegressor.nodeIDs], ids, weights),
      targetCount: count)
    switch attributes[TreeEnsembleRegressor.aggregateFunction] {
    case "AVERAGE": aggregation = .average
    case "SUM": aggregation = .sum
    case "MIN": aggregation = .minimum
    case "MAX": aggregation = .maximum
    case let other: throw KernelError.invalid("there is no aggregate_function \(other.quoted)")
    }
    base = try DecisionTrees.base(attributes, count: count)
    transform = try ScoreTransform(attributes[PostTransform.key])
  }

  /// The scores of rows: [rows, targets].
  func evaluate(_ x: UnsafePointer<Double>, rows: Int, width: Int, into scores: UnsafeMutablePointer<Double>) {
    trees.evaluate(x, rows: rows, width: width, aggregation, into: scores)
    for row in 0..<rows {
      let scores = UnsafeMutableBufferPointer(start: scores + row * base.count, count: base.count)
      for target in base.indices { scores[target] += base[target] }
      transform.apply(to: scores)
    }
  }

  func results(_ x: FeatureRows, _ type: ElementType) throws -> Tensor {
    let scores = try trees.scores(x) { evaluate($0, rows: x.count, width: x.width, into: $1) }
    return try Tensor(type, [x.count, base.count], numbers: .floats(scores))
  }
}

/// The class that trees choose, and the scores of all.
///
/// The class is that of the greatest score, with two exceptions in which one score s decides, both as ONNX Runtime has
/// them. If all leaves speak for one of two classes, s is a probability where no weight is negative, and the second class
/// is chosen above ½; else above 0. If there is one class, the label is 1 above 0, and else 0.
struct TreeClassifier: Sendable {
  let trees: DecisionTrees
  let labels: ClassLabels
  /// One per class.
  let base: [Double]
  let transform: ScoreTransform
  /// Whether weights are of single precision. Scores are rounded to it then before they are compared, so that classes with
  /// equal shares of the votes have equal scores, and the first of them is chosen.
  private let isSingle: Bool
  private let decision: Decision

  private enum Decision: Sendable {
    case greatest
    case sign
    /// All leaves speak for one class of two.
    case second(spoken: Int, isProbability: Bool)
  }

  init(_ attributes: Attributes) throws {
    let labels = try ClassLabels(attributes, TreeEnsembleClassifier.integerLabels, TreeEnsembleClassifier.stringLabels)
    let ids = attributes[TreeEnsembleClassifier.classIDs] ?? []
    let weights = try DecisionTrees.numbers(
      attributes, TreeEnsembleClassifier.weights, TreeEnsembleClassifier.weightsTensor)
    guard labels.count > 0 else { throw KernelError.invalid("the ensemble names no classes") }
    trees = try DecisionTrees(
      attributes: attributes,
      targets: .init(
        attributes[TreeEnsembleClassifier.treeIDs], attributes[TreeEnsembleClassifier.nodeIDs], ids, weights),
      targetCount: labels.count)
    base = try DecisionTrees.base(attributes, count: labels.count)
    transform = try ScoreTransform(attributes[PostTransform.key])
    isSingle = attributes[TreeEnsembleClassifier.weightsTensor]?.elementType != .float64
    self.labels = labels.count == 1 ? .integers([0, 1]) : labels
    if case .strings = labels, labels.count == 1 {
      throw KernelError.invalid("one label of strings does not say what the other class is called")
    }
    if labels.count == 1 {
      decision = .sign
    } else if labels.count == 2, let first = ids.first, ids.allSatisfy({ $0 == first }) {
      decision = .second(spoken: first, isProbability: !weights.contains { $0 < 0 })
    } else {
      decision = .greatest
    }
  }

  /// The classes by number, and the scores of rows: [rows, classes].
  func evaluate(
    _ x: UnsafePointer<Double>, rows: Int, width: Int, into scores: UnsafeMutablePointer<Double>,
    classes: (_ row: Int, _ number: Int) -> Void
  ) {
    trees.evaluate(x, rows: rows, width: width, .sum, into: scores)
    for row in 0..<rows {
      let scores = UnsafeMutableBufferPointer(start: scores + row * base.count, count: base.count)
      for number in base.indices {
        scores[number] += base[number]
        if isSingle { scores[number] = Double(Float(scores[number])) }
      }
      switch decision {
      case .greatest:
        classes(row, scores.greatestPlace)
        transform.apply(to: scores)
      case .sign:
        classes(row, scores[0] > 0 ? 1 : 0)
        transform.apply(to: scores)
      case .second(let spoken, let isProbability):
        classes(row, scores[spoken] > (isProbability ? 0.5 : 0) ? 1 : 0)
        if spoken == 0 {
          (scores[0], scores[1]) = transform.pair(scores[0], isProbability: isProbability)
        } else {
          transform.apply(to: scores)
        }
      }
    }
  }

  func results(_ x: FeatureRows) throws -> (labels: Tensor, scores: Tensor) {
    var chosen = Array(repeating: 0, count: x.count)
    let scores = try trees.scores(x) { rows, scores in
      evaluate(rows, rows: x.count, width: x.width, into: scores) { chosen[$0] = $1 }
    }
    return (
      try labels.tensor(chosen), try Tensor(.float32, [x.count, base.count], numbers: .floats(scores))
    )
  }
}

extension DecisionTrees {
  /// What is added to each score: one number for all, or one each.
  fileprivate static func base(_ attributes: Attributes, count: Int) throws -> [Double] {
    let base = try numbers(attributes, TreeNodes.baseValues, TreeNodes.baseValuesTensor)
    guard base.count <= 1 || base.count == count else {
      throw KernelError.invalid("\(base.count) base_values for \(count) scores")
    }
    _ = try Selection.count([count])
    return base.count == count ? base : Array(repeating: base.first ?? 0, count: count)
  }

  /// Room for the scores of rows, filled by `body`.
  /// - Throws: `KernelError.invalid` if rows have fewer features than nodes compare.
  fileprivate func scores(
    _ x: FeatureRows, _ body: (UnsafePointer<Double>, UnsafeMutablePointer<Double>) -> Void
  ) throws -> [Double] {
    guard x.width >= featureCount else {
      throw KernelError.invalid("rows have \(x.width) features, nodes compare \(featureCount)")
    }
    var scores = Array(repeating: 0.0, count: try Selection.count([x.count, targetCount]))
    x.elements.withUnsafeBufferPointer { rows in
      scores.withUnsafeMutableBufferPointer { scores in
        // Without rows, or scores, there is nothing to write to.
        guard x.count > 0, let result = scores.baseAddress else { return }
        withUnsafePointer(to: 0.0) { none in body(rows.baseAddress ?? none, result) }
      }
    }
    return scores
  }
}
