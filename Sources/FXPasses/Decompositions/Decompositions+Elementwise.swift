import FXCore

extension Decompositions {
  mutating func addElementwise() {
    define(.sum) { context in
      let terms = try context.terms()
      return try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
    }
    define(.mean) { context in
      let terms = try context.terms()
      if terms.count == 1 { return terms[0] }
      return try terms.dropFirst().reduce(terms[0]) { try $0 + $1 } / .int(Int64(terms.count))
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
