import FXCore
import FXShapes
import Foundation

extension ReferenceKernels {
  mutating func addPooling() {
    self[.maxPool] = { context in try maxPooled(context) }
    self[.averagePool] = { context in
      let countsPadding = context[AveragePool.countIncludePad]
      return try pooled(context) { values, offsets, taps, position in
        let count = countsPadding ? taps.paddedCount(at: position) : offsets.count
        return count == 0 ? 0 : values.reduce(0, +) / Double(count)
      }
    }
    self[.lpPool] = { context in
      let p = try context.norm()
      return try pooled(context) { values, _, _, _ in norm(values, p) }
    }
    setGlobal(.globalAveragePool) { values, _ in values.reduce(0, +) / Double(values.count) }
    setGlobal(.globalMaxPool) { values, _ in
      values.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }
    }
    setGlobal(.globalLpPool) { values, context in norm(values, try context.norm()) }
    self[.maxUnpool] = { context in [.tensor(try unpooled(context))] }
    self[.maxRoiPool] = { context in [.tensor(try regionPooled(context))] }
  }

  /// A number from all elements of each channel.
  private mutating func setGlobal(
    _ op: Operator, _ reduce: @escaping @Sendable (ArraySlice<Double>, ReferenceContext) throws -> Double
  ) {
    self[op] = { context in
      let x = try context.tensor(0)
      guard x.shape.count >= 2 else { throw KernelError.invalid("\(x.type) has no channels") }
      let plane = try Selection.count(Array(x.shape[2...]))
      let planes = try Selection.count(Array(x.shape[..<2]))
      let numbers = try x.numbers().doubles
      let results = try (0..<planes).map { try reduce(numbers[$0 * plane..<($0 + 1) * plane], context) }
      let shape = x.shape[..<2] + x.shape[2...].map { _ in 1 }
      return [.tensor(try Tensor(x.elementType, Array(shape), numbers: .floats(results), saturating: false))]
    }
  }
}

extension ReferenceContext {
  fileprivate func norm() throws -> Double {
    guard self[LpPool.p] > 0 else { throw KernelError.invalid("p is \(self[LpPool.p])") }
    return Double(self[LpPool.p])
  }

  /// The windows over the operand's spatial axes.
  fileprivate func poolingTaps(_ x: Tensor) throws -> Taps {
    let window = try Window(
      kernel: self[MaxPool.kernelShape], strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: self[Conv.autoPad])
    guard window.rank > 0, x.shape.count == window.rank + 2 else {
      throw KernelError.invalid("a window of \(window.rank) axes does not slide over \(x.type)")
    }
    return try Taps(window, input: Array(x.shape[2...]), roundingUp: self[MaxPool.ceilMode])
  }
}

private func norm(_ values: some Sequence<Double>, _ p: Double) -> Double {
  let sum = values.reduce(0) { $0 + (p == 1 ? abs($1) : p == 2 ? $1 * $1 : pow(abs($1), p)) }
  return p == 1 ? sum : p == 2 ? sum.squareRoot() : pow(sum, 1 / p)
}

/// A number from the elements of each window that are inside the operand.
private func pooled(
  _ context: ReferenceContext, _ reduce: ([Double], _ offsets: [Int], Taps, _ position: Int) -> Double
) throws -> [RuntimeValue] {
  let x = try context.tensor(0)
  let taps = try context.poolingTaps(x)
  let plane = try Selection.count(Array(x.shape[2...]))
  let planes = try Selection.count(Array(x.shape[..<2]))
  let shape = Array(x.shape[..<2]) + taps.output
  var result = Array(repeating: 0.0, count: try Selection.count(shape, x.elementType))
  let numbers = try x.numbers().doubles
  for position in 0..<taps.positions {
    let offsets = taps.offsets(at: position).filter { $0 != Selection.fill }
    for channel in 0..<planes {
      result[channel * taps.positions + position] = reduce(
        offsets.map { numbers[channel * plane + $0] }, offsets, taps, position)
    }
  }
  return [.tensor(try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false))]
}

/// The largest elements and where they are; the first of equal ones, NaN above all.
private func maxPooled(_ context: ReferenceContext) throws -> [RuntimeValue] {
  let x = try context.tensor(0)
  let taps = try context.poolingTaps(x)
  let spatial = Array(x.shape[2...])
  let plane = try Selection.count(spatial)
  let planes = try Selection.count(Array(x.shape[..<2]))
  let shape = Array(x.shape[..<2]) + taps.output
  let count = try Selection.count(shape, x.elementType)
  var values = Array(repeating: 0.0, count: count)
  var indices = Array(repeating: 0, count: count)
  let numbers = try x.numbers().doubles
  let lowest = x.elementType.integerRange.map { Double($0.lowerBound) } ?? -.infinity
  // A column-major index weighs coordinates by the products of the sizes before them.
  let (strides, columnStrides) = (Selection.strides(spatial), Array(Selection.strides(spatial.reversed()).reversed()))
  for position in 0..<taps.positions {
    let offsets = taps.offsets(at: position).filter { $0 != Selection.fill }
    for channel in 0..<planes {
      var (best, place) = (lowest, offsets.first ?? 0)
      for offset in offsets {
        let value = numbers[channel * plane + offset]
        if value > best || (value.isNaN && !best.isNaN) { (best, place) = (value, offset) }
      }
      if context[MaxPool.storageOrder] == 1 {
        place = spatial.indices.reduce(0) { $0 + place / strides[$1] % spatial[$1] * columnStrides[$1] }
      }
      values[channel * taps.positions + position] = best
      indices[channel * taps.positions + position] = channel * plane + place
    }
  }
  let y = try Tensor(x.elementType, shape, numbers: .floats(values), saturating: false)
  return Array([.tensor(y), .tensor(try Tensor(shape, indices))].prefix(context.resultCount))
}

