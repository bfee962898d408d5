import FXCore
import FXPasses
import FXShapes

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
  private var axes: [ResampledAxis] = []
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
    let ratios: [Double]
    if let scales {
      ratios = scales
    } else {
      let known = named.compactMap { shape[$0].size }
      guard known.count == named.count, !known.contains(0) else { return nil }
      ratios = Resampling.scales(known, sizes, context.node.attributes)
    }
    for (index, axis) in named.enumerated() {
      // An axis that stays may have any size.
      if ratios[index] == 1, shape[axis] == result[axis], !shape[axis].isUnknown, region[index] == (0, 1) { continue }
      guard let size = shape[axis].size, let output = result[axis].size, size > 0 else { return nil }
      axes.append(
        ResampledAxis(
          axis: axis, size: size, output: output, scale: ratios[index], region: region[index], context.node.attributes))
    }
  }

  func decompose(_ context: inout DecompositionContext) throws -> [Operand]? {
    let mode = context[Resize.mode]
    guard mode == "nearest" || type.isFloatingPoint else { return nil }
    // A matrix beyond this is more than a program should carry.
    guard mode == "nearest" || axes.allSatisfy({ $0.size.multipliedReportingOverflow(by: $0.output).partialValue <= 1 << 24 }),
      let tables = try? axes.map({ try $0.taps() })
    else { return nil }
    let isHalf = mode != "nearest" && type != .float32 && type != .float64
    let wide = isHalf ? ElementType.float32 : type
    var x = context.operand(0)
    if isHalf { x = try context.call(.cast, [x], ["to": .elementType(.float32)]) }
    for (axis, taps) in zip(axes, tables) {
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
    _ x: Operand, _ taps: [[ResampledAxis.Tap]], _ axis: ResampledAxis, _ wide: ElementType,
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
    _ x: Operand, _ taps: [[ResampledAxis.Tap]], _ axis: ResampledAxis, _ wide: ElementType,
    _ context: inout DecompositionContext
  ) throws -> Operand {
    let shape = (0..<rank).map { $0 == axis.axis ? axis.output : 1 }
    let inside = context.constant(try Tensor(shape, taps.map { !$0.isEmpty }), name: "inside")
    let value = Double(context[Resize.extrapolation])
    let outside = context.constant(try Tensor(wide, [], numbers: .floats([value])), name: "outside")
    return try context.call(.where_, [inside, x, outside])
  }
}
