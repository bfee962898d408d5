import FXCore

/// The vendor's operators: attention and products.
extension ShapeRules {
  mutating func addContrib() {
    self[.multiHeadAttention] = { (context) throws(ShapeError) in try context.multiHeadAttention() }
    self[.groupQueryAttention] = { (context) throws(ShapeError) in try context.groupQueryAttention() }
    self[.scaledMatmul] = { (context) throws(ShapeError) in
      let a = try context.transposedShape(0, context[Gemm.transA], context[ScaledMatmul.transBatchA])
      let b = try context.transposedShape(1, context[Gemm.transB], context[ScaledMatmul.transBatchB])
      let shape = try InferenceContext.product(a, b)
      guard let element = try context.elementType(firstOf: [0, 1]) else { return [.unknown] }
      return [.tensor(element, shape)]
    }
    self[.matmulNBits] = { (context) throws(ShapeError) in
      let (k, n, block) = (context[MatmulNBits.k], context[MatmulNBits.n], context[MatmulNBits.blockSize])
      guard [2, 4, 8].contains(context[MatmulNBits.bits]) else { throw .attribute("bits", reason: "is none of 2, 4 and 8") }
      guard k > 0, n > 0 else { throw .attribute(k > 0 ? "N" : "K", reason: "is not positive") }
      guard block > 0, block % 8 == 0 else { throw .attribute("block_size", reason: "is \(block), no multiple of 8") }
      try context.checkVector(5, Dimension(n), "N")
      guard let element = try context.elementType(firstOf: [0, 2]) else { return [.unknown] }
      guard let shape = try context.shape(0, minimumRank: 1) else { return [.tensor(element, nil)] }
      _ = try InferenceContext.same("the last dimension of x", shape[shape.rank - 1], "K", Dimension(k))
      return [.tensor(element, Shape(Array(shape.dropLast()) + [Dimension(n)]))]
    }
  }
}

extension InferenceContext {
  fileprivate func transposedShape(_ index: Int, _ swaps: Bool, _ swapsBatch: Bool) throws(ShapeError) -> Shape? {
    guard let shape = try shape(index), shape.rank >= 2 else { return try shape(index) }
    var sizes = shape.dimensions
    if swapsBatch, sizes.count > 2 { sizes = Array(sizes[1..<sizes.count - 1]) + [sizes[0], sizes[sizes.count - 1]] }
    if swaps { sizes.swapAt(sizes.count - 1, sizes.count - 2) }
    return Shape(sizes)
  }

  private func positive(_ key: AttributeKey<Int>) throws(ShapeError) -> Dimension {
    let count = self[key]
    guard count > 0 else { throw .attribute(key.name, reason: "is \(count), not positive") }
    return Dimension(count)
  }

  private func typed(_ shape: Shape) throws(ShapeError) -> ValueType {
    guard let element = try elementType(0) else { return .unknown }
    return .tensor(element, shape)
  }

  fileprivate func multiHeadAttention() throws(ShapeError) -> [ValueType] {
    let heads = try positive(MultiHeadAttention.headCount)
    guard has(6) == has(7) else { throw .missingOperand(has(6) ? 7 : 6) }
    let query = try shape(0, rank: 3)
    if let size = query?[2].size, let count = heads.size, size % count != 0 {
      throw .attribute("num_heads", reason: "is \(count), which does not divide \(size)")
    }
    /// A cache after keys or values are put behind it.
    func cache(_ index: Int, past: Int) throws(ShapeError) -> Shape {
      let present = try shape(index)
      var result: Shape = [query?[0] ?? .unknown, heads, .unknown, .unknown]
      if let present {
        switch present.rank {
        case 3: result = [present[0], heads, present[1], present[2] / heads]
        case 4: result = present
        default: throw .rank(operand: index, expected: "3 or 4", actual: present.rank)
        }
      }
      if has(past) { result[2] = try shape(past, rank: 4).map { $0[2] + result[2] } ?? .unknown }
      return result
    }
    let (keys, values) = (try cache(1, past: 6), try cache(2, past: 7))
    let result: Shape = [query?[0] ?? .unknown, query?[1] ?? .unknown, heads * values[3]]
    return [try typed(result), try typed(keys), try typed(values)]
  }

  fileprivate func groupQueryAttention() throws(ShapeError) -> [ValueType] {
    let (heads, shared) = (try positive(MultiHeadAttention.headCount), try positive(GroupQueryAttention.keyHeadCount))
    if let queries = heads.size, let keys = shared.size, queries % keys != 0 {
      throw .invalid("\(queries) query heads cannot share \(keys) key heads")
    }
    guard has(1) == has(2) else { throw .missingOperand(has(1) ? 2 : 1) }
    guard has(3) == has(4) else { throw .missingOperand(has(3) ? 4 : 3) }
    guard has(7) == has(8) else { throw .missingOperand(has(7) ? 8 : 7) }
    if self[GroupQueryAttention.rotates], !has(7) { throw .missingOperand(7) }
    let query = try shape(0, rank: 3)
    let size = query.map { $0[2] / (has(1) ? heads : heads + shared * 2) } ?? .unknown
    let batch = query?[0] ?? .unknown
    // As many as the cache given has room for, or as the run needs.
    var length = contents(6)?.first ?? .unknown
    if has(3) { length = try shape(3, rank: 4).map { Dimension.maximum($0[2], length) } ?? .unknown }
    let cache: Shape = [batch, shared, length, size]
    return [try typed([batch, query?[1] ?? .unknown, heads * size]), try typed(cache), try typed(cache)]
  }
}
