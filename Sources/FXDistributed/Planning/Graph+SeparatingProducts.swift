import FXCore
import FXShapes

extension Graph {
  /// This graph with a product whose columns are split after it (queries, keys and values in one matrix) as one product for
  /// each part: a part of all columns would hold parts of some of them only. Reshapes between that keep the last dimension
  /// are made anew. Other graphs are left alone.
  func separatingProducts(if isWanted: Bool) throws -> Graph {
    guard isWanted else { return self }
    var graph = self
    for id in nodes(calling: .split) where try graph[id].region == graph.body { try graph.separate(id) }
    return graph
  }

  private mutating func separate(_ split: NodeID) throws {
    let node = try self[split]
    guard let value = node.operand(0).value, let sizes = sizes(of: .value(value)), let width = sizes.last,
      node.attributes[Split.axis] == sizes.count - 1 || node.attributes[Split.axis] == -1
    else { return }
    var chain: [Node] = []
    var current = value
    while true {
      guard try uses(of: current).count == 1, let producer = try producer(of: current) else { return }
      let about = try self[producer]
      chain.append(about)
      if [.gemm, .matmul, .linear].contains(about.op) { break }
      guard about.op == .reshape, let operand = about.operand(0).value, self.sizes(of: .value(operand))?.last == width else {
        return
      }
      current = operand
    }
    guard let product = chain.last, let weight = product.operand(1).parameter, let tensor = try self[weight].tensor,
      tensor.shape.count == 2, tensor.elementType.bitWidth >= 8
    else { return }
    let isTransposed = product.op == .linear || (product.op == .gemm && product.attributes[Gemm.transB])
    var start = 0
    for result in node.results {
      guard let sizes = self.sizes(of: .value(result)), let part = sizes.last else { return }
      let columns = start..<start + part
      start += part
      let rows = 0..<tensor.shape[isTransposed ? 1 : 0]
      var operands = product.operands
      operands[1] = try piece(tensor, isTransposed ? [columns, rows] : [rows, columns], of: weight)
      if operands.count > 2, let bias = operands[2].parameter, let whole = try self[bias].tensor, whole.shape.last == width {
        operands[2] = try piece(whole, whole.shape.dropLast().map { 0..<$0 } + [columns], of: bias)
      } else if operands.count > 2, !operands[2].isNone {
        return
      }
      var made = try call(product.op, operands, attributes: product.attributes, at: .before(split), location: product.location)
      for reshape in chain.dropLast().reversed() {
        let shape = (self.sizes(of: .value(reshape.results[0])) ?? []).dropLast() + [part]
        let constant = addConstant(Tensor(vector: Array(shape)), name: "sizes")
        made = try call(.reshape, [.value(made), .parameter(constant)], at: .before(split), location: reshape.location)
      }
      try replaceAllUses(of: result, with: .value(made))
    }
    try erase(split)
    for about in chain { try erase(about.id) }
    try ShapeInference().run(&self)
  }

  private mutating func piece(_ tensor: Tensor, _ box: [Range<Int>], of parameter: ParameterID) throws -> Operand {
    var (name, suffix) = ("\(try self[parameter].name).\(box.map { "\($0)" }.joined(separator: "."))", 1)
    while self.parameter(named: name) != nil {
      name += "_\(suffix)"
      suffix += 1
    }
    return .parameter(try addParameter(name, tensor.sliced(box)))
  }
}
