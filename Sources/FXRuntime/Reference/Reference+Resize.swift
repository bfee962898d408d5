import FXCore
import FXShapes

extension ReferenceKernels {
  mutating func addResize() {
    self[.resize] = { context in
      let x = try context.tensor(0)
      let plan = try ResizePlan(context, x)
      let isNearest = context[Resize.mode] == "nearest"
      if plan.shape.contains(0) { return [.tensor(try Tensor(zeros: x.elementType, plan.shape))] }
      let tables = try plan.axes.map(ResizePlan.table)
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

private func extrapolation(_ context: ReferenceContext, _ type: ElementType) throws -> Tensor? {
  guard context[Resize.coordinates] == "tf_crop_and_resize", type != .string, !type.isComplex else { return nil }
  return try Tensor(type, [], numbers: .floats([Double(context[Resize.extrapolation])]))
}

/// Weighted sums along an axis; positions without taps are outside.
private func resampled(_ x: [Double], _ shape: [Int], _ axis: Int, _ table: [[ResampledAxis.Tap]], outside: Double) -> [Double] {
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
  let axes: [ResampledAxis]
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
      outputs =
        context[Resize.aspect] == "stretch"
        ? sizes : Resampling.keepingAspect(operand, sizes, isLarger: context[Resize.aspect] == "not_smaller")
      scales = Resampling.scales(operand, sizes, context.node.attributes)
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
      ResampledAxis(
        axis: named[$0], size: operand[$0], output: outputs[$0], scale: scales[$0], region: regions[$0],
        context.node.attributes)
    }
  }

  static func table(_ axis: ResampledAxis) throws -> [[ResampledAxis.Tap]] {
    do { return try axis.taps() } catch { throw KernelError.invalid(error.reason) }
  }
}
