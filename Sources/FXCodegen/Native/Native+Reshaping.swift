import FXCore

extension NativeOperators {
  mutating func addReshaping() {
    self[.reshape] = .view(sizes: [1])
    self[.squeeze] = .view(sizes: [1])
    self[.unsqueeze] = .view(sizes: [1])
    self[.flatten] = .view()
    self[.expand] = .expression(sizes: [1]) { _, x in x[0] }
    self[.transpose] = .kernel { call in
      let shape = try call.shape(0)
      let order = call[Transpose.permutation] ?? Array(shape.indices.reversed())
      let result = order.map { shape[$0] }
      let own = IndexText.strides(shape)
      let (sizes, strides) = IndexText.collapsed(result, [IndexText.strides(result), order.map { own[$0] }])
      let names = IndexText.variables(sizes.count)
      try call.kernel(
        [("x", .operand(0)), ("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, sizes), vectorizable: true,
        ["y[\(IndexText.offset(names, strides[0]))] = x[\(IndexText.offset(names, strides[1]))];"])
    }
    self[.concat] = .kernel { try concat($0) }
    self[.split] = .kernel(sizes: [1]) { try split($0) }
    self[.slice] = .kernel(sizes: [3]) { try slice($0) }
    self[.pad] = .kernel(sizes: [3]) { try pad($0) }
    self[.tile] = .kernel(sizes: [1]) { call in
      let (shape, result) = (try call.shape(0), try call.resultShape())
      let names = IndexText.variables(result.count)
      let places = zip(names, shape).map { $1 == 1 ? "0" : "(\($0) % \($1))" }
      try call.kernel(
        [("x", .operand(0)), ("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, result),
        ["y[\(IndexText.offset(names, IndexText.strides(result)))] = x[\(IndexText.offset(places, IndexText.strides(shape)))];"])
    }
    // The sizes are fixed, so the result is known and never computed.
    self[.shape] = .kernel(sizes: [0]) { call in
      throw NativeRefusal(reason: "more axes than are followed: \(try call.resultShape())")
    }
  }
}

private func concat(_ call: NativeCall) throws {
  let result = try call.resultShape()
  let axis = try call.axis(call[Concat.axis], rank: result.count)
  let (outer, inner) = (IndexText.count(result.prefix(axis)), IndexText.count(result.dropFirst(axis + 1)))
  let row = result[axis] * inner
  var offset = 0
  for index in call.node.operands.indices {
    let length = try call.shape(index)[axis] * inner
    if length > 0 {
      try call.kernel(
        [("x", .operand(index)), ("y", .result(0))], axes: [.init("i", outer), .init("j", length)], vectorizable: true,
        ["y[i * \(row) + j + \(offset)] = x[i * \(length) + j];"])
    }
    offset += length
  }
}

private func split(_ call: NativeCall) throws {
  let shape = try call.shape(0)
  let axis = try call.axis(call[Split.axis], rank: shape.count)
  let (outer, inner) = (IndexText.count(shape.prefix(axis)), IndexText.count(shape.dropFirst(axis + 1)))
  let row = shape[axis] * inner
  var offset = 0
  for index in call.node.results.indices {
    let length = try call.resultShape(index)[axis] * inner
    if length > 0 {
      try call.kernel(
        [("x", .operand(0)), ("y", .result(index))], axes: [.init("i", outer), .init("j", length)], vectorizable: true,
        ["y[i * \(length) + j] = x[i * \(row) + j + \(offset)];"])
    }
    offset += length
  }
}

/// Starts and steps may be computed by the graph; the sizes of the result are fixed.
private func slice(_ call: NativeCall) throws {
  let (shape, result) = (try call.shape(0), try call.resultShape())
  let given = call.has(3) ? try call.integers(3) : Array(0..<IndexText.count(try call.shape(1)))
  let axes = try given.map { try call.axis($0, rank: shape.count) }
  let names = IndexText.variables(result.count)
  var places = names
  var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0))]
  var body: [String] = []
  let starts = call.lowering.integers(call.node.operand(1))
  let steps = call.has(4) ? call.lowering.integers(call.node.operand(4)) : axes.map { _ in 1 }
  if starts == nil { arguments.append(("starts", .operand(1))) }
  if steps == nil { arguments.append(("steps", .operand(4))) }
  for (index, axis) in axes.enumerated() {
    let size = shape[axis]
    if let start = starts?[index], let step = steps?[index] {
      let from = min(max(start < 0 ? start + size : start, 0), step < 0 ? size - 1 : size)
      places[axis] = step == 1 && from == 0 ? names[axis] : "(\(from) + \(names[axis]) * \(step))"
    } else {
      let step = steps.map { "\($0[index])" } ?? "fx::index(steps[\(index)])"
      body.append("const fx::index step\(index) = \(step);")
      body.append(
        "const fx::index start\(index) = fx::slice_start(\(starts.map { "\($0[index])" } ?? "starts[\(index)]"), \(size), step\(index));"
      )
      places[axis] = "(start\(index) + \(names[axis]) * step\(index))"
    }
  }
  body.append(
    "y[\(IndexText.offset(names, IndexText.strides(result)))] = x[\(IndexText.offset(places, IndexText.strides(shape)))];")
  try call.kernel(
    arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, result), vectorizable: true, body)
}

private func pad(_ call: NativeCall) throws {
  let (shape, result) = (try call.shape(0), try call.resultShape())
  let given = call.has(3) ? try call.integers(3) : Array(shape.indices)
  let axes = try given.map { try call.axis($0, rank: shape.count) }
  let type = call.elementType(0)
  let names = IndexText.variables(result.count)
  let mode = call[Pad.mode]
  let known = call.lowering.integers(call.node.operand(1))
  var arguments: [(String, NativeCall.Argument)] = [("x", .operand(0))]
  if known == nil { arguments.append(("pads", .operand(1))) }
  var value = NativeType.literal(0 as Int64, type)
  if mode == "constant", call.has(2) {
    arguments.append(("value", .operand(2)))
    value = "value[0]"
  }
  var body: [String] = []
  var places = names
  var conditions: [String] = []
  for (index, axis) in axes.enumerated() where known?[index] != 0 || result[axis] != shape[axis] {
    let size = shape[axis]
    let before = known.map { "\($0[index])" } ?? "fx::index(pads[\(index)])"
    places[axis] = "p\(axis)"
    let place = "\(names[axis]) - \(before)"
    guard mode == "constant" || size > 0 else { throw NativeRefusal(reason: "there is nothing to repeat") }
    body.append("const fx::index p\(axis) = \(mode == "constant" ? place : "fx::pad_\(mode)(\(place), \(size))");")
    if mode == "constant" { conditions.append("p\(axis) >= 0 && p\(axis) < \(size)") }
  }
  let write = "y[\(IndexText.offset(names, IndexText.strides(result)))]"
  let read = "x[\(IndexText.offset(places, IndexText.strides(shape)))]"
  if conditions.isEmpty {
    body.append("\(write) = \(read);")
  } else {
    // Not a conditional expression: half precision has two ways to join a number.
    body += ["if (\(conditions.joined(separator: " && "))) {", "\(write) = \(read);", "} else {", "\(write) = \(value);", "}"]
  }
  try call.kernel(arguments + [("y", .result(0))], axes: NativeProgram.Kernel.Axis.list(names, result), body)
}
