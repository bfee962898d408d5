import FXCore
import Foundation

/// Steps of optimizers; their formulas stand at the declarations.
extension ReferenceKernels {
  mutating func addTraining() {
    self[.adagrad] = { context in
      let step = try StepOperands(context, memories: 1)
      let rate = step.rate / (1 + Double(step.number) * Double(context[AdagradStep.decayFactor]))
      let epsilon = Double(context[OptimizerStep.epsilon])
      let norm = Double(context[OptimizerStep.normCoefficient])
      return try step.results { x, g, memory in
        let gradient = norm * x + g
        let h = memory[0] + gradient * gradient
        return (x - rate * gradient / (h.squareRoot() + epsilon), [h])
      }
    }
    self[.adam] = { context in
      let step = try StepOperands(context, memories: 2)
      let (alpha, beta) = (Double(context[AdamStep.alpha]), Double(context[AdamStep.beta]))
      let epsilon = Double(context[OptimizerStep.epsilon])
      let (norm, post) = (Double(context[OptimizerStep.normCoefficient]), Double(context[AdamStep.normCoefficientPost]))
      let number = Double(step.number)
      let rate =
        step.number > 0 ? step.rate * (1 - pow(beta, number)).squareRoot() / (1 - pow(alpha, number)) : step.rate
      return try step.results { x, g, memory in
        let gradient = norm * x + g
        let v = alpha * memory[0] + (1 - alpha) * gradient
        let h = beta * memory[1] + (1 - beta) * gradient * gradient
        return ((1 - post) * (x - rate * v / (h.squareRoot() + epsilon)), [v, h])
      }
    }
    self[.momentum] = { context in
      let step = try StepOperands(context, memories: 1)
      let alpha = Double(context[MomentumStep.alpha])
      let beta = step.number > 0 ? Double(context[MomentumStep.beta]) : 1
      let norm = Double(context[MomentumStep.normCoefficient])
      let isNesterov = context[MomentumStep.mode] == "nesterov"
      return try step.results { x, g, memory in
        let gradient = norm * x + g
        let v = alpha * memory[0] + beta * gradient
        return (x - step.rate * (isNesterov ? gradient + alpha * v : v), [v])
      }
    }
  }
}

/// The operands of an optimizer.
private struct StepOperands {
  let rate: Double
  /// How many steps were done before.
  let number: Int
  /// x, the gradients and the memories: lists of as many tensors each.
  private let groups: [[Tensor]]

  /// - Parameter memories: how many groups follow the gradients.
  init(_ context: ReferenceContext, memories: Int) throws {
    guard let rate = try context.tensor(0).numbers().doubles.first, let number = try context.integers(1).first else {
      throw KernelError.invalid("the learning rate or the number of steps is empty")
    }
    (self.rate, self.number) = (rate, number)
    let count = (context.operands.count - 2) / (2 + memories)
    guard count > 0, context.operands.count == 2 + count * (2 + memories) else {
      throw KernelError.invalid("the tensors are not \(2 + memories) groups")
    }
    groups = try (0..<2 + memories).map { group in try (0..<count).map { try context.tensor(2 + group * count + $0) } }
    for group in groups.dropFirst() {
      for (tensor, x) in zip(group, groups[0]) {
        guard tensor.type == x.type, x.elementType == .float32 || x.elementType == .float64 else {
          throw KernelError.invalid("a tensor \(x.type) has a gradient or memory \(tensor.type)")
        }
      }
    }
  }

  /// The new tensors and then the new memories.
  /// - Parameter update: the new x and memory of one element, from x, its gradient and its memory.
  func results(_ update: (Double, Double, [Double]) -> (Double, [Double])) throws -> [RuntimeValue] {
    var results = Array(repeating: [RuntimeValue](), count: groups.count - 1)
    for index in groups[0].indices {
      let elements = try groups.map { try $0[index].numbers().doubles }
      var updated = Array(repeating: [Double](), count: groups.count - 1)
      for place in elements[0].indices {
        let (x, memory) = update(elements[0][place], elements[1][place], elements.dropFirst(2).map { $0[place] })
        updated[0].append(x)
        for (number, value) in memory.enumerated() { updated[number + 1].append(value) }
      }
      for (group, values) in updated.enumerated() {
        let like = groups[0][index]
        results[group].append(.tensor(try Tensor(like.elementType, like.shape, numbers: .floats(values))))
      }
    }
    return results.flatMap(\.self)
  }
}
