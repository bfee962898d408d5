import FXCore

/// The sizes of resampled axes.
package enum Resampling {
  /// ⌊size × scale⌋; `nil` if no expression says that, or the scale is no positive number.
  package static func size(_ size: Dimension, scale: Double) -> Dimension? {
    guard scale > 0, scale.isFinite else { return nil }
    if let size = size.size { return Int(exactly: (Double(size) * scale).rounded(.down)).map(Dimension.init(_:)) }
    if let factor = Int(exactly: scale) { return size * Dimension(factor) }
    if let divisor = Int(exactly: 1 / scale) { return size / Dimension(divisor) }
    return nil
  }

  /// The largest sizes of the operand's proportions within `sizes`, or the smallest not within them; half rounds up.
  package static func keepingAspect(_ operand: [Int], _ sizes: [Int], isLarger: Bool) -> [Int] {
    let scale = aspectScale(operand, sizes, isLarger: isLarger)
    return operand.map { Int(exactly: (Double($0) * scale + 0.5).rounded(.down)) ?? 0 }
  }

  /// The one scale of all axes.
  package static func aspectScale(_ operand: [Int], _ sizes: [Int], isLarger: Bool) -> Double {
    let scales = scales(operand, sizes)
    return (isLarger ? scales.max() : scales.min()) ?? 1
  }

  /// The scales that `resize` takes from its operand `sizes`.
  package static func scales(_ operand: [Int], _ sizes: [Int], _ attributes: Attributes) -> [Double] {
    guard attributes[Resize.aspect] != "stretch" else { return scales(operand, sizes) }
    return operand.map { _ in aspectScale(operand, sizes, isLarger: attributes[Resize.aspect] == "not_smaller") }
  }

  private static func scales(_ operand: [Int], _ sizes: [Int]) -> [Double] {
    zip(operand, sizes).map { $0 == 0 ? 1 : Double($1) / Double($0) }
  }

  /// Keys 1981, cubic convolution with coefficient a.
  package static func cubic(_ distance: Double, _ a: Double) -> Double {
    let x = abs(distance)
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }
}

/// Where `resize` takes the elements of one axis from. Source of the formulas: ONNX `Resize`.
package struct ResampledAxis: Sendable {
  package let axis: Int
  /// Of the operand and of the result.
  package let size, output: Int
  package let scale: Double
  /// The part of the axis that `tf_crop_and_resize` takes.
  package let region: (start: Double, end: Double)
  private let attributes: Attributes

  /// - Parameter attributes: of the call.
  package init(
    axis: Int, size: Int, output: Int, scale: Double, region: (start: Double, end: Double) = (0, 1), _ attributes: Attributes
  ) {
    self.axis = axis
    self.size = size
    self.output = output
    self.scale = scale
    self.region = region
    self.attributes = attributes
  }

  package var isIdentity: Bool { scale == 1 && output == size && region == (0, 1) }

  /// An element and its weight.
  package struct Tap: Sendable {
    package let index: Int
    package let weight: Double
  }

  /// Why there is nothing to sample.
  package struct Failure: Error {
    package let reason: String
  }

  /// For each position of the result the elements it is made of, none if it is outside. O(output × taps).
  package func taps() throws(Failure) -> [[Tap]] {
    let mode = attributes[Resize.mode]
    let antialias = attributes[Resize.antialias]
    guard !(antialias && mode == "nearest") else { throw Failure(reason: "the nearest element has no filter to widen") }
    if isIdentity { return (0..<output).map { [Tap(index: $0, weight: 1)] } }
    let widening = antialias ? min(scale, 1) : 1
    let radius = mode == "cubic" ? 2.0 : 1.0
    guard widening > 0, radius / widening <= Double(Int32.max) else { throw Failure(reason: "the scale \(scale) is too small") }
    let isCropped = attributes[Resize.coordinates] == "tf_crop_and_resize"
    var result: [[Tap]] = []
    for position in 0..<output {
      let place = coordinate(position)
      guard place.isFinite, abs(place) <= Double(Int32.max) else { throw Failure(reason: "a coordinate is \(place)") }
      if isCropped, place < 0 || place > Double(size - 1) {
        result.append([])
      } else if mode == "nearest" {
        result.append([Tap(index: min(max(nearest(place), 0), size - 1), weight: 1)])
      } else {
        result.append(weighted(place, radius: radius, widening: widening))
      }
    }
    return result
  }

  /// Where a position of the result is in the operand.
  package func coordinate(_ position: Int) -> Double {
    let (x, size, length) = (Double(position), Double(size), scale * Double(size))
    let (start, end) = region
    switch attributes[Resize.coordinates] {
    case "align_corners": return length == 1 ? 0 : x * (size - 1) / (length - 1)
    case "asymmetric": return x / scale
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "tf_crop_and_resize":
      let step = length == 1 ? (end - start) * (size - 1) / 2 : x * (end - start) * (size - 1) / (length - 1)
      return start * (size - 1) + step
    case "pytorch_half_pixel" where length == 1: return -0.5
    case "half_pixel_symmetric": return size / 2 * (1 - Double(output) / length) + (x + 0.5) / scale - 0.5
    default: return (x + 0.5) / scale - 0.5
    }
  }

  private func nearest(_ place: Double) -> Int {
    switch attributes[Resize.nearestMode] {
    case "floor": Int(place.rounded(.down))
    case "ceil": Int(place.rounded(.up))
    case "round_prefer_ceil": Int((place + 0.5).rounded(.down))
    default: Int((place - 0.5).rounded(.up))
    }
  }

  private func weighted(_ place: Double, radius: Double, widening: Double) -> [Tap] {
    // The element before the place, or one further where it is on one.
    let base = Int(place.rounded(.up)) - 1
    let ratio = place - Double(base)
    let first = Int((-radius / widening).rounded(.down)) + 1
    let range = first...(1 - first)
    let a = Double(attributes[Resize.cubicCoefficient])
    var weights = range.map { step in
      let distance = (Double(step) - ratio) * widening
      return radius == 2 ? Resampling.cubic(distance, a) : max(0, 1 - abs(distance))
    }
    let indices = range.map { base + $0 }
    if attributes[Resize.excludeOutside] {
      for (slot, index) in indices.enumerated() where index < 0 || index >= size { weights[slot] = 0 }
    }
    let sum = weights.reduce(0, +)
    if attributes[Resize.excludeOutside] || attributes[Resize.antialias], sum != 0 { weights = weights.map { $0 / sum } }
    return zip(indices, weights).filter { $1 != 0 }.map { Tap(index: min(max($0, 0), size - 1), weight: $1) }
  }
}
