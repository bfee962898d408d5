import FXCore
import FXShapes

extension ReferenceKernels {
  mutating func addResize() {
    self[.resize] = { context in
      let x = try context.tensor(0)
      let plan = try ResizePlan(context, x)
      let isNearest = context[Resize.mode] == "nearest"
      if plan.shape.contains(0) { return [.tensor(try Tensor(zeros: x.elementType, plan.shape))] }
      let tables = try plan.axes.map { try plan.table(for: $0, context) }
      // Nothing is computed for the nearest element, so that every element type goes.
      if isNearest {
        var offsets = try x.allOffsets()
        for (axis, table) in zip(plan.axes, tables) {
          offsets[axis.axis] = x.offsets(table.map { $0.first?.index ?? Selection.fill }, axis: axis.axis)
        }
        let outside = try extrapolation(context, x.elementType)
        return [.tensor(try x.selecting(axes: offsets, fill: outside))]
      }
      _ = try Selection.count(plan.shape, x.elementType)
      var (numbers, shape) = (try x.numbers().doubles, x.shape)
      for (axis, table) in zip(plan.axes, tables) where !axis.isIdentity {
        numbers = resampled(numbers, shape, axis.axis, table, outside: Double(context[Resize.extrapolation]))
        shape[axis.axis] = table.count
        _ = try Selection.count(shape, x.elementType)
      }
      if x.elementType.isInteger { numbers = numbers.map { $0.rounded(.toNearestOrEven) } }
      return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(numbers), saturating: true))]
    }
  }
}

/// An element and its weight.
private struct Tap {
  let index: Int
  let weight: Double
}

private func extrapolation(_ context: ReferenceContext, _ type: ElementType) throws -> Tensor? {
  guard context[Resize.coordinates] == "tf_crop_and_resize", type != .string, !type.isComplex else { return nil }
  return try Tensor(type, [], numbers: .floats([Double(context[Resize.extrapolation])]))
}

/// Weighted sums along an axis; positions without taps are outside.
private func resampled(_ x: [Double], _ shape: [Int], _ axis: Int, _ table: [[Tap]], outside: Double) -> [Double] {
  let outer = shape[..<axis].reduce(1, *)
  let inner = shape[(axis + 1)...].reduce(1, *)
  var result = Array(repeating: 0.0, count: outer * table.count * inner)
  for block in 0..<outer {
    for (position, taps) in table.enumerated() {
      let target = (block * table.count + position) * inner
      if taps.isEmpty { for index in 0..<inner { result[target + index] = outside } }
      for tap in taps {
        let source = (block * shape[axis] + tap.index) * inner
        for index in 0..<inner { result[target + index] += tap.weight * x[source + index] }
      }
    }
  }
  return result
}

/// What `resize` does along each axis. Source of the formulas: ONNX `Resize`.
private struct ResizePlan {
  struct Axis {
    let axis: Int
    let size: Int
    let output: Int
    let scale: Double
    /// The part of the axis that `tf_crop_and_resize` takes.
    let region: (start: Double, end: Double)

    var isIdentity: Bool { scale == 1 && output == size && region == (0, 1) }
  }
  let axes: [Axis]
  let shape: [Int]

  init(_ context: ReferenceContext, _ x: Tensor) throws {
    let named = try Selection.axes(context[Resize.axes] ?? Array(x.shape.indices), rank: x.shape.count)
    let sizes = try context.has(3) ? context.integers(3) : []
    let operand = named.map { x.shape[$0] }
    var (outputs, scales): ([Int], [Double])
    if !sizes.isEmpty {
      guard sizes.count == named.count, sizes.allSatisfy({ $0 >= 0 && $0 <= Selection.limit }) else {
        throw KernelError.invalid("sizes \(sizes) do not fit \(named.count) axes")
      }
      if context[Resize.aspect] == "stretch" {
        outputs = sizes
        scales = zip(operand, sizes).map { $0 == 0 ? 1 : Double($1) / Double($0) }
      } else {
        let isLarger = context[Resize.aspect] == "not_smaller"
        outputs = Resampling.keepingAspect(operand, sizes, isLarger: isLarger)
        scales = named.map { _ in Resampling.aspectScale(operand, sizes, isLarger: isLarger) }
      }
    } else {
      scales = try context.tensor(2).numbers().doubles
      guard scales.count == named.count else { throw KernelError.invalid("\(scales.count) scales for \(named.count) axes") }
      outputs = try zip(operand, scales).map { size, scale in
        guard let output = Resampling.size(Dimension(size), scale: scale)?.size, output <= Selection.limit else {
          throw KernelError.invalid("a scale of \(scale) does not go with the size \(size)")
        }
        return output
      }
    }
    var shape = x.shape
    for (axis, output) in zip(named, outputs) {
      guard output == 0 || x.shape[axis] > 0 else { throw KernelError.invalid("an empty axis has nothing to sample") }
      shape[axis] = output
    }
    _ = try Selection.count(shape, x.elementType)
    var regions = named.map { _ in (start: 0.0, end: 1.0) }
    if context[Resize.coordinates] == "tf_crop_and_resize" {
      let roi = try context.tensor(1).numbers().doubles
      guard roi.count == 2 * named.count else {
        throw KernelError.invalid("a region of \(roi.count) numbers for \(named.count) axes")
      }
      regions = named.indices.map { (roi[$0], roi[named.count + $0]) }
    }
    self.shape = shape
    axes = named.indices.map {
      Axis(axis: named[$0], size: operand[$0], output: outputs[$0], scale: scales[$0], region: regions[$0])
    }
  }

