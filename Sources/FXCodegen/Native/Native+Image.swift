import FXCore
import FXShapes

extension NativeOperators {
  mutating func addImage() {
    // Which elements make up a position follows from sizes alone: tables that are constants.
    self[.resize] = .kernel(sizes: [1, 2, 3]) { call in
      let (shape, result) = (try call.shape(0), try call.resultShape())
      guard IndexText.count(result) > 0 else { return }
      let plan = try ResizeTables(call, shape, result)
      if call[Resize.mode] == "nearest" { return try nearest(call, plan, shape, result) }
      try interpolate(call, plan, shape)
    }
  }
}

private func nearest(_ call: NativeCall, _ plan: ResizeTables, _ shape: [Int], _ result: [Int]) throws {
  let names = IndexText.variables(result.count)
  var places = names
  var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0))]
  var outside: [String] = []
  for axis in plan.axes where !axis.isIdentity {
    // −1 is outside.
    let table = axis.taps.map { Int32($0.first?.index ?? -1) }
    let buffer = call.lowering.constant("elements", Tensor(vector: table))
    arguments.append(("from\(axis.axis)", .buffer(buffer, isWritten: false)))
    places[axis.axis] = "from\(axis.axis)[\(names[axis.axis])]"
    if table.contains(-1) { outside.append("\(places[axis.axis]) < 0") }
  }
  let write = "y[\(IndexText.offset(names, IndexText.strides(result)))]"
  var body = ["\(write) = x[\(IndexText.offset(places, IndexText.strides(shape)))];"]
  if !outside.isEmpty {
    let value = NativeType.literal(Double(call[Resize.extrapolation]), call.resultType())
    body = ["if (\(outside.joined(separator: " || "))) {", "\(write) = \(value);", "} else {"] + body + ["}"]
  }
  try call.kernel(arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, result), body)
}

/// One axis after another, in at least `float`.
private func interpolate(_ call: NativeCall, _ plan: ResizeTables, _ shape: [Int]) throws {
  let type = call.resultType()
  let working: ElementType = type == .float64 ? .float64 : .float32
  let axes = plan.axes.filter { !$0.isIdentity }
  guard !axes.isEmpty else {
    return call.lowering.append(.copy(from: try call.operandBuffer(0), to: try call.resultBuffer()))
  }
  var source: NativeCall.Argument = .operand(0)
  var sizes = shape
  var sourceType = call.elementType(0)
  for (number, axis) in axes.enumerated() {
    let isLast = number == axes.count - 1
    let (outer, inner) = (IndexText.count(sizes.prefix(axis.axis)), IndexText.count(sizes.dropFirst(axis.axis + 1)))
    let size = sizes[axis.axis]
    sizes[axis.axis] = axis.taps.count
    let width = axis.taps.map(\.count).max() ?? 0
    // Positions with fewer taps repeat the first with no weight; those without any are outside.
    let indices = axis.taps.flatMap { taps in
      (0..<width).map { Int32($0 < taps.count ? taps[$0].index : taps.first?.index ?? -1) }
    }
    let weights = axis.taps.flatMap { taps in (0..<width).map { $0 < taps.count ? taps[$0].weight : 0 } }
    let at = call.lowering.constant("taps", Tensor(vector: indices))
    let weight = call.lowering.constant(
      "tap_weights", try Tensor(working, [weights.count], numbers: .floats(weights)))
    let target: NativeCall.Argument =
      isLast ? .result(0) : .buffer(call.lowering.temporary("resized", working, sizes), isWritten: true)
    let compute = NativeType.name(working)
    let outside = NativeType.literal(Double(call[Resize.extrapolation]), working)
    let store = isLast && type.isInteger ? "fx::saturate<\(NativeType.name(type))>(std::nearbyint(double(sum)))" : "sum"
    try call.kernel(
      [("x", source), ("from", .buffer(at, isWritten: false)), ("weight", .buffer(weight, isWritten: false)), ("y", target)],
      axes: [.init("i", outer), .init("j", axis.taps.count), .init("k", inner)], suffix: "_axis\(axis.axis)",
      [
        "\(compute) sum = from[j * \(width)] < 0 ? \(outside) : \(compute)(0);",
        "for (fx::index tap = 0; tap < \(width) && from[j * \(width)] >= 0; ++tap) {",
        "sum += weight[j * \(width) + tap] * \(compute)(\(NativeType.compute(sourceType))(x[(i * \(size) + from[j * \(width) + tap]) * \(inner) + k]));",
        "}",
        "y[(i * \(axis.taps.count) + j) * \(inner) + k] = \(store);",
      ])
    if case .buffer(let buffer, _) = target { source = .buffer(buffer, isWritten: false) }
    sourceType = working
  }
}

/// For each position along each axis the elements it is made of. Source of the formulas: ONNX `Resize`.
private struct ResizeTables {
  struct Axis {
    let axis: Int
    let isIdentity: Bool
    /// Without taps a position is outside.
    let taps: [[(index: Int, weight: Double)]]
  }
  private(set) var axes: [Axis] = []

