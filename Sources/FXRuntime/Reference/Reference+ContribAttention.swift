import FXCore

extension ReferenceKernels {
  mutating func addContribAttention() {
    self[.multiHeadAttention] = { context in
      try context.refuseHugeSizes()
      return try context.multiHeadAttention()
    }
    self[.groupQueryAttention] = { context in
      try context.refuseHugeSizes()
      return try context.groupQueryAttention()
    }
  }
}

extension ReferenceContext {
  /// Refuses sizes with which products of sizes could exceed `Int`: those of empty operands, and of attributes.
  func refuseHugeSizes() throws {
    for case .tensor(let tensor)? in operands { _ = try Selection.count(tensor.shape.map { max($0, 1) }) }
    for case .int(let number) in node.attributes.map(\.value) where number.magnitude > Selection.limit.magnitude {
      throw KernelError.invalid("an attribute of \(number) is too large for a size")
    }
  }
}

extension ReferenceContext {
  fileprivate func multiHeadAttention() throws -> [RuntimeValue] {
    let heads = try headCount(MultiHeadAttention.headCount)
    let type = try tensor(0).elementType
    let widths = try (0..<3).map { index in
      let shape = try tensor(index).shape
      return shape.count == 4 ? try Selection.product(shape[1], shape[3]) : shape.last ?? 0
    }
    var operands: [Tensor] = []
    for index in 0..<3 { operands.append(try biased(index, widths).splittingHeads(heads)) }
    guard has(6) == has(7) else { throw KernelError.missingOperand(has(6) ? 7 : 6) }
    var past = 0
    for index in 1...2 {
      guard let cache = try optionalTensor(5 + index) else { continue }
      guard cache.shape.count == 4 else { throw KernelError.invalid("a cache has not four axes") }
      operands[index] = try Tensor.concatenated([cache, operands[index]], axis: 2)
      past = cache.shape[2]
    }
    let (q, k, v) = (operands[0], operands[1], operands[2])
    let (batch, queries, keys, size) = (q.shape[0], q.shape[2], k.shape[2], q.shape[3])
    guard k.shape == [batch, heads, keys, size], v.shape[0] == batch, v.shape[1] == heads, v.shape[2] == keys else {
      throw KernelError.invalid("queries \(q.shape), keys \(k.shape) and values \(v.shape) do not fit")
    }
    var bias = try attentionBias(5, [batch, heads, queries, keys])
    let padding = try paddingMask(batch, queries, keys)
    let isCausal = self[MultiHeadAttention.isCausal]
    for index in bias.indices {
      let (image, row, key) = (index / (heads * queries * keys), index / keys % queries, index % keys)
      bias[index] += isCausal && key > past + row ? -.infinity : padding[(image * queries + row) * keys + key]
    }
    let attention = HeadAttention(
      batch: batch, heads: heads, keyHeads: heads, queries: queries, keys: keys, size: size, valueSize: v.shape[3],
      scale: attentionScale(size: size))
    let result = attention(try q.numbers().doubles, try k.numbers().doubles, try v.numbers().doubles, bias: bias)
    let y = try Tensor(type, [batch, queries, heads * v.shape[3]], numbers: .floats(result), saturating: false)
    return [y, k, v].prefix(resultCount).map(RuntimeValue.tensor)
  }

  /// Operand `index` of queries, keys and values plus its part of the bias, which holds those of all three.
  private func biased(_ index: Int, _ widths: [Int]) throws -> Tensor {
    let x = try tensor(index)
    guard let bias = try optionalTensor(3) else { return x }
    guard bias.shape == [widths.reduce(0, +)], x.shape.count == 3 else {
      throw KernelError.invalid("a bias of shape \(bias.shape) for widths \(widths)")
    }
    let part = try bias.slice(axis: 0, start: widths[..<index].reduce(0, +), count: widths[index])
    return try x.combined(with: part, BinaryFunction({ $0 + $1 }) { a, _ in a })
  }

