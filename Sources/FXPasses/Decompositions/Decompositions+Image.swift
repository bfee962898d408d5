import FXCore

extension Decompositions {
  mutating func addImage() {
    define(.affineGrid) { context in
      let (theta, size) = (try context.term(0), try context.term(1))
      guard let rank = theta.dimension(1), rank == 2 || rank == 3 else {
        throw DecompositionDeclined(reason: "the number of spatial axes is not known")
      }
      let (builder, type) = (theta.builder, try theta.elementType)
      let spatial = try (0..<rank).map { try size.element(2 + $0) }
      // The coordinates of all points, the last axis first.
      var coordinates: [Term] = []
      for axis in (0..<rank).reversed() {
        let steps = try builder.coordinates(spatial[axis], isAligned: context[GridSample.alignCorners], type.widened)
        coordinates.append(try steps.alongAxis(axis, of: rank).expanded(spatial))
      }
      let points = try stack(coordinates, axis: rank).reshaped([1, spatial.product(), .size(rank)])
      let map = try theta.cast(to: type.widened)
      let linear = try map.sliced(2, from: 0, to: .size(rank)).transposed([0, 2, 1])
      let offset = try map.sliced(2, from: .size(rank)).transposed([0, 2, 1])
      return try (matmul(points, linear) + offset).cast(to: type).reshaped([theta.size(0)] + spatial + [.size(rank)])
    }
    define(.centerCropPad) { context in
      var x = try context.term(0)
      let (sizes, rank) = (try context.term(1), try x.rank)
      let axes = try (context[CenterCropPad.axes] ?? Array(0..<rank)).map(x.axis)
      for (index, axis) in axes.enumerated() {
        let (size, length) = (try sizes.element(index), try x.size(axis))
        // One of the two is 0.
        let excess = try Extent.maximum(length - size, 0)
        let lack = try Extent.maximum(size - length, 0)
        if excess.size != 0 {
          let start = try excess / 2
          x = try x.sliced(axis, from: start, to: start + Extent.minimum(size, length))
        }
        let before = try lack / 2
        x = try x.padded(axis, before: before, after: lack - before)
      }
      return x
    }
  }
}

extension DecompositionBuilder {
  /// The coordinates from −1 to 1 of elements along an axis: of the centres of the outer ones, or of their outer edges.
  fileprivate func coordinates(_ size: Extent, isAligned: Bool, _ type: ElementType) throws -> Term {
    let places = try range(size).cast(to: type)
    guard isAligned else { return try (places * 2 + 1) / term(size).cast(to: type) - 1 }
    return try places * 2 / term(Extent.maximum(size - 1, 1)).cast(to: type) - 1
  }
}
