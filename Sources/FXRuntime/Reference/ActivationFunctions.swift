import FXCore
import Foundation

/// Activations of one number. NaN gives NaN, infinities give the limits.
enum ActivationFunctions {
  static func relu(_ x: Double) -> Double { x < 0 ? 0 : x }
  static func leakyRelu(_ x: Double, alpha: Double) -> Double { x < 0 ? alpha * x : x }
  /// x > α ? x : 0
  static func thresholdedRelu(_ x: Double, alpha: Double) -> Double { x <= alpha ? 0 : x }
  /// 1 / (1 + e⁻ˣ), by the form whose exponential does not overflow.
  static func sigmoid(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }
  static func tanh(_ x: Double) -> Double { Foundation.tanh(x) }
  /// ln(1 + eˣ)
  static func softplus(_ x: Double) -> Double { (x < 0 ? 0 : x) + log1p(exp(-abs(x))) }
  /// x / (1 + |x|)
  static func softsign(_ x: Double) -> Double { x.isInfinite ? (x < 0 ? -1 : 1) : x / (1 + abs(x)) }
  /// x < 0 ? α(eˣ − 1) : x
  static func elu(_ x: Double, alpha: Double) -> Double { x < 0 ? alpha * expm1(x) : x }
  /// γ(x < 0 ? α(eˣ − 1) : x)
  static func selu(_ x: Double, alpha: Double, gamma: Double) -> Double { gamma * elu(x, alpha: alpha) }
  /// x < 0 ? α(e^(x/α) − 1) : x
  static func celu(_ x: Double, alpha: Double) -> Double { x < 0 ? alpha * expm1(x / alpha) : x }
  /// αx + β limited to [0, 1]
  static func hardSigmoid(_ x: Double, alpha: Double, beta: Double) -> Double { clip(alpha * x + beta, 0, 1) }
  /// x hardSigmoid(x), with α = 1/6 and β = 1/2
  static func hardSwish(_ x: Double) -> Double { x <= -3 ? 0 : x * hardSigmoid(x, alpha: 1 / 6, beta: 0.5) }
  /// x sigmoid(αx)
  static func silu(_ x: Double, alpha: Double = 1) -> Double {
    let gate = sigmoid(alpha * x)
    return x.isInfinite && gate == 0 ? 0 : x * gate
  }
  /// x tanh(softplus(x))
  static func mish(_ x: Double) -> Double { x == -.infinity ? 0 : x * Foundation.tanh(softplus(x)) }
  /// x Φ(x), with the normal distribution's Φ(x) = erfc(−x/√2) / 2
  static func gelu(_ x: Double) -> Double { x == -.infinity ? 0 : x * erfc(-x / 2.0.squareRoot()) / 2 }
  /// Hendrycks and Gimpel 2016: x(1 + tanh(√(2/π)(x + 0.044715x³))) / 2
  static func geluTanh(_ x: Double) -> Double {
    x == -.infinity ? 0 : x * (1 + Foundation.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))) / 2
  }
  /// x limited to [low, high]; `high` where they contradict each other, as ONNX has it.
  static func clip(_ x: Double, _ low: Double, _ high: Double) -> Double {
    let raised = x < low ? low : x
    return raised > high ? high : raised
  }
}

extension FusedActivation {
  /// The activation that a fused operator's node names; `nil` if it names none.
  /// - Throws: `KernelError.invalid` for an unknown name or a wrong number of parameters.
  static func function(of context: ReferenceContext) throws -> (@Sendable (Double) -> Double)? {
    let name = context[activation]
    return name.isEmpty ? nil : try function(name, context[parameters].map(Double.init))
  }

  /// The activation `name`; with its default parameters if `given` is empty.
  /// - Throws: `KernelError.invalid` for an unknown name or a wrong number of parameters.
  static func function(_ name: String, _ given: [Double] = []) throws -> @Sendable (Double) -> Double {
    guard let function = function(named: name) else { throw KernelError.invalid("there is no activation '\(name)'") }
    let p = given.isEmpty ? function.defaults.map(Double.init) : given
    guard p.count == function.parameterNames.count else {
      throw KernelError.invalid("activation '\(name)' takes \(function.parameterNames.count) parameters, not \(p.count)")
    }
    switch name {
    case "relu": return ActivationFunctions.relu
    case "leaky_relu": return { ActivationFunctions.leakyRelu($0, alpha: p[0]) }
    case "sigmoid": return ActivationFunctions.sigmoid
    case "tanh": return ActivationFunctions.tanh
    case "gelu": return ActivationFunctions.gelu
    case "gelu_tanh": return ActivationFunctions.geluTanh
    case "silu": return { ActivationFunctions.silu($0, alpha: p[0]) }
    case "hard_swish": return ActivationFunctions.hardSwish
    case "hard_sigmoid": return { ActivationFunctions.hardSigmoid($0, alpha: p[0], beta: p[1]) }
    case "clip": return { ActivationFunctions.clip($0, p[0], p[1]) }
    case "elu": return { ActivationFunctions.elu($0, alpha: p[0]) }
    case "softplus": return ActivationFunctions.softplus
    case "mish": return ActivationFunctions.mish
    default: throw KernelError.invalid("activation '\(name)' has no kernel")
    }
  }

  /// What a fused kernel does to the result of its base operator: adds the residual that is operand `index`, if it is
  /// there, and applies the activation.
  /// - Throws: `KernelError.notBroadcastable` if the residual does not broadcast to `shape`; as `function(of:)`.
  static func finish(
    _ result: inout [Double], shape: [Int], residual index: Int, of context: ReferenceContext
  ) throws {
    if let residual = try context.optionalTensor(index) {
      guard try Broadcast.shape([shape, residual.shape]) == shape else {
        throw KernelError.notBroadcastable(shape, residual.shape)
      }
      let values = try residual.numbers().doubles
      for (i, j) in Broadcast.indices(residual.shape, to: shape).enumerated() { result[i] += values[j] }
    }
    if let function = try function(of: context) { for i in result.indices { result[i] = function(result[i]) } }
  }
}