  /// What is added to scores for padding, [batch, queries, keys].
  private func paddingMask(_ batch: Int, _ queries: Int, _ keys: Int) throws -> [Double] {
    let count = try Selection.count([batch, queries, keys])
    guard let mask = try optionalTensor(4) else { return Array(repeating: 0, count: count) }
    let numbers = try mask.integers()
    let filter = Double(self[MultiHeadAttention.filterValue])
    switch mask.shape {
    case [batch, keys]: return (0..<count).map { numbers[$0 / (queries * keys) * keys + $0 % keys] > 0 ? 0 : filter }
    case [batch, queries, keys]: return numbers.map { $0 > 0 ? 0 : filter }
    case [batch], [2 * batch], [3 * batch + 2]:
      // Of 3b + 2 numbers the first b are the lengths; the others say where images start in packed operands.
      let hasStarts = numbers.count == 2 * batch
      return (0..<count).map {
        let (image, key) = ($0 / (queries * keys), $0 % keys)
        return key < numbers[image] && (!hasStarts || key >= numbers[batch + image]) ? 0 : filter
      }
    default: throw KernelError.invalid("a mask of shape \(mask.shape) for \(batch) × \(queries) × \(keys) scores")
    }
  }

  fileprivate func groupQueryAttention() throws -> [RuntimeValue] {
    let (heads, keyHeads) = (
      try headCount(MultiHeadAttention.headCount), try headCount(GroupQueryAttention.keyHeadCount)
    )
    guard heads % keyHeads == 0 else {
      throw KernelError.invalid("\(heads) query heads cannot share \(keyHeads) key heads")
    }
    var (q, k, v) = try splitOperands(heads, keyHeads)
    let (batch, queries, size) = (q.shape[0], q.shape[2], q.shape[3])
    guard k.shape == [batch, keyHeads, queries, size], v.shape == k.shape else {
      throw KernelError.invalid("queries \(q.shape), keys \(k.shape) and values \(v.shape) do not fit")
    }
    let lengths = try integers(5).map { $0 + 1 }
    guard lengths.count == batch, let total = try integers(6).first, total >= queries,
      lengths.allSatisfy({ (1...total).contains($0) })
    else { throw KernelError.invalid("seqlens_k and total_sequence_length do not fit a batch of \(batch) × \(queries)") }
    // The first tokens of all: images may be shorter than the operand is long.
    let isPrompt = total == queries
    let starts = lengths.map { isPrompt ? 0 : $0 - queries }
    guard starts.allSatisfy({ $0 >= 0 }) else { throw KernelError.invalid("fewer keys than \(queries) queries") }
    if self[GroupQueryAttention.rotates] {
      let positions = try self.positions(starts, lengths, queries)
      q = try rotated(q, positions)
      k = try rotated(k, positions)
    }
    k = try cached(k, past: 3, starts, total)
    v = try cached(v, past: 4, starts, total)
    let keys = k.shape[2]
    let given = try attentionBias(10, [batch, heads, queries, total])
    var bias = Array(repeating: -Double.infinity, count: try Selection.count([batch, heads, queries, keys]))
    let window = self[GroupQueryAttention.windowSize]
    for row in 0..<batch * heads * queries {
      let position = starts[row / (heads * queries)] + row % queries
      for key in 0...position where key < total && (window < 0 || position - key < window) {
        bias[row * keys + key] = given[row * total + key]
      }
    }
    var sinks = try optionalTensor(11)?.numbers().doubles
    if sinks == nil, self[GroupQueryAttention.hasSmoothSoftmax] == 1 { sinks = Array(repeating: 0, count: heads) }
    guard sinks == nil || sinks?.count == heads else { throw KernelError.invalid("not one sink for each of \(heads) heads") }
    let attention = HeadAttention(
      batch: batch, heads: heads, keyHeads: keyHeads, queries: queries, keys: keys, size: size, valueSize: size,
      scale: attentionScale(size: size), softcap: Double(self[GroupQueryAttention.softcap]), sinks: sinks)
    let result = attention(try q.numbers().doubles, try k.numbers().doubles, try v.numbers().doubles, bias: bias)
    let y = try Tensor(q.elementType, [batch, queries, heads * size], numbers: .floats(result), saturating: false)
    return [.tensor(y), .tensor(k), .tensor(v)]
  }

