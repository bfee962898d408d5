import FXCore
import Foundation

/// One call of `flex_attention`. Source of the steps' precision: ONNX's reference of `FlexAttention`.
struct FlexAttentionCall {
  private let context: ReferenceContext
  private let q: Tensor
  private let k: Tensor
  private let v: Tensor
  private let batch: Int, heads: Int, queries: Int, keys: Int, size: Int, valueSize: Int
  /// How many query heads share a key head.
  private let sharing: Int
  private let scoreType: ElementType

  init(_ context: ReferenceContext) throws {
    self.context = context
    (q, k, v) = (try context.tensor(0), try context.tensor(1), try context.tensor(2))
    guard q.shape.count == 4, k.shape.count == 4, v.shape.count == 4, k.shape[0] == q.shape[0], v.shape[0] == q.shape[0],
      k.shape[3] == q.shape[3], v.shape[2] == k.shape[2], v.shape[1] == k.shape[1], k.shape[1] > 0,
      q.shape[1] % k.shape[1] == 0
    else { throw KernelError.invalid("queries \(q.shape), keys \(k.shape) and values \(v.shape) do not fit") }
    (batch, heads, queries, size) = (q.shape[0], q.shape[1], q.shape[2], q.shape[3])
    (keys, valueSize) = (k.shape[2], v.shape[3])
    sharing = heads / k.shape[1]
    scoreType = FlexAttention.scoreType(context[FlexAttention.softmaxPrecision], operand: q.elementType)
    // Also where there are no elements: sizes are counted through.
    _ = try Selection.count([batch, heads, queries, keys].map { max($0, 1) })
    _ = try Selection.count([batch, heads, max(queries, keys), max(size, valueSize)].map { max($0, 1) })
  }

  func results() throws -> [RuntimeValue] {
    let shape = [batch, heads, queries, keys]
    let scores = try modified(by: 0, Tensor(scoreType, shape, numbers: .floats(try product()), saturating: false))
    let probabilities = try softmax(scores.numbers().doubles)
    let weights = try modified(by: 1, Tensor(scoreType, shape, numbers: .floats(probabilities), saturating: false))
    return [.tensor(try weighted(weights.numbers().doubles))]
  }

  /// What a region makes of the tensor, which keeps its type and shape.
  private func modified(by region: Int, _ tensor: Tensor) throws -> Tensor {
    let results = try context.run(region: region, [.tensor(tensor)] + context.values(from: 3))
    guard results.count == 1, let result = results[0].tensor, result.elementType == tensor.elementType,
      result.shape == tensor.shape
    else {
      let types = results.map { "\($0.type)" }.joined(separator: ", ")
      throw KernelError.invalid("a region gives \(types) for \(tensor.type)")
    }
    return result
  }

  /// scale × q × kᵀ in the operands' precision, as [batch, heads, queries, keys].
  private func product() throws -> [Double] {
    let precision = HalfPrecision(q.elementType)
    // Both operands take the root of the scale against overflow.
    let scale = context[FlexAttention.scale].map(Double.init) ?? 1 / Double(size).squareRoot()
    let root = precision(scale.squareRoot())
    let q = try self.q.numbers().doubles.map { precision($0 * root) }
    let k = try self.k.numbers().doubles.map { precision($0 * root) }
    var result: [Double] = []
    result.reserveCapacity(batch * heads * queries * keys)
    for head in 0..<batch * heads {
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

  private func softmax(_ scores: [Double]) throws -> [Double] {
    let precision = HalfPrecision(scoreType)
    var result = scores
    for row in 0..<(keys == 0 ? 0 : scores.count / keys) {
      let range = row * keys..<(row + 1) * keys
      let largest = scores[range].reduce(-.infinity) { max($0, $1) }
      for index in range { result[index] = precision(exp(precision(scores[index] - largest))) }
      let sum = precision.sum(result[range])
      for index in range { result[index] = precision(result[index] / sum) }
    }
    return result
  }

  /// The values weighted, as [batch, heads, queries, size of a value].
  private func weighted(_ weights: [Double]) throws -> Tensor {
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
