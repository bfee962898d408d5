import FXCore
import FXShapes

extension ReferenceKernels {
  mutating func addImage() {
    addResize()
    self[.imageDecoder] = { context in [.tensor(try imageDecoded(context))] }
    self[.gridSample] = { context in [.tensor(try gridSampled(context))] }
    self[.affineGrid] = { context in [.tensor(try affineGrid(context))] }
    self[.roiAlign] = { context in [.tensor(try roiAligned(context))] }
    self[.nonMaxSuppression] = { context in [.tensor(try suppressed(context))] }
    self[.centerCropPad] = { context in
      let (x, sizes) = (try context.tensor(0), try context.integers(1))
      let axes = try Selection.axes(context[CenterCropPad.axes] ?? Array(x.shape.indices), rank: x.shape.count)
      guard sizes.count == axes.count, sizes.allSatisfy({ $0 >= 0 && $0 <= Selection.limit }) else {
        throw KernelError.invalid("sizes \(sizes) do not fit \(axes.count) axes")
      }
      var offsets = try x.allOffsets()
      for (axis, size) in zip(axes, sizes) {
        let length = x.shape[axis]
        let start = size < length ? (length - size) / 2 : -((size - length) / 2)
        offsets[axis] = x.offsets(
          (0..<size).map { start + $0 >= 0 && start + $0 < length ? start + $0 : Selection.fill }, axis: axis)
      }
      return [.tensor(try x.selecting(axes: offsets))]
    }
  }
}

