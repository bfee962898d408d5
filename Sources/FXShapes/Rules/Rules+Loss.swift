import FXCore

extension ShapeRules {
  mutating func addLoss() {
    self[.nllLoss] = { (context) throws(ShapeError) in [try ShapeRules.loss(&context)] }
    self[.softmaxCrossEntropyLoss] = { (context) throws(ShapeError) in
      [try ShapeRules.loss(&context), try context.type(0)]
    }
  }

  private static func loss(_ context: inout InferenceContext) throws(ShapeError) -> ValueType {
    let (input, target) = (try context.shape(0, minimumRank: 2), try context.shape(1, minimumRank: 1))
    if let input, let target {
      try context.require(target, toBe: Shape([input[0]] + input.dimensions[2...]))
    }
    if context.has(2), let weight = try context.shape(2, rank: 1), let input, weight[0].unified(with: input[1]) == nil {
      throw .dimensionsDiffer("the number of weights", weight[0], "that of classes", input[1])
    }
    guard context[Loss.reduction] == "none" else { return try context.tensor([], like: 0) }
    return try context.tensor(target ?? input.map { Shape([$0[0]] + $0.dimensions[2...]) }, like: 0)
  }
}
