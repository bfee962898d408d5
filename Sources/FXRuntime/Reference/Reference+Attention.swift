import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addAttention() {
    self[.attention] = { context in try AttentionCall(context).results() }
    self[.flexAttention] = { context in try FlexAttentionCall(context).results() }
    self[.linearAttention] = { context in try LinearAttentionCall(context).results() }
    self[.rotaryEmbedding] = { context in [.tensor(try context.rotaryEmbedding())] }
  }
}

/// One call of `attention`, its operands brought to [batch, heads, length, size].
private struct AttentionCall {
  private let context: ReferenceContext
  /// Keys and values with what the cache holds before.
  private let products: HeadProducts
  private let pastLength: Int?
  /// Per image, how many of the keys are no padding.
  private let validLengths: [Int]?

  init(_ context: ReferenceContext) throws {
    self.context = context
    let q = try context.tensor(0).splittingHeads(context[Attention.queryHeadCount])
    var k = try context.tensor(1).splittingHeads(context[Attention.keyHeadCount])
    var v = try context.tensor(2).splittingHeads(context[Attention.keyHeadCount])
    guard context.has(4) == context.has(5) else { throw KernelError.missingOperand(context.has(4) ? 5 : 4) }
    if let pastKey = try context.optionalTensor(4), let pastValue = try context.optionalTensor(5) {
      guard pastKey.shape.count == 4, pastValue.shape.count == 4 else { throw KernelError.invalid("a cache has not four axes") }
      k = try Tensor.concatenated([pastKey, k], axis: 2)
      v = try Tensor.concatenated([pastValue, v], axis: 2)
      pastLength = pastKey.shape[2]
    } else {
      pastLength = nil
    }
    products = try HeadProducts(q, k, v)
    validLengths = context.has(6) ? try context.integers(6) : nil
    if let validLengths, validLengths.count != batch || !validLengths.allSatisfy((0...keys).contains) {
      throw KernelError.invalid("lengths \(validLengths) for a batch of \(batch) with \(keys) keys")
    }
  }

  private var batch: Int { products.batch }
  private var heads: Int { products.heads }
  private var queries: Int { products.queries }
  private var keys: Int { products.keys }

  func results() throws -> [RuntimeValue] {
    let bias = try self.bias()
    let places = try Selection.count([batch, heads, queries, keys])
    let (precision, softmaxPrecision) = (
      products.precision, HalfPrecision(context[Attention.softmaxPrecision] ?? products.q.elementType)
    )
    let scale = context[Attention.scale].map(Double.init) ?? 1 / Double(products.size).squareRoot()
    var scores = try products.scores(scale: scale)
    let mode = context[Attention.scoresMode]
    var shown = scores
    let softcap = Double(context[Attention.softcap])
    if softcap > 0 {
      for index in scores.indices {
        scores[index] = precision(softcap * precision(tanh(precision(scores[index] / softcap))))
      }
    }
    if mode == 1 { shown = scores }
    for index in 0..<places { scores[index] = precision(scores[index] + bias[index]) }
    if mode == 2 { shown = scores }
    for row in 0..<(keys == 0 ? 0 : places / keys) {
      let range = row * keys..<(row + 1) * keys
      // A query that sees no key takes nothing, whatever the scores are.
      let sees = bias[range].contains { $0 != -.infinity }
      let largest = scores[range].reduce(-.infinity) { max($0, $1) }
      for index in range { scores[index] = sees ? softmaxPrecision(exp(softmaxPrecision(scores[index] - largest))) : 0 }
      let sum = softmaxPrecision.sum(scores[range])
      if sum != 0 { for index in range { scores[index] = precision(softmaxPrecision(scores[index] / sum)) } }
    }
    if mode == 3 { shown = scores }
    var result = try products.weighted(scores)
    if try context.tensor(0).shape.count == 3 {
      result = try result.transposed([0, 2, 1, 3]).reshaped([batch, queries, heads * products.valueSize])
    }
    var all = [result]
    if context.resultCount > 1 { all += [products.k, products.v] }
    if context.resultCount > 3 {
      let type = products.q.elementType
      all.append(try Tensor(type, [batch, heads, queries, keys], numbers: .floats(shown), saturating: false))
    }
    return all.prefix(context.resultCount).map(RuntimeValue.tensor)
  }

