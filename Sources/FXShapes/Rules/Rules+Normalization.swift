import FXCore

extension ShapeRules {
  mutating func addNormalization() {
    self[.batchNormalization] = { (context) throws(ShapeError) in
      let shape = try context.shape(0, minimumRank: 1)
      // A vector is a batch of one channel.
      let channels: Dimension = shape.map { $0.rank > 1 ? $0[1] : 1 } ?? .unknown
      for index in 1...4 { try context.checkVector(index, channels, "the number of channels") }
      let statistics = try context.elementType(firstOf: [3, 4]).map { ValueType.tensor($0, [channels]) } ?? .unknown
      return [try context.type(0), statistics, statistics]
    }
    self[.layerNormalization] = { (context) throws(ShapeError) in
      let statistics = try context.checkNormalizedAxes([1, 2])
      let type = ValueType.tensor(context[LayerNormalization.stashType], statistics)
      return [try context.type(0), type, type]
    }
    self[.rmsNormalization] = { (context) throws(ShapeError) in
      _ = try context.checkNormalizedAxes([1])
      guard let element = try context.elementType(1) else { return [.unknown] }
      return [try context.type(0, holding: element)]
    }
    self[.groupNormalization] = { (context) throws(ShapeError) in
      let groups = context[GroupNormalization.groupCount]
      guard groups > 0 else { throw .attribute("num_groups", reason: "is \(groups), not positive") }
      if let shape = try context.shape(0, minimumRank: 2) {
        if let channels = shape[1].size, channels % groups != 0 {
          throw .attribute("num_groups", reason: "is \(groups), which does not divide \(channels) channels")
        }
        for index in 1...2 { try context.checkVector(index, shape[1], "the number of channels") }
      }
      return [try context.type(0)]
    }
    self[.instanceNormalization] = { (context) throws(ShapeError) in
      if let shape = try context.shape(0, minimumRank: 2) {
        for index in 1...2 { try context.checkVector(index, shape[1], "the number of channels") }
      }
      return [try context.type(0)]
    }
    self[.lpNormalization] = { (context) throws(ShapeError) in
      guard [1, 2].contains(context[LpNormalization.p]) else { throw .attribute("p", reason: "is neither 1 nor 2") }
      if let shape = try context.shape(0) { _ = try normalizedAxis(context[LpNormalization.axis], rank: shape.rank) }
      return [try context.type(0)]
    }
    self[.lrn] = { (context) throws(ShapeError) in
      guard context[LocalResponseNormalization.size] > 0 else { throw .attribute("size", reason: "is not positive") }
      _ = try context.shape(0, minimumRank: 2)
      return [try context.type(0)]
    }
    self[.meanVarianceNormalization] = { (context) throws(ShapeError) in
      if let shape = try context.shape(0) {
        _ = try normalizedAxes(context[MeanVarianceNormalization.axes], rank: shape.rank)
      }
      return [try context.type(0)]
    }
  }
}

extension InferenceContext {
  /// Checks a layer normalization's axis and parameters; the shape of its statistics.
  fileprivate func checkNormalizedAxes(_ parameters: [Int]) throws(ShapeError) -> Shape? {
    guard let shape = try shape(0) else { return nil }
    let axis = try normalizedAxis(self[LayerNormalization.axis], rank: shape.rank)
    for index in parameters { try checkBroadcasts(index, to: shape) }
    return shape.reducing(Array(axis..<shape.rank), keeping: true)
  }
}
