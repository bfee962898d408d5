import FXCore

extension ShapeRules {
  mutating func addConvolution() {
    self[.conv] = { (context) throws(ShapeError) in [try ShapeRules.conv(&context)] }
    self[.fusedConv] = { (context) throws(ShapeError) in
      let type = try ShapeRules.conv(&context)
      if context.has(3), let residual = try context.shape(3), let shape = type.shape {
        // What is added may be smaller, never larger.
        guard residual.rank <= shape.rank else { throw .rank(operand: 3, expected: "\(shape.rank)", actual: residual.rank) }
        _ = try Broadcasting.shape(shape, residual)
      }
      return [type]
    }
    self[.convTranspose] = ShapeRules.convTranspose
    self[.deformConv] = ShapeRules.deformConv
    self[.col2im] = ShapeRules.col2im
    self[.causalConvWithState] = ShapeRules.causalConv
  }

  static func conv(_ context: inout InferenceContext, weight index: Int = 1, bias: Int? = 2) throws(ShapeError) -> ValueType {
    let (input, weight) = (try context.shape(0, minimumRank: 3), try context.shape(index, minimumRank: 3))
    let group = context[Conv.group]
    guard group > 0 else { throw .attribute("group", reason: "must be positive") }
    guard let rank = input?.rank ?? weight?.rank else { return try context.tensor(nil, like: 0) }
    if let weight {
      guard weight.rank == rank else { throw .rank(operand: index, expected: "\(rank)", actual: weight.rank) }
      if let bias { try context.checkBias(bias, channels: weight[0]) }
      if let kernels = weight[0].size, kernels % group != 0 {
        throw .attribute("group", reason: "\(group) does not divide \(kernels) kernels")
      }
      if let input, input[1].unified(with: weight[1] * Dimension(group)) == nil {
        throw .dimensionsDiffer("the number of channels", input[1], "what the weights take", weight[1] * Dimension(group))
      }
    }
    guard let input, let window = try context.window(weight: weight, rank: rank - 2) else {
      return try context.tensor(context.openSpatial(rank: rank, batch: input?[0], channels: weight?[0]), like: 0)
    }
    var result = [input[0], weight?[0] ?? context.dataDependentDimension()]
    for axis in 0..<window.rank { result.append(try window.outputSize(input[axis + 2], axis)) }
    return try context.tensor(Shape(result), like: 0)
  }

  @Sendable private static func convTranspose(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (input, weight) = (try context.shape(0, minimumRank: 3), try context.shape(1, minimumRank: 3))
    let group = context[Conv.group]
    guard group > 0 else { throw .attribute("group", reason: "must be positive") }
    guard let rank = input?.rank ?? weight?.rank else { return [try context.tensor(nil, like: 0)] }
    var result = try context.openSpatial(
      rank: rank, batch: input?[0], channels: weight.map { $0[1] * Dimension(group) })
    if let weight {
      guard weight.rank == rank else { throw .rank(operand: 1, expected: "\(rank)", actual: weight.rank) }
      try context.checkBias(2, channels: result[1])
      if let channels = weight[0].size, channels % group != 0 {
        throw .attribute("group", reason: "\(group) does not divide \(channels) channels")
      }
      if let input, input[1].unified(with: weight[0]) == nil {
        throw .dimensionsDiffer("the number of channels", input[1], "what the weights take", weight[0])
      }
    }
    let padding = try context.list(ConvTranspose.outputPadding, count: rank - 2) ?? Array(repeating: 0, count: rank - 2)
    if let shape = try context.list(ConvTranspose.outputShape, count: rank - 2) {
      for (axis, size) in shape.enumerated() { result[axis + 2] = Dimension(size) }
    } else if let input, let window = try context.window(weight: weight, rank: rank - 2) {
      for axis in 0..<window.rank {
        result[axis + 2] = try window.transposedSize(input[axis + 2], axis, outputPadding: padding[axis])
      }
    }
    return [try context.tensor(result, like: 0)]
  }

