import FXCore

extension TorchRows {
  mutating func addReduction() {
    for (op, function) in [(Operator.reduceSum, "torch.sum"), (.reduceMean, "torch.mean")] {
      define(op) { call in
        guard let axes = try call.reducedAxes() else { return call[0] }
        let keep: [TorchExpression] = call[Reduce.keepDims] ? [.keyed("keepdim", true)] : []
        guard call.isInteger else { return .call(function, [call[0], .keyed("dim", axes)] + keep) }
        let type = call.site.elementType(0) ?? .int64
        let sum = TorchExpression.call(
          "torch.sum",
          [call[0], .keyed("dim", axes), .keyed("keepdim", .bool(call[Reduce.keepDims])), .keyed("dtype", .type(type))])
        if op == .reduceSum { return sum }
        let count = TorchExpression.either(
          python: "\(call[0].primary(.python)).numel() // max(1, \(sum.text(.python)).numel())",
          cpp: "\(call[0].primary(.cpp)).numel() / std::max<int64_t>(1, \(sum.text(.cpp)).numel())")
        return .call("torch.div", [sum, count, .keyed("rounding_mode", "trunc")])
      }
    }
    for (op, function) in [(Operator.reduceMax, "torch.amax"), (.reduceMin, "torch.amin")] {
      define(op) { call in
        guard let axes = try call.reducedAxes() else { return call[0] }
        if let empty = try call.emptyResult() { return empty }
        return .call(function, [call[0], .keyed("dim", axes)] + (call[Reduce.keepDims] ? [.keyed("keepdim", true)] : []))
      }
    }
    define(.reduceProd) { call in
      guard try call.reducedAxes() != nil else { return call[0] }
      let rank = try call.site.knownRank(0)
      let given = call.has(1) ? try call.site.knownIntegers(1) : []
      // One axis at a time, the last first, so that the others keep their places.
      let axes = given.isEmpty ? Array(0..<rank) : given.map { call.site.axis($0, rank: rank) }
      return axes.sorted(by: >).reduce(call[0]) { x, axis in
        .call(
          "torch.prod",
          [x, .keyed("dim", .int(axis)), .keyed("keepdim", .bool(call[Reduce.keepDims]))]
            + (call.isInteger ? [.keyed("dtype", .type(call.site.elementType(0) ?? .int64))] : []))
      }
    }
    for op in [Operator.argmax, .argmin] {
      define(op) { call in
        let axis = call[ArgReduce.axis]
        let how: [TorchExpression] =
          [.keyed("dim", .int(axis))] + (call[ArgReduce.keepDims] ? [.keyed("keepdim", true)] : [])
        guard call[ArgReduce.selectLastIndex] else { return .call("torch.\(op.name)", [call[0]] + how) }
        let flipped = TorchExpression.call("torch.flip", [call[0], .ints([axis])])
        return .binary(.binary(.size(call[0], axis), "-", 1), "-", .call("torch.\(op.name)", [flipped] + how))
      }
    }
    for op in [Operator.cumsum, .cumprod] {
      define(op) { call in
        let axis = call.integer(1)
        var x = call[0]
        let flips = { (x: TorchExpression) in TorchExpression.call("torch.flip", [x, .list([axis])]) }
        if call[Cumulative.reverse] { x = flips(x) }
        let type: [TorchExpression] = call.isInteger ? [.keyed("dtype", .type(call.site.elementType(0) ?? .int64))] : []
        x = .call("torch.\(op.name)", [x, .keyed("dim", axis)] + type)
        if call[Cumulative.exclusive] {
          let size = TorchExpression.either(
            python: "\(x.text(.python)).shape[\(axis.text(.python))] - 1", cpp: "\(x.text(.cpp)).size(\(axis.text(.cpp))) - 1")
          let kept = TorchExpression.method(x, "narrow", [axis, 0, size])
          let first = TorchExpression.method(x, "narrow", [axis, 0, 1])
          x = .call(
            "torch.cat",
            [.list([.call(op == .cumsum ? "torch.zeros_like" : "torch.ones_like", [first]), kept]), .keyed("dim", axis)])
        }
        return call[Cumulative.reverse] ? flips(x) : x
      }
    }
  }
}

extension TorchCall {
  /// The axes of a reduction; `nil` if nothing is reduced.
  fileprivate func reducedAxes() throws -> TorchExpression? {
    let known = has(1) ? site.integers(1) : []
    if let known, !known.isEmpty { return .ints(known) }
    if known?.isEmpty ?? false {
      return self[Reduce.noopWithEmptyAxes] ? nil : .ints(Array(0..<(try site.knownRank(0))))
    }
    guard !self[Reduce.noopWithEmptyAxes] else { throw NotExpressible("whether 'axes' is empty must be known") }
    // PyTorch, too, takes no axes for all of them.
    return .integers(self[1])
  }

  /// The result where there is nothing to compare: PyTorch has none.
  fileprivate func emptyResult() throws -> TorchExpression? {
    guard let shape = site.shape(0), shape.contains(where: { $0.size == 0 }) else { return nil }
    let sizes = try site.resultSizes()
    guard sizes.allSatisfy({ $0 > 0 }), let type = site.elementType(0) else { return nil }
    let isLeast = site.node.op == .reduceMax
    let value: TorchExpression =
      type == .bool
      ? .bool(!isLeast)
      : type.integerRange.map { .int(isLeast ? $0.lowerBound : $0.upperBound) } ?? .number(isLeast ? -.infinity : .infinity)
    return .call("torch.full", [.ints(sizes), value, .keyed("dtype", .type(type))])
  }
}
