extension Decompositions {
  mutating func addControlFlow() {
    self[.call] = { context in try context.builder.inline(context.node.regions[0], context.node.operands) }
  }
}