  /// Queries, keys and values as [batch, heads, length, size], which may be packed into the first operand.
  private func splitOperands(_ heads: Int, _ keyHeads: Int) throws -> (Tensor, Tensor, Tensor) {
    let x = try tensor(0)
    guard x.shape.count == 3 else { throw KernelError.invalid("the query is \(x.type), not of three axes") }
    if has(1) {
      return (
        try x.splittingHeads(heads), try tensor(1).splittingHeads(keyHeads), try tensor(2).splittingHeads(keyHeads)
      )
    }
    let all = try x.splittingHeads(heads + 2 * keyHeads)
    return (
      try all.slice(axis: 1, start: 0, count: heads), try all.slice(axis: 1, start: heads, count: keyHeads),
      try all.slice(axis: 1, start: heads + keyHeads, count: keyHeads)
    )
  }

  /// For each image and query, the position that its angles belong to.
  private func positions(_ starts: [Int], _ lengths: [Int], _ queries: Int) throws -> [Int] {
    if has(9) {
      let given = try integers(9)
      if given.count == starts.count * queries { return given }
      guard given.count == 1, let first = given.first else { throw KernelError.invalid("the position ids do not fit") }
      return (0..<starts.count * queries).map { first &+ $0 % queries }
    }
    // What comes after an image's end is padding, which needs some place in the caches.
    return starts.indices.flatMap { image in
      (0..<queries).map { starts[image] + $0 < lengths[image] ? starts[image] + $0 : 1 }
    }
  }

  private func rotated(_ x: Tensor, _ positions: [Int]) throws -> Tensor {
    let (cosines, sines) = (try tensor(7), try tensor(8))
    let (batch, heads, length, size) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    guard cosines.shape.count == 2, sines.shape == cosines.shape, 2 * cosines.shape[1] <= size,
      positions.count == batch * length, positions.allSatisfy({ (0..<cosines.shape[0]).contains($0) })
    else { throw KernelError.invalid("caches of shapes \(cosines.shape) and \(sines.shape) do not hold the angles asked for") }
    let rotation = Rotation(
      cosines: try cosines.numbers().doubles, sines: try sines.numbers().doubles, half: cosines.shape[1],
      isInterleaved: self[GroupQueryAttention.isInterleaved])
    let rows = (0..<batch * heads * length).map { positions[$0 / (heads * length) * length + $0 % length] }
    let result = rotation(try x.numbers().doubles, size: size, rows: rows)
    return try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false)
  }

  /// The cache with the new keys or values of each image from its start on, and zeros behind them.
  private func cached(_ x: Tensor, past index: Int, _ starts: [Int], _ total: Int) throws -> Tensor {
    let past = try optionalTensor(index)
    let (batch, heads, count, size) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    if let past {
      guard past.shape.count == 4, past.shape[0] == batch, past.shape[1] == heads, past.shape[3] == size else {
        throw KernelError.invalid("a cache of shape \(past.shape) for keys \(x.shape)")
      }
    }
    let room = past?.shape[2] ?? 0
    let length = max(room, total)
    guard starts.allSatisfy({ $0 <= room }) else { throw KernelError.invalid("the cache holds fewer than the past keys") }
    let shape = [batch, heads, length, size]
    var result = Array(repeating: 0.0, count: try Selection.count(shape))
    let (new, old) = (try x.numbers().doubles, try past?.numbers().doubles ?? [])
    for head in 0..<batch * heads {
      let start = starts[head / heads] * size
      for offset in 0..<start { result[head * length * size + offset] = old[head * room * size + offset] }
      for offset in 0..<count * size { result[head * length * size + start + offset] = new[head * count * size + offset] }
    }
    return try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false)
  }
}
