import FXCore

/// Images lie with their channels last between operators on bytes. Each such operator reads and writes them so between two
/// transposes; where one ends what the next begins, both go.
extension IntegerLowering {
  private static let toChannelsLast = [0, 2, 3, 1]
  private static let toChannelsFirst = [0, 3, 1, 2]

  /// The image with its channels last that an operand is a transpose of, if it is.
  func channelsLast(_ operand: Operand) -> Operand? {
    guard let node = producer(operand), node.op == .transpose,
      node[Transpose.permutation] == IntegerLowering.toChannelsFirst
    else { return nil }
    return node.operand(0)
  }

  /// The image with its channels last, by a transpose in front of `node` if nothing has made it yet.
  private mutating func movedChannels(_ operand: Operand, before node: NodeID) throws -> Operand {
    if let image = channelsLast(operand) { return image }
    var point = InsertionPoint.before(node)
    if let value = operand.value, let producer = try graph.producer(of: value) {
      for use in try graph.uses(of: value) where made.contains(use.node) { return .value(try graph[use.node].results[0]) }
      // There it is in front of every user.
      point = .after(producer)
    }
    var attributes = Attributes()
    attributes[Transpose.permutation] = IntegerLowering.toChannelsLast
    let call = try graph.append(
      .transpose, [operand], attributes: attributes,
      results: [permuted(graph.type(of: operand), IntegerLowering.toChannelsLast)], at: point,
      location: try graph[node].location)
    if case .after = point { made.insert(call) }
    return .value(try graph[call].results[0])
  }

  private func permuted(_ type: ValueType, _ order: [Int]) -> ValueType {
    guard case .tensor(let tensor) = type, let shape = tensor.shape, shape.rank == 4 else { return type }
    return .tensor(tensor.elementType, Shape(order.map { shape[$0] }))
  }

  /// Puts a call on images with their channels last in the place of what makes `value`, an image with its channels first.
  /// - Parameter images: the operands that are images.
  mutating func replaceImage(
    _ value: ValueID, by op: Operator, _ operands: [Operand], images: [Int], _ attributes: Attributes, label: String
  ) throws {
    guard let last = try graph.producer(of: value) else { return }
    let node = try graph[last]
    var moved = operands
    for index in images { moved[index] = try movedChannels(operands[index], before: last) }
    let type = try graph.type(of: value)
    let call = try graph.append(
      op, trimmed(moved), attributes: attributes, results: [permuted(type, IntegerLowering.toChannelsLast)],
      at: .before(last), name: node.name, location: node.location)
    var order = Attributes()
    order[Transpose.permutation] = IntegerLowering.toChannelsFirst
    let back = try graph.append(
      .transpose, [.value(try graph[call].results[0])], attributes: order, results: [type], at: .before(last),
      location: node.location)
    try put(.value(try graph[back].results[0]), inPlaceOf: last, label)
  }

  /// `max_pool` of bytes, as graphs of ONNX's quantized operators have it.
  mutating func lowerMaxPool(_ node: Node) throws {
    guard [.int8, .uint8].contains(elementType(node.operand(0))), shape(node.operand(0))?.rank == 4,
      try isPlainMaxPool(node)
    else { return }
    try replaceImage(
      node.results[0], by: .integerMaxPool, [node.operand(0)], images: [0], maxPoolAttributes(node), label: "poolings of integers"
    )
  }

  /// Whether the kernel for bytes pools so: two axes, nothing cut off, no places of the largest asked for.
  private func isPlainMaxPool(_ node: Node) throws -> Bool {
    try hasPlainWindow(node) && node[MaxPool.kernelShape].count == 2 && !node[MaxPool.ceilMode]
      && node[MaxPool.storageOrder] == 0 && node.results.dropFirst().allSatisfy { try graph.uses(of: $0).isEmpty }
  }

  private func maxPoolAttributes(_ node: Node) -> Attributes {
    var attributes = windowAttributes(node)
    attributes[MaxPool.kernelShape] = node[MaxPool.kernelShape]
    return attributes
  }

  /// Pooling of numbers that are made of bytes.
  /// - Parameters:
  ///   - value: the quantized result.
  ///   - low: bounds that cut it off, with `high`.
  mutating func lowerPooling(_ node: Node, into value: ValueID, _ target: Quantized, low: Int, high: Int) throws -> Bool {
    guard let x = activation(node.operand(0)), let rank = shape(x.integers)?.rank, rank == 4, hasPlainWindow(node) else {
      return false
    }
    if node.op == .maxPool {
      guard try isPlainMaxPool(node), areAlike(x, target) else { return false }
      try replaceImage(
        value, by: .integerMaxPool, [x.integers], images: [0], maxPoolAttributes(node), label: "poolings of integers")
      return true
    }
    var attributes = Attributes()
    if node.op == .averagePool {
      guard node[MaxPool.kernelShape].count == 2, !node[MaxPool.ceilMode] else { return false }
      attributes = windowAttributes(node)
      attributes[Conv.kernelShape] = node[MaxPool.kernelShape]
      attributes[AveragePool.countIncludePad] = node[AveragePool.countIncludePad]
    }
    attributes[IntegerOutput.type] = target.type
    (attributes[IntegerOutput.low], attributes[IntegerOutput.high]) = (low, high)
    let operands = [x.integers, x.scale, x.zero, target.scale, target.zero]
    if node.op == .averagePool {
      try replaceImage(value, by: .integerAveragePool, operands, images: [0], attributes, label: "poolings of integers")
      return true
    }
    // Means of planes: one pixel, whose channels lie the same way first and last.
    guard let last = try graph.producer(of: value) else { return false }
    var moved = operands
    moved[0] = try movedChannels(x.integers, before: last)
    let type = try graph.type(of: value)
    let call = try graph.append(
      .integerAveragePool, trimmed(moved), attributes: attributes, results: [.tensor(target.type, nil)], at: .before(last),
      name: node.name, location: node.location)
    let keeps = type.shape?.rank == 4
    let sizes = graph.addConstant(Tensor(vector: (keeps ? [0, -1, 1, 1] : [0, -1]).map(Int64.init)), name: "pooled_shape")
    try replace(
      value, by: .reshape, [.value(try graph[call].results[0]), .parameter(sizes)], Attributes(), label: "poolings of integers")
    return true
  }
}
