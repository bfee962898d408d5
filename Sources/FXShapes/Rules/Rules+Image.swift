import FXCore

extension ShapeRules {
  mutating func addImage() {
    self[.resize] = ShapeRules.resize
    self[.centerCropPad] = ShapeRules.centerCropPad
    self[.imageDecoder] = { (context) throws(ShapeError) in
      _ = try context.shape(0, rank: 1)
      let channels: Dimension = context[ImageDecoder.pixelFormat] == "Grayscale" ? 1 : 3
      return [.tensor(.uint8, [context.dataDependentDimension(), context.dataDependentDimension(), channels])]
    }
    self[.gridSample] = { (context) throws(ShapeError) in
      guard let x = try context.shape(0, minimumRank: 3) else { return [try context.tensor(nil, like: 0)] }
      guard let grid = try context.shape(1, rank: x.rank) else {
        let spatial = (2..<x.rank).map { _ in context.dataDependentDimension() }
        return [try context.tensor(Shape([x[0], x[1]] + spatial), like: 0)]
      }
      guard let batch = x[0].unified(with: grid[0]) else { throw .dimensionsDiffer("the batch", x[0], "the grid's", grid[0]) }
      guard grid[x.rank - 1].unified(with: Dimension(x.rank - 2)) != nil else {
        throw .dimensionsDiffer("a point's length", grid[x.rank - 1], "the number of spatial axes", Dimension(x.rank - 2))
      }
      return [try context.tensor(Shape([batch, x[1]] + grid.dimensions[1..<x.rank - 1]), like: 0)]
    }
    self[.affineGrid] = { (context) throws(ShapeError) in
      let theta = try context.shape(0, rank: 3)
      guard let sizes = try context.sizes(1) else { return [try context.tensor(nil, like: 0)] }
      guard sizes.count == 4 || sizes.count == 5 else { throw .invalid("the size \(Shape(sizes)) is of no image or volume") }
      let rank = Dimension(sizes.count - 2)
      if let theta { try context.require(theta, toBe: [sizes[0], rank, rank + 1]) }
      return [try context.tensor(Shape([sizes[0]] + sizes[2...] + [rank]), like: 0)]
    }
    self[.roiAlign] = { (context) throws(ShapeError) in
      let (x, rois) = (try context.shape(0, rank: 4), try context.shape(1, rank: 2))
      if let rois, rois[1].unified(with: 4) == nil {
        throw .dimensionsDiffer("a region's length", rois[1], "the expected one", 4)
      }
      let sizes = [context[RoiAlign.outputHeight], context[RoiAlign.outputWidth]]
      guard sizes.allSatisfy({ $0 > 0 }) else { throw .attribute("output_height", reason: "and output_width must be positive") }
      let indices = try context.shape(2, rank: 1)
      guard let count = (rois?[0] ?? .unknown).unified(with: indices?[0] ?? .unknown) else {
        throw .dimensionsDiffer("the number of regions", rois?[0] ?? .unknown, "that of batch indices", indices?[0] ?? .unknown)
      }
      return [
        try context.tensor(
          [
            count.isUnknown ? context.dataDependentDimension() : count, x?[1] ?? context.dataDependentDimension(),
            Dimension(sizes[0]), Dimension(sizes[1]),
          ], like: 0)
      ]
    }
    self[.nonMaxSuppression] = { (context) throws(ShapeError) in
      let (boxes, scores) = (try context.shape(0, rank: 3), try context.shape(1, rank: 3))
      if let boxes, boxes[2].unified(with: 4) == nil {
        throw .dimensionsDiffer("a box's length", boxes[2], "the expected one", 4)
      }
      if let boxes, let scores { try context.require([boxes[0], scores[1], boxes[1]], toBe: scores) }
      // For each image and class at most as many as there are boxes, and as the third operand says.
      var bound = scores.map { $0.elementCount }
      if let scores, let most = context.contents(2)?.first, let limit = most.size {
        bound = scores[0] * scores[1] * .minimum(Dimension(max(0, limit)), scores[2])
      }
      return [.tensor(.int64, [context.dataDependentDimension(atMost: bound), 3])]
    }
  }

  @Sendable private static func resize(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard context.has(2) || context.has(3) else { throw .invalid("neither scales nor sizes are given") }
    guard var shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    let axes = try normalizedAxes(context[Resize.axes] ?? Array(0..<shape.rank), rank: shape.rank)
    let scales = try context.has(2) ? context.floats(2) : nil
    let sizes = try context.has(3) ? context.sizes(3) : nil
    // Exporters leave an empty tensor where the other one counts.
    let isBySizes = context.has(3) && sizes?.isEmpty != true
    if let count = isBySizes ? sizes?.count : scales?.count, count != axes.count {
      throw .invalid("\(count) scales or sizes for \(axes.count) axes")
    }
    if isBySizes, context[Resize.aspect] != "stretch" {
      let operand = axes.map { shape[$0] }
      let numbers = sizes.flatMap { Shape($0).sizes }.flatMap { sizes in
        Shape(operand).sizes.map { Resampling.keepingAspect($0, sizes, isLarger: context[Resize.aspect] == "not_smaller") }
      }
      for (index, axis) in axes.enumerated() {
        shape[axis] = numbers.map { Dimension($0[index]) } ?? context.dataDependentDimension()
      }
      return [try context.tensor(shape, like: 0)]
    }
    for (index, axis) in axes.enumerated() {
      if isBySizes {
        shape[axis] = sizes?[index] ?? context.dataDependentDimension()
      } else {
        shape[axis] = scales.flatMap { Resampling.size(shape[axis], scale: $0[index]) } ?? context.dataDependentDimension()
      }
    }
    return [try context.tensor(shape, like: 0)]
  }

  @Sendable private static func centerCropPad(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    guard var shape = try context.shape(0) else { return [try context.tensor(nil, like: 0)] }
    let axes = try normalizedAxes(context[CenterCropPad.axes] ?? Array(0..<shape.rank), rank: shape.rank)
    let sizes = try context.sizes(1) ?? axes.map { _ in context.dataDependentDimension() }
    guard sizes.count == axes.count else { throw .invalid("\(sizes.count) sizes for \(axes.count) axes") }
    for (axis, size) in zip(axes, sizes) { shape[axis] = size }
    return [try context.tensor(shape, like: 0)]
  }
}

extension InferenceContext {
  /// The elements of a constant operand; `nil` if it is computed.
  fileprivate func floats(_ index: Int) throws(ShapeError) -> [Double]? {
    guard let constant = constant(index) else { return nil }
    guard let numbers = try? constant.numbers() else { throw .invalid("operand \(index) holds no numbers") }
    return numbers.doubles
  }
}
