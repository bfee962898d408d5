import FXCore

extension NumpyRows {
  mutating func addReshaping() {
    define(.reshape) { call in
      if let shape = call.site.integers(1) {
        let sizes = shape.enumerated().map { axis, size in
          guard size == 0, !call[Reshape.allowZero] else { return "\(size)" }
          return call.site.shape(0)?.dimensions[safe: axis]?.size.map(String.init) ?? "\(call.primary(0)).shape[\(axis)]"
        }
        let mayBeEmpty = shape.contains(-1) && (call.site.shape(0)?.contains { $0.size == 0 } ?? false)
        if !mayBeEmpty { return "\(call.primary(0)).reshape(\(sizes.isEmpty ? "()" : sizes.joined(separator: ", ")))" }
      }
      let zero = call[Reshape.allowZero] ? ", allow_zero=True" : ""
      return "\(call.use(.reshape))(\(call[0]), \(call[1])\(zero))"
    }
    define(.transpose) { call in
      guard let order = call[Transpose.permutation] else { return "\(call.primary(0)).T" }
      return "\(call.primary(0)).transpose(\(order.isEmpty ? "()" : order.map(String.init).joined(separator: ", ")))"
    }
    define(.squeeze) { call in
      guard call.has(1) else { return "np.squeeze(\(call[0]))" }
      return "np.squeeze(\(call[0]), axis=\(call.tuple(1)))"
    }
    define(.unsqueeze) {
      "np.expand_dims(\($0[0]), \($0.site.integers(1).flatMap { $0.count == 1 ? "\($0[0])" : nil } ?? $0.tuple(1)))"
    }
    define(.expand) { call in
      if let sizes = call.resultTypeSizes { return "np.broadcast_to(\(call[0]), \(NumpyCall.tuple(sizes)))" }
      return "np.broadcast_to(\(call[0]), np.broadcast_shapes(\(call.primary(0)).shape, \(call.tuple(1))))"
    }
    define(.concat) { "np.concatenate([\($0.operands.joined(separator: ", "))], axis=\($0[Concat.axis]))" }
    self[.split] = { call in
      let (axis, count) = (call[Split.axis], call.site.node.results.count)
      let places: String
      if call.has(1) {
        if let sizes = call.site.integers(1) {
          var end = 0
          places =
            "["
            + sizes.dropLast().map {
              end += $0; return "\(end)"
            }.joined(separator: ", ") + "]"
        } else {
          places = "np.cumsum(\(call[1]))[:-1]"
        }
      } else if let sizes = call.site.shape(0), let size = sizes.dimensions[safe: call.site.axis(axis, rank: sizes.rank)]?.size {
        let part = (size + count - 1) / Swift.max(count, 1)
        places = "[" + (1..<Swift.max(count, 1)).map { "\($0 * part)" }.joined(separator: ", ") + "]"
      } else {
        places = "np.arange(1, \(count)) * -(-\(call.primary(0)).shape[\(axis)] // \(count))"
      }
      let parts = "np.split(\(call[0]), \(places), axis=\(axis))"
      return count == 1 ? .expression("\(parts)[0]") : .all(parts)
    }
    define(.slice) { call in
      if let text = call.subscripts() { return "\(call.primary(0))[\(text)]" }
      let axes = call.has(3) ? ", axes=\(call[3])" : ""
      let steps = call.has(4) ? ", steps=\(call[4])" : ""
      return "\(call.use(.sliceAxes))(\(call[0]), \(call[1]), \(call[2])\(axes)\(steps))"
    }
    define(.pad) { call in
      let mode = call[Pad.mode]
      let isConstant = mode == "constant"
      let value = isConstant && call.has(2) ? call[2] : "0"
      if let pads = call.site.integers(1), let rank = call.site.rank(0), !call.has(3), !pads.contains(where: { $0 < 0 }),
        pads.count == 2 * rank
      {
        let widths = (0..<rank).map { "(\(pads[$0]), \(pads[$0 + rank]))" }.joined(separator: ", ")
        if isConstant { return "np.pad(\(call[0]), [\(widths)]" + (value == "0" ? ")" : ", constant_values=\(value))") }
        return "np.pad(\(call[0]), [\(widths)], mode=\"\(mode)\")"
      }
      let axes = call.has(3) ? ", axes=\(call[3])" : ""
      return "\(call.use(.pad))(\(call[0]), \(call[1])" + (value == "0" ? "" : ", value=\(value)") + axes
        + (isConstant ? ")" : ", mode=\"\(mode)\")")
    }
    define(.tile) { "np.tile(\($0[0]), \($0.tuple(1)))" }
    define(.shape) { call in
      let (start, end) = (call[ShapeOperator.start], call[ShapeOperator.end])
      let range = start == 0 && end == nil ? "" : "[\(start == 0 ? "" : "\(start)"):\(end.map(String.init) ?? "")]"
      return "np.array(np.shape(\(call[0]))\(range), dtype=np.int64)"
    }
  }
}

extension Array {
  /// The element, or `nil` beyond the ends.
  subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension NumpyCall {
  /// The sizes of the result, if they are numbers.
  var resultTypeSizes: [Int]? { site.resultType()?.shape?.sizes }

  /// What stands in the brackets of a slice whose places are known: `:, 1:3, ::-1`.
  fileprivate func subscripts() -> String? {
    guard let starts = site.integers(1), let ends = site.integers(2), let rank = site.rank(0) else { return nil }
    let axes = has(3) ? site.integers(3) : Array(starts.indices)
    let steps = has(4) ? site.integers(4) : starts.map { _ in 1 }
    guard let axes, let steps, axes.count == starts.count, steps.count == starts.count, ends.count == starts.count else {
      return nil
    }
    var parts = Array(repeating: ":", count: rank)
    for (index, axis) in axes.enumerated() {
      let place = site.axis(axis, rank: rank)
      guard parts.indices.contains(place) else { return nil }
      let (start, end, step) = (starts[index], ends[index], steps[index])
      let size = site.shape(0)?[place].size
      let limit = size ?? Int(Int32.max)
      let isWholeEnd = step > 0 ? end >= limit : end < -limit
      let isWholeStart = step > 0 ? start == 0 || start <= -limit : start >= limit - 1 && start >= Int(Int32.max) - 1
      parts[place] = "\(isWholeStart ? "" : "\(start)"):\(isWholeEnd ? "" : "\(end)")" + (step == 1 ? "" : ":\(step)")
    }
    while parts.count > 1, parts.last == ":" { parts.removeLast() }
    return parts.isEmpty ? "()" : parts.joined(separator: ", ")
  }
}
