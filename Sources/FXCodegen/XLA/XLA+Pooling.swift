import FXCore
import FXShapes

extension XLARows {
  mutating func addPooling() {
    self[.maxPool] = { call in
      guard call.site.node.results.count == 1 else { throw NotExpressible("windows give their largest element, not its place") }
      let x = try call.operand(0)
      let lowest = x.type.integerRange.map { Double($0.lowerBound) } ?? -.infinity
      return [try call.windows("maximum", x, initial: lowest, counted: nil)]
    }
    define(.averagePool) { call in
      let x = try call.operand(0)
      let sums = try call.windows("add", call.wide(x), initial: 0, counted: nil)
      // The counts do not depend on images and channels.
      let inside = call.builder.constant(1, sums.type, [1, 1] + x.sizes.dropFirst(2))
      let counts = try call.windows("add", inside, initial: 0, counted: call[AveragePool.countIncludePad])
      return call.builder.convert(try call.builder.binary("divide", sums, counts), x.type)
    }
  }
}

extension XLACall {
  /// Windows of x reduced as the attributes say.
  /// - Parameter counted: whether padding counts as elements, where these are ones.
  fileprivate mutating func windows(_ name: String, _ x: HLOValue, initial: Double, counted: Bool?) throws -> HLOValue {
    let kernel = self[MaxPool.kernelShape]
    let window = try Window(
      kernel: kernel, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: self[Conv.autoPad])
    let output = Array(try site.resultSizes().dropFirst(2))
    var x = x
    var padding = kernel.indices.map { axis -> (Int, Int) in
      let start = window.padding(x.sizes[axis + 2], axis).start
      // The end follows from the result, which may be rounded up.
      return (start, (output[axis] - 1) * window.strides[axis] + window.extent(axis) - x.sizes[axis + 2] - start)
    }
    if counted == true {
      let given = kernel.indices.map { window.padding(x.sizes[$0 + 2], $0) }
      let one = builder.constant(1, x.type)
      x = builder.pad(x, one, low: [0, 0] + given.map(\.start), high: [0, 0] + given.map(\.end))
      padding = zip(padding, given).map { ($0.0 - $1.start, $0.1 - $1.end) }
    }
    return try builder.reduceWindow(
      name, x, initial: initial, window: [1, 1] + kernel, strides: [1, 1] + window.strides, dilations: [1, 1] + window.dilations,
      padding: [(0, 0), (0, 0)] + padding)
  }
}
