import FXCore
import FXTrace

// What is differentiated is the sum over the ranks of each rank's number, so what every rank reads of one rank's tensor
// comes back to it added up.
extension GradientRules {
  mutating func addCollective() {
    first(.allReduce) { dy, context in
      let reduction = context[Collective.reduction]
      guard ["sum", "mean"].contains(reduction) else { throw context.unsupported("the gradient of the reduction '\(reduction)'") }
      return context.collective(.allReduce, dy, ["reduction": .string(reduction)])
    }
    first(.allGather) { dy, context in
      context.collective(.reduceScatter, dy, ["axis": .int(context[Collective.axis])])
    }
    first(.reduceScatter) { dy, context in
      let (reduction, count) = (context[Collective.reduction], context[Collective.group].count)
      guard ["sum", "mean"].contains(reduction) else { throw context.unsupported("the gradient of the reduction '\(reduction)'") }
      let whole = context.collective(.allGather, dy, ["axis": .int(context[Collective.axis])])
      return reduction == "mean" ? whole / Double(count) : whole
    }
    first(.allToAll) { dy, context in
      let (split, concat) = (context[AllToAll.splitAxis], context[AllToAll.concatAxis])
      return context.collective(.allToAll, dy, ["split_axis": .int(concat), "concat_axis": .int(split)])
    }
    first(.broadcast) { dy, context in
      context.collective(.reduceToRoot, dy, ["root": .int(context[Collective.root])])
    }
    first(.reduceToRoot) { dy, context in
      let reduction = context[Collective.reduction]
      guard ["sum", "mean"].contains(reduction) else { throw context.unsupported("the gradient of the reduction '\(reduction)'") }
      let root = context.collective(.broadcast, dy, ["root": .int(context[Collective.root])])
      return reduction == "mean" ? root / Double(context[Collective.group].count) : root
    }
    first(.barrier) { dy, context in context.collective(.barrier, dy) }
    first(.send) { _, context in
      let type = context.operand(0).type
      guard type.tensorType != nil else { throw context.unsupported("the type of what is sent is not known") }
      var attributes = context.ends
      attributes["type"] = .type(type)
      return context.sweep.writer.call(.recv, [nil], attributes: attributes)[0]
    }
    // The token's cotangent is the token of the gradient's own send.
    first(.recv) { dy, context in context.sweep.writer.call(.send, [dy], attributes: context.ends)[0] }
  }
}

extension GradientContext {
  /// A call that the same group makes.
  fileprivate func collective(_ op: Operator, _ x: SymbolicTensor, _ others: Attributes = [:]) -> SymbolicTensor {
    var attributes = others
    attributes[Collective.group] = self[Collective.group]
    return x.calling(op, attributes: attributes)
  }

  /// The peer and tag of the call: what comes back goes the same way.
  fileprivate var ends: Attributes {
    ["peer": .int(self[Collective.peer]), "tag": .int(self[Collective.tag])]
  }
}
