import FXCore

/// Decision trees, linear models and support vector machines: a row of results per row of features.
extension ShapeRules {
  mutating func addTrees() {
    self[.treeEnsemble] = { (context) throws(ShapeError) in
      let targets = try context.targets(context[TreeEnsemble.targetCount], context[TreeEnsemble.leafTargetIDs])
      let rows = try context.rows(0)
      guard let element = try context.elementType(0) else { return [.unknown] }
      return [.tensor(element, [rows, targets])]
    }
    self[.treeEnsembleRegressor] = { (context) throws(ShapeError) in
      let ids = context[TreeEnsembleRegressor.targetIDs] ?? []
      return [.tensor(.float32, [try context.rows(0), try context.targets(context[TreeEnsembleRegressor.targetCount], ids)])]
    }
    self[.treeEnsembleClassifier] = { (context) throws(ShapeError) in
      let labels = try context.labels(TreeEnsembleClassifier.integerLabels, TreeEnsembleClassifier.stringLabels)
      guard labels.count > 0 else { throw .attribute("classlabels_int64s", reason: "names no class") }
      let rows = try context.rows(0)
      return [.tensor(labels.type, [rows]), .tensor(.float32, [rows, Dimension(labels.count)])]
    }
    self[.linearClassifier] = { (context) throws(ShapeError) in
      let labels = try context.labels(LinearModel.integerLabels, LinearModel.stringLabels)
      let rows = try context.rows(0)
      var scores: Dimension = .unknown
      if let intercepts = context[LinearModel.intercepts], !intercepts.isEmpty {
        scores = Dimension(intercepts.count)
      } else if let size = try context.shape(0)?.dimensions.last?.size, size > 0 {
        scores = Dimension(context[LinearModel.coefficients].count / size)
      }
      // One sum tells two classes apart.
      if scores == 1, labels.count == 2 { scores = 2 }
      return [.tensor(labels.type, [rows]), .tensor(.float32, [rows, scores])]
    }
    self[.linearRegressor] = { (context) throws(ShapeError) in
      [.tensor(.float32, [try context.rows(0), try context.targets(context[LinearModel.targets], [])])]
    }
    self[.svmClassifier] = { (context) throws(ShapeError) in
      let labels = try context.labels(LinearModel.integerLabels, LinearModel.stringLabels)
      guard labels.count > 0, labels.count < 1 << 16 else { throw .attribute("classlabels_ints", reason: "names no classes") }
      let hasVectors = (context[SupportVectors.vectorsPerClass] ?? []).contains { $0 > 0 }
      let hasProbabilities = !(context[SupportVectors.probabilityA] ?? []).isEmpty
      var scores = labels.count
      if hasVectors, !hasProbabilities { scores = labels.count > 2 ? labels.count * (labels.count - 1) / 2 : 2 }
      let rows = try context.rows(0)
      return [.tensor(labels.type, [rows]), .tensor(.float32, [rows, Dimension(scores)])]
    }
    self[.svmRegressor] = { (context) throws(ShapeError) in [.tensor(.float32, [try context.rows(0), 1])] }
    addFeatures()
  }
}

extension InferenceContext {
  /// How many rows of features operand `index` has; a vector is one.
  fileprivate func rows(_ index: Int) throws(ShapeError) -> Dimension {
    guard let shape = try shape(index) else { return .unknown }
    guard shape.rank == 1 || shape.rank == 2 else { throw .rank(operand: index, expected: "1 or 2", actual: shape.rank) }
    return shape.rank == 1 ? 1 : shape[0]
  }

  /// How many targets there are: the number given, or one more than the greatest id.
  fileprivate func targets(_ given: Int?, _ ids: [Int]) throws(ShapeError) -> Dimension {
    let last = ids.max() ?? -1
    guard given ?? 1 > 0, last < Int32.max else { throw .attribute("n_targets", reason: "is not positive or too large") }
    return Dimension(given ?? last + 1)
  }

  /// The type and number of class labels.
  fileprivate func labels(
    _ integers: AttributeKey<[Int]?>, _ strings: AttributeKey<[String]?>
  ) throws(ShapeError) -> (type: ElementType, count: Int) {
    let (numbers, texts) = (self[integers] ?? [], self[strings] ?? [])
    guard numbers.isEmpty || texts.isEmpty else { throw .attribute(strings.name, reason: "stands beside \(integers.name)") }
    return texts.isEmpty ? (.int64, numbers.count) : (.string, texts.count)
  }
}

