import FXCore
import Foundation

/// softmax(scale × q × kᵀ + bias) × v per head, on numbers laid out as [batch, heads, length, size].
struct HeadAttention {
  let batch: Int
  let heads: Int
  /// Keys' and values'; each serves as many query heads as make up `heads`.
  let keyHeads: Int
  let queries: Int
  let keys: Int
  let size: Int
  let valueSize: Int
  let scale: Double
  /// Scores s become `softcap × tanh(s / softcap)`; 0 for none.
  var softcap = 0.0
  /// Per query head, a score that takes its part of the softmax and gives nothing.
  var sinks: [Double]?

  /// - Parameter bias: added to the scores, [batch, heads, queries, keys]; −∞ for keys that take no part.
  /// - Returns: numbers laid out as [batch, queries, heads × value size].
  func callAsFunction(_ q: [Double], _ k: [Double], _ v: [Double], bias: [Double]) -> [Double] {
    var result = Array(repeating: 0.0, count: batch * queries * heads * valueSize)
    for head in 0..<batch * heads {
      let shared = (head / heads * keyHeads + head % heads / (heads / keyHeads)) * keys
      for i in 0..<queries {
        let row = head * queries + i
        var scores = (0..<keys).map { j in
          var sum = 0.0
          for c in 0..<size { sum += q[row * size + c] * k[(shared + j) * size + c] }
          let score = sum * scale
          return (softcap > 0 ? softcap * tanh(score / softcap) : score) + bias[row * keys + j]
        }
        let sink = sinks?[head % heads]
        let largest = max(scores.reduce(-.infinity) { max($0, $1) }, sink ?? -.infinity)
        guard largest != -.infinity else { continue }
        for j in 0..<keys { scores[j] = exp(scores[j] - largest) }
        let total = scores.reduce(0, +) + (sink.map { exp($0 - largest) } ?? 0)
        let target = ((head / heads * queries + i) * heads + head % heads) * valueSize
        for j in 0..<keys where scores[j] != 0 {
          for c in 0..<valueSize { result[target + c] += scores[j] / total * v[(shared + j) * valueSize + c] }
        }
      }
    }
    return result
  }
}

extension ReferenceContext {
  /// How many heads an attribute names.
  func headCount(_ key: AttributeKey<Int>) throws -> Int {
    let count = self[key]
    guard count > 0, count <= Int(Int32.max) else { throw KernelError.invalid("\(key.name) is \(count), out of range") }
    return count
  }

  /// The factor of the scores: the attribute's, or 1/√size if it is left out or 0.
  func attentionScale(size: Int) -> Double {
    if let scale = self[MultiHeadAttention.scale], scale != 0 { return Double(scale) }
    return 1 / Double(size).squareRoot()
  }

  /// The elements of operand `index`, if it is there, broadcast to [batch, heads, queries, keys]; else zeros.
  func attentionBias(_ index: Int, _ shape: [Int]) throws -> [Double] {
    guard let bias = try optionalTensor(index) else { return Array(repeating: 0, count: try Selection.count(shape)) }
    guard try Broadcast.shape([shape, bias.shape]) == shape else { throw KernelError.notBroadcastable(shape, bias.shape) }
    let values = try bias.numbers().doubles
    return Broadcast.indices(bias.shape, to: shape).map { values[$0] }
  }
}

extension Tensor {
  /// A tensor [batch, length, heads × size] as [batch, heads, length, size]; one of four axes as it is.
  func splittingHeads(_ count: Int?) throws -> Tensor {
    if shape.count == 4 { return self }
    guard shape.count == 3, let count, count > 0, shape[2] % count == 0 else {
      throw KernelError.invalid("\(type) cannot be split into \(count.map(String.init) ?? "an unknown number of") heads")
    }
    return try reshaped([shape[0], shape[1], count, shape[2] / count]).transposed([0, 2, 1, 3])
  }
}