  /// For each position of the result along an axis the elements it is made of; none if it is outside.
  func table(for axis: Axis, _ context: ReferenceContext) throws -> [[Tap]] {
    let mode = context[Resize.mode]
    guard !(context[Resize.antialias] && mode == "nearest") else {
      throw KernelError.invalid("the nearest element has no filter to widen")
    }
    if axis.isIdentity { return (0..<axis.output).map { [Tap(index: $0, weight: 1)] } }
    let widening = context[Resize.antialias] ? min(axis.scale, 1) : 1
    let radius = mode == "cubic" ? 2.0 : 1.0
    guard widening > 0, radius / widening <= Double(Selection.limit) else {
      throw KernelError.invalid("the scale \(axis.scale) is too small")
    }
    return try (0..<axis.output).map { position in
      let place = coordinate(position, axis, context[Resize.coordinates])
      guard place.isFinite, abs(place) <= Double(Int32.max) else { throw KernelError.invalid("a coordinate is \(place)") }
      let last = axis.size - 1
      if context[Resize.coordinates] == "tf_crop_and_resize", place < 0 || place > Double(last) { return [] }
      if mode == "nearest" {
        let index = nearest(place, context[Resize.nearestMode])
        return [Tap(index: min(max(index, 0), last), weight: 1)]
      }
      // The element before the place, or one further where it is on one.
      let base = Int(place.rounded(.up)) - 1
      let ratio = place - Double(base)
      let first = Int((-radius / widening).rounded(.down)) + 1
      let range = first...(1 - first)
      var weights = range.map { step in
        mode == "cubic"
          ? cubic((Double(step) - ratio) * widening, Double(context[Resize.cubicCoefficient]))
          : max(0, 1 - abs((Double(step) - ratio) * widening))
      }
      let indices = range.map { base + $0 }
      if context[Resize.excludeOutside] {
        for (slot, index) in indices.enumerated() where index < 0 || index > last { weights[slot] = 0 }
      }
      let sum = weights.reduce(0, +)
      if context[Resize.excludeOutside] || context[Resize.antialias], sum != 0 { weights = weights.map { $0 / sum } }
      return zip(indices, weights).filter { $1 != 0 }.map { Tap(index: min(max($0, 0), last), weight: $1) }
    }
  }

  /// Where a position of the result is in the operand.
  private func coordinate(_ position: Int, _ axis: Axis, _ mode: String) -> Double {
    let (x, size, length) = (Double(position), Double(axis.size), axis.scale * Double(axis.size))
    let (start, end) = axis.region
    switch mode {
    case "align_corners": return length == 1 ? 0 : x * (size - 1) / (length - 1)
    case "asymmetric": return x / axis.scale
    case "tf_half_pixel_for_nn": return (x + 0.5) / axis.scale
    case "tf_crop_and_resize":
      let step = length == 1 ? (end - start) * (size - 1) / 2 : x * (end - start) * (size - 1) / (length - 1)
      return start * (size - 1) + step
    case "pytorch_half_pixel" where length == 1: return -0.5
    case "half_pixel_symmetric":
      return size / 2 * (1 - Double(axis.output) / length) + (x + 0.5) / axis.scale - 0.5
    default: return (x + 0.5) / axis.scale - 0.5
    }
  }

  private func nearest(_ place: Double, _ mode: String) -> Int {
    switch mode {
    case "floor": Int(place.rounded(.down))
    case "ceil": Int(place.rounded(.up))
    case "round_prefer_ceil": Int((place + 0.5).rounded(.down))
    default: Int((place - 0.5).rounded(.up))
    }
  }
}

/// Keys 1981, cubic convolution with coefficient a.
func cubic(_ distance: Double, _ a: Double) -> Double {
  let x = abs(distance)
  if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
}
