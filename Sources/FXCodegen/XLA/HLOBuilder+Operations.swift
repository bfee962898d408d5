import FXCore

/// `array<i64: 1, 2>`
func hloArray(_ values: [Int]) -> String {
  values.isEmpty ? "array<i64>" : "array<i64: " + values.map(String.init).joined(separator: ", ") + ">"
}

func hloList(_ values: [Int]) -> String { "[" + values.map(String.init).joined(separator: ", ") + "]" }

extension HLOBuilder {
  mutating func unary(_ name: String, _ x: HLOValue) -> HLOValue { op(name, [x], x.type, x.sizes) }

  /// Both operands in a common shape.
  mutating func binary(_ name: String, _ a: HLOValue, _ b: HLOValue) throws -> HLOValue {
    let sizes = try HLOBuilder.broadcast(a.sizes, b.sizes)
    return op(name, [try broadcast(a, sizes), try broadcast(b, sizes)], a.type, sizes)
  }

  mutating func compare(_ direction: String, _ a: HLOValue, _ b: HLOValue) throws -> HLOValue {
    let sizes = try HLOBuilder.broadcast(a.sizes, b.sizes)
    return op(
      "compare", [try broadcast(a, sizes), try broadcast(b, sizes)],
      "comparison_direction = #stablehlo<comparison_direction \(direction)>", .bool, sizes)
  }

  mutating func select(_ condition: HLOValue, _ a: HLOValue, _ b: HLOValue) throws -> HLOValue {
    let sizes = try HLOBuilder.broadcast(HLOBuilder.broadcast(a.sizes, b.sizes), condition.sizes)
    return op("select", [try broadcast(condition, sizes), try broadcast(a, sizes), try broadcast(b, sizes)], a.type, sizes)
  }

  static func broadcast(_ a: [Int], _ b: [Int]) throws -> [Int] {
    let rank = max(a.count, b.count)
    let x = Array(repeating: 1, count: rank - a.count) + a
    let y = Array(repeating: 1, count: rank - b.count) + b
    return try zip(x, y).map { p, q in
      guard p == q || p == 1 || q == 1 else { throw NotExpressible("\(a) and \(b) do not broadcast") }
      return p == 1 ? q : p
    }
  }

  /// x in a shape that it broadcasts to.
  mutating func broadcast(_ x: HLOValue, _ sizes: [Int]) throws -> HLOValue {
    if x.sizes == sizes { return x }
    guard x.rank <= sizes.count else { throw NotExpressible("\(x.sizes) does not broadcast to \(sizes)") }
    let axes = Array(sizes.count - x.rank..<sizes.count)
    return op("broadcast_in_dim", [x], "broadcast_dimensions = \(hloArray(axes))", x.type, sizes)
  }

  mutating func reshape(_ x: HLOValue, _ sizes: [Int]) -> HLOValue {
    x.sizes == sizes ? x : op("reshape", [x], x.type, sizes)
  }

  mutating func transpose(_ x: HLOValue, _ order: [Int]) -> HLOValue {
    if order == Array(order.indices) { return x }
    return op("transpose", [x], "permutation = \(hloArray(order))", x.type, order.map { x.sizes[$0] })
  }

  mutating func convert(_ x: HLOValue, _ type: ElementType) -> HLOValue {
    x.type == type ? x : op("convert", [x], type, x.sizes)
  }

  mutating func slice(_ x: HLOValue, starts: [Int], limits: [Int], strides: [Int]) -> HLOValue {
    let sizes = starts.indices.map { max(0, (limits[$0] - starts[$0] + strides[$0] - 1) / strides[$0]) }
    if sizes == x.sizes { return x }
    return op(
      "slice", [x],
      "start_indices = \(hloArray(starts)), limit_indices = \(hloArray(limits)), strides = \(hloArray(strides))", x.type, sizes)
  }

  /// One range of an axis, the others whole.
  mutating func slice(_ x: HLOValue, axis: Int, _ range: Range<Int>) -> HLOValue {
    var (starts, limits) = (x.sizes.map { _ in 0 }, x.sizes)
    (starts[axis], limits[axis]) = (range.lowerBound, range.upperBound)
    return slice(x, starts: starts, limits: limits, strides: x.sizes.map { _ in 1 })
  }

  mutating func reverse(_ x: HLOValue, _ axes: [Int]) -> HLOValue {
    axes.isEmpty ? x : op("reverse", [x], "dimensions = \(hloArray(axes))", x.type, x.sizes)
  }

  mutating func concatenate(_ parts: [HLOValue], axis: Int) -> HLOValue {
    if parts.count == 1 { return parts[0] }
    var sizes = parts[0].sizes
    sizes[axis] = parts.reduce(0) { $0 + $1.sizes[axis] }
    return op("concatenate", parts, "dimension = \(axis) : i64", parts[0].type, sizes)
  }

