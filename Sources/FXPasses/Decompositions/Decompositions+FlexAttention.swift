import FXCore

extension Decompositions {
  mutating func addFlexAttention() {
    self[.flexAttention] = { context in try context.flexAttention() }
  }
}

extension DecompositionContext {
  /// Products, a softmax, and what the regions hold in between.
  fileprivate mutating func flexAttention() throws -> [Operand]? {
    guard case .tensor(let q) = type(of: operand(0)), let queries = q.shape, queries.rank == 4, let heads = queries[1].size,
      let keys = type(of: operand(1)).shape, keys.rank == 4, let keyHeads = keys[1].size,
      let values = type(of: operand(2)).shape, values.rank == 4, keyHeads > 0, heads % keyHeads == 0
    else { return nil }
    let scoreType = FlexAttention.scoreType(self[FlexAttention.softmaxPrecision], operand: q.elementType)
    for region in node.regions { guard try keepsType(region, scoreType) else { return nil } }
    guard let scale = self[FlexAttention.scale].map(Double.init) ?? queries[3].size.map({ 1 / Double($0).squareRoot() })
    else { return nil }

    // Both operands take the root of the scale, as ONNX has it against overflow.
    let root = constant(try Tensor(q.elementType, [], numbers: .floats([scale.squareRoot()])), name: "scale")
    let scaledQueries = try call(.mul, [operand(0), root])
    let scaledKeys = try call(.mul, [operand(1), root])
    guard let sharedKeys = try repeated(scaledKeys, keys, heads: heads),
      let sharedValues = try repeated(operand(2), values, heads: heads)
    else { return nil }
    let transposed = try call(.transpose, [sharedKeys], ["perm": .ints([0, 1, 3, 2])])
    let product = try call(.matmul, [scaledQueries, transposed])
    let captures = Array(node.operands.dropFirst(3))
    let scores = try builder.inline(node.regions[0], [try cast(product, from: q.elementType, to: scoreType)] + captures)[0]
    let probabilities = try call(.softmax, [scores], ["axis": -1])
    let weights = try builder.inline(node.regions[1], [probabilities] + captures)[0]
    let result = try call(.matmul, [weights, try cast(sharedValues, from: q.elementType, to: scoreType)])
    return [try cast(result, from: scoreType, to: q.elementType)]
  }

  /// Whether a region takes one tensor and the captures, and is known to give one tensor of four axes of the type.
  private func keepsType(_ region: RegionID, _ elementType: ElementType) throws -> Bool {
    guard graph.results(of: region).count == 1, try graph.arguments(of: region).count == node.operands.count - 2,
      case .tensor(let type) = graph.type(of: graph.results(of: region)[0])
    else { return false }
    return type.elementType == elementType && type.shape?.rank == 4
  }

  /// Keys or values with each head as often as query heads share it; `nil` if too few sizes are known.
  private mutating func repeated(_ operand: Operand, _ shape: Shape, heads: Int) throws -> Operand? {
    guard let own = shape[1].size, own != heads else { return operand }
    guard let size = shape[3].size else { return nil }
    let apart = try call(.unsqueeze, [operand, constant(Tensor(vector: [Int64(2)]), name: "axis")])
    let times = constant(Tensor(vector: [1, 1, heads / own, 1, 1].map(Int64.init)), name: "times")
    let folded = constant(Tensor(vector: [0, heads, -1, size].map(Int64.init)), name: "heads")
    return try call(.reshape, [try call(.expand, [apart, times]), folded])
  }

  private mutating func cast(_ operand: Operand, from: ElementType, to: ElementType) throws -> Operand {
    from == to ? operand : try call(.cast, [operand], ["to": .elementType(to)])
  }
}
