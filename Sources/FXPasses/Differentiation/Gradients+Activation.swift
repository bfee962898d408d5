import FXCore
import FXTrace
import Foundation

extension GradientRules {
  mutating func addActivation() {
    unary(.relu) { dy, x, _ in dy.kept(where: x .> 0.0) }
    unary(.sigmoid) { dy, _, y in dy * y * (1.0 - y) }
    unary(.softplus) { dy, x, _ in dy * x.calling(.sigmoid) }
    first(.leakyRelu) { dy, context in
      (context.operand(0) .> 0.0).calling(.where_, dy, dy * Double(context[LeakyRelu.alpha]))
    }
    first(.elu) { dy, context in
      (context.operand(0) .> 0.0).calling(.where_, dy, dy * (context.result() + Double(context[Elu.alpha])))
    }
    first(.gelu) { dy, context in
      let x = context.operand(0)
      if context[Gelu.approximate] == "tanh" {
        let scale = (2 / Double.pi).squareRoot()
        let t = (x * (x * x * 0.044715 + 1.0) * scale).calling(.tanh)
        let inner = (x * x * (3 * 0.044715) + 1.0) * scale
        return dy * ((t + 1.0) * 0.5 + x * (1.0 - t * t) * inner * 0.5)
      }
      let distribution = (erf(x * 0.5.squareRoot()) + 1.0) * 0.5
      let density = exp(x * x * -0.5) * (1 / (2 * Double.pi).squareRoot())
      return dy * (distribution + x * density)
    }
    first(.softmax) { dy, context in
      let product = dy * context.result()
      return product - context.result() * product.summed(over: [context[Softmax.axis]])
    }
    first(.logSoftmax) { dy, context in
      dy - exp(context.result()) * dy.summed(over: [context[Softmax.axis]])
    }
    // The mask of what was dropped is a result.
    self[.dropout] = .cotangents { context in
      guard let dy = context.cotangent() else { return [] }
      guard context.has(2) else { return [dy] }
      let mask: SymbolicTensor
      if context.node.results.count > 1 {
        mask = context.result(1)
      } else {
        mask = try context.sweep.writer.addResult(to: context.node.id)
      }
      let training = context.operand(2)
      let ratio = context.has(1) ? context.operand(1).cast(to: dy.elementType ?? .float32) : dy.lift(0.5)
      return [training.calling(.where_, dy.kept(where: mask) / (1.0 - ratio), dy)]
    }
  }
}
