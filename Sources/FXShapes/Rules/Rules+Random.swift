import FXCore

extension ShapeRules {
  mutating func addRandom() {
    self[.dropout] = { (context) throws(ShapeError) in
      [try context.type(0), try context.type(0, holding: .bool)]
    }
    set([.randomNormal, .randomUniform]) { (context) throws(ShapeError) in
      let sizes = context[RandomShape.shape]
      guard sizes.allSatisfy({ $0 >= 0 }) else { throw .attribute("shape", reason: "has a negative size") }
      return [.tensor(context[RandomShape.elementType], Shape(sizes))]
    }
    set([.randomNormalLike, .randomUniformLike, .bernoulli]) { (context) throws(ShapeError) in
      let own = try context.elementType(0)
      guard let element = context[RandomLike.elementType] ?? own else { return [.unknown] }
      return [try context.type(0, holding: element)]
    }
    self[.multinomial] = { (context) throws(ShapeError) in
      guard context[Multinomial.sampleCount] >= 0 else { throw .attribute("sample_size", reason: "is negative") }
      let batch = try context.shape(0, rank: 2)?[0] ?? .unknown
      return [.tensor(context[Multinomial.elementType], [batch, Dimension(context[Multinomial.sampleCount])])]
    }
  }
}
