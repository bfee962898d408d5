import FXCore

/// Means or maxima of points sampled in the cells of regions. Source: ONNX `RoiAlign`, after He et al. 2017, Mask R-CNN.
func roiAligned(_ context: ReferenceContext) throws -> Tensor {
  let (x, rois, images) = (try context.tensor(0), try context.tensor(1), try context.integers(2))
  let (rows, columns) = (context[RoiAlign.outputHeight], context[RoiAlign.outputWidth])
  guard x.shape.count == 4, rois.shape == [images.count, 4], rows > 0, columns > 0, context[RoiAlign.samplingRatio] >= 0,
    images.allSatisfy({ $0 >= 0 && $0 < x.shape[0] })
  else { throw KernelError.invalid("regions \(rois.type) of images \(images) do not fit \(x.type)") }
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  let shape = [images.count, channels, rows, columns]
  var result = Array(repeating: 0.0, count: try Selection.count(shape, x.elementType))
  guard height > 0, width > 0 else { throw KernelError.invalid("\(x.type) has nothing to sample") }
  let (numbers, regions) = (try x.numbers().doubles, try rois.numbers().doubles)
  let isShifted = context[RoiAlign.coordinates] == "half_pixel"
  let isMean = context[RoiAlign.mode] == "avg"
  for (region, image) in images.enumerated() {
    let corners = (0..<4).map { regions[region * 4 + $0] * Double(context[RoiAlign.spatialScale]) - (isShifted ? 0.5 : 0) }
    guard corners.allSatisfy({ $0.isFinite && abs($0) < Double(Int32.max) }) else {
      throw KernelError.invalid("region \(region) is \(corners)")
    }
    // Without the shift a region has at least one element.
    let (roiWidth, roiHeight) = (
      max(corners[2] - corners[0], isShifted ? -.infinity : 1), max(corners[3] - corners[1], isShifted ? -.infinity : 1)
    )
    let ys = try samples(corners[1], roiHeight, cells: rows, context[RoiAlign.samplingRatio])
    let xs = try samples(corners[0], roiWidth, cells: columns, context[RoiAlign.samplingRatio])
    for row in 0..<rows {
      for column in 0..<columns {
        let points = ys[row].flatMap { y in xs[column].map { bilinear(y, $0, height, width) } }
        for channel in 0..<channels {
          let base = (image * channels + channel) * height * width
          let values = points.map { taps in taps.map { $0.weight * numbers[base + $0.offset] } }
          result[((region * channels + channel) * rows + row) * columns + column] =
            isMean
            ? values.reduce(0) { $0 + $1.reduce(0, +) } / Double(max(points.count, 1))
            // ONNX takes the largest of the weighted corners, not of the interpolated values.
            : values.flatMap { $0.isEmpty ? [0] : $0 }.max() ?? 0
        }
      }
    }
  }
  return try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false)
}

/// For each cell of a side the coordinates sampled in it.
private func samples(_ start: Double, _ length: Double, cells: Int, _ ratio: Int) throws -> [[Double]] {
  let cell = length / Double(cells)
  let count = ratio > 0 ? ratio : max(Int(cell.rounded(.up)), 0)
  _ = try Selection.count([cells, count])
  return (0..<cells).map { index in
    (0..<count).map { start + Double(index) * cell + (Double($0) + 0.5) * cell / Double(count) }
  }
}

/// The four elements around a point, with weights; none for a point outside.
private func bilinear(_ y: Double, _ x: Double, _ height: Int, _ width: Int) -> [(offset: Int, weight: Double)] {
  guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return [] }
  func neighbours(_ place: Double, _ size: Int) -> (low: Int, high: Int, rest: Double) {
    let low = Int(max(place, 0))
    return low >= size - 1 ? (size - 1, size - 1, 0) : (low, low + 1, max(place, 0) - Double(low))
  }
  let (v, h) = (neighbours(y, height), neighbours(x, width))
  return [
    (v.low * width + h.low, (1 - v.rest) * (1 - h.rest)), (v.low * width + h.high, (1 - v.rest) * h.rest),
    (v.high * width + h.low, v.rest * (1 - h.rest)), (v.high * width + h.high, v.rest * h.rest),
  ]
}

/// The boxes that are left when each that overlaps a better one of its class is taken away: batch, class and box.
func suppressed(_ context: ReferenceContext) throws -> Tensor {
  let (boxes, scores) = (try context.tensor(0), try context.tensor(1))
  guard boxes.shape.count == 3, scores.shape.count == 3, boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
    boxes.shape[1] == scores.shape[2]
  else { throw KernelError.invalid("scores \(scores.type) do not fit boxes \(boxes.type)") }
  let limit = try context.has(2) ? max(0, context.integers(2).first ?? 0) : 0
  let threshold = Float(try context.optionalTensor(3)?.numbers().doubles.first ?? 0)
  let lowest = try context.optionalTensor(4)?.numbers().doubles.first
  let (batches, classes, count) = (scores.shape[0], scores.shape[1], scores.shape[2])
  // Areas are compared in the operands' precision, in which thresholds are met exactly.
  let (numbers, ranks) = (try boxes.elements(Float.self), try scores.numbers().doubles)
  guard scores.elementCount > 0 else { return try Tensor([0, 3], [Int]()) }
  var selected: [Int] = []
  for batch in 0..<batches {
    let areas = (0..<count).map { box in
      Box(
        Array(numbers[(batch * count + box) * 4..<(batch * count + box + 1) * 4]),
        isCentered: context[NonMaxSuppression.isCentered])
    }
    for number in 0..<classes {
      let base = (batch * classes + number) * count
      let candidates = (0..<count).filter { box in lowest.map { ranks[base + box] > $0 } ?? true }
        .sorted { ranks[base + $0] == ranks[base + $1] ? $0 < $1 : ranks[base + $0] > ranks[base + $1] }
      var kept: [Int] = []
      for box in candidates where kept.count < limit {
        if !kept.contains(where: { areas[box].overlap(with: areas[$0]) > threshold }) { kept.append(box) }
      }
      for box in kept { selected += [batch, number, box] }
    }
  }
  return try Tensor([selected.count / 3, 3], selected)
}

private struct Box {
  let (left, right, top, bottom): (Float, Float, Float, Float)

  init(_ numbers: [Float], isCentered: Bool) {
    if isCentered {
      (left, right) = (numbers[0] - numbers[2] / 2, numbers[0] + numbers[2] / 2)
      (top, bottom) = (numbers[1] - numbers[3] / 2, numbers[1] + numbers[3] / 2)
    } else {
      (left, right) = (min(numbers[1], numbers[3]), max(numbers[1], numbers[3]))
      (top, bottom) = (min(numbers[0], numbers[2]), max(numbers[0], numbers[2]))
    }
  }

  private var area: Float { (right - left) * (bottom - top) }

  /// The area of the intersection over that of the union; 0 for boxes without area.
  func overlap(with other: Box) -> Float {
    let (width, height) = (min(right, other.right) - max(left, other.left), min(bottom, other.bottom) - max(top, other.top))
    guard width > 0, height > 0, area > 0, other.area > 0 else { return 0 }
    let union = area + other.area - width * height
    return union > 0 ? width * height / union : 0
  }
}
