import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addRandom() {
    self[.dropout] = { context in try context.dropout() }
    self[.randomNormal] = { context in try context.draw(context[RandomShape.elementType], context[RandomShape.shape], normal) }
    self[.randomUniform] = { context in
      try context.draw(context[RandomShape.elementType], context[RandomShape.shape], uniform)
    }
    self[.randomNormalLike] = { context in try context.drawLike(normal) }
    self[.randomUniformLike] = { context in try context.drawLike(uniform) }
    self[.bernoulli] = { context in
      let probabilities = try context.tensor(0).numbers().doubles
      return try context.drawLike { _, random, index in random.bernoulli(probabilities[index]) }
    }
    self[.multinomial] = { context in
      let x = try context.tensor(0)
      guard x.shape.count == 2 else { throw KernelError.invalid("\(x.type) is not [batch, classes]") }
      let samples = context[Multinomial.sampleCount]
      guard samples >= 0 else { throw KernelError.invalid("sample_size is negative") }
      let shape = [x.shape[0], samples]
      guard try Selection.count(shape) == 0 || x.elementCount > 0 else { throw KernelError.invalid("there are no classes") }
      let values = try x.numbers().doubles
      var random = context.randomNumbers(seed: context[RandomSeed.seed].map(Double.init))
      var result: [Int64] = []
      for row in 0..<(values.isEmpty ? 0 : x.shape[0]) {
        let logits = values[(row * x.shape[1])..<(row + 1) * x.shape[1]]
        let largest = logits.max() ?? 0
        var total = 0.0
        let cumulative = logits.map { logit in
          total += exp(logit - largest)
          return total
        }
        for _ in 0..<samples {
          let point = random.uniform() * total
          result.append(Int64(cumulative.firstIndex { $0 > point } ?? cumulative.count - 1))
        }
      }
      return [.tensor(try Tensor(context[Multinomial.elementType], shape, numbers: .signed(result)))]
    }
  }
}

/// Draws element `index` of a node's result.
private typealias Distribution = (ReferenceContext, inout RandomNumbers, _ index: Int) -> Double

@Sendable private func normal(_ context: ReferenceContext, _ random: inout RandomNumbers, _ index: Int) -> Double {
  Double(context[RandomNormal.mean]) + Double(context[RandomNormal.scale]) * random.normal()
}

@Sendable private func uniform(_ context: ReferenceContext, _ random: inout RandomNumbers, _ index: Int) -> Double {
  let low = Double(context[RandomUniform.low])
  return low + (Double(context[RandomUniform.high]) - low) * random.uniform()
}

extension ReferenceContext {
  /// The numbers of the node's own seed, else of what the executor gives the node.
  fileprivate func randomNumbers(seed own: Double?) -> RandomNumbers {
    // NumPy takes 32 bits, and seeds with them alone.
    guard let own, let integer = Int64(exactly: own.rounded(.towardZero)) else { return RandomNumbers(seed: seed) }
    return UInt32(exactly: integer).map { RandomNumbers(seed: $0) } ?? RandomNumbers(seed: UInt64(bitPattern: integer))
  }

  fileprivate func draw(_ type: ElementType, _ shape: [Int], _ distribution: Distribution) throws -> [RuntimeValue] {
    var random = randomNumbers(seed: self[RandomSeed.seed].map(Double.init))
    let values = (0..<(try Selection.count(shape))).map { distribution(self, &random, $0) }
    return [.tensor(try Tensor(type, shape, numbers: .floats(values)))]
  }

  /// Draws in the shape of operand 0, and in its element type where the node names none.
  fileprivate func drawLike(_ distribution: Distribution) throws -> [RuntimeValue] {
    let x = try tensor(0)
    return try draw(self[RandomLike.elementType] ?? x.elementType, x.shape, distribution)
  }

  fileprivate func dropout() throws -> [RuntimeValue] {
    let x = try tensor(0)
    let ratio = try optionalTensor(1)?.numbers().doubles.first ?? 0.5
    let isTraining = try optionalTensor(2)?.elements(Bool.self).first ?? false
    var kept = Array(repeating: true, count: x.elementCount)
    var result = x
    if isTraining, ratio != 0 {
      guard ratio > 0, ratio < 1 else { throw KernelError.invalid("the ratio is \(ratio), outside [0, 1)") }
      var random = randomNumbers(seed: self[RandomSeed.dropout].map { Double($0) })
      for index in kept.indices { kept[index] = random.uniform() >= ratio }
      let values = zip(try x.numbers().doubles, kept).map { $1 ? $0 / (1 - ratio) : 0 }
      result = try Tensor(x.elementType, x.shape, numbers: .floats(values), saturating: false)
    }
    let mask = RuntimeValue.tensor(try Tensor(x.shape, kept))
    return resultCount > 1 ? [.tensor(result), mask] : [.tensor(result)]
  }
}
