import FXCore

extension Decompositions {
  mutating func addElementwise() {
    define(.sum) { context in try context.sum() }
    define(.mean) { context in
      let count = context.node.operands.count
      return try count == 1 ? context.term(0) : context.sum() / .int(Int64(count))
    }
    define(.castLike) { context in
      let type = try context.term(1).elementType
      return try context.term(0).call(
        .cast, [],
        [
          Cast.to.name: .elementType(type), Cast.saturate.name: .bool(context[Cast.saturate]),
          Cast.roundMode.name: .string(context[Cast.roundMode]),
        ])
    }
    define(.notEqual) { context in try .!(context.term(0) .== context.term(1)) }
  }
}

extension DecompositionContext {
  fileprivate func sum() throws -> Term {
    try terms().dropFirst().reduce(term(0)) { try $0 + $1 }
  }
}
