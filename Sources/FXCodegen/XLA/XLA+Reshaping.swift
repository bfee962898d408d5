import FXCore

extension XLARows {
  mutating func addReshaping() {
    for op in [Operator.reshape, .squeeze, .unsqueeze] {
      define(op) { try $0.builder.reshape($0.operand(0), $0.site.resultSizes()) }
    }
    define(.transpose) { call in
      let x = try call.operand(0)
      return call.builder.transpose(x, call[Transpose.permutation] ?? Array(x.sizes.indices.reversed()))
    }
    define(.expand) { try $0.builder.broadcast($0.operand(0), $0.site.resultSizes()) }
    define(.concat) { call in
      let parts = try call.operands.indices.map { try call.operand($0) }
      return call.builder.concatenate(parts, axis: call.axis(call[Concat.axis], of: try call.operand(0)))
    }
    self[.split] = { call in
      let x = try call.operand(0)
      let axis = call.axis(call[Split.axis], of: x)
      var start = 0
      return try call.site.node.results.indices.map { index in
        let size = try call.site.resultSizes(index)[axis]
        defer { start += size }
        return call.builder.slice(x, axis: axis, start..<start + size)
      }
    }
    define(.slice) { call in
      let x = try call.operand(0)
      let (starts, ends) = (try call.site.knownIntegers(1), try call.site.knownIntegers(2))
      let axes = call.has(3) ? try call.site.knownIntegers(3) : Array(starts.indices)
      let steps = call.has(4) ? try call.site.knownIntegers(4) : starts.map { _ in 1 }
      var (low, high, stride) = (x.sizes.map { _ in 0 }, x.sizes, x.sizes.map { _ in 1 })
      var reversed: [Int] = []
      for (index, given) in axes.enumerated() {
        let axis = call.axis(given, of: x)
        let (size, step) = (x.sizes[axis], steps[index])
        func place(_ value: Int) -> Int { value < 0 ? (value < -size ? -1 : value + size) : value }
        if step > 0 {
          low[axis] = min(max(place(starts[index]), 0), size)
          high[axis] = max(min(max(place(ends[index]), 0), size), low[axis])
        } else {
          // Backwards is forwards over the reversed axis, whose place i is size − 1 − i.
          let first = min(max(place(starts[index]), -1), size - 1)
          let last = min(max(place(ends[index]), -1), size - 1)
          reversed.append(axis)
          low[axis] = size - 1 - first
          high[axis] = max(size - 1 - last, low[axis])
        }
        stride[axis] = abs(step)
      }
      return call.builder.slice(call.builder.reverse(x, reversed), starts: low, limits: high, strides: stride)
    }
    define(.pad) { call in
      var x = try call.operand(0)
      let pads = try call.site.knownIntegers(1)
      let axes = call.has(3) ? try call.site.knownIntegers(3).map { call.axis($0, of: x) } : Array(x.sizes.indices)
      var (low, high) = (x.sizes.map { _ in 0 }, x.sizes.map { _ in 0 })
      for (index, axis) in axes.enumerated() { (low[axis], high[axis]) = (pads[index], pads[index + axes.count]) }
      let mode = call[Pad.mode]
      if mode == "constant" {
        let value = call.has(2) ? call.builder.reshape(try call.operand(2), []) : call.builder.constant(0, x.type)
        return call.builder.pad(x, value, low: low, high: high)
      }
      for axis in axes where low[axis] != 0 || high[axis] != 0 {
        let size = x.sizes[axis]
        let places = (-low[axis]..<size + high[axis]).map { place -> Int in
          func modulo(_ a: Int, _ b: Int) -> Int { ((a % b) + b) % b }
          switch mode {
          case "edge": return min(max(place, 0), size - 1)
          case "wrap": return modulo(place, size)
          default:
            let period = max(1, 2 * size - 2)
            let place = modulo(place, period)
            return size > 1 ? min(place, period - place) : 0
          }
        }
        x = call.builder.take(x, call.builder.integers(places), axis: axis)
      }
      return x
    }
    define(.tile) { call in
      let x = try call.operand(0)
      let repeats = try call.site.knownIntegers(1)
      // [n] becomes [1, n], is broadcast to [r, n], and becomes [r n], all axes at once.
      let spread = zip(repeats, x.sizes).flatMap { [$0, $1] }
      let axes = x.sizes.indices.map { 2 * $0 + 1 }
      let y = call.builder.op("broadcast_in_dim", [x], "broadcast_dimensions = \(hloArray(axes))", x.type, spread)
      return call.builder.reshape(y, zip(repeats, x.sizes).map { $0 * $1 })
    }
    define(.shape) { call in
      let sizes = try call.operand(0).sizes
      let (start, end) = (call[ShapeOperator.start], call[ShapeOperator.end] ?? sizes.count)
      func place(_ value: Int) -> Int { min(max(value < 0 ? value + sizes.count : value, 0), sizes.count) }
      return call.builder.integers(Array(sizes[place(start)..<max(place(start), place(end))]))
    }
    define(.constantOfShape) { call in
      let sizes = try call.site.resultSizes()
      let value = try call[ConstantOfShape.value]?.reshaped([]) ?? Tensor(Float(0))
      return try call.builder.broadcast(call.builder.constant(value), sizes)
    }
    define(.range) { call in
      let (start, delta) = (try call.operand(0), try call.operand(2))
      let sizes = try call.site.resultSizes()
      let type: ElementType = start.type == .float16 || start.type == .bfloat16 ? .float32 : start.type
      let steps = try call.builder.binary("multiply", call.builder.iota(sizes, axis: 0, type), call.builder.convert(delta, type))
      return call.builder.convert(try call.builder.binary("add", steps, call.builder.convert(start, type)), start.type)
    }
  }
}
