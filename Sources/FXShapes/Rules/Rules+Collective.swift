import FXCore

extension ShapeRules {
  mutating func addCollective() {
    for op in [Operator.allReduce, .broadcast, .reduceToRoot, .barrier] {
      self[op] = { (context) throws(ShapeError) in
        try context.checkGroup()
        return [try context.type(0)]
      }
    }
    self[.allGather] = { (context) throws(ShapeError) in
      let count = try context.checkGroup()
      return [try context.resized(context[Collective.axis], "axis") { (size) throws(ShapeError) in size * Dimension(count) }]
    }
    self[.reduceScatter] = { (context) throws(ShapeError) in
      let count = try context.checkGroup()
      return [try context.resized(context[Collective.axis], "axis") { (size) throws(ShapeError) in try size.share(of: count) }]
    }
    self[.allToAll] = { (context) throws(ShapeError) in
      let count = try context.checkGroup()
      let split = try context.resized(context[AllToAll.splitAxis], "split_axis") { (size) throws(ShapeError) in
        try size.share(of: count)
      }
      guard var type = split.tensorType, var shape = type.shape else { return [split] }
      let axis = try normalizedAxis(context[AllToAll.concatAxis], rank: shape.rank)
      shape[axis] = shape[axis] * Dimension(count)
      type.shape = shape
      return [.tensor(type)]
    }
    self[.send] = { (context) throws(ShapeError) in
      try context.checkPeer()
      return [.tensor(.float32, [])]
    }
    self[.recv] = { (context) throws(ShapeError) in
      try context.checkPeer()
      guard let type = context[Recv.type].tensorType else { throw .attribute("type", reason: "is no tensor's") }
      return [.tensor(type)]
    }
  }
}

extension InferenceContext {
  /// The number of ranks that take part.
  /// - Throws: `ShapeError.attribute` for a group that is empty, names a rank twice or lacks the root.
  @discardableResult
  fileprivate func checkGroup() throws(ShapeError) -> Int {
    let group = self[Collective.group]
    guard !group.isEmpty else { throw .attribute("group", reason: "is empty") }
    guard Set(group).count == group.count, group.allSatisfy({ $0 >= 0 }) else {
      throw .attribute("group", reason: "must name ranks, each once: \(group)")
    }
    if let root = node.attributes[Collective.root.name],
      root != .int(self[Collective.root]) || !group.contains(self[Collective.root])
    {
      throw .attribute("root", reason: "must be one of \(group)")
    }
    return group.count
  }

  fileprivate func checkPeer() throws(ShapeError) {
    guard self[Collective.peer] >= 0 else { throw .attribute("peer", reason: "must be a rank") }
  }

  /// The operand's type with another size along an axis.
  fileprivate func resized(
    _ axis: Int, _ name: String, _ size: (Dimension) throws(ShapeError) -> Dimension
  ) throws(ShapeError) -> ValueType {
    guard var type = try tensorType(0) else { return .unknown }
    guard var shape = type.shape else { return .tensor(type) }
    let axis = try normalizedAxis(axis, rank: shape.rank)
    shape[axis] = try size(shape[axis])
    type.shape = shape
    return .tensor(type)
  }
}

extension Dimension {
  /// One of `count` equal parts.
  fileprivate func share(of count: Int) throws(ShapeError) -> Dimension {
    if let size, size % count != 0 { throw .invalid("\(size) elements do not fall into \(count) equal parts") }
    return self / Dimension(count)
  }
}
