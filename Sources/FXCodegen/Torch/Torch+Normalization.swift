import FXCore

extension TorchRows {
  mutating func addNormalization() {
    define(.batchNormalization) { call in
      guard !call[BatchNormalization.trainingMode], call.site.node.results.count == 1 else {
        throw NotExpressible("PyTorch keeps running statistics elsewhere")
      }
      guard (1..<5).allSatisfy({ call.site.elementType($0) == call.site.elementType(0) }) else {
        throw NotExpressible("the types of the statistics differ")
      }
      // Left out as far as they are the defaults: not in training, momentum.
      let eps = TorchExpression.keyed("eps", .number(call[BatchNormalization.epsilon].decimal))
      let x = [call[0], call[3], call[4], call[1], call[2]]
      return .call(
        "F.batch_norm", call.language == .python ? x + [eps] : [x[0], x[3], x[4], x[1], x[2], false, .number(0.1), eps, false])
    }
    define(.layerNormalization) { call in
      let rank = try call.site.knownRank(0)
      let axis = call.site.axis(call[LayerNormalization.axis], rank: rank)
      guard call.site.node.results.count == 1, call[LayerNormalization.stashType] == .float32,
        let shape = call.site.shape(1)?.sizes, shape.count == rank - axis, shape == call.normalizedSizes(axis),
        !call.has(2) || call.site.shape(2)?.sizes == shape
      else { throw NotExpressible("its scale is not of the normalized shape, or the statistics are asked for") }
      let bias: [TorchExpression] = call.has(2) ? [call[2]] : call.language == .cpp ? [.null] : []
      let eps = TorchExpression.keyed("eps", .number(call[LayerNormalization.epsilon].decimal))
      return .call("F.layer_norm", [call[0], .ints(shape), call[1]] + bias + [eps])
    }
    define(.groupNormalization) { call in
      guard call[GroupNormalization.stashType] == .float32 else { throw NotExpressible("statistics are in single precision") }
      return .call(
        "F.group_norm",
        [
          call[0], .int(call[GroupNormalization.groupCount]), call[1], call[2],
          .keyed("eps", .number(call[GroupNormalization.epsilon].decimal)),
        ])
    }
    define(.rmsNormalization) { call in
      let rank = try call.site.knownRank(0)
      let axis = call.site.axis(call[LayerNormalization.axis], rank: rank)
      guard call[LayerNormalization.stashType] == .float32, call.site.elementType(0) == call.site.elementType(1),
        let shape = call.site.shape(1)?.sizes, shape.count == rank - axis, shape == call.normalizedSizes(axis)
      else { throw NotExpressible("its scale is not of the normalized shape") }
      return .call(
        "F.rms_norm", [call[0], .ints(shape), call[1], .keyed("eps", .number(call[LayerNormalization.epsilon].decimal))])
    }
  }
}

extension TorchCall {
  fileprivate func normalizedSizes(_ axis: Int) -> [Int]? {
    site.shape(0).flatMap { Shape(Array($0.dimensions.dropFirst(axis))).sizes }
  }
}