/// Indices count within the tensor that the window's sizes give; a larger shape is filled with zeros at the ends.
private func unpooled(_ context: ReferenceContext) throws -> Tensor {
  let (x, indices) = (try context.tensor(0), try context.integers(1))
  let window = try Window(
    kernel: context[MaxPool.kernelShape], strides: context[Conv.strides], dilations: nil, pads: context[Conv.pads])
  guard x.shape.count == window.rank + 2, indices.count == x.elementCount, x.shape.allSatisfy({ $0 <= Int32.max }) else {
    throw KernelError.invalid("\(indices.count) indices and a window of \(window.rank) axes do not fit \(x.type)")
  }
  let inferred =
    try x.shape[..<2]
    + (0..<window.rank).map {
      try Taps.size(try window.transposedSize(Dimension(x.shape[$0 + 2]), $0, outputPadding: 0))
    }
  var positions = Array(repeating: Selection.fill, count: try Selection.count(Array(inferred), x.elementType))
  for (element, index) in indices.enumerated() {
    guard positions.indices.contains(index) else { throw KernelError.invalid("index \(index) is out of range") }
    positions[index] = element
  }
  let y = try x.selecting(positions, shape: Array(inferred))
  guard context.has(2) else { return y }
  let shape = try context.integers(2)
  guard shape.count == inferred.count, zip(shape, inferred).allSatisfy({ $0 >= $1 }) else {
    throw KernelError.invalid("\(y.type) does not fit the shape \(shape)")
  }
  _ = try Selection.count(shape, x.elementType)
  return try y.selecting(
    axes: shape.enumerated().map { axis, size in
      y.offsets((0..<size).map { $0 < y.shape[axis] ? $0 : Selection.fill }, axis: axis)
    })
}

/// Source: Girshick 2015, Fast R-CNN, region-of-interest pooling.
private func regionPooled(_ context: ReferenceContext) throws -> Tensor {
  let (x, rois) = (try context.tensor(0), try context.tensor(1))
  let sizes = context[MaxRoiPool.pooledShape]
  guard x.shape.count == 4, rois.shape.count == 2, rois.shape[1] == 5, sizes.count == 2, sizes.allSatisfy({ $0 > 0 }) else {
    throw KernelError.invalid("regions \(rois.type) do not fit \(x.type)")
  }
  let (channels, height, width) = (x.shape[1], x.shape[2], x.shape[3])
  let shape = [rois.shape[0], channels] + sizes
  var result = Array(repeating: 0.0, count: try Selection.count(shape, x.elementType))
  let (numbers, regions) = (try x.numbers().doubles, try rois.numbers().doubles)
  let scale = Double(context[MaxRoiPool.spatialScale])
  /// The cells' bounds along an axis: the region's part, cut to the operand.
  func cells(_ first: Double, _ last: Double, _ count: Int, _ size: Int) throws -> [Range<Int>] {
    guard let start = Int(exactly: (first * scale).rounded()), let end = Int(exactly: (last * scale).rounded()),
      abs(start) < Int32.max, abs(end) < Int32.max
    else { throw KernelError.invalid("a region from \(first) to \(last) is out of range") }
    let cell = Double(max(end - start + 1, 1)) / Double(count)
    return (0..<count).map { index in
      let low = min(max(Int((Double(index) * cell).rounded(.down)) + start, 0), size)
      return low..<max(low, min(max(Int((Double(index + 1) * cell).rounded(.up)) + start, 0), size))
    }
  }
  for roi in 0..<rois.shape[0] {
    let region = Array(regions[roi * 5..<roi * 5 + 5])
    guard let image = Int(exactly: region[0]), image >= 0, image < x.shape[0] else {
      throw KernelError.invalid("region \(roi) is of image \(region[0])")
    }
    let (columns, rows) = (try cells(region[1], region[3], sizes[1], width), try cells(region[2], region[4], sizes[0], height))
    for channel in 0..<channels {
      let base = (image * channels + channel) * height * width
      for (row, ys) in rows.enumerated() {
        for (column, xs) in columns.enumerated() {
          let values = ys.flatMap { y in xs.map { numbers[base + y * width + $0] } }
          result[((roi * channels + channel) * sizes[0] + row) * sizes[1] + column] = values.max() ?? 0
        }
      }
    }
  }
  return try Tensor(x.elementType, shape, numbers: .floats(result), saturating: false)
}
