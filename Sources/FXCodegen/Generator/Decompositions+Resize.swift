import FXCore
import FXPasses
import Foundation

extension Decompositions {
  /// What code generators take apart: composite operators, and resizing by tables where its sizes are numbers.
  static let codegen: Decompositions = {
    var decompositions = Decompositions.standard
    decompositions[.resize] = { try ResizeTables(&$0)?.decompose(&$0) }
    return decompositions
  }()
}

/// Resizing along one axis after another: the nearest elements are gathered, weighted ones are products with a matrix that
/// has a row per element of the operand and a column per element of the result. Source of the formulas: ONNX `Resize`.
private struct ResizeTables {
  private struct Axis {
    let axis, size, output: Int
    let scale: Double
    let region: (start: Double, end: Double)
  }
  private var axes: [Axis] = []
  private let rank: Int
  private let type: ElementType

  /// `nil` if a size, a scale or a region is known only when the program runs.
  init?(_ context: inout DecompositionContext) throws {
    guard let operand = context.type(of: context.operand(0)).tensorType, let shape = operand.shape,
      let result = context.resultType().shape, result.rank == shape.rank
    else { return nil }
    (rank, type) = (shape.rank, operand.elementType)
    let named = (context[Resize.axes] ?? Array(shape.indices)).map { $0 < 0 ? $0 + shape.rank : $0 }
    guard named.allSatisfy(shape.indices.contains) else { return nil }
    let site = CallSite(context.node, in: context.graph)
    let sizes = site.integers(3) ?? []
    let scales = sizes.isEmpty ? try site.constant(2)?.numbers().doubles : nil
    guard sizes.count == named.count || scales?.count == named.count else { return nil }
    var region = named.map { _ in (start: 0.0, end: 1.0) }
    if context[Resize.coordinates] == "tf_crop_and_resize" {
      guard let roi = try site.constant(1)?.numbers().doubles, roi.count == 2 * named.count else { return nil }
      region = named.indices.map { (roi[$0], roi[named.count + $0]) }
    }
    var ratios: [Double] = []
    for (index, axis) in named.enumerated() {
      if let scales {
        ratios.append(scales[index])
      } else if let size = shape[axis].size, size > 0 {
        ratios.append(Double(sizes[index]) / Double(size))
      } else {
        return nil
      }
    }
    if scales == nil, context[Resize.aspect] != "stretch", let least = ratios.min(), let most = ratios.max() {
      ratios = ratios.map { _ in context[Resize.aspect] == "not_larger" ? least : most }
    }
    for (index, axis) in named.enumerated() {
      // An axis that stays may have any size.
      if ratios[index] == 1, shape[axis] == result[axis], !shape[axis].isUnknown, region[index] == (0, 1) { continue }
      guard let size = shape[axis].size, let output = result[axis].size, size > 0 else { return nil }
      axes.append(Axis(axis: axis, size: size, output: output, scale: ratios[index], region: region[index]))
    }
  }

  func decompose(_ context: inout DecompositionContext) throws -> [Operand]? {
    let mode = context[Resize.mode]
    guard mode == "nearest" || (type.isFloatingPoint && !context[Resize.antialias]) || type.isFloatingPoint,
      !(context[Resize.antialias] && mode == "nearest")
    else { return nil }
    let isHalf = mode != "nearest" && type != .float32 && type != .float64
    let wide = isHalf ? ElementType.float32 : type
    var x = context.operand(0)
    if isHalf { x = try context.call(.cast, [x], ["to": .elementType(.float32)]) }
    for axis in axes {
      let taps = (0..<axis.output).map { self.taps(at: $0, axis, context) }
      if mode == "nearest" {
        let places = context.constant(Tensor(vector: taps.map { $0.first?.index ?? 0 }), name: "nearest")
        x = try context.call(.gather, [x, places], ["axis": .int(axis.axis)])
      } else {
        x = try product(x, taps, axis, wide, &context)
      }
      if taps.contains(where: \.isEmpty) { x = try masked(x, taps, axis, wide, &context) }
    }
    if isHalf { x = try context.call(.cast, [x], ["to": .elementType(type)]) }
    return [axes.isEmpty ? try context.call(.identity, [x]) : x]
  }

  private func product(
    _ x: Operand, _ taps: [[(index: Int, weight: Double)]], _ axis: Axis, _ wide: ElementType,
    _ context: inout DecompositionContext
  ) throws -> Operand {
    var matrix = Array(repeating: 0.0, count: axis.size * axis.output)
    for (column, list) in taps.enumerated() {
      for tap in list { matrix[tap.index * axis.output + column] += tap.weight }
    }
    let weights = context.constant(try Tensor(wide, [axis.size, axis.output], numbers: .floats(matrix)), name: "weights")
    if axis.axis == rank - 1 { return try context.call(.matmul, [x, weights]) }
    var order = Array(0..<rank)
    order.swapAt(axis.axis, rank - 1)
    let last = try context.call(.transpose, [x], ["perm": .ints(order)])
    return try context.call(.transpose, [try context.call(.matmul, [last, weights])], ["perm": .ints(order)])
  }

  /// What is outside of the operand has one value.
  private func masked(
    _ x: Operand, _ taps: [[(index: Int, weight: Double)]], _ axis: Axis, _ wide: ElementType,
    _ context: inout DecompositionContext
  ) throws -> Operand {
    let shape = (0..<rank).map { $0 == axis.axis ? axis.output : 1 }
    let inside = context.constant(try Tensor(shape, taps.map { !$0.isEmpty }), name: "inside")
    let value = Double(context[Resize.extrapolation])
    let outside = context.constant(try Tensor(wide, [], numbers: .floats([value])), name: "outside")
    return try context.call(.where_, [inside, x, outside])
  }

  /// The elements that one of the result is made of, and their weights; none if it is outside.
  private func taps(at position: Int, _ axis: Axis, _ context: DecompositionContext) -> [(index: Int, weight: Double)] {
    let mode = context[Resize.mode]
    let last = axis.size - 1
    let place = coordinate(position, axis, context[Resize.coordinates])
    if context[Resize.coordinates] == "tf_crop_and_resize", place < 0 || place > Double(last) { return [] }
    if mode == "nearest" { return [(min(max(nearest(place, context[Resize.nearestMode]), 0), last), 1)] }
    let widening = context[Resize.antialias] ? min(axis.scale, 1) : 1
    let base = Int(place.rounded(.up)) - 1
    let ratio = place - Double(base)
    let first = Int((-(mode == "cubic" ? 2 : 1) / widening).rounded(.down)) + 1
    let a = Double(context[Resize.cubicCoefficient])
    var list = (first...(1 - first)).map { step -> (index: Int, weight: Double) in
      let t = abs((Double(step) - ratio) * widening)
      guard mode == "cubic" else { return (base + step, max(0, 1 - t)) }
      if t <= 1 { return (base + step, ((a + 2) * t - (a + 3)) * t * t + 1) }
      return (base + step, t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0)
    }
    if context[Resize.excludeOutside] { list = list.filter { $0.index >= 0 && $0.index <= last } }
    let sum = list.reduce(0) { $0 + $1.weight }
    if context[Resize.excludeOutside] || context[Resize.antialias], sum != 0 { list = list.map { ($0.index, $0.weight / sum) } }
    return list.map { (min(max($0.index, 0), last), $0.weight) }
  }

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
    case "half_pixel_symmetric": return size / 2 * (1 - Double(axis.output) / length) + (x + 0.5) / axis.scale - 0.5
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
