import FXCore

/// Source of the formulas: the function bodies of the ONNX operators of the same names. Variances are means of squared
/// differences rather than differences of means, which cancel.
extension Decompositions {
  mutating func addNormalization() {
    self[.batchNormalization] = { context in try context.batchNormalization() }
    self[.layerNormalization] = { context in
      let x = try context.term(0)
      let (rank, axis) = (try x.rank, try x.axis(context[LayerNormalization.axis]))
      let axes = Array(axis..<rank)
      let wide = try x.cast(to: context[LayerNormalization.stashType])
      let (mean, centred) = try wide.centred(axes)
      let deviation = try sqrt((centred * centred).mean(axes) + Literal(context[LayerNormalization.epsilon]))
      var y = try (centred / deviation).cast(to: x.elementType) * context.term(1)
      if let bias = try context.optionalTerm(2) { y = try y + bias }
      return context.results(y, mean, try reciprocal(deviation))
    }
    define(.rmsNormalization) { context in
      let (x, scale) = (try context.term(0), try context.term(1))
      let axes = try Array(x.axis(context[LayerNormalization.axis])..<x.rank)
      let wide = try x.cast(to: context[LayerNormalization.stashType])
      let deviation = try sqrt((wide * wide).mean(axes) + Literal(context[LayerNormalization.epsilon]))
      return try (wide / deviation).cast(to: scale.elementType) * scale
    }
    define(.groupNormalization) { context in
      let x = try context.term(0)
      let groups = Extent.size(context[GroupNormalization.groupCount])
      return try x.channelsNormalized(
        groups: groups, context[GroupNormalization.stashType], epsilon: context[GroupNormalization.epsilon],
        scale: context.term(1), bias: context.term(2))
    }
    define(.instanceNormalization) { context in
      let x = try context.term(0)
      return try x.channelsNormalized(
        groups: nil, x.elementType.widened, epsilon: context[InstanceNormalization.epsilon], scale: context.term(1),
        bias: context.term(2))
    }
    unary(.lpNormalization) { x, context in
      let (p, wide) = (context[LpNormalization.p], try x.widened())
      guard p == 1 || p == 2 else { throw DecompositionDeclined(reason: "p is \(p), neither 1 nor 2") }
      let axes = [try x.axis(context[LpNormalization.axis])]
      let norm = try p == 1 ? abs(wide).sum(axes) : sqrt((wide * wide).sum(axes))
      return try select(norm .== 0, norm, wide / norm).cast(to: x.elementType)
    }
    unary(.lrn) { x, context in
      let (sizes, size) = (try x.sizes, context[LocalResponseNormalization.size])
      guard sizes.count >= 2, size > 0, !sizes.contains(where: { $0.size == 0 }) else {
        throw DecompositionDeclined(reason: "there are no neighbours to sum")
      }
      let wide = try x.widened()
      // The mean over neighbouring channels is that over a window along them, padding included.
      let planes = try (wide * wide).reshaped([sizes[0], 1, sizes[1], sizes[2...].reduce(1) { try $0 * $1 }])
      let mean = try planes.call(
        .averagePool, [],
        [
          MaxPool.kernelShape.name: .ints([size, 1]), Conv.pads.name: .ints([(size - 1) / 2, 0, size - 1 - (size - 1) / 2, 0]),
          AveragePool.countIncludePad.name: true,
        ]
      ).reshaped(sizes)
      let base = try mean * Literal(context[LocalResponseNormalization.alpha]) + Literal(context[LocalResponseNormalization.bias])
      return try (wide / pow(base, Literal(context[LocalResponseNormalization.beta]))).cast(to: x.elementType)
    }
    unary(.meanVarianceNormalization) { x, context in
      let axes = try context[MeanVarianceNormalization.axes].map(x.axis)
      let (_, centred) = try x.widened().centred(axes)
      return try (centred / (sqrt((centred * centred).mean(axes)) + 1e-9)).cast(to: x.elementType)
    }
  }
}

extension Term {
  /// The mean over the axes, and what remains without it.
  fileprivate func centred(_ axes: [Int]) throws -> (mean: Term, centred: Term) {
    let mean = try mean(axes)
    return (mean, try self - mean)
  }

  /// A number per channel in the shape that broadcasts with [n, c, …].
  fileprivate func perChannel(rank: Int) throws -> Term { try rank < 2 ? self : alongAxis(1, of: rank) }

  /// Normalized per image and group of channels; every channel is a group of its own if `groups` is `nil`.
  fileprivate func channelsNormalized(
    groups: Extent?, _ stash: ElementType, epsilon: Float, scale: Term, bias: Term
  ) throws -> Term {
    let (sizes, type) = (try sizes, try elementType)
    guard sizes.count >= 2 else { throw DecompositionDeclined(reason: "x has no channels") }
    var wide = try cast(to: stash)
    var axes = Array(2..<sizes.count)
    if let groups {
      wide = try wide.reshaped([sizes[0], groups, sizes[1] / groups] + sizes[2...])
      axes = Array(2...sizes.count)
    }
    let (_, centred) = try wide.centred(axes)
    var y = try centred / sqrt((centred * centred).mean(axes) + Literal(epsilon))
    if groups != nil { y = try y.reshaped(sizes) }
    return try y.cast(to: type) * scale.perChannel(rank: sizes.count) + bias.perChannel(rank: sizes.count)
  }
}

extension DecompositionContext {
  fileprivate func batchNormalization() throws -> [Operand]? {
    let x = try term(0)
    let (rank, type) = (try x.rank, try x.elementType.widened)
    guard rank > 0 else { return nil }
    func parameter(_ index: Int) throws -> Term { try term(index).cast(to: type) }
    let wide = try x.cast(to: type)
    var (mean, variance) = (try parameter(3).perChannel(rank: rank), try parameter(4).perChannel(rank: rank))
    var running: [Term] = []
    if self[BatchNormalization.trainingMode] {
      // A vector is a batch of one channel.
      let axes = (0..<rank).filter { $0 != 1 }
      let batchMean = try wide.mean(axes)
      let centred = try wide - batchMean
      let batchVariance = try (centred * centred).mean(axes)
      let momentum = Literal(self[BatchNormalization.momentum]), rest = Literal(1 - self[BatchNormalization.momentum])
      for (old, new) in [(mean, batchMean), (variance, batchVariance)] {
        running.append(try (old * momentum + new * rest).reshaped([-1]).cast(to: term(3).elementType))
      }
      (mean, variance) = (batchMean, batchVariance)
    }
    let deviation = try sqrt(variance + Literal(self[BatchNormalization.epsilon]))
    let normal = try (wide - mean) / deviation
    let y = try normal * parameter(1).perChannel(rank: rank) + parameter(2).perChannel(rank: rank)
    let all = [try y.cast(to: x.elementType)] + running
    return all.count < node.results.count ? nil : all.prefix(node.results.count).map(\.operand)
  }
}
