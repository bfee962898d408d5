import FXCore
import Foundation

/// One call of `linear_attention`.
struct LinearAttentionCall {
  private let context: ReferenceContext
  private let batch: Int, length: Int, heads: Int, shared: Int, size: Int, valueSize: Int
  private let isGated: Bool
  private let isDelta: Bool

  init(_ context: ReferenceContext) throws {
    self.context = context
    heads = context[LinearAttention.queryHeadCount]
    shared = context[LinearAttention.keyHeadCount]
    let (q, k, v) = (try context.tensor(0).shape, try context.tensor(1).shape, try context.tensor(2).shape)
    guard heads > 0, shared > 0, heads % shared == 0, q.count == 3, k.count == 3, v.count == 3, k.starts(with: q[..<2]),
      v.starts(with: q[..<2]), q[2] % heads == 0, k[2] == q[2] / heads * shared, v[2] % shared == 0
    else { throw KernelError.invalid("queries \(q), keys \(k) and values \(v) do not fit \(heads) heads that share \(shared)") }
    (batch, length, size, valueSize) = (q[0], q[1], q[2] / heads, v[2] / shared)
    // Also where there are no elements: sizes are counted through.
    _ = try Selection.count([batch, length, heads, max(size, valueSize)].map { max($0, 1) })
    _ = try Selection.count([batch, shared, size, valueSize].map { max($0, 1) })
    let rule = context[LinearAttention.rule]
    isGated = rule.hasPrefix("gated")
    isDelta = rule.hasSuffix("delta")
    guard context.has(4) == isGated, context.has(5) == isDelta else {
      throw KernelError.invalid("decay belongs to gated rules and beta to delta rules, and the rule is '\(rule)'")
    }
  }

  /// The numbers of an operand [batch, length, n] and n, which must be one of `sizes`.
  private func steps(_ index: Int, _ sizes: [Int]) throws -> ([Double], Int) {
    guard let tensor = try context.optionalTensor(index) else { return ([], 0) }
    guard tensor.shape.count == 3, tensor.shape.starts(with: [batch, length]), sizes.contains(tensor.shape[2]) else {
      throw KernelError.invalid("operand \(index) has the shape \(tensor.shape)")
    }
    return (try tensor.numbers().doubles, tensor.shape[2])
  }

  func results() throws -> [RuntimeValue] {
    let q = try context.tensor(0).numbers().doubles
    let k = try context.tensor(1).numbers().doubles
    let v = try context.tensor(2).numbers().doubles
    let (decay, decayWidth) = try steps(4, [shared, shared * size])
    let (beta, betaWidth) = try steps(5, [shared, 1])
    let stateShape = [batch, shared, size, valueSize]
    let past = try context.optionalTensor(3)
    guard past == nil || past?.shape == stateShape else {
      throw KernelError.invalid("a state of shape \(past?.shape ?? []) is not \(stateShape)")
    }
    var state = try past?.numbers().doubles ?? Array(repeating: 0, count: Selection.count(stateShape))
    let given = Double(context[LinearAttention.scale])
    let scale = given == 0 ? 1 / Double(size).squareRoot() : given
    let shape = [batch, length, heads * valueSize]
    var result = Array(repeating: 0.0, count: try Selection.count(shape))
    for b in 0..<batch {
      for step in 0..<length {
        let row = b * length + step
        for head in 0..<shared {
          let base = (b * shared + head) * size * valueSize
          var value = Array(v[((row * shared + head) * valueSize)..<((row * shared + head + 1) * valueSize)])
          let key = k[((row * shared + head) * size)..<((row * shared + head + 1) * size)]
          if isGated {
            for c in 0..<size {
              let gate = exp(decay[row * decayWidth + (decayWidth == shared ? head : head * size + c)])
              for e in 0..<valueSize { state[base + c * valueSize + e] *= gate }
            }
          }
          if isDelta {
            // Write only what the state does not hold for this key yet.
            let rate = beta[row * betaWidth + (betaWidth == 1 ? 0 : head)]
            for e in 0..<valueSize {
              var held = 0.0
              for (c, x) in key.enumerated() { held += state[base + c * valueSize + e] * x }
              value[e] = rate * (value[e] - held)
            }
          }
          for (c, x) in key.enumerated() {
            for e in 0..<valueSize { state[base + c * valueSize + e] += x * value[e] }
          }
        }
        for head in 0..<heads {
          let base = (b * shared + head / (heads / shared)) * size * valueSize
          for e in 0..<valueSize {
            var sum = 0.0
            for c in 0..<size { sum += q[(row * heads + head) * size + c] * state[base + c * valueSize + e] }
            result[(row * heads + head) * valueSize + e] = scale * sum
          }
        }
      }
    }
    let type = try context.tensor(0).elementType
    return [
      .tensor(try Tensor(type, shape, numbers: .floats(result), saturating: false)),
      .tensor(try Tensor(past?.elementType ?? type, stateShape, numbers: .floats(state), saturating: false)),
    ]
  }
}
