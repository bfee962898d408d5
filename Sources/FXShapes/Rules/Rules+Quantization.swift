import FXCore

extension ShapeRules {
  mutating func addQuantization() {
    self[.quantizeLinear] = { (context) throws(ShapeError) in
      try context.checkScale(1)
      try context.checkScale(2)
      let zeroPoint = context.has(2) ? try context.elementType(2) : nil
      let asked = context[Quantize.outputType]
      if let asked, let zeroPoint, asked != zeroPoint { throw .elementTypesDiffer(asked, zeroPoint) }
      return [try context.type(0, holding: zeroPoint ?? asked ?? .uint8)]
    }
    self[.dequantizeLinear] = { (context) throws(ShapeError) in
      try context.checkScale(1)
      try context.checkScale(2)
      let scale = try context.elementType(1)
      guard let element = context[Quantize.outputType] ?? scale else { return [.unknown] }
      if element == .float8e8m0 { throw .attribute("output_dtype", reason: "is needed where the scale is f8e8m0") }
      return [try context.type(0, holding: element)]
    }
    self[.dynamicQuantizeLinear] = { (context) throws(ShapeError) in
      [try context.type(0, holding: .uint8), .tensor(.float32, []), .tensor(.uint8, [])]
    }
    self[.matmulInteger] = { (context) throws(ShapeError) in
      [.tensor(.int32, try InferenceContext.product(context.shape(0), context.shape(1)))]
    }
    self[.qlinearMatmul] = { (context) throws(ShapeError) in
      let shape = try InferenceContext.product(context.shape(0), context.shape(3))
      guard let element = try context.elementType(7) else { return [.unknown] }
      return [.tensor(element, shape)]
    }
    self[.convInteger] = { (context) throws(ShapeError) in
      [.tensor(.int32, try ShapeRules.conv(&context, bias: nil).shape)]
    }
    self[.qlinearConv] = { (context) throws(ShapeError) in
      let shape = try ShapeRules.conv(&context, weight: 3, bias: 8).shape
      guard let element = try context.elementType(7) else { return [.unknown] }
      return [.tensor(element, shape)]
    }
  }
}

extension InferenceContext {
  /// Checks a scale or zero point against the tensor it is for: a scalar, a vector along the axis, or blocks.
  fileprivate func checkScale(_ index: Int) throws(ShapeError) {
    guard has(index), let scale = try shape(index), let shape = try shape(0), scale.rank > 0 else { return }
    let block = self[Quantize.blockSize]
    if block > 0 {
      guard scale.rank == shape.rank else { throw .rank(operand: index, expected: "\(shape.rank)", actual: scale.rank) }
      let axis = try normalizedAxis(self[Quantize.axis], rank: shape.rank)
      for other in shape.indices where other != axis {
        _ = try InferenceContext.same("dimension \(other) of the scale", scale[other], "the tensor's", shape[other])
      }
      return
    }
    guard scale.rank == 1 else { throw .rank(operand: index, expected: "0 or 1", actual: scale.rank) }
    // A single scale serves a tensor of any shape.
    if scale[0].size == 1 { return }
    let named = self[Quantize.axis]
    if scale[0].size == nil, !(-shape.rank..<shape.rank).contains(named) { return }
    let axis = try normalizedAxis(named, rank: shape.rank)
    _ = try InferenceContext.same("the number of scales", scale[0], "the size of the axis", shape[axis])
  }
}
