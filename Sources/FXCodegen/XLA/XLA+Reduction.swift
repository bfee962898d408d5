import FXCore

extension XLARows {
  mutating func addReduction() {
    for (op, name) in [
      (Operator.reduceSum, "add"), (.reduceMean, "add"), (.reduceProd, "multiply"), (.reduceMax, "maximum"),
      (.reduceMin, "minimum"),
    ] {
      define(op) { call in
        let x = try call.operand(0)
        guard let axes = try call.reducedAxes(x) else { return x }
        let initial: Double =
          switch op {
          case .reduceProd: 1
          case .reduceMax: x.type == .bool ? 0 : x.type.integerRange.map { Double($0.lowerBound) } ?? -.infinity
          case .reduceMin:
            x.type == .bool ? 1 : x.type == .uint64 ? 0x1p64 : x.type.integerRange.map { Double($0.upperBound) } ?? .infinity
          default: 0
          }
        let moves = op == .reduceMax || op == .reduceMin
        let name = x.type == .bool ? (op == .reduceMax ? "or" : "and") : name
        var y = try call.builder.reduce(name, moves ? x : call.wide(x), initial: initial, axes: axes)
        if op == .reduceMean {
          let count = axes.reduce(1) { $0 * x.sizes[$1] }
          y = try call.builder.binary("divide", y, call.builder.constant(Double(count), y.type, y.sizes))
        }
        y = call.builder.convert(y, x.type)
        return call[Reduce.keepDims] ? call.builder.reshape(y, x.sizes.enumerated().map { axes.contains($0) ? 1 : $1 }) : y
      }
    }
    for op in [Operator.argmax, .argmin] {
      define(op) { call in
        let x = try call.operand(0)
        let axis = call.axis(call[ArgReduce.axis], of: x)
        var kept = x.sizes
        kept[axis] = 1
        let isMax = op == .argmax
        let initial =
          x.type.integerRange.map { Double(isMax ? $0.lowerBound : $0.upperBound) } ?? (isMax ? -Double.infinity : .infinity)
        let best = call.builder.reshape(
          try call.builder.reduce(isMax ? "maximum" : "minimum", x, initial: initial, axes: [axis]), kept)
        var isBest = try call.builder.compare("EQ", x, best)
        if x.type.isFloatingPoint { isBest = try call.builder.binary("or", isBest, call.builder.compare("NE", x, x)) }
        let places = call.builder.iota(x.sizes, axis: axis)
        let last = call[ArgReduce.selectLastIndex]
        let none = call.builder.constant(last ? -1 : Double(x.sizes[axis]), .int64, x.sizes)
        let chosen = try call.builder.select(isBest, places, none)
        let y = try call.builder.reduce(
          last ? "maximum" : "minimum", chosen, initial: last ? -1 : Double(x.sizes[axis]), axes: [axis])
        return call[ArgReduce.keepDims] ? call.builder.reshape(y, kept) : y
      }
    }
    for (op, name) in [(Operator.cumsum, "add"), (.cumprod, "multiply")] {
      define(op) { call in
        let x = try call.operand(0)
        guard let first = try call.site.knownIntegers(1).first else { throw NotExpressible("no axis") }
        let axis = call.axis(first, of: x)
        let size = x.sizes[axis]
        if size == 0 { return x }
        let shift = call[Cumulative.exclusive] ? 1 : 0
        let before = (size - 1 + shift, -shift)
        let ones = x.sizes.map { _ in 1 }
        var (window, padding) = (ones, ones.map { _ in (0, 0) })
        window[axis] = size
        padding[axis] = call[Cumulative.reverse] ? (before.1, before.0) : before
        return try call.builder.reduceWindow(
          name, x, initial: op == .cumsum ? 0 : 1, window: window, strides: ones, dilations: ones, padding: padding)
      }
    }
  }
}

extension XLACall {
  /// The axes of a reduction; `nil` if nothing is reduced.
  fileprivate func reducedAxes(_ x: HLOValue) throws -> [Int]? {
    let axes = has(1) ? try site.knownIntegers(1) : []
    if !axes.isEmpty { return axes.map { axis($0, of: x) } }
    return self[Reduce.noopWithEmptyAxes] ? nil : Array(x.sizes.indices)
  }
}
