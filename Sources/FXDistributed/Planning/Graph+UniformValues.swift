import FXCore
import FXPasses

extension Graph {
  /// Tensors of one number, of which gradients make many (that of a mean is the same for all elements), made anew for each use:
  /// they have no place of their own, so that each use has the part it needs without anybody sending it.
  func separatingUniformValues() throws -> Graph {
    var graph = self
    /// For each tensor of one number that number.
    var numbers: [ValueID: Operand] = [:]
    for id in bodyNodes {
      let node = try graph[id]
      if node.regions.isEmpty, node.op.isPure, node.results.count == 1,
        let type = graph.sizedType(of: .value(node.results[0])), (type.shape?.sizes ?? []).reduce(1, *) > 1,
        let number = try graph.number(of: node, numbers)
      {
        numbers[node.results[0]] = number
        continue
      }
      for (index, operand) in node.operands.enumerated() {
        guard let value = operand.value, let number = numbers[value], let sizes = graph.sizes(of: operand) else { continue }
        let constant = graph.addConstant(Tensor(vector: sizes), name: "sizes")
        let made = try graph.call(
          .expand, [number, .parameter(constant)], type: graph.type(of: operand), at: .before(id), location: node.location)
        try graph.setOperand(index, of: id, to: .value(made))
      }
    }
    if !numbers.isEmpty { try DeadCodeEliminationPass().apply(to: &graph) }
    return graph
  }

  /// The number of which a node makes a tensor; `nil` if its elements may differ.
  private mutating func number(of node: Node, _ numbers: [ValueID: Operand]) throws -> Operand? {
    func known(_ operand: Operand) -> Operand? { operand.value.flatMap { numbers[$0] } }
    guard let element = type(of: .value(node.results[0])).elementType else { return nil }
    switch node.op {
    case .constantOfShape:
      let fill = try node.attributes[ConstantOfShape.value]?.reshaped([]) ?? Tensor(Float(0))
      return .parameter(addConstant(fill, name: "number"))
    case .reshape, .flatten, .squeeze, .unsqueeze, .transpose: return known(node.operand(0))
    case .expand:
      if let number = known(node.operand(0)) { return number }
      guard let sizes = sizes(of: node.operand(0)), sizes.reduce(1, *) == 1 else { return nil }
      if sizes.isEmpty { return node.operand(0) }
      let scalar = addConstant(Tensor(vector: [Int]()), name: "sizes")
      return .value(
        try call(.reshape, [node.operand(0), .parameter(scalar)], type: .tensor(element, []), at: .before(node.id)))
    default:
      guard node.op == .cast || node.op.has(.elementwise) else { return nil }
      var operands: [Operand] = []
      var isUniform = false
      for operand in node.operands {
        if let number = known(operand) {
          isUniform = true
          operands.append(number)
        } else if operand.isNone || sizes(of: operand)?.isEmpty == true {
          operands.append(operand)
        } else {
          return nil
        }
      }
      guard isUniform else { return nil }
      return .value(
        try call(
          node.op, operands, attributes: node.attributes, type: .tensor(element, []), at: .before(node.id),
          location: node.location))
    }
  }
}
