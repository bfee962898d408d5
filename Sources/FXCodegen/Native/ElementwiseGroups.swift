import FXCore

/// Which elementwise calls of a region become one loop.
///
/// A call joins its users if all of them are in one group whose result has its shape: then its result is never in memory,
/// and nothing is computed twice.
struct ElementwiseGroups {
  /// The last call of the group that each call belongs to.
  private var roots: [NodeID: NodeID] = [:]
  private var members: [NodeID: [Node]] = [:]

  /// Compilers give up on loops of more statements, and kernels on more pointers.
  private static let limit = 24

  /// - Parameter nodes: the region's nodes that are needed, in order.
  init(
    _ nodes: [Node], _ graph: Graph, _ operators: NativeOperators, isKnown: (ValueID) -> Bool
  ) throws {
    for node in nodes.reversed() where operators[node.op]?.isExpression == true && node.results.count == 1 {
      let result = node.results[0]
      let users = try graph.uses(of: result)
      var root = node.id
      let candidates = Set(users.compactMap { roots[$0.node] })
      if let candidate = candidates.first, candidates.count == 1, !isKnown(result),
        users.allSatisfy({ use in roots[use.node] != nil && isOperand(use, graph, operators) }),
        let shape = graph.type(of: .value(result)).shape, shape.sizes != nil,
        try graph.type(of: .value(graph[candidate].results[0])).shape == shape,
        members[candidate, default: []].count < ElementwiseGroups.limit
      {
        root = candidate
      }
      roots[node.id] = root
      members[root, default: []].insert(node, at: 0)
    }
  }

  /// Whether the use is of elements, not of sizes that are known anyway.
  private func isOperand(_ use: Use, _ graph: Graph, _ operators: NativeOperators) -> Bool {
    guard let op = try? graph[use.node].op, let row = operators[op] else { return false }
    return !row.sizes.contains(use.operand)
  }

  /// The calls of a group in order, if it ends with the node.
  subscript(root node: NodeID) -> [Node]? { members[node] }

  /// Whether the call is part of a group that another one ends.
  func isInlined(_ node: NodeID) -> Bool { roots[node].map { $0 != node } ?? false }
}

extension NativeLowering {
  /// One kernel for calls of which each feeds the ones after it, and the last is what others see.
  func lower(_ group: [Node]) throws {
    guard let root = group.last else { return }
    let result = root.results[0]
    let shape = try shape(.value(result))
    let members = Set(group.map(\.results[0]))
    var leaves: [(buffer: Int, shape: [Int])] = []
    var leafNumbers: [Int: [(shape: [Int], number: Int)]] = [:]

    // First what is read, so that the axes can be joined; then the statements.
    func leaf(_ slot: Slot) -> Int {
      if let known = leafNumbers[slot.buffer]?.first(where: { $0.shape == slot.shape }) { return known.number }
      leaves.append((slot.buffer, slot.shape))
      leafNumbers[slot.buffer, default: []].append((slot.shape, leaves.count - 1))
      return leaves.count - 1
    }
    enum Argument { case text(String), leaf(Int), member(ValueID) }
    var arguments: [[Argument]] = []
    for node in group {
      let sizes = operators[node.op]?.sizes ?? []
      arguments.append(
        try node.operands.indices.map { index in
          let operand = node.operands[index]
          if sizes.contains(index) || operand.isNone { return .text("") }
          if let value = operand.value, members.contains(value) { return .member(value) }
          if let literal = operand.literal { return .text(NativeType.literal(literal, elementType(node, index))) }
          if let tensor = graph.tensor(of: operand), let text = NativeType.scalar(tensor) { return .text(text) }
          return .leaf(leaf(try slot(node, index)))
        })
    }
    let (sizes, strides) = IndexText.collapsed(
      shape, [IndexText.strides(shape)] + leaves.map { IndexText.strides($0.shape, broadcastTo: shape) })
    let variables = IndexText.variables(sizes.count)

    var body: [String] = []
    var names: [ValueID: String] = [:]
    for (node, arguments) in zip(group, arguments) {
      let texts = arguments.map { argument in
        switch argument {
        case .text(let text): return text
        case .member(let value): return names[value] ?? ""
        case .leaf(let number):
          let load = "x\(number)[\(IndexText.offset(variables, strides[number + 1]))]"
          return NativeType.isHalf(program.buffers[leaves[number].buffer].elementType) ? "float(\(load))" : load
        }
      }
      guard case .expression(let expression)? = operators[node.op]?.form else { continue }
      let type = graph.type(of: .value(node.results[0])).elementType ?? .float32
      let text = try expression(NativeCall(node: node, lowering: self), texts)
      if node.id == root.id {
        body.append("y[\(IndexText.offset(variables, strides[0]))] = \(text);")
      } else {
        let name = "t\(names.count)"
        names[node.results[0]] = name
        let rounded = NativeType.isHalf(type) ? "fx::rounded<\(NativeType.name(type))>(\(text))" : text
        body.append("const \(NativeType.compute(type)) \(name) = \(rounded);")
      }
    }
    var parameters = leaves.enumerated().map { number, leaf in
      NativeProgram.Kernel.Parameter(
        name: "x\(number)", elementType: program.buffers[leaf.buffer].elementType, isWritten: false)
    }
    let target = try resultSlot(result)
    parameters.append(.init(name: "y", elementType: program.buffers[target.buffer].elementType, isWritten: true))
    let kernel = NativeProgram.Kernel(
      name: group.map(\.op.name).joined(separator: "_"),
      summary: group.count == 1 ? summary(root) : group.map(\.op.name).joined(separator: ", "), parameters: parameters,
      axes: NativeProgram.Kernel.Axis.list(variables, sizes), body: body,
      isVectorizable: strides.allSatisfy { ($0.last ?? 1) <= 1 })
    launch(kernel, leaves.map(\.buffer) + [target.buffer], comment: comment(root))
  }
}
