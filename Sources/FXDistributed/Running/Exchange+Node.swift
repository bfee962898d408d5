import FXCore

/// A collective call of a graph as an engine sees it, and what the engine's row of elements becomes.
struct NodeExchange {
  let exchange: Exchange
  private let finish: (Tensor) throws -> Tensor

  /// - Parameter tensor: the operand; `nil` for `recv`.
  init(_ node: Node, _ tensor: Tensor?, rank: Int, label: String) throws {
    let group = node.attributes[Collective.group]
    let reduction = Reduction(rawValue: node.attributes[Collective.reduction]) ?? .sum
    func flat(_ tensor: Tensor) throws -> Tensor { try tensor.reshaped([tensor.elementCount]) }
    if node.op == .recv {
      guard let type = node.attributes[Recv.type].tensorType, let sizes = type.shape?.sizes else {
        throw ExecutionError.notATensor(node.attributes[Recv.type])
      }
      let empty = try Tensor(zeros: type.elementType, [sizes.reduce(1, *)])
      let (peer, tag) = (node.attributes[Collective.peer], node.attributes[Collective.tag])
      exchange = Exchange(.receive(from: peer, tag: tag), group: [peer, rank], empty, label: label)
      finish = { try $0.reshaped(sizes) }
      return
    }
    guard let tensor else { throw ExecutionError.notATensor(.unknown) }
    let (shape, ranks) = (tensor.shape, max(1, group.count))
    func axis(_ key: AttributeKey<Int>) -> Int {
      let axis = node.attributes[key]
      return axis < 0 ? axis + shape.count : axis
    }
    func make(_ operation: Exchange.Operation, _ tensor: Tensor) -> Exchange {
      Exchange(operation, group: group, tensor, label: label)
    }
    switch node.op {
    case .allReduce:
      exchange = make(.allReduce(reduction), try flat(tensor))
      finish = { try $0.reshaped(shape) }
    case .allGather:
      let axis = axis(Collective.axis)
      exchange = make(.allGather, try flat(tensor))
      finish = { row in
        // Along the first axis with more than one element before it, the row is the result already.
        guard shape[..<axis].contains(where: { $0 != 1 }) else {
          return try row.reshaped(shape.indices.map { $0 == axis ? shape[$0] * ranks : shape[$0] })
        }
        return try Tensor.joined(row.flatParts(ranks).map { try $0.reshaped(shape) }, axis: axis)
      }
    case .reduceScatter:
      let axis = axis(Collective.axis)
      let parts = try tensor.parts(ranks, axis: axis)
      let part = parts.first?.shape ?? shape
      exchange = make(.reduceScatter(reduction), try Tensor.flatJoined(parts))
      finish = { try $0.reshaped(part) }
    case .allToAll:
      let (split, concat) = (axis(AllToAll.splitAxis), axis(AllToAll.concatAxis))
      let parts = try tensor.parts(ranks, axis: split)
      let part = parts.first?.shape ?? shape
      exchange = make(.allToAll, try Tensor.flatJoined(parts))
      finish = { row in try Tensor.joined(row.flatParts(ranks).map { try $0.reshaped(part) }, axis: concat) }
    case .broadcast:
      exchange = make(.broadcast(root: node.attributes[Collective.root]), try flat(tensor))
      finish = { try $0.reshaped(shape) }
    case .reduceToRoot:
      exchange = make(.reduce(reduction, root: node.attributes[Collective.root]), try flat(tensor))
      finish = { try $0.reshaped(shape) }
    case .barrier:
      exchange = make(.barrier, try Tensor(zeros: .uint8, [0]))
      finish = { _ in tensor }
    case .send:
      let (peer, tag) = (node.attributes[Collective.peer], node.attributes[Collective.tag])
      exchange = Exchange(.send(to: peer, tag: tag), group: [rank, peer], try flat(tensor), label: label)
      finish = { _ in Tensor(Float(0)) }
    default: throw ExecutionError.unsupported([node.op.description])
    }
  }

  /// The call's result from what the engine gave.
  func result(_ row: Tensor) throws -> Tensor { try finish(row) }
}
