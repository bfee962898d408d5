import FXCore

extension NativeOperators {
  /// Updates go one after another along the axis they may collide on, and side by side along all others: the result does
  /// not depend on the order of threads.
  mutating func addScattering() {
    self[.scatterElements] = .kernel { call in
      let (data, indices) = (try call.shape(0), try call.shape(1))
      let axis = try call.axis(call[ScatterElements.axis], rank: max(data.count, 1))
      call.lowering.append(.copy(from: try call.operandBuffer(0), to: try call.resultBuffer()))
      guard IndexText.count(indices) > 0 else { return }
      let names = IndexText.variables(indices.count)
      var places = names
      places[axis] = "at"
      let others = indices.indices.filter { $0 != axis }
      let place = IndexText.offset(names, IndexText.strides(indices))
      let body = [
        "for (fx::index \(names[axis]) = 0; \(names[axis]) < \(indices[axis]); ++\(names[axis])) {",
        "const fx::index at = fx::wrap(indices[\(place)], \(data[axis]), status);",
        "const fx::index to = \(IndexText.offset(places, IndexText.strides(data)));",
        update(call, call[ScatterElements.reduction], "y[to]", "updates[\(place)]"),
        "}",
      ]
      try call.kernel(
        [("indices", .operand(1)), ("updates", .operand(2)), ("y", .result(0))],
        axes: NativeProgram.Kernel.Axis.list(others.map { names[$0] }, others.map { indices[$0] }), usesStatus: true, body)
    }
    self[.scatterND] = .kernel { call in
      let (data, indices) = (try call.shape(0), try call.shape(1))
      guard let depth = indices.last else { throw NativeRefusal(reason: "its indices are a scalar") }
      call.lowering.append(.copy(from: try call.operandBuffer(0), to: try call.resultBuffer()))
      let rows = IndexText.count(indices.dropLast())
      let inner = IndexText.count(data.dropFirst(depth))
      guard rows > 0, inner > 0 else { return }
      let strides = IndexText.strides(data)
      var body = ["for (fx::index i = 0; i < \(rows); ++i) {", "fx::index to = k;"]
      for axis in 0..<depth {
        body.append("to += fx::wrap(indices[i * \(depth) + \(axis)], \(data[axis]), status) * \(strides[axis]);")
      }
      body += [update(call, call[ScatterND.reduction], "y[to]", "updates[i * \(inner) + k]"), "}"]
      try call.kernel(
        [("indices", .operand(1)), ("updates", .operand(2)), ("y", .result(0))], axes: [.init("k", inner)],
        usesStatus: true, body)
    }
  }
}

private func update(_ call: NativeCall, _ reduction: String, _ target: String, _ source: String) -> String {
  let compute = NativeType.compute(call.elementType(0))
  let isBool = call.elementType(0) == .bool
  switch reduction {
  case "add": return "\(target) = fx::add<\(compute)>(\(target), \(source));"
  case "mul": return "\(target) = fx::mul<\(compute)>(\(target), \(source));"
  case "min": return "\(target) = \(isBool ? "\(target) && \(source)" : "fx::minimum<\(compute)>(\(target), \(source))");"
  case "max": return "\(target) = \(isBool ? "\(target) || \(source)" : "fx::maximum<\(compute)>(\(target), \(source))");"
  default: return "\(target) = \(source);"
  }
}