  mutating func pad(_ x: HLOValue, _ value: HLOValue, low: [Int], high: [Int]) -> HLOValue {
    if (low + high).allSatisfy({ $0 == 0 }) { return x }
    return op(
      "pad", [x, value],
      "edge_padding_low = \(hloArray(low)), edge_padding_high = \(hloArray(high)), interior_padding = \(hloArray(low.map { _ in 0 }))",
      x.type, x.sizes.indices.map { x.sizes[$0] + low[$0] + high[$0] })
  }

  /// The coordinate along an axis.
  mutating func iota(_ sizes: [Int], axis: Int, _ type: ElementType = .int64) -> HLOValue {
    op("iota", [], "iota_dimension = \(axis) : i64", type, sizes)
  }

  /// x reduced over axes, which go.
  mutating func reduce(_ name: String, _ x: HLOValue, initial: Double, axes: [Int]) throws -> HLOValue {
    if axes.isEmpty { return x }
    let start = constant(initial, x.type)
    let sizes = x.sizes.indices.filter { !axes.contains($0) }.map { x.sizes[$0] }
    let pair = [argument(x.type, []), argument(x.type, [])]
    return try regional(
      "reduce", [x, start], regions: [(pair, { [$0.op(name, pair, x.type, [])] })],
      attributes: "dimensions = \(hloArray(axes.sorted()))", results: [(x.type, sizes)])[0]
  }

  /// x reduced over windows. Padding lists (low, high) per axis.
  mutating func reduceWindow(
    _ name: String, _ x: HLOValue, initial: Double, window: [Int], strides: [Int], dilations: [Int], padding: [(Int, Int)]
  ) throws -> HLOValue {
    let start = constant(initial, x.type)
    let pair = [argument(x.type, []), argument(x.type, [])]
    let sizes = x.sizes.indices.map { axis in
      let span = (window[axis] - 1) * dilations[axis] + 1
      return (x.sizes[axis] + padding[axis].0 + padding[axis].1 - span) / strides[axis] + 1
    }
    let pads = padding.map { "[\($0.0), \($0.1)]" }.joined(separator: ", ")
    return try regional(
      "reduce_window", [x, start], regions: [(pair, { [$0.op(name, pair, x.type, [])] })],
      attributes: "window_dimensions = \(hloArray(window)), window_strides = \(hloArray(strides)), "
        + "base_dilations = \(hloArray(window.map { _ in 1 })), window_dilations = \(hloArray(dilations)), "
        + "padding = dense<[\(pads)]> : tensor<\(window.count)x2xi64>", results: [(x.type, sizes)])[0]
  }

  /// Products summed over one axis of each, with leading batch axes.
  mutating func dot(
    _ a: HLOValue, _ b: HLOValue, batch: Int, contracting: (Int, Int), _ type: ElementType
  ) -> HLOValue {
    let axes = Array(0..<batch)
    let left = a.sizes.indices.filter { $0 >= batch && $0 != contracting.0 }.map { a.sizes[$0] }
    let right = b.sizes.indices.filter { $0 >= batch && $0 != contracting.1 }.map { b.sizes[$0] }
    let batches = batch == 0 ? "" : "lhs_batching_dimensions = \(hloList(axes)), rhs_batching_dimensions = \(hloList(axes)), "
    return op(
      "dot_general", [a, b],
      "dot_dimension_numbers = #stablehlo.dot<\(batches)lhs_contracting_dimensions = [\(contracting.0)], "
        + "rhs_contracting_dimensions = [\(contracting.1)]>", type, Array(a.sizes.prefix(batch)) + left + right)
  }

  /// The slices of x along an axis that indices name, counted from the start.
  mutating func take(_ x: HLOValue, _ indices: HLOValue, axis: Int) -> HLOValue {
    let q = indices.rank
    let offsets = Array(0..<axis) + Array(axis + q..<max(axis + q, x.rank + q - 1))
    var slices = x.sizes
    slices[axis] = 1
    return op(
      "gather", [x, indices],
      "dimension_numbers = #stablehlo.gather<offset_dims = \(hloList(offsets)), collapsed_slice_dims = [\(axis)], "
        + "start_index_map = [\(axis)], index_vector_dim = \(q)>, slice_sizes = \(hloArray(slices)), indices_are_sorted = false",
      x.type, Array(x.sizes[..<axis]) + indices.sizes + Array(x.sizes[(axis + 1)...]))
  }

  /// Indices that count from the end where they are negative, counted from the start.
  mutating func wrapped(_ indices: HLOValue, size: Int) throws -> HLOValue {
    let zero = constant(0, indices.type, indices.sizes)
    let moved = try binary("add", indices, constant(Double(size), indices.type, indices.sizes))
    return try select(compare("LT", indices, zero), moved, indices)
  }
}