/// What is done to features before a model and to labels after it.
extension ShapeRules {
  fileprivate mutating func addFeatures() {
    self[.arrayFeatureExtractor] = { (context) throws(ShapeError) in
      guard let element = try context.elementType(0) else { return [.unknown] }
      let count = try context.shape(1)?.elementCount ?? .unknown
      guard var shape = try context.shape(0, minimumRank: 1) else { return [.tensor(element, nil)] }
      if shape.rank == 1 { shape = [1, shape[0]] }
      shape[shape.rank - 1] = count
      return [.tensor(element, shape)]
    }
    set([.binarizer, .imputer]) { (context) throws(ShapeError) in [try context.type(0)] }
    set([.normalizer, .scaler]) { (context) throws(ShapeError) in [try context.type(0, holding: .float32)] }
    self[.featureVectorizer] = { (context) throws(ShapeError) in
      guard context.operandCount > 0 else { throw .missingOperand(0) }
      let widths = context[FeatureVectorizer.widths]
      guard widths.map({ $0.count == context.operandCount && $0.allSatisfy { $0 >= 0 && $0 < Int32.max } }) ?? true else {
        throw .attribute(FeatureVectorizer.widths.name, reason: "does not fit \(context.operandCount) operands")
      }
      var rows: Dimension = .unknown
      var columns: Dimension = 0
      for index in 0..<context.operandCount {
        guard let shape = try context.shape(index, minimumRank: 1) else {
          columns = widths.map { columns + Dimension($0[index]) } ?? .unknown
          continue
        }
        rows = try InferenceContext.same("the number of rows", rows, "of operand \(index)", shape.rank == 1 ? 1 : shape[0])
        let width = shape.rank == 1 ? shape[0] : shape.dropFirst().reduce(1) { $0 * $1 }
        columns = columns + (widths.map { Dimension($0[index]) } ?? width)
      }
      return [.tensor(.float32, [rows, columns])]
    }
    self[.oneHotEncoder] = { (context) throws(ShapeError) in
      let categories = (context[OneHotEncoder.integers] ?? []).count + (context[OneHotEncoder.strings] ?? []).count
      return [.tensor(.float32, try context.shape(0).map { Shape($0.dimensions + [Dimension(categories)]) })]
    }
    self[.categoryMapper] = { (context) throws(ShapeError) in
      guard let element = try context.elementType(0) else { return [.unknown] }
      return [.tensor(element == .string ? .int64 : .string, try context.shape(0))]
    }
    self[.labelEncoder] = { (context) throws(ShapeError) in
      var types: [ElementType?] = []
      if let tensor = context[LabelEncoder.valueTensor] { types.append(tensor.elementType) }
      if context[LabelEncoder.valueStrings] != nil { types.append(.string) }
      if context[LabelEncoder.valueIntegers] != nil { types.append(.int64) }
      if context[LabelEncoder.valueFloats] != nil { types.append(.float32) }
      if context[LabelEncoder.classes] != nil {
        types.append(try context.elementType(0).map { $0 == .string ? .int64 : .string })
      }
      guard types.count == 1 else { throw .invalid("a table needs one list of values, not \(types.count)") }
      guard let element = types[0] else { return [.unknown] }
      return [.tensor(element, try context.shape(0))]
    }
    addMaps()
  }

  private mutating func addMaps() {
    self[.castMap] = { (context) throws(ShapeError) in
      let types: [String: ElementType] = ["TO_FLOAT": .float32, "TO_INT64": .int64, "TO_STRING": .string]
      _ = try context.map(0)
      let isSparse = context[CastMap.form] == "SPARSE"
      guard !isSparse || context[CastMap.width] >= 0 else {
        throw .attribute(CastMap.width.name, reason: "is \(context[CastMap.width])")
      }
      return [
        .tensor(
          types[context[CastMap.castTo]] ?? .float32,
          [1, isSparse ? Dimension(context[CastMap.width]) : context.dataDependentDimension()])
      ]
    }
    self[.dictVectorizer] = { (context) throws(ShapeError) in
      let count = (context[DictVectorizer.integers] ?? []).count + (context[DictVectorizer.strings] ?? []).count
      guard let element = try context.map(0) else { return [.unknown] }
      return [.tensor(element, [1, Dimension(count)])]
    }
    self[.zipMap] = { (context) throws(ShapeError) in
      let labels = try context.labels(ZipMap.integers, ZipMap.strings)
      guard labels.count > 0 else { throw .attribute(ZipMap.integers.name, reason: "names no columns") }
      if let shape = try context.shape(0) {
        guard shape.rank == 1 || shape.rank == 2 else { throw .rank(operand: 0, expected: "1 or 2", actual: shape.rank) }
        _ = try InferenceContext.same("the number of columns", shape[shape.rank - 1], "of names", Dimension(labels.count))
      }
      return [.sequence(.map(labels.type, .tensor(.float32, [])))]
    }
  }
}

extension InferenceContext {
  /// The element type of a map's values; `nil` if nothing is known of it.
  /// - Throws: `ShapeError.kind` if the operand is no map of tensors.
  fileprivate func map(_ index: Int) throws(ShapeError) -> ElementType? {
    switch try type(index) {
    case .map(_, .tensor(let value)): return value.elementType
    case .map(_, .unknown), .unknown: return nil
    case let other: throw .kind(operand: index, expected: "a map to tensors", actual: other)
    }
  }
}
