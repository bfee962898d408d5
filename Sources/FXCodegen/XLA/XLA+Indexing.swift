import FXCore

extension XLARows {
  mutating func addIndexing() {
    define(.gather) { call in
      let x = try call.operand(0)
      let axis = call.axis(call[Gather.axis], of: x)
      let indices = try call.builder.wrapped(call.operand(1), size: x.sizes[axis])
      return call.builder.take(x, indices, axis: axis)
    }
    define(.gatherElements) { call in
      let x = try call.operand(0)
      let axis = call.axis(call[GatherElements.axis], of: x)
      let indices = try call.builder.wrapped(call.operand(1), size: x.sizes[axis])
      return call.builder.elements(x, at: call.builder.coordinates(indices, along: axis))
    }
    define(.gatherND) { call in
      let (x, indices) = (try call.operand(0), try call.operand(1))
      let batch = call[GatherND.batchDims]
      var places = try call.builder.wrappedRows(indices, sizes: Array(x.sizes.dropFirst(batch)))
      // Coordinates along axes that both share go in front.
      let outer = indices.sizes.dropLast() + [1]
      let shared = (0..<batch).map { call.builder.iota(Array(outer), axis: $0, indices.type) }
      places = call.builder.concatenate(shared + [places], axis: indices.rank - 1)
      return call.builder.elements(x, at: places)
    }
    self[.topK] = { call in
      let x = try call.operand(0)
      let axis = call.axis(call[TopK.axis], of: x)
      let k = try call.site.resultSizes()[axis]
      let places = call.builder.iota(x.sizes, axis: axis)
      let direction = call[TopK.largest] ? "GT" : "LT"
      let pairs = [
        call.builder.argument(x.type, []), call.builder.argument(x.type, []), call.builder.argument(.int64, []),
        call.builder.argument(.int64, []),
      ]
      let sorted = try call.builder.regional(
        "sort", [x, places], regions: [(pairs, { [try $0.compare(direction, pairs[0], pairs[1])] })],
        attributes: "dimension = \(axis) : i64, is_stable = true", results: [(x.type, x.sizes), (.int64, x.sizes)])
      return sorted.map { call.builder.slice($0, axis: axis, 0..<k) }
    }
  }
}

extension HLOBuilder {
  /// For each index along an axis the whole coordinates of its element: one more axis at the end.
  mutating func coordinates(_ indices: HLOValue, along axis: Int) -> HLOValue {
    let column = indices.sizes + [1]
    let parts = indices.sizes.indices.map { other in
      other == axis ? reshape(indices, column) : iota(column, axis: other, indices.type)
    }
    return concatenate(parts, axis: indices.rank)
  }

  /// Rows of coordinates, each counted from the start of its axis.
  mutating func wrappedRows(_ rows: HLOValue, sizes: [Int]) throws -> HLOValue {
    let count = rows.sizes[rows.rank - 1]
    let limits = integers(Array(sizes.prefix(count)), rows.type)
    let isNegative = try compare("LT", rows, constant(0, rows.type, rows.sizes))
    return try select(isNegative, binary("add", rows, limits), rows)
  }

  /// The parts of x at the leading coordinates that rows name.
  mutating func elements(_ x: HLOValue, at rows: HLOValue) -> HLOValue {
    let depth = rows.sizes[rows.rank - 1]
    let rest = Array(x.sizes.dropFirst(depth))
    let outer = Array(rows.sizes.dropLast())
    let offsets = rest.indices.map { outer.count + $0 }
    let collapsed = Array(0..<depth)
    return op(
      "gather", [x, rows],
      "dimension_numbers = #stablehlo.gather<offset_dims = \(hloList(offsets)), collapsed_slice_dims = \(hloList(collapsed)), "
        + "start_index_map = \(hloList(collapsed)), index_vector_dim = \(rows.rank - 1)>, "
        + "slice_sizes = \(hloArray(collapsed.map { _ in 1 } + rest)), indices_are_sorted = false", x.type, outer + rest)
  }
}