  /// What is added to the scores: the mask, and −∞ where causality, the window or padding forbid a key.
  private func bias() throws -> [Double] {
    var bias = try mask()
    let isCausal = context[Attention.isCausal]
    let (left, right) = (context[Attention.leftWindowSize], context[Attention.rightWindowSize])
    for row in 0..<batch * heads * queries {
      let image = row / (heads * queries)
      let valid = validLengths?[image]
      // How many keys come before the first query.
      let position = row % queries + (pastLength ?? valid.map { $0 - queries } ?? 0)
      for key in 0..<keys {
        let distance = key - position
        if (isCausal && distance > 0) || (left >= 0 && -distance > left) || (right >= 0 && distance > right)
          || valid.map({ key >= $0 }) ?? false
        {
          bias[row * keys + key] = -.infinity
        }
      }
    }
    return bias
  }

  /// The mask operand as numbers to add, broadcast to all scores. Keys beyond its last axis are masked.
  private func mask() throws -> [Double] {
    let shape = [batch, heads, queries, keys]
    guard let mask = try context.optionalTensor(3) else {
      return Array(repeating: 0, count: try Selection.count(shape))
    }
    guard let length = mask.shape.last, mask.shape.count <= 4 else { throw KernelError.notBroadcastable(shape, mask.shape) }
    var values = try mask.numbers().doubles
    if mask.elementType == .bool { values = values.map { $0 == 0 ? -.infinity : 0 } }
    // As in ONNX a mask that is shorter than the keys is padded, never broadcast along them.
    let visible = [batch, heads, queries, min(length, keys)]
    guard length <= keys, try Broadcast.shape([visible, mask.shape]) == visible else {
      throw KernelError.notBroadcastable(shape, mask.shape)
    }
    var result = Array(repeating: -Double.infinity, count: try Selection.count(shape))
    for (place, source) in Broadcast.indices(mask.shape, to: visible).enumerated() {
      result[place / length * keys + place % length] = values[source]
    }
    return result
  }
}

extension ReferenceContext {
  fileprivate func rotaryEmbedding() throws -> Tensor {
    let operand = try tensor(0)
    let x = try operand.splittingHeads(self[RotaryEmbedding.headCount])
    let (batch, heads, length, size) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    _ = try Selection.count(x.shape.map { max($0, 1) })
    let asked = self[RotaryEmbedding.rotatedSize]
    let rotated = asked == 0 ? size : asked
    guard rotated >= 0, rotated <= size, rotated % 2 == 0 else {
      throw KernelError.invalid("\(rotated) of \(size) elements cannot be rotated in pairs")
    }
    let half = rotated / 2
    let (cosines, sines) = (try tensor(1), try tensor(2))
    guard cosines.shape == sines.shape, cosines.shape.last == half else {
      throw KernelError.invalid("caches of shapes \(cosines.shape) and \(sines.shape) do not hold \(half) angles a position")
    }
    // For each image and place, the row of the caches.
    var rows = Array(0..<batch * length)
    if has(3) {
      rows = try integers(3)
      guard cosines.shape.count == 2, rows.count == batch * length, rows.allSatisfy({ (0..<cosines.shape[0]).contains($0) })
      else { throw KernelError.invalid("the position ids do not fit caches of shape \(cosines.shape)") }
    } else {
      guard cosines.shape == [batch, length, half] else {
        throw KernelError.invalid("caches of shape \(cosines.shape) are not [\(batch), \(length), \(half)]")
      }
    }
    let turn = Rotation(
      cosines: try cosines.numbers().doubles, sines: try sines.numbers().doubles, half: half,
      isInterleaved: self[RotaryEmbedding.interleaved])
    let lines = (0..<batch * heads * length).map { rows[$0 / (heads * length) * length + $0 % length] }
    let result = turn(try x.numbers().doubles, size: size, rows: lines)
    let rotation = try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false)
    return operand.shape.count == 4 ? rotation : try rotation.transposed([0, 2, 1, 3]).reshaped(operand.shape)
  }
}

/// Turns pairs of the elements of lines by angles of which tables hold the cosines and sines, `half` to a row.
struct Rotation {
  let cosines: [Double]
  let sines: [Double]
  let half: Int
  /// Whether pairs are neighbours rather than `half` apart.
  let isInterleaved: Bool

  /// - Parameter rows: for each line of `size` elements, which row of the tables turns it.
  func callAsFunction(_ source: [Double], size: Int, rows: [Int]) -> [Double] {
    var result = source
    for (line, row) in rows.enumerated() {
      for pair in 0..<half {
        let (c, s) = (cosines[row * half + pair], sines[row * half + pair])
        let first = line * size + (isInterleaved ? 2 * pair : pair)
        let second = first + (isInterleaved ? 1 : half)
        result[first] = c * source[first] - s * source[second]
        result[second] = s * source[first] + c * source[second]
      }
    }
    return result
  }
}
