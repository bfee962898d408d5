import FXCore
import FXTrace

extension GradientRules {
  mutating func addReduction() {
    first(.reduceSum) { dy, context in try context.spread(dy) }
    first(.reduceMean) { dy, context in
      let x = context.operand(0)
      let element = x.elementType ?? .float32
      let count = x.calling(.size).cast(to: element) / context.result().calling(.size).cast(to: element)
      return try context.spread(dy) / count
    }
    // Elements that are equally extreme share the cotangent.
    for op in [Operator.reduceMax, .reduceMin] {
      first(op) { dy, context in
        let x = context.operand(0)
        let isExtreme = x.calling(.equal, try context.spread(context.result())).cast(to: x.elementType ?? .float32)
        return isExtreme * (try context.spread(dy) / isExtreme.summed(over: context.reducedAxes()))
      }
    }
    // Axis by axis: the others' product is that of those before times that of those after, also where one is zero.
    first(.reduceProd) { dy, context in
      let axes = try context.reducedAxes()
      var stages = [context.operand(0)]
      for axis in axes {
        stages.append(
          stages[stages.count - 1].calling(.reduceProd, Tensor(vector: [axis]), attributes: ["keepdims": .bool(true)]))
      }
      var cotangent = dy.reshaped(like: stages[axes.count])
      for (axis, x) in zip(axes, stages).reversed() {
        let before = x.calling(.cumprod, axis.scalar, attributes: ["exclusive": .bool(true)])
        let after = x.calling(.cumprod, axis.scalar, attributes: ["exclusive": .bool(true), "reverse": .bool(true)])
        cotangent = before * after * cotangent
      }
      return cotangent
    }
    // Turn by turn: a formula would divide by elements, which may be zero.
    self[.cumprod] = .rewriting { context in
      let x = context.operand(0)
      guard let named = try context.integers(1)?.first else { throw context.unsupported("its axis is not constant") }
      let axis = try context.axis(named, of: x)
      let direction = context[Cumulative.reverse] ? 1 : 0
      let ones = try sum(x, axes: [axis]).zeros() + 1.0
      let products = try context.sweep.writer.call(
        .scan, [ones, x],
        attributes: [
          "state_count": 1, "num_scan_inputs": 1, "scan_input_axes": .ints([axis]),
          "scan_input_directions": .ints([direction]), "scan_output_axes": .ints([axis]),
          "scan_output_directions": .ints([direction]),
        ], arguments: [[ones.type, ones.type]], resultCount: { $0[0] }
      ) { _, arguments in
        let product = arguments[0] * arguments[1]
        return [product, context[Cumulative.exclusive] ? arguments[0] : product]
      }
      return [products[1]]
    }
    first(.cumsum) { dy, context in
      dy.calling(
        .cumsum, context.operand(1),
        attributes: ["exclusive": .bool(context[Cumulative.exclusive]), "reverse": .bool(!context[Cumulative.reverse])])
    }
  }
}

extension Int {
  /// The number as an integer scalar.
  var scalar: Tensor { Tensor(self) }
}

extension GradientContext {
  /// The axes that a reduction is over, counted from the first.
  func reducedAxes() throws -> [Int] {
    let rank = try rank(operand(0))
    let named = has(1) ? try integers(1) : []
    guard let named else { throw unsupported("its axes are not constant") }
    if named.isEmpty { return self[Reduce.noopWithEmptyAxes] ? [] : Array(0..<rank) }
    return named.map { $0 < 0 ? $0 + rank : $0 }.sorted()
  }

  /// A reduction's result, or its cotangent, for every element that was reduced.
  func spread(_ y: SymbolicTensor) throws -> SymbolicTensor {
    let axes = try reducedAxes()
    let kept = self[Reduce.keepDims] || axes.isEmpty ? y : unsqueeze(y, axes: axes)
    return kept.calling(.expand, operand(0).sizes())
  }
}
