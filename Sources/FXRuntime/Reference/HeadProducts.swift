import FXCore

/// The two products of attention with a step in between, on tensors [batch, heads, length, size].
struct HeadProducts {
  let q: Tensor
  let k: Tensor
  let v: Tensor
  let batch: Int, heads: Int, queries: Int, keys: Int, size: Int, valueSize: Int
  /// How many query heads share a key head.
  let sharing: Int
  /// What ONNX's definition computes the scores in; `nil` where one rounding at the end does.
  let precision: HalfPrecision?

  /// - Throws: `KernelError.invalid`, for sizes that do not fit or of which there are too many elements.
  init(_ q: Tensor, _ k: Tensor, _ v: Tensor) throws {
    guard q.shape.count == 4, k.shape.count == 4, v.shape.count == 4, k.shape[0] == q.shape[0], v.shape[0] == q.shape[0],
      k.shape[3] == q.shape[3], v.shape[2] == k.shape[2], v.shape[1] == k.shape[1], k.shape[1] > 0,
      q.shape[1] % k.shape[1] == 0
    else { throw KernelError.invalid("queries \(q.shape), keys \(k.shape) and values \(v.shape) do not fit") }
    (self.q, self.k, self.v) = (q, k, v)
    (batch, heads, queries, size) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
    (keys, valueSize) = (k.shape[2], v.shape[3])
    sharing = heads / k.shape[1]
    precision = HalfPrecision(q.elementType)
    // Also where there are no elements: sizes are counted through.
    _ = try Selection.count([batch, heads, queries, keys].map { max($0, 1) })
    _ = try Selection.count([batch, heads, max(queries, keys), max(size, valueSize)].map { max($0, 1) })
  }

  /// scale × q × kᵀ, as [batch, heads, queries, keys].
  func scores(scale: Double) throws -> [Double] {
    // Both operands take the root of the scale, as ONNX has it against overflow.
    let root = precision(scale.squareRoot())
    let q = try self.q.numbers().doubles.map { precision($0 * root) }
    let k = try self.k.numbers().doubles.map { precision($0 * root) }
    var result: [Double] = []
    result.reserveCapacity(batch * heads * queries * keys)
    for head in 0..<batch * heads {
      // Heads divide evenly, also over images.
      let shared = head / sharing * keys * size
      for i in 0..<queries {
        let row = (head * queries + i) * size
        for j in 0..<keys {
          var sum = 0.0
          for c in 0..<size { sum += q[row + c] * k[shared + j * size + c] }
          result.append(precision(sum))
        }
      }
    }
    return result
  }

  /// The values weighted, as [batch, heads, queries, size of a value].
  func weighted(_ weights: [Double]) throws -> Tensor {
    let v = try self.v.numbers().doubles
    var result = Array(repeating: 0.0, count: batch * heads * queries * valueSize)
    for head in 0..<batch * heads {
      let shared = head / sharing * keys * valueSize
      for i in 0..<queries {
        let row = head * queries + i
        for j in 0..<keys {
          let weight = weights[row * keys + j]
          for c in 0..<valueSize { result[row * valueSize + c] += weight * v[shared + j * valueSize + c] }
        }
      }
    }
    return try Tensor(q.elementType, [batch, heads, queries, valueSize], numbers: .floats(result), saturating: false)
  }
}
