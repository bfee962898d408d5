import FXCore

extension TorchRows {
  mutating func addImage() {
    define(.resize) { call in
      // Images and channels may be as many as they like.
      let rank = try call.site.knownRank(0)
      let outer = Array(repeating: 1, count: min(rank, 2))
      guard let types = call.site.shape(0), let resultTypes = call.site.resultType()?.shape, resultTypes.rank == rank,
        types.prefix(2).elementsEqual(resultTypes.prefix(2)), !types.prefix(2).contains(where: \.isUnknown),
        let inner = Shape(Array(types.dimensions.dropFirst(2))).sizes,
        let innerResult = Shape(Array(resultTypes.dimensions.dropFirst(2))).sizes
      else { throw NotExpressible("the sizes of the resized axes must be numbers") }
      let (shape, result) = (outer + inner, outer + innerResult)
      let (mode, coordinates) = (call[Resize.mode], call[Resize.coordinates])
      guard (3...5).contains(shape.count), !call[Resize.antialias],
        !call[Resize.excludeOutside], call[Resize.aspect] == "stretch", !(call.site.elementType(0)?.isInteger ?? true)
      else { throw NotExpressible("F.interpolate resizes the axes after the channels, without filters") }
      // Scales that do not give whole sizes are not the ratio of the sizes, from which F.interpolate starts.
      if !call.has(3) || call.site.shape(3)?.first?.size == 0 {
        let scales = try call.site.constant(2)?.numbers().doubles ?? []
        // The outer axes stand as 1 on both sides.
        let axes = call[Resize.axes]?.map { call.site.axis($0, rank: shape.count) } ?? Array(shape.indices)
        guard scales.count == axes.count, zip(axes, scales).allSatisfy({ Double(result[$0]) == Double(shape[$0]) * $1 }) else {
          throw NotExpressible("the scales are not the ratios of the sizes")
        }
      }
      let size = TorchExpression.keyed("size", .ints(Array(result[2...])))
      let isHalfPixel = coordinates == "half_pixel" || (coordinates == "pytorch_half_pixel" && !result.contains(1))
      switch (mode, coordinates) {
      case ("nearest", "asymmetric") where call[Resize.nearestMode] == "floor":
        if call.language == .cpp {
          return .call("at::upsample_nearest\(shape.count - 2)d", [call[0], .ints(Array(result[2...]))])
        }
        return .call("F.interpolate", [call[0], size])
      case ("linear", _) where (isHalfPixel || coordinates == "align_corners") && call.language == .python:
        let name = ["linear", "bilinear", "trilinear"][shape.count - 3]
        let corners: [TorchExpression] = coordinates == "align_corners" ? [.keyed("align_corners", true)] : []
        return .call("F.interpolate", [call[0], size, .keyed("mode", .string(name))] + corners)
      default: throw NotExpressible("F.interpolate has no such coordinates")
      }
    }
  }
}
