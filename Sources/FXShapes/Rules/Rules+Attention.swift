import FXCore

extension ShapeRules {
  mutating func addAttention() {
    self[.attention] = { (context) throws(ShapeError) in try context.attention() }
    self[.flexAttention] = { (context) throws(ShapeError) in try context.flexAttention() }
    self[.linearAttention] = { (context) throws(ShapeError) in
      let (heads, shared) = (context[LinearAttention.queryHeadCount], context[LinearAttention.keyHeadCount])
      guard heads > 0, shared > 0, heads % shared == 0 else {
        throw .invalid("\(heads) query heads cannot share \(shared) key heads")
      }
      let (query, value) = (try context.shape(0, rank: 3), try context.shape(2, rank: 3))
      _ = try context.shape(1, rank: 3)
      let size = query.map { $0[2] / Dimension(heads) } ?? .unknown
      let valueSize = value.map { $0[2] / Dimension(shared) } ?? .unknown
      let batch = query?[0] ?? .unknown
      let result: Shape = [batch, query?[1] ?? .unknown, valueSize * Dimension(heads)]
      let state: Shape = [batch, Dimension(shared), size, valueSize]
      guard let element = try context.elementType(0) else { return [.unknown, .unknown] }
      let stateElement = context.has(3) ? try context.elementType(3) : nil
      return [.tensor(element, result), .tensor(stateElement ?? element, state)]
    }
    self[.rotaryEmbedding] = { (context) throws(ShapeError) in
      if let shape = try context.shape(0) {
        guard shape.rank == 3 || shape.rank == 4 else { throw .rank(operand: 0, expected: "3 or 4", actual: shape.rank) }
        let heads = context[RotaryEmbedding.headCount]
        if shape.rank == 3 {
          guard heads > 0 else { throw .attribute("num_heads", reason: "is needed where x has three axes") }
          if let size = shape[2].size, size % heads != 0 {
            throw .attribute("num_heads", reason: "is \(heads), which does not divide \(size)")
          }
        }
      }
      let rank = context.has(3) ? 2 : 3
      for index in 1...2 { _ = try context.shape(index, rank: rank) }
      return [try context.type(0)]
    }
  }
}

extension InferenceContext {
  /// An operand as [batch, heads, length, size]; `nil` if its rank is unknown.
  private func heads(_ index: Int, _ count: Int?, _ attribute: String) throws(ShapeError) -> Shape? {
    guard let shape = try shape(index) else { return nil }
    switch shape.rank {
    case 4: return shape
    case 3:
      guard let count, count > 0 else { throw .attribute(attribute, reason: "is needed where operands have three axes") }
      if let size = shape[2].size, size % count != 0 {
        throw .attribute(attribute, reason: "is \(count), which does not divide \(size)")
      }
      return [shape[0], Dimension(count), shape[1], shape[2] / Dimension(count)]
    default: throw .rank(operand: index, expected: "3 or 4", actual: shape.rank)
    }
  }

  fileprivate func attention() throws(ShapeError) -> [ValueType] {
    let q = try heads(0, self[Attention.queryHeadCount], "q_num_heads")
    let k = try heads(1, self[Attention.keyHeadCount], "kv_num_heads")
    let v = try heads(2, self[Attention.keyHeadCount], "kv_num_heads")
    guard has(4) == has(5) else { throw .missingOperand(has(4) ? 5 : 4) }
    if let q, let k {
      _ = try InferenceContext.same("the number of batches of the query", q[0], "of the key", k[0])
      _ = try InferenceContext.same("the size of a query", q[3], "the size of a key", k[3])
      if let queries = q[1].size, let keys = k[1].size, keys > 0, queries % keys != 0 {
        throw .invalid("\(queries) query heads cannot share \(keys) key heads")
      }
    }
    if let k, let v {
      _ = try InferenceContext.same("the number of batches of the key", k[0], "of the value", v[0])
      _ = try InferenceContext.same("the number of key heads", k[1], "that of value heads", v[1])
      _ = try InferenceContext.same("the number of keys", k[2], "the number of values", v[2])
    }
    let pastKey = has(4) ? try shape(4, rank: 4) : nil
    let pastValue = has(5) ? try shape(5, rank: 4) : nil
    func joined(_ present: Shape?, _ past: Shape?, at index: Int) -> Shape? {
      guard var shape = present else { return nil }
      if has(index) { shape[2] = past.map { $0[2] + shape[2] } ?? .unknown }
      return shape
    }
    let keys = joined(k, pastKey, at: 4)
    let values = joined(v, pastValue, at: 5)
    var scores: Shape?
    var result: Shape?
    if let q {
      scores = [q[0], q[1], q[2], keys?[2] ?? .unknown]
      if let v { result = [q[0], q[1], q[2], v[3]] }
      if let shape = try shape(0), shape.rank == 3 {
        result = [q[0], q[2], v.map { q[1] * $0[3] } ?? .unknown]
      }
    }
    let first = try elementType(firstOf: [0, 1])
    let second = try elementType(2)
    func type(_ element: ElementType?, _ shape: Shape?) -> ValueType { element.map { .tensor($0, shape) } ?? .unknown }
    return [type(first, result), type(first, keys), type(second, values), type(first, scores)]
  }

  /// Each region gives what it takes.
  fileprivate mutating func flexAttention() throws(ShapeError) -> [ValueType] {
    let (q, k, v) = (try shape(0, rank: 4), try shape(1, rank: 4), try shape(2, rank: 4))
    if let q, let k {
      _ = try InferenceContext.same("the size of a query", q[3], "the size of a key", k[3])
      if let queries = q[1].size, let keys = k[1].size, keys < 1 || queries % keys != 0 {
        throw .invalid("\(queries) query heads cannot share \(keys) key heads")
      }
    }
    if let k, let v {
      _ = try InferenceContext.same("the number of keys", k[2], "the number of values", v[2])
      _ = try InferenceContext.same("the number of key heads", k[1], "that of value heads", v[1])
    }
    let precision = self[FlexAttention.softmaxPrecision]
    if let precision, !precision.isFloatingPoint {
      throw .attribute("softmax_precision", reason: "is \(precision.rawValue), which softmax is not computed in")
    }
    guard let element = try elementType(firstOf: [0, 1, 2]) else { return [.unknown] }
    let scores = Shape([q?[0] ?? k?[0] ?? .unknown, q?[1] ?? .unknown, q?[2] ?? .unknown, k?[2] ?? v?[2] ?? .unknown])
    let type = ValueType.tensor(FlexAttention.scoreType(precision, operand: element), scores)
    var captures: [ValueType] = []
    for index in 3..<max(3, operandCount) { captures.append(try self.type(index)) }
    for region in 0..<2 {
      let results = try results(
        ofRegion: region, arguments: [type] + captures, contents: [nil] + captures.indices.map { contents(3 + $0) }
      ).types
      guard results.count == 1 else { throw .resultCount(expected: 1, actual: results.count) }
      guard let united = type.united(with: results[0]) else { throw .branchTypes(index: 0, type, results[0]) }
      if case .tensor(let united) = united, united.shape == nil, results[0].shape != nil {
        throw .branchTypes(index: 0, type, results[0])
      }
    }
    return [.tensor(element, Shape([scores[0], scores[1], scores[2], v?[3] ?? .unknown]))]
  }
}