  init(_ call: NativeCall, _ shape: [Int], _ result: [Int]) throws {
    let mode = call[Resize.mode]
    let named = try (call[Resize.axes] ?? Array(shape.indices)).map { try call.axis($0, rank: shape.count) }
    let operand = named.map { shape[$0] }
    var scales: [Double]
    let sizes = call.has(3) ? try call.integers(3) : []
    if !sizes.isEmpty {
      scales = zip(operand, sizes).map { $0 == 0 ? 1 : Double($1) / Double($0) }
      if call[Resize.aspect] != "stretch" {
        let scale = Resampling.aspectScale(operand, sizes, isLarger: call[Resize.aspect] == "not_smaller")
        scales = operand.map { _ in scale }
      }
    } else {
      guard let tensor = call.lowering.graph.tensor(of: call.node.operand(2)), tensor.elementCount == named.count else {
        throw NativeRefusal(reason: "its operand 'scales' must be a constant")
      }
      scales = try tensor.numbers().doubles
    }
    var regions = named.map { _ in (start: 0.0, end: 1.0) }
    if call[Resize.coordinates] == "tf_crop_and_resize" {
      guard let roi = call.lowering.graph.tensor(of: call.node.operand(1)), roi.elementCount == 2 * named.count else {
        throw NativeRefusal(reason: "its operand 'roi' must be a constant")
      }
      let numbers = try roi.numbers().doubles
      regions = named.indices.map { (numbers[$0], numbers[named.count + $0]) }
    }
    for (index, axis) in named.enumerated() {
      let (size, output, scale) = (shape[axis], result[axis], scales[index])
      let isIdentity = scale == 1 && size == output && regions[index] == (0, 1)
      let widening = call[Resize.antialias] ? min(scale, 1) : 1
      guard widening > 0.001 else { throw NativeRefusal(reason: "the scale \(scale) is too small") }
      let taps =
        isIdentity
        ? []
        : try (0..<output).map { position -> [(index: Int, weight: Double)] in
          let place = ResizeTables.coordinate(
            position, size: size, output: output, scale: scale, regions[index], call[Resize.coordinates])
          guard place.isFinite, abs(place) <= Double(Int32.max) else { throw NativeRefusal(reason: "a coordinate is \(place)") }
          if call[Resize.coordinates] == "tf_crop_and_resize", place < 0 || place > Double(size - 1) { return [] }
          if mode == "nearest" {
            return [(min(max(ResizeTables.nearest(place, call[Resize.nearestMode]), 0), size - 1), 1)]
          }
          return ResizeTables.taps(call, place, last: size - 1, widening: widening)
        }
      axes.append(Axis(axis: axis, isIdentity: isIdentity, taps: taps))
    }
  }

  private static func taps(_ call: NativeCall, _ place: Double, last: Int, widening: Double) -> [(index: Int, weight: Double)] {
    let isCubic = call[Resize.mode] == "cubic"
    // The element before the place, or one further where it is on one.
    let base = Int(place.rounded(.up)) - 1
    let ratio = place - Double(base)
    let first = Int((-(isCubic ? 2 : 1) / widening).rounded(.down)) + 1
    let range = first...(1 - first)
    let a = Double(call[Resize.cubicCoefficient])
    var weights = range.map { step in
      let distance = abs((Double(step) - ratio) * widening)
      return isCubic ? cubic(distance, a) : max(0, 1 - distance)
    }
    let indices = range.map { base + $0 }
    if call[Resize.excludeOutside] {
      for (slot, index) in indices.enumerated() where index < 0 || index > last { weights[slot] = 0 }
    }
    let sum = weights.reduce(0, +)
    if call[Resize.excludeOutside] || call[Resize.antialias], sum != 0 { weights = weights.map { $0 / sum } }
    return zip(indices, weights).filter { $1 != 0 }.map { (min(max($0, 0), last), $1) }
  }

  /// Keys 1981, cubic convolution with coefficient a.
  private static func cubic(_ x: Double, _ a: Double) -> Double {
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0
  }

  /// Where a position of the result is in the operand.
  private static func coordinate(
    _ position: Int, size: Int, output: Int, scale: Double, _ region: (start: Double, end: Double), _ mode: String
  ) -> Double {
    let (x, size, output) = (Double(position), Double(size), Double(output))
    let length = scale * size
    let (start, end) = region
    switch mode {
    case "align_corners": return length == 1 ? 0 : x * (size - 1) / (length - 1)
    case "asymmetric": return x / scale
    case "tf_half_pixel_for_nn": return (x + 0.5) / scale
    case "tf_crop_and_resize":
      let step = length == 1 ? (end - start) * (size - 1) / 2 : x * (end - start) * (size - 1) / (length - 1)
      return start * (size - 1) + step
    case "pytorch_half_pixel" where length == 1: return -0.5
    case "half_pixel_symmetric": return size / 2 * (1 - output / length) + (x + 0.5) / scale - 0.5
    default: return (x + 0.5) / scale - 0.5
    }
  }

  private static func nearest(_ place: Double, _ mode: String) -> Int {
    switch mode {
    case "floor": Int(place.rounded(.down))
    case "ceil": Int(place.rounded(.up))
    case "round_prefer_ceil": Int((place + 0.5).rounded(.down))
    default: Int((place - 0.5).rounded(.up))
    }
  }
}