/// ONNX has an empty image for what cannot be decoded; a library that is not there is an error of the machine's instead.
private func imageDecoded(_ context: ReferenceContext) throws -> Tensor {
  let encoded = try context.tensor(0)
  let format = context[ImageDecoder.pixelFormat]
  let channels = format == "Grayscale" ? 1 : 3
  guard let image = try encoded.withUnsafeBytes({ try DecodedImage.decode($0) }) else {
    return try Tensor(zeros: .uint8, [0, 0, channels])
  }
  var pixels = image.pixels
  if format == "BGR" {
    for start in stride(from: 0, to: pixels.count, by: 3) { pixels.swapAt(start, start + 2) }
  } else if channels == 1 {
    // ITU-R BT.601, in the integers that Pillow computes with.
    pixels = (0..<image.width * image.height).map { pixel in
      let (red, green, blue) = (Int(pixels[3 * pixel]), Int(pixels[3 * pixel + 1]), Int(pixels[3 * pixel + 2]))
      return UInt8((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16)
    }
  }
  return try pixels.withUnsafeBytes { try Tensor(.uint8, [image.height, image.width, channels], bytes: $0) }
}

private func gridSampled(_ context: ReferenceContext) throws -> Tensor {
  let (x, grid) = (try context.tensor(0), try context.tensor(1))
  let rank = x.shape.count - 2
  guard rank >= 1, rank <= 8, grid.shape.count == rank + 2, grid.shape[0] == x.shape[0], grid.shape[rank + 1] == rank else {
    throw KernelError.invalid("the grid \(grid.type) does not go with \(x.type)")
  }
  let (input, output) = (Array(x.shape[2...]), Array(grid.shape[1...rank]))
  let (plane, points) = (try Selection.count(input), try Selection.count(output))
  let shape = [x.shape[0], x.shape[1]] + output
  var result = Array(repeating: 0.0, count: try Selection.count(shape, x.elementType))
  guard plane > 0 || result.isEmpty else { throw KernelError.invalid("\(x.type) has nothing to sample") }
  let (numbers, places) = (try x.numbers().doubles, try grid.numbers().doubles)
  let sampler = GridSampler(
    mode: context[GridSample.mode], padding: context[GridSample.paddingMode], isAligned: context[GridSample.alignCorners],
    shape: input)
  for image in 0..<x.shape[0] {
    for point in 0..<points {
      // A grid names the last axis first.
      let place = places[((image * points) + point) * rank..<((image * points) + point + 1) * rank].reversed()
      let taps = sampler.taps(Array(place))
      for channel in 0..<x.shape[1] {
        let base = (image * x.shape[1] + channel) * plane
        result[(image * x.shape[1] + channel) * points + point] =
          taps.reduce(0) { $0 + $1.weight * numbers[base + $1.offset] }
      }
    }
  }
  return try Tensor(x.elementType, shape, numbers: .floats(result))
}

/// Which elements of a channel make up a point of a grid. Source: ONNX `GridSample`.
private struct GridSampler {
  let mode: String
  let padding: String
  let isAligned: Bool
  let shape: [Int]

  func taps(_ place: [Double]) -> [(offset: Int, weight: Double)] {
    let strides = Selection.strides(shape)
    var taps: [(offset: Int, weight: Double)] = [(0, 1)]
    for axis in shape.indices {
      let along = self.along(place[axis], shape[axis])
      taps = taps.flatMap { tap in along.map { (tap.offset + $0.index * strides[axis], tap.weight * $0.weight) } }
    }
    return taps
  }

  /// The elements along one axis with their weights.
  private func along(_ coordinate: Double, _ size: Int) -> [(index: Int, weight: Double)] {
    let length = Double(size)
    let (low, high) = isAligned ? (0, length - 1) : (-0.5, length - 0.5)
    var x = isAligned ? (coordinate + 1) / 2 * (length - 1) : ((coordinate + 1) * length - 1) / 2
    // What is no number, or beyond any size, is outside.
    guard x.isFinite, abs(x) < Double(Int32.max) else {
      return padding == "border" && x > 0 ? [(size - 1, 1)] : padding == "zeros" ? [] : [(0, 1)]
    }
    if mode == "nearest" { x = x.rounded(.toNearestOrEven) }
    if x < low || x > high {
      if padding == "border" { x = min(max(x, 0), length - 1) }
      if padding == "reflection" { x = reflected(x, low, high) }
    }
    let base = Int(x.rounded(.down))
    let taps: [(Int, Double)] =
      switch mode {
      case "nearest": [(base, 1)]
      case "cubic": (-1...2).map { (base + $0, Resampling.cubic(x - Double(base + $0), -0.75)) }
      default: [(base, 1 - (x - Double(base))), (base + 1, x - Double(base))]
      }
    return taps.compactMap { index, weight in
      if index >= 0, index < size { return (index, weight) }
      switch padding {
      case "border": return (min(max(index, 0), size - 1), weight)
      case "reflection": return (min(max(Int(reflected(Double(index), low, high)), 0), size - 1), weight)
      default: return nil
      }
    }
  }

  /// Mirrored at the borders until inside.
  private func reflected(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let length = high - low
    guard length > 0 else { return low }
    let distance = x < low ? low - x : x - high
    guard distance > 0 else { return x }
    let turns = (distance / length).rounded(.down)
    let rest = distance - turns * length
    let isEven = turns.truncatingRemainder(dividingBy: 2) == 0
    return (x < low) == isEven ? low + rest : high - rest
  }
}

private func affineGrid(_ context: ReferenceContext) throws -> Tensor {
  let (theta, size) = (try context.tensor(0), try context.integers(1))
  let rank = size.count - 2
  guard rank == 2 || rank == 3, theta.shape == [size[0], rank, rank + 1] else {
    throw KernelError.invalid("maps \(theta.type) do not fit the size \(size)")
  }
  let spatial = Array(size[2...])
  let shape = [size[0]] + spatial + [rank]
  var result = Array(repeating: 0.0, count: try Selection.count(shape, theta.elementType))
  let points = try Selection.count(spatial)
  let (numbers, strides) = (try theta.numbers().doubles, Selection.strides(spatial))
  for point in 0..<points {
    // The last axis is x.
    let place = spatial.indices.reversed().map { axis in
      let (index, length) = (Double(point / strides[axis] % spatial[axis]), Double(spatial[axis]))
      guard context[GridSample.alignCorners] else { return (2 * index + 1) / length - 1 }
      return length == 1 ? -1 : 2 * index / (length - 1) - 1
    }
    for image in 0..<size[0] {
      for row in 0..<rank {
        let start = (image * rank + row) * (rank + 1)
        result[(image * points + point) * rank + row] =
          (0..<rank).reduce(numbers[start + rank]) { $0 + numbers[start + $1] * place[$1] }
      }
    }
  }
  return try Tensor(theta.elementType, shape, numbers: .floats(result), saturating: false)
}
