import FXCore

extension ShapeRules {
  mutating func addPooling() {
    set([.averagePool, .lpPool]) { (context) throws(ShapeError) in [try ShapeRules.pool(&context)] }
    self[.maxPool] = { (context) throws(ShapeError) in
      guard (0...1).contains(context[MaxPool.storageOrder]) else { throw .attribute("storage_order", reason: "must be 0 or 1") }
      let type = try ShapeRules.pool(&context)
      return [type, .tensor(.int64, type.shape)]
    }
    set([.globalAveragePool, .globalMaxPool, .globalLpPool]) { (context) throws(ShapeError) in
      guard let shape = try context.shape(0, minimumRank: 2) else { return [try context.tensor(nil, like: 0)] }
      return [try context.tensor(Shape(shape.enumerated().map { $0 < 2 ? $1 : 1 }), like: 0)]
    }
    self[.maxUnpool] = { (context) throws(ShapeError) in
      let window = try context.poolingWindow()
      let input = try context.shape(0, rank: window.rank + 2)
      if let input, let indices = try context.shape(1) { try context.require(indices, toBe: input) }
      if context.has(2) {
        guard let sizes = try context.sizes(2) else {
          return [try context.tensor(context.openShape(rank: window.rank + 2), like: 0)]
        }
        guard sizes.count == window.rank + 2 else {
          throw .invalid("the shape \(Shape(sizes)) is not of rank \(window.rank + 2)")
        }
        return [try context.tensor(Shape(sizes), like: 0)]
      }
      guard var result = input else { return [try context.tensor(context.openShape(rank: window.rank + 2), like: 0)] }
      for axis in 0..<window.rank { result[axis + 2] = try window.transposedSize(result[axis + 2], axis, outputPadding: 0) }
      return [try context.tensor(result, like: 0)]
    }
    self[.maxRoiPool] = { (context) throws(ShapeError) in
      let sizes = context[MaxRoiPool.pooledShape]
      guard sizes.count == 2, sizes.allSatisfy({ $0 > 0 }) else {
        throw .attribute("pooled_shape", reason: "must be two positive numbers")
      }
      let (input, rois) = (try context.shape(0, rank: 4), try context.shape(1, rank: 2))
      if let rois, rois[1].unified(with: 5) == nil {
        throw .dimensionsDiffer("a region's length", rois[1], "the expected one", 5)
      }
      let count = rois?[0] ?? context.dataDependentDimension()
      let channels = input?[1] ?? context.dataDependentDimension()
      return [try context.tensor([count, channels, Dimension(sizes[0]), Dimension(sizes[1])], like: 0)]
    }
  }

  private static func pool(_ context: inout InferenceContext) throws(ShapeError) -> ValueType {
    let window = try context.poolingWindow()
    guard var shape = try context.shape(0, rank: window.rank + 2) else {
      return try context.tensor(context.openShape(rank: window.rank + 2), like: 0)
    }
    for axis in 0..<window.rank {
      shape[axis + 2] = try window.outputSize(shape[axis + 2], axis, roundingUp: context[MaxPool.ceilMode])
    }
    return try context.tensor(shape, like: 0)
  }
}

extension InferenceContext {
  fileprivate func poolingWindow() throws(ShapeError) -> Window {
    let kernel = self[MaxPool.kernelShape]
    guard !kernel.isEmpty else { throw .attribute("kernel_shape", reason: "is empty") }
    return try Window(
      kernel: kernel, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: self[Conv.autoPad])
  }
}
