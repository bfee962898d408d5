import FXCore
import FXTrace

extension GradientRules {
  mutating func addNormalization() {
    self[.batchNormalization] = .rewriting { context in
      let x = context.operand(0)
      let rank = try context.rank(x)
      guard rank >= 2 else { throw context.unsupported("an operand of rank \(rank)") }
      let element = x.elementType ?? .float32
      let channels = [0] + Array(2..<rank)
      let perChannel = (1...4).map { index in
        rank == 2
          ? context.operand(index).cast(to: element)
          : unsqueeze(context.operand(index), axes: Array(1...rank - 2)).cast(to: element)
      }
      var (mean, variance) = (perChannel[2], perChannel[3])
      if context[BatchNormalization.trainingMode] {
        guard context.cotangents.dropFirst().allSatisfy({ $0 == nil }) else {
          throw context.unsupported("the gradient of running statistics")
        }
        mean = x.meaned(over: channels)
        variance = ((x - mean) * (x - mean)).meaned(over: channels)
      }
      let scaled = (x - mean) / sqrt(variance + Double(context[BatchNormalization.epsilon]))
      return [scaled * perChannel[0] + perChannel[1]]
    }
    self[.layerNormalization] = .rewriting { context in
      let x = context.operand(0)
      let rank = try context.rank(x)
      let axes = Array(try context.axis(context[LayerNormalization.axis], of: x)..<rank)
      let element = x.elementType ?? .float32
      let stash = context[LayerNormalization.stashType]
      let wide = element == stash ? x : x.cast(to: stash)
      let mean = wide.meaned(over: axes)
      let centred = wide - mean
      let variance = (centred * centred).meaned(over: axes)
      let inverse = sqrt(variance + Double(context[LayerNormalization.epsilon])).calling(.reciprocal)
      let scaled = element == stash ? centred * inverse : (centred * inverse).cast(to: element)
      let y = scaled * context.operand(1)
      return Array([context.has(2) ? y + context.operand(2) : y, mean, inverse].prefix(context.node.results.count))
    }
  }
}

extension SymbolicTensor {
  /// The mean over the axes, kept with size 1.
  func meaned(over axes: [Int]) -> SymbolicTensor {
    calling(.reduceMean, Tensor(vector: axes), attributes: ["keepdims": .bool(true)])
  }
}
