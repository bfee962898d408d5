import FXCore
import FXTrace
import Foundation

/// How a parameter follows its gradient: one step, written with the functions of tensors, so that it becomes part of a graph.
public protocol Optimizer: Sendable {
  /// The learning rate where a step is given none.
  var learningRate: Double { get }
  /// What the optimizer remembers of each parameter: names of tensors of the parameter's type, zero at first.
  var memory: [String] { get }

  /// The parameter and the memory after a step.
  /// - Parameters:
  ///   - step: the step's number, 1 for the first, as a scalar of the parameter's element type.
  ///   - learningRate: a scalar of the parameter's element type.
  func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, memory: [SymbolicTensor], step: SymbolicTensor,
    learningRate: SymbolicTensor
  ) -> (parameter: SymbolicTensor, memory: [SymbolicTensor])
}

/// Stochastic gradient descent, with momentum, as `torch.optim.SGD`.
public struct SGD: Optimizer {
  public var learningRate: Double
  /// What share of the velocity goes on into the next step; 0 for none, and then nothing is remembered.
  public var momentum: Double
  /// Whether a step looks ahead along the velocity (Nesterov momentum); without momentum it makes no difference.
  public var isNesterov: Bool
  /// What is added to the gradient, times the parameter.
  public var weightDecay: Double

  /// PyTorch's defaults: a rate of 10⁻³, no momentum, no weight decay.
  public init(learningRate: Double = 1e-3, momentum: Double = 0, isNesterov: Bool = false, weightDecay: Double = 0) {
    (self.learningRate, self.momentum, self.isNesterov, self.weightDecay) = (learningRate, momentum, isNesterov, weightDecay)
  }

  public var memory: [String] { momentum == 0 ? [] : ["momentum"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, memory: [SymbolicTensor], step: SymbolicTensor,
    learningRate: SymbolicTensor
  ) -> (parameter: SymbolicTensor, memory: [SymbolicTensor]) {
    let slope = weightDecay == 0 ? gradient : gradient + parameter * weightDecay
    guard momentum != 0 else { return (parameter - learningRate * slope, []) }
    let velocity = memory[0] * momentum + slope
    return (parameter - learningRate * (isNesterov ? slope + velocity * momentum : velocity), [velocity])
  }
}

/// Kingma and Ba 2015, as `torch.optim.Adam`; with decoupled weight decay (Loshchilov and Hutter 2019) as `torch.optim.AdamW`.
public struct Adam: Optimizer {
  public var learningRate: Double
  /// What share of the running means of the gradient and of its square goes on into the next step; 0.9 and 0.999.
  public var betas: (Double, Double)
  /// What is added to the root that the step is divided by, so that it is not 0; 10⁻⁸.
  public var epsilon: Double
  /// Times the parameter, what is added to the gradient; if `isDecoupled`, how fast the parameter itself shrinks.
  public var weightDecay: Double
  /// Whether the decay shrinks the parameter itself, rather than adding to its gradient.
  public var isDecoupled: Bool

  /// PyTorch's defaults: a rate of 10⁻³ and no weight decay; `adamW` has those of AdamW.
  public init(
    learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999), epsilon: Double = 1e-8, weightDecay: Double = 0,
    isDecoupled: Bool = false
  ) {
    (self.learningRate, self.betas, self.epsilon) = (learningRate, betas, epsilon)
    (self.weightDecay, self.isDecoupled) = (weightDecay, isDecoupled)
  }

  /// AdamW with PyTorch's defaults.
  public static func adamW(learningRate: Double = 1e-3, weightDecay: Double = 1e-2) -> Adam {
    Adam(learningRate: learningRate, weightDecay: weightDecay, isDecoupled: true)
  }

  public var memory: [String] { ["mean", "square"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, memory: [SymbolicTensor], step: SymbolicTensor,
    learningRate: SymbolicTensor
  ) -> (parameter: SymbolicTensor, memory: [SymbolicTensor]) {
    var (start, slope) = (parameter, gradient)
    if weightDecay != 0 {
      if isDecoupled {
        start = parameter * (1.0 - learningRate * weightDecay)
      } else {
        slope = gradient + parameter * weightDecay
      }
    }
    let mean = memory[0] * betas.0 + slope * (1 - betas.0)
    let square = memory[1] * betas.1 + slope * slope * (1 - betas.1)
    // What the zeros at the start took away is given back.
    let meanShare = 1.0 - exp(step * Foundation.log(betas.0))
    let squareShare = 1.0 - exp(step * Foundation.log(betas.1))
    let size = learningRate / meanShare
    return (start - mean * size / (sqrt(square) / sqrt(squareShare) + epsilon), [mean, square])
  }
}

/// Duchi, Hazan and Singer 2011, as `torch.optim.Adagrad`.
public struct Adagrad: Optimizer {
  public var learningRate: Double
  /// How fast the learning rate falls: it is divided by 1 + decay × (step − 1).
  public var learningRateDecay: Double
  /// What is added to the root that the step is divided by, so that it is not 0; 10⁻¹⁰.
  public var epsilon: Double

  /// PyTorch's defaults: a rate of 10⁻² that does not fall.
  public init(learningRate: Double = 1e-2, learningRateDecay: Double = 0, epsilon: Double = 1e-10) {
    (self.learningRate, self.learningRateDecay, self.epsilon) = (learningRate, learningRateDecay, epsilon)
  }

  public var memory: [String] { ["sum"] }

  public func update(
    _ parameter: SymbolicTensor, gradient: SymbolicTensor, memory: [SymbolicTensor], step: SymbolicTensor,
    learningRate: SymbolicTensor
  ) -> (parameter: SymbolicTensor, memory: [SymbolicTensor]) {
    let sum = memory[0] + gradient * gradient
    let rate = learningRateDecay == 0 ? learningRate : learningRate / ((step - 1.0) * learningRateDecay + 1.0)
    return (parameter - rate * gradient / (sqrt(sum) + epsilon), [sum])
  }
}
