import FXCore

extension NativeOperators {
  mutating func addReduction() {
    for (op, name) in [
      (Operator.reduceSum, "sum"), (.reduceMean, "mean"), (.reduceMax, "max"), (.reduceMin, "min"), (.reduceProd, "prod"),
    ] {
      self[op] = .kernel(sizes: [1]) { try reduce($0, name) }
    }
    self[.argmax] = .kernel { try findExtreme($0, ">") }
    self[.argmin] = .kernel { try findExtreme($0, "<") }
    self[.cumsum] = .kernel(sizes: [1]) { try accumulate($0, "fx::add", start: 0) }
    self[.cumprod] = .kernel(sizes: [1]) { try accumulate($0, "fx::mul", start: 1) }
  }
}

/// The axes that a reduction goes over, counted from the start.
private func reducedAxes(_ call: NativeCall, rank: Int) throws -> Set<Int> {
  let axes = call.has(1) ? try call.integers(1) : []
  if axes.isEmpty { return call[Reduce.noopWithEmptyAxes] ? [] : Set(0..<rank) }
  return Set(try axes.map { try call.axis($0, rank: rank) })
}

private func reduce(_ call: NativeCall, _ name: String) throws {
  let shape = try call.shape(0)
  let type = call.elementType(0)
  let axes = try reducedAxes(call, rank: shape.count)
  let count = IndexText.count(axes.map { shape[$0] })
  // Neighbouring axes that are reduced are one, and so are neighbours that are not.
  var runs: [(isReduced: Bool, size: Int)] = []
  for axis in shape.indices where shape[axis] != 1 {
    if let last = runs.last, last.isReduced == axes.contains(axis) {
      runs[runs.count - 1].size *= shape[axis]
    } else {
      runs.append((axes.contains(axis), shape[axis]))
    }
  }
  let reduced = runs.indices.filter { runs[$0].isReduced }
  if reduced.count == 1, count > 0, NativeType.isFloat(type) {
    let at = reduced[0]
    return call.library(
      "reduce_\(name)", types: [NativeType.name(type)], reads: [try call.operandBuffer(0)], writes: [try call.resultBuffer()],
      [IndexText.count(runs.prefix(at).map(\.size)), runs[at].size, IndexText.count(runs.dropFirst(at + 1).map(\.size))])
  }
  let strides = IndexText.strides(runs.map(\.size))
  let kept = runs.indices.filter { !runs[$0].isReduced }
  let (names, inner) = (IndexText.variables(kept.count), IndexText.variables(reduced.count, "j"))
  let read = IndexText.offset(names + inner, (kept + reduced).map { strides[$0] })
  let write = IndexText.offset(names, IndexText.strides(kept.map { runs[$0].size }))
  let (compute, accumulator) = (NativeType.compute(type), NativeType.accumulator(type))
  let (start, join): (String, String) =
    switch name {
    case "prod": ("1", type == .bool ? "sum && v" : "fx::mul<accumulator>(sum, v)")
    case "max": ("fx::lowest<\(compute)>()", "fx::maximum<accumulator>(sum, v)")
    case "min": ("fx::largest<\(compute)>()", "fx::minimum<accumulator>(sum, v)")
    default: ("0", "fx::add<accumulator>(sum, v)")
    }
  var body = ["using accumulator = \(accumulator);", "accumulator sum = accumulator(\(start));"]
  for (variable, axis) in zip(inner, reduced) {
    body.append("for (fx::index \(variable) = 0; \(variable) < \(runs[axis].size); ++\(variable)) {")
  }
  body += ["const accumulator v = accumulator(\(compute)(x[\(read)]));", "sum = \(join);"]
  body += inner.map { _ in "}" }
  // Without elements the mean of floating point is 0 ÷ 0, and integers have none.
  let mean = NativeType.isFloat(type) ? "sum / accumulator(\(count))" : "fx::div<accumulator>(sum, accumulator(\(count)))"
  body.append("y[\(write)] = \(compute)(\(name == "mean" ? mean : "sum"));")
  try call.kernel(
    [("x", .operand(0)), ("y", .result(0))],
    axes: NativeProgram.Kernel.Axis.list(names, kept.map { runs[$0].size }), body)
}

/// Sizes before, along and after an axis.
private func lines(_ shape: [Int], _ axis: Int) -> (outer: Int, length: Int, inner: Int) {
  (IndexText.count(shape.prefix(axis)), shape.isEmpty ? 1 : shape[axis], IndexText.count(shape.dropFirst(axis + 1)))
}

/// NumPy's rule: the first NaN is the extreme.
private func findExtreme(_ call: NativeCall, _ symbol: String) throws {
  let shape = try call.shape(0)
  let axis = try call.axis(call[ArgReduce.axis], rank: max(shape.count, 1))
  let (outer, length, inner) = lines(shape, axis)
  guard length > 0 else { throw NativeRefusal(reason: "an axis without elements has no extreme") }
  let compute = NativeType.compute(call.elementType(0))
  let isBetter = call[ArgReduce.selectLastIndex] ? "v \(symbol)= best" : "v \(symbol) best"
  let nan = NativeType.isFloat(call.elementType(0)) ? "!fx::is_nan(best) && (fx::is_nan(v) || \(isBetter))" : isBetter
  try call.kernel(
    [("x", .operand(0)), ("y", .result(0))], axes: [.init("i", outer), .init("k", inner)],
    [
      "fx::index where = 0;",
      "\(compute) best = x[i * \(length * inner) + k];",
      "for (fx::index j = 1; j < \(length); ++j) {",
      "const \(compute) v = x[(i * \(length) + j) * \(inner) + k];",
      "if (\(nan)) {", "best = v;", "where = j;", "}",
      "}",
      "y[i * \(inner) + k] = where;",
    ])
}

private func accumulate(_ call: NativeCall, _ function: String, start: Int) throws {
  let shape = try call.shape(0)
  guard let given = try call.integers(1).first else { throw NativeRefusal(reason: "its axis is missing") }
  let (outer, length, inner) = lines(shape, try call.axis(given, rank: max(shape.count, 1)))
  let type = call.elementType(0)
  let (compute, accumulator) = (NativeType.compute(type), NativeType.accumulator(type))
  let place =
    call[Cumulative.reverse] ? "(i * \(length) + \(length - 1) - j) * \(inner) + k" : "(i * \(length) + j) * \(inner) + k"
  let write = "y[at] = \(compute)(sum);"
  let add = "sum = \(function)<\(accumulator)>(sum, \(accumulator)(\(compute)(x[at])));"
  try call.kernel(
    [("x", .operand(0)), ("y", .result(0))], axes: [.init("i", outer), .init("k", inner)],
    [
      "\(accumulator) sum = \(start);",
      "for (fx::index j = 0; j < \(length); ++j) {",
      "const fx::index at = \(place);",
    ] + (call[Cumulative.exclusive] ? [write, add] : [add, write]) + ["}"])
}
