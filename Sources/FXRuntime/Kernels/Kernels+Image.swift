internal import CKernels
import FXCore

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
      ResizeAxis(
        size: x[axis], output: results[0].shape[axis], scale: scales[axis], coordinates: self[Resize.coordinates])
    }
    let height = axes.count == 2 ? axes[0] : ResizeAxis(size: 1, output: 1, scale: 1, coordinates: "asymmetric")
    let width = axes[axes.count - 1]
    let cost = (isNearest ? 0.3 : 1.0) * Double(height.output * width.output) + 20
    let division = WorkDivision(x[0] * x[1], nanosecondsEach: cost, threads: threads)
    if isNearest {
      let mode = self[Resize.nearestMode]
      return .kernel(
        NearestKernel(
          height: height.size, width: width.size, rows: height.nearest(mode), columns: width.nearest(mode), division: division))
    }
    return .kernel(
      LinearKernel(height: height.size, width: width.size, rows: height.linear(), columns: width.linear(), division: division),
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

/// Where the positions of one axis come from. Source of the formulas: ONNX `Resize`.
private struct ResizeAxis {
  let size: Int
  let output: Int
  let scale: Double
  let coordinates: String

  /// Two neighbours and the weight of the second, for each position.
  struct Taps {
    var first: [Int32] = []
    var second: [Int32] = []
    var weights: [Float] = []
  }

  private func coordinate(_ position: Int) -> Double {
    let (x, size, length) = (Double(position), Double(size), scale * Double(size))
    if scale == 1, output == self.size { return x }
    switch coordinates {
    case "align_corners": return length == 1 ? 0 : x * (size - 1) / (length - 1)
    case "asymmetric": return x / scale
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "pytorch_half_pixel" where length == 1: return -0.5
    case "half_pixel_symmetric": return size / 2 * (1 - Double(output) / length) + (x + 0.5) / scale - 0.5
    default: return (x + 0.5) / scale - 0.5
    }
  }

  private func clamped(_ place: Double) -> Int32 { Int32(min(max(place, 0), Double(size - 1))) }

  func nearest(_ mode: String) -> [Int32] {
    (0..<output).map { position in
      let place = coordinate(position)
      switch mode {
      case "floor": return clamped(place.rounded(.down))
      case "ceil": return clamped(place.rounded(.up))
      case "round_prefer_ceil": return clamped((place + 0.5).rounded(.down))
      default: return clamped((place - 0.5).rounded(.up))
      }
    }
  }

  func linear() -> Taps {
    var taps = Taps()
    for position in 0..<output {
      let place = coordinate(position)
      let base = place.rounded(.down)
      taps.first.append(clamped(base))
      taps.second.append(clamped(base + 1))
      taps.weights.append(Float(place - base))
    }
    return taps
  }
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
  let rows: ResizeAxis.Taps
  let columns: ResizeAxis.Taps
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
