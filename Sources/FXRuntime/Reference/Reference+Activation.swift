import FXCore
import Foundation

extension ReferenceKernels {
  mutating func addActivation() {
    setUnary(.relu, ActivationFunctions.relu, integer: { max($0, 0) })
    setUnary(.sigmoid, ActivationFunctions.sigmoid)
    setUnary(.tanh, ActivationFunctions.tanh)
    setUnary(.softplus, ActivationFunctions.softplus)
    setUnary(.softsign, ActivationFunctions.softsign)
    setUnary(.hardSwish, ActivationFunctions.hardSwish)
    setUnary(.mish, ActivationFunctions.mish)
    setParameterized(.leakyRelu, LeakyRelu.alpha) { ActivationFunctions.leakyRelu($0, alpha: $1) }
    setParameterized(.thresholdedRelu, ThresholdedRelu.alpha) { ActivationFunctions.thresholdedRelu($0, alpha: $1) }
    setParameterized(.elu, Elu.alpha) { ActivationFunctions.elu($0, alpha: $1) }
    setParameterized(.celu, Celu.alpha) { ActivationFunctions.celu($0, alpha: $1) }
    setParameterized(.quickGelu, QuickGelu.alpha) { ActivationFunctions.silu($0, alpha: $1) }
    setParameterized(.silu, Silu.alpha) { ActivationFunctions.silu($0, alpha: $1) }
    self[.selu] = { context in
      let (alpha, gamma) = (Double(context[Selu.alpha]), Double(context[Selu.gamma]))
      return [.tensor(try context.tensor(0).mapped { ActivationFunctions.selu($0, alpha: alpha, gamma: gamma) })]
    }
    self[.hardSigmoid] = { context in
      let (alpha, beta) = (Double(context[HardSigmoid.alpha]), Double(context[HardSigmoid.beta]))
      return [.tensor(try context.tensor(0).mapped { ActivationFunctions.hardSigmoid($0, alpha: alpha, beta: beta) })]
    }
    self[.gelu] = { context in
      let isApproximate = context[Gelu.approximate] == "tanh"
      return [.tensor(try context.tensor(0).mapped(isApproximate ? ActivationFunctions.geluTanh : ActivationFunctions.gelu))]
    }
    self[.prelu] = { context in
      let (x, slope) = (try context.tensor(0), try context.tensor(1))
      guard try Broadcast.shape([x.shape, slope.shape]) == x.shape else {
        throw KernelError.notBroadcastable(x.shape, slope.shape)
      }
      let function = BinaryFunction({ $0 < 0 ? $0 * $1 : $0 }, unsigned: { a, _ in a }) { $0 < 0 ? $0 &* $1 : $0 }
      return [.tensor(try x.combined(with: slope, function))]
    }
    self[.swiglu] = { context in
      let (a, b) = (try context.tensor(0), try context.tensor(1))
      guard a.shape == b.shape else { throw KernelError.notBroadcastable(a.shape, b.shape) }
      let alpha = Double(context[Silu.alpha])
      let function = BinaryFunction({ ActivationFunctions.silu($0, alpha: alpha) * $1 }) { a, _ in a }
      return [.tensor(try a.combined(with: b, function))]
    }
    self[.shrink] = { context in
      let (bias, lambda) = (Double(context[Shrink.bias]), Double(context[Shrink.lambda]))
      let x = try context.tensor(0)
      let shrunk = try x.numbers().doubles.map { $0 < -lambda ? $0 + bias : $0 > lambda ? $0 - bias : $0.isNaN ? $0 : 0 }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(shrunk), saturating: false))]
    }
    setAlongAxis(.softmax) { values, precision in
      let powers = values.map { [largest = values.largest] in precision(exp(precision($0 - largest))) }
      let sum = precision.sum(powers[...])
      return powers.map { $0 / sum }
    }
    setAlongAxis(.logSoftmax) { values, _ in
      let largest = values.largest
      let logarithm = log(values.reduce(0) { $0 + exp($1 - largest) })
      return values.map { $0 - largest - logarithm }
    }
    setAlongAxis(.hardmax) { values, _ in
      var result = Array(repeating: 0.0, count: values.count)
      if let first = values.firstIndex(of: values.largest) { result[first] = 1 }
      return result
    }
  }

  private mutating func setParameterized(
    _ op: Operator, _ key: AttributeKey<Float>, _ function: @escaping @Sendable (Double, Double) -> Double
  ) {
    self[op] = { context in
      let parameter = Double(context[key])
      return [.tensor(try context.tensor(0).mapped { function($0, parameter) })]
    }
  }

  /// A function of all elements along the softmax axis, which may round its steps to the operand's half precision.
  private mutating func setAlongAxis(
    _ op: Operator, _ function: @escaping @Sendable ([Double], HalfPrecision?) -> [Double]
  ) {
    self[op] = { context in
      let x = try context.tensor(0)
      // A scalar counts as a vector of one element.
      let lines = try AxisLines(x.shape.isEmpty ? [1] : x.shape, axis: context[Softmax.axis])
      let precision = HalfPrecision(x.elementType)
      let result = lines.map(try x.numbers().doubles) { function($0, precision) }
      return [.tensor(try Tensor(x.elementType, x.shape, numbers: .floats(result), saturating: false))]
    }
  }
}

extension [Double] {
  /// The largest element that is no NaN; −∞ if there is none.
  fileprivate var largest: Double { reduce(-.infinity) { $1 > $0 ? $1 : $0 } }
}
