import FXCore

extension NativeOperators {
  mutating func addIndexing() {
    self[.gather] = .kernel { call in
      let (data, indices) = (try call.shape(0), try call.shape(1))
      let axis = try call.axis(call[Gather.axis], rank: data.count)
      let (outer, inner) = (IndexText.count(data.prefix(axis)), IndexText.count(data.dropFirst(axis + 1)))
      let count = IndexText.count(indices)
      try call.kernel(
        [("x", .operand(0)), ("indices", .operand(1)), ("y", .result(0))],
        axes: [.init("i", outer), .init("j", count), .init("k", inner)], usesStatus: true,
        [
          "const fx::index at = fx::wrap(indices[j], \(data[axis]), status);",
          "y[(i * \(count) + j) * \(inner) + k] = x[(i * \(data[axis]) + at) * \(inner) + k];",
        ])
    }
    self[.gatherElements] = .kernel { call in
      let (data, indices) = (try call.shape(0), try call.shape(1))
      let axis = try call.axis(call[GatherElements.axis], rank: data.count)
      let names = IndexText.variables(indices.count)
      var places = names
      places[axis] = "at"
      let place = IndexText.offset(names, IndexText.strides(indices))
      try call.kernel(
        [("x", .operand(0)), ("indices", .operand(1)), ("y", .result(0))],
        axes: NativeProgram.Kernel.Axis.list(names, indices), usesStatus: true,
        [
          "const fx::index at = fx::wrap(indices[\(place)], \(data[axis]), status);",
          "y[\(place)] = x[\(IndexText.offset(places, IndexText.strides(data)))];",
        ])
    }
    self[.gatherND] = .kernel { call in
      let (data, indices) = (try call.shape(0), try call.shape(1))
      guard let depth = indices.last else { throw NativeRefusal(reason: "its indices are a scalar") }
      let batch = call[GatherND.batchDims]
      let outer = IndexText.count(indices.prefix(batch))
      let rows = IndexText.count(indices.dropLast().dropFirst(batch))
      let inner = IndexText.count(data.dropFirst(batch + depth))
      let strides = IndexText.strides(data)
      let block = IndexText.count(data.dropFirst(batch))
      var body = ["fx::index at = b * \(block);"]
      for axis in 0..<depth {
        body.append(
          "at += fx::wrap(indices[(b * \(rows) + i) * \(depth) + \(axis)], \(data[batch + axis]), status) * \(strides[batch + axis]);"
        )
      }
      body.append("y[(b * \(rows) + i) * \(inner) + k] = x[at + k];")
      try call.kernel(
        [("x", .operand(0)), ("indices", .operand(1)), ("y", .result(0))],
        axes: [.init("b", outer), .init("i", rows), .init("k", inner)], usesStatus: true, body)
    }
    self[.nonzero] = .kernel { call in
      let (shape, result) = (try call.shape(0), try call.resultShape())
      let strides = IndexText.strides(shape)
      let zero = NativeType.literal(0 as Int64, call.elementType(0))
      let count = result.last ?? 0
      var body = ["fx::index found = 0;", "for (fx::index i = 0; i < \(IndexText.count(shape)); ++i) {"]
      body.append("if (\(NativeType.compute(call.elementType(0)))(x[i]) == \(zero)) continue;")
      body.append("if (found < \(count)) {")
      for axis in shape.indices { body.append("y[\(axis * count) + found] = i / \(strides[axis]) % \(shape[axis]);") }
      body += ["}", "++found;", "}", "if (found != \(count)) *status = fx::bad_size;"]
      try call.kernel([("x", .operand(0)), ("y", .result(0))], axes: [], usesStatus: true, body)
    }
    self[.topK] = .kernel(sizes: [1]) { try selectExtremes($0) }
    self[.range] = .kernel(sizes: [1]) { call in
      let type = call.resultType()
      let compute = NativeType.isHalf(type) ? NativeType.compute(call[RangeOperator.stashType]) : NativeType.name(type)
      let (start, delta) = ("\(compute)(start[0])", "\(compute)(delta[0])")
      try call.kernel(
        [("start", .operand(0)), ("delta", .operand(2)), ("y", .result(0))],
        axes: [.init("i", IndexText.count(try call.resultShape()))],
        ["y[i] = \(NativeType.compute(type))(\(start) + \(compute)(i) * \(delta));"])
    }
    self[.constantOfShape] = .expression(sizes: [0]) { call, _ in
      guard let value = call[ConstantOfShape.value] else { return NativeType.literal(0 as Int64, .float32) }
      guard let text = NativeType.scalar(value) else { throw NativeRefusal(reason: "its value is \(value.type)") }
      return text
    }
  }
}

/// Each element is the best of those that come after the one before it: no memory is needed beyond the result's.
private func selectExtremes(_ call: NativeCall) throws {
  let (shape, result) = (try call.shape(0), try call.resultShape())
  let axis = try call.axis(call[TopK.axis], rank: shape.count)
  let (outer, inner) = (IndexText.count(shape.prefix(axis)), IndexText.count(shape.dropFirst(axis + 1)))
  let (length, k) = (shape[axis], result[axis])
  let type = call.elementType(0)
  let compute = NativeType.compute(type)
  // The order of all numbers, NaN above the others, equal ones by index.
  let (a, b) = call[TopK.largest] ? ("a", "b") : ("b", "a")
  let before = "fx::precedes(\(a), \(b))"
  try call.kernel(
    [("x", .operand(0)), ("values", .result(0))] + (call.hasResult(1) ? [("indices", .result(1))] : []),
    axes: [.init("i", outer), .init("l", inner)],
    [
      "fx::index last = -1;",
      "for (fx::index place = 0; place < \(k); ++place) {",
      "fx::index best = -1;",
      "for (fx::index j = 0; j < \(length); ++j) {",
      "const \(compute) a = x[(i * \(length) + j) * \(inner) + l];",
      "if (last >= 0) {",
      "const \(compute) b = x[(i * \(length) + last) * \(inner) + l];",
      "if (\(before) || (!\(call[TopK.largest] ? "fx::precedes(b, a)" : "fx::precedes(a, b)") && j <= last)) continue;",
      "}",
      "if (best >= 0) {",
      "const \(compute) b = x[(i * \(length) + best) * \(inner) + l];",
      "if (!\(before)) continue;",
      "}",
      "best = j;",
      "}",
      "last = best;",
      "values[(i * \(k) + place) * \(inner) + l] = x[(i * \(length) + best) * \(inner) + l];",
      call.hasResult(1) ? "indices[(i * \(k) + place) * \(inner) + l] = best;" : "",
      "}",
    ].filter { !$0.isEmpty })
}
