import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addNormalization() {
    self[.batchNormalization] = { context in try context.batchNormalization() }
    self[.layerNormalization] = { context in
      let x = try context.tensor(0)
      let axis = try Selection.axis(context[LayerNormalization.axis], rank: x.shape.count)
      let size = x.shape[axis...].reduce(1, &*)
      var values = try x.numbers().doubles
      var moments = values.normalize(groupsOf: size, epsilon: Double(context[LayerNormalization.epsilon]))
      // The mean of nothing is no number.
      if size == 0 {
        moments = Array(repeating: Moments(mean: .nan, inverse: .nan), count: try Selection.count(Array(x.shape[..<axis])))
      }
      try context.scale(&values, x.shape, by: 1, plus: 2)
      let result = RuntimeValue.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(values), saturating: false))
      let shape = x.shape[..<axis] + Array(repeating: 1, count: x.shape.count - axis)
      let statistics = try [moments.map(\.mean), moments.map(\.inverse)].map {
        RuntimeValue.tensor(try Tensor(context[LayerNormalization.stashType], Array(shape), numbers: .floats($0)))
      }
      return Array(([result] + statistics).prefix(context.resultCount))
    }
    self[.rmsNormalization] = { context in
      let (x, scale) = (try context.tensor(0), try context.tensor(1))
      let axis = try Selection.axis(context[LayerNormalization.axis], rank: x.shape.count)
      let size = x.shape[axis...].reduce(1, &*)
      let epsilon = Double(context[LayerNormalization.epsilon])
      var values = try x.numbers().doubles
      for start in stride(from: 0, to: values.count, by: max(size, 1)) {
        let square = values[start..<start + size].reduce(0) { $0 + $1 * $1 } / Double(size)
        for index in start..<start + size { values[index] /= (square + epsilon).squareRoot() }
      }
      try context.scale(&values, x.shape, by: 1, plus: nil)
      return [.tensor(try Tensor(scale.elementType, x.shape, numbers: .floats(values), saturating: false))]
    }
    self[.groupNormalization] = { context in
      try context.channelNormalization(
        groups: context[GroupNormalization.groupCount], epsilon: context[GroupNormalization.epsilon])
    }
    self[.instanceNormalization] = { context in
      try context.channelNormalization(groups: nil, epsilon: context[InstanceNormalization.epsilon])
    }
    self[.lpNormalization] = { context in
      let x = try context.tensor(0)
      let p = context[LpNormalization.p]
      guard p == 1 || p == 2 else { throw KernelError.invalid("p is \(p), neither 1 nor 2") }
      let lines = try AxisLines(x.shape, axis: context[LpNormalization.axis])
      let result = lines.map(try x.numbers().doubles) { values in
        let norm = p == 1 ? values.reduce(0) { $0 + abs($1) } : values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return values.map { norm == 0 ? 0 : $0 / norm }
      }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false))]
    }
    self[.lrn] = { context in try context.localResponseNormalization() }
    self[.meanVarianceNormalization] = { context in
      let x = try context.tensor(0)
      let axes = try Selection.axes(context[MeanVarianceNormalization.axes], rank: x.shape.count)
      let kept = x.shape.indices.map { axes.contains($0) ? 1 : x.shape[$0] }
      let groups = Broadcast.indices(kept, to: x.shape)
      let values = try x.numbers().doubles
      let size = axes.reduce(1.0) { $0 * Double(x.shape[$1]) }
      var means = Array(repeating: 0.0, count: try Selection.count(kept))
      for (value, group) in zip(values, groups) { means[group] += value / size }
      var variances = Array(repeating: 0.0, count: means.count)
      for (value, group) in zip(values, groups) { variances[group] += (value - means[group]) * (value - means[group]) / size }
      let result = zip(values, groups).map { ($0 - means[$1]) / (variances[$1].squareRoot() + 1e-9) }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false))]
    }
  }
}

/// What a group of numbers was normalized by.
private struct Moments {
  let mean: Double
  /// 1 / √(variance + ε)
  let inverse: Double
}

extension [Double] {
  /// Brings each run of `size` elements to mean 0 and variance 1.
  fileprivate mutating func normalize(groupsOf size: Int, epsilon: Double) -> [Moments] {
    var result: [Moments] = []
    for start in stride(from: 0, to: count, by: Swift.max(size, 1)) {
      let range = start..<start + size
      let mean = self[range].reduce(0, +) / Double(size)
      let variance = self[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
      let moments = Moments(mean: mean, inverse: 1 / (variance + epsilon).squareRoot())
      for index in range { self[index] = (self[index] - mean) * moments.inverse }
      result.append(moments)
    }
    return result
  }
}

extension ReferenceContext {
  /// Multiplies by an operand and adds another, if it is there; both broadcast to the shape.
  fileprivate func scale(_ values: inout [Double], _ shape: [Int], by factor: Int, plus term: Int?) throws {
    func spread(_ tensor: Tensor) throws -> [Double] {
      guard try Broadcast.shape([shape, tensor.shape]) == shape else {
        throw KernelError.notBroadcastable(shape, tensor.shape)
      }
      let elements = try tensor.numbers().doubles
      return Broadcast.indices(tensor.shape, to: shape).map { elements[$0] }
    }
    for (index, value) in try spread(try tensor(factor)).enumerated() { values[index] *= value }
    guard let term, let added = try optionalTensor(term) else { return }
    for (index, value) in try spread(added).enumerated() { values[index] += value }
  }

