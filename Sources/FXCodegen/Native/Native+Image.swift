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

/// For each position along each axis the elements it is made of.
private struct ResizeTables {
  struct Axis {
    let axis: Int
    let isIdentity: Bool
    /// Without taps a position is outside.
    let taps: [[ResampledAxis.Tap]]
  }
  private(set) var axes: [Axis] = []

  init(_ call: NativeCall, _ shape: [Int], _ result: [Int]) throws {
    let named = try (call[Resize.axes] ?? Array(shape.indices)).map { try call.axis($0, rank: shape.count) }
    let scales: [Double]
    let sizes = call.has(3) ? try call.integers(3) : []
    if !sizes.isEmpty {
      scales = Resampling.scales(named.map { shape[$0] }, sizes, call.node.attributes)
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
      let sampled = ResampledAxis(
        axis: axis, size: shape[axis], output: result[axis], scale: scales[index], region: regions[index],
        call.node.attributes)
      do {
        axes.append(Axis(axis: axis, isIdentity: sampled.isIdentity, taps: try sampled.taps()))
      } catch {
        throw NativeRefusal(reason: error.reason)
      }
    }
  }
}
