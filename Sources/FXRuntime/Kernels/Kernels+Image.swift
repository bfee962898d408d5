internal import CKernels
import FXCore
import FXShapes

extension KernelTable {
  mutating func addImages() {
    self[.resize] = { $0.resize() }
  }
}

extension KernelRequest {
  /// Images [batch, channels, height, width], or signals without a height, resampled along their last two axes.
  fileprivate func resize() -> KernelChoice? {
    let x = shape(0)
    let isNearest = self[Resize.mode] == "nearest"
    guard type(0) == .float32, (3...4).contains(x.count), results[0].elementCount > 0, x.allSatisfy({ $0 > 0 }),
      isNearest || self[Resize.mode] == "linear", !self[Resize.antialias], !self[Resize.excludeOutside],
      self[Resize.coordinates] != "tf_crop_and_resize", results[0].shape.prefix(2) == x.prefix(2), let scales = resizeScales()
    else { return nil }
    let axes = (2..<x.count).map { axis in
      ResampledAxis(axis: axis, size: x[axis], output: results[0].shape[axis], scale: scales[axis], node.attributes)
    }
    let height = axes.count == 2 ? axes[0] : ResampledAxis(axis: 0, size: 1, output: 1, scale: 1, node.attributes)
    let width = axes[axes.count - 1]
    let cost = (isNearest ? 0.3 : 1.0) * Double(height.output * width.output) + 20
    let division = WorkDivision(x[0] * x[1], nanosecondsEach: cost, threads: threads)
    if isNearest {
      // What has no places to sample is for the reference to refuse.
      guard let rows = height.nearestElements, let columns = width.nearestElements else { return nil }
      return .kernel(
        NearestKernel(height: height.size, width: width.size, rows: rows, columns: columns, division: division))
    }
    guard let rows = height.neighbours, let columns = width.neighbours else { return nil }
    return .kernel(
      LinearKernel(height: height.size, width: width.size, rows: rows, columns: columns, division: division),
      scratch: threads * 2 * width.output * MemoryLayout<Float>.stride)
  }

  /// The scale of each axis; `nil` if it is known only to the run, or sizes are bounds rather than sizes.
  private func resizeScales() -> [Double]? {
    let rank = shape(0).count
    let axes = self[Resize.axes] ?? Array(0..<rank)
    let named = axes.compactMap { KernelRequest.axis($0, rank: rank) }
    guard named.count == axes.count else { return nil }
    var scales = Array(repeating: 1.0, count: rank)
    if has(3), operands[3]?.elementCount != 0 {
      guard self[Resize.aspect] == "stretch" else { return nil }
      for axis in named { scales[axis] = Double(results[0].shape[axis]) / Double(shape(0)[axis]) }
    } else {
      guard has(2), let tensor = operands[2]?.constant, let given = try? tensor.numbers().doubles, given.count == named.count
      else { return nil }
      for (axis, scale) in zip(named, given) { scales[axis] = scale }
    }
    // The first two axes are not resampled, not even by a scale that keeps their size.
    return scales[..<2].allSatisfy { $0 == 1 } ? scales : nil
  }
}

/// Two neighbours and the weight of the second, for each position.
private struct Neighbours {
  var first: [Int32] = []
  var second: [Int32] = []
  var weights: [Float] = []
}

extension ResampledAxis {
  fileprivate var nearestElements: [Int32]? { try? taps().map { Int32(clamping: $0.first?.index ?? 0) } }

  fileprivate var neighbours: Neighbours? {
    var result = Neighbours()
    for position in 0..<output {
      let place = isIdentity ? Double(position) : coordinate(position)
      guard place.isFinite else { return nil }
      let base = place.rounded(.down)
      result.first.append(clamped(base))
      result.second.append(clamped(base + 1))
      result.weights.append(Float(place - base))
    }
    return result
  }

  private func clamped(_ place: Double) -> Int32 { Int32(min(max(place, 0), Double(size - 1))) }
}

private struct NearestKernel: Kernel {
  let height: Int
  let width: Int
  let rows: [Int32]
  let columns: [Int32]
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    rows.withUnsafeBufferPointer { rows in
      columns.withUnsafeBufferPointer { columns in
        division.run(on: arguments.pool) { planes, _ in
          fxk_resize_nearest2d_f32(
            x, y, height, width, rows.count, columns.count, rows.baseAddress, columns.baseAddress, planes.lowerBound,
            planes.upperBound)
        }
      }
    }
  }
}

private struct LinearKernel: Kernel {
  let height: Int
  let width: Int
  let rows: Neighbours
  let columns: Neighbours
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    let (outputRows, outputColumns) = (rows.first.count, columns.first.count)
    // The arrays are constants of the kernel, which the caller keeps alive.
    division.run(on: arguments.pool) { planes, worker in
      fxk_resize_linear2d_f32(
        x, y, height, width, outputRows, outputColumns, rows.first, rows.second, rows.weights, columns.first, columns.second,
        columns.weights, planes.lowerBound, planes.upperBound, scratch + worker * 2 * outputColumns)
    }
  }
}