  /// A vector with a number per channel.
  private func channels(_ index: Int, _ count: Int) throws -> [Double] {
    let values = try tensor(index).numbers().doubles
    guard values.count == count else {
      throw KernelError.invalid("operand \(index) holds \(values.count) numbers for \(count) channels")
    }
    return values
  }

  fileprivate func batchNormalization() throws -> [RuntimeValue] {
    let x = try tensor(0)
    // A vector is a batch of one channel.
    guard !x.shape.isEmpty else { throw KernelError.invalid("x is a scalar") }
    let lines = try AxisLines(x.shape.count == 1 ? x.shape + [1] : x.shape, axis: 1)
    let (outer, count, inner) = (lines.outer, lines.length, lines.inner)
    var values = try x.numbers().doubles
    let (scale, bias) = (try channels(1, count), try channels(2, count))
    var (means, variances) = (try channels(3, count), try channels(4, count))
    var running: [[Double]] = []
    func forEach(_ channel: Int, _ body: (Int) -> Void) {
      for o in 0..<outer { for i in 0..<inner { body((o * count + channel) * inner + i) } }
    }
    if self[BatchNormalization.trainingMode] {
      let momentum = Double(self[BatchNormalization.momentum])
      let (oldMeans, oldVariances) = (means, variances)
      let size = Double(outer * inner)
      for channel in 0..<count {
        var (sum, squares) = (0.0, 0.0)
        forEach(channel) { sum += values[$0] }
        means[channel] = sum / size
        forEach(channel) { squares += (values[$0] - means[channel]) * (values[$0] - means[channel]) }
        variances[channel] = squares / size
      }
      running = [
        zip(oldMeans, means).map { $0 * momentum + $1 * (1 - momentum) },
        zip(oldVariances, variances).map { $0 * momentum + $1 * (1 - momentum) },
      ]
    } else if resultCount > 1 {
      throw KernelError.invalid("running statistics are results of training only")
    }
    let epsilon = Double(self[BatchNormalization.epsilon])
    for channel in 0..<count {
      let deviation = (variances[channel] + epsilon).squareRoot()
      forEach(channel) { values[$0] = (values[$0] - means[channel]) / deviation * scale[channel] + bias[channel] }
    }
    let result = RuntimeValue.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(values), saturating: false))
    let type = try tensor(3).elementType
    let statistics = try running.map { RuntimeValue.tensor(try Tensor(type, [count], numbers: .floats($0))) }
    return Array(([result] + statistics).prefix(resultCount))
  }

  /// Normalization of groups of channels of each image; of single channels if `groups` is `nil`.
  fileprivate func channelNormalization(groups: Int?, epsilon: Float) throws -> [RuntimeValue] {
    let x = try tensor(0)
    guard x.shape.count >= 2 else { throw KernelError.invalid("\(x.type) has no channels") }
    let lines = try AxisLines(x.shape, axis: 1)
    let groups = groups ?? lines.length
    guard groups > 0 || lines.length == 0, groups == 0 || lines.length % groups == 0 else {
      throw KernelError.invalid("\(lines.length) channels do not form \(groups) groups")
    }
    var values = try x.numbers().doubles
    _ = values.normalize(groupsOf: lines.length / max(groups, 1) * lines.inner, epsilon: Double(epsilon))
    let (scale, bias) = (try channels(1, lines.length), try channels(2, lines.length))
    for index in values.indices {
      let channel = index / lines.inner % lines.length
      values[index] = values[index] * scale[channel] + bias[channel]
    }
    return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(values), saturating: false))]
  }

  fileprivate func localResponseNormalization() throws -> [RuntimeValue] {
    let x = try tensor(0)
    guard x.shape.count >= 2 else { throw KernelError.invalid("\(x.type) has no channels") }
    let size = self[LocalResponseNormalization.size]
    guard size > 0 else { throw KernelError.invalid("size is \(size), not positive") }
    let (alpha, beta) = (Double(self[LocalResponseNormalization.alpha]), Double(self[LocalResponseNormalization.beta]))
    let bias = Double(self[LocalResponseNormalization.bias])
    let before = (size - 1) / 2
    let result = try AxisLines(x.shape, axis: 1).map(try x.numbers().doubles) { values in
      values.indices.map { channel in
        // The window ends `size − 1 − before` channels after this one; sizes beyond the tensor's are cut first.
        let first = max(channel - min(before, channel), 0)
        let last = min(channel + min(size - 1 - before, values.count), values.count - 1)
        let squares = values[first...last].reduce(0) { $0 + $1 * $1 }
        return values[channel] / pow(bias + alpha / Double(size) * squares, beta)
      }
    }
    return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false))]
  }
}