  @Sendable private static func deformConv(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let type = try conv(&context, bias: 3)
    let groups = context[DeformConv.offsetGroup]
    guard groups > 0 else { throw .attribute("offset_group", reason: "must be positive") }
    if let shape = type.shape, let weight = try context.shape(1) {
      let taps = weight[2...].product * Dimension(groups)
      for (operand, channels) in [(2, taps * Dimension(shape.rank - 2)), (4, taps)] where context.has(operand) {
        guard let actual = try context.shape(operand, rank: shape.rank) else { continue }
        try context.require(actual, toBe: Shape([shape[0], channels] + shape[2...]))
      }
    }
    return [type]
  }

  @Sendable private static func col2im(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let input = try context.shape(0, rank: 3)
    guard let image = try context.sizes(1) else {
      return [try context.tensor(context.openShape(rank: try context.count(2).map { $0 + 2 }), like: 0)]
    }
    var channels: Dimension?
    if let block = context.integers(2) {
      guard block.count == image.count else {
        throw .invalid("the image has \(image.count) axes, the block \(block.count)")
      }
      let window = try Window(
        kernel: block, strides: context[Conv.strides], dilations: context[Conv.dilations], pads: context[Conv.pads])
      channels = input.map { $0[1] / block.map(Dimension.init(_:)).product }
      var blocks = Dimension(1)
      for axis in 0..<window.rank { blocks = try blocks * window.outputSize(image[axis], axis) }
      if let input, input[2].unified(with: blocks) == nil {
        throw .dimensionsDiffer("the number of columns", input[2], "the number of blocks", blocks)
      }
    }
    let batch = input?[0] ?? context.dataDependentDimension()
    return [try context.tensor(Shape([batch, channels ?? context.dataDependentDimension()] + image), like: 0)]
  }

  @Sendable private static func causalConv(_ context: inout InferenceContext) throws(ShapeError) -> [ValueType] {
    let (input, weight) = (try context.shape(0, rank: 3), try context.shape(1, rank: 3))
    if let input, let weight, input[1].unified(with: weight[0]) == nil {
      throw .dimensionsDiffer("the number of channels", input[1], "the number of kernels", weight[0])
    }
    var state = try context.has(3) ? context.shape(3, rank: 3) : nil
    if state == nil, let input {
      state = [input[0], input[1], weight.map { $0[2] - 1 } ?? context.dataDependentDimension()]
    }
    return [try context.type(0), try context.tensor(state, like: 0)]
  }
}

extension InferenceContext {
  /// [batch, channels, open sizes…] of the given rank.
  func openSpatial(rank: Int, batch: Dimension?, channels: Dimension?) throws(ShapeError) -> Shape {
    guard var shape = openShape(rank: rank) else { throw .rank(operand: 0, expected: "fewer axes", actual: rank) }
    if let batch { shape[0] = batch }
    if let channels { shape[1] = channels }
    return shape
  }

  func checkBias(_ index: Int, channels: Dimension) throws(ShapeError) {
    guard has(index), let bias = try shape(index, rank: 1), bias[0].unified(with: channels) == nil else { return }
    throw .dimensionsDiffer("the number of biases", bias[0], "the number of kernels", channels)
  }

  /// A list attribute after a check of its length.
  func list(_ key: AttributeKey<[Int]?>, count: Int) throws(ShapeError) -> [Int]? {
    guard let list = self[key] else { return nil }
    guard list.count == count else { throw .attribute(key.name, reason: "has \(list.count) elements for \(count) spatial axes") }
    guard list.allSatisfy({ $0 >= 0 && $0 <= Int(Int32.max) }) else {
      throw .attribute(key.name, reason: "\(list) is out of range")
    }
    return list
  }

  /// The window of a convolution; `nil` if the kernel's size is open.
  func window(weight: Shape?, rank: Int) throws(ShapeError) -> Window? {
    let sizes = weight.flatMap { Shape(Array($0[2...])).sizes }
    guard let kernel = try list(Conv.kernelShape, count: rank) ?? sizes else { return nil }
    if let sizes, sizes != kernel {
      throw .attribute("kernel_shape", reason: "is \(kernel), the weights have \(sizes)")
    }
    return try Window(
      kernel: kernel, strides: self[Conv.strides], dilations: self[Conv.dilations], pads: self[Conv.pads],
      autoPad: node.attributes[Conv.autoPad])
  }
}
