import FXCore

extension XLARows {
  mutating func addScattering() {
    define(.scatterElements) { call in
      let x = try call.operand(0)
      let axis = call.axis(call[ScatterElements.axis], of: x)
      let indices = try call.builder.wrapped(call.operand(1), size: x.sizes[axis])
      let rows = call.builder.coordinates(indices, along: axis)
      return try call.builder.scatter(x, rows, call.operand(2), call[ScatterElements.reduction])
    }
    define(.scatterND) { call in
      let x = try call.operand(0)
      let rows = try call.builder.wrappedRows(call.operand(1), sizes: x.sizes)
      return try call.builder.scatter(x, rows, call.operand(2), call[ScatterND.reduction])
    }
  }
}

extension HLOBuilder {
  /// x with updates at the leading coordinates that rows name.
  fileprivate mutating func scatter(
    _ x: HLOValue, _ rows: HLOValue, _ updates: HLOValue, _ reduction: String
  ) throws -> HLOValue {
    let depth = rows.sizes[rows.rank - 1]
    let outer = rows.rank - 1
    let windows = (0..<(x.rank - depth)).map { outer + $0 }
    let inserted = Array(0..<depth)
    let pair = [argument(x.type, []), argument(x.type, [])]
    let names = ["add": "add", "mul": "multiply", "min": "minimum", "max": "maximum"]
    return try regional(
      "scatter", [x, rows, updates],
      regions: [
        (
          pair,
          { builder in
            guard let name = names[reduction] else { return [pair[1]] }
            return [builder.op(name, pair, x.type, [])]
          }
        )
      ],
      attributes: "scatter_dimension_numbers = #stablehlo.scatter<update_window_dims = \(hloList(windows)), "
        + "inserted_window_dims = \(hloList(inserted)), scatter_dims_to_operand_dims = \(hloList(inserted)), "
        + "index_vector_dim = \(outer)>, indices_are_sorted = false, unique_indices = false", results: [(x.type, x.sizes)])[0]
  }
}
