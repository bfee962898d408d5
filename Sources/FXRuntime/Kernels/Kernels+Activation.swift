internal import CKernels
import FXCore

extension KernelTable {
  mutating func addActivations() {
    let plain: [(Operator, fxk_unary)] = [
      (.sigmoid, FXK_UNARY_SIGMOID), (.tanh, FXK_UNARY_TANH), (.softplus, FXK_UNARY_SOFTPLUS),
      (.softsign, FXK_UNARY_SOFTSIGN), (.hardSwish, FXK_UNARY_HARD_SWISH), (.mish, FXK_UNARY_MISH),
    ]
    for (op, function) in plain { self[op] = { $0.unary(function) } }
    self[.relu] = { $0.unary(FXK_UNARY_RELU, cost: ElementCost.simple) }
    self[.leakyRelu] = { $0.unary(FXK_UNARY_LEAKY_RELU, alpha: $0[LeakyRelu.alpha], cost: ElementCost.simple) }
    self[.thresholdedRelu] = {
      $0.unary(FXK_UNARY_THRESHOLDED_RELU, alpha: $0[ThresholdedRelu.alpha], cost: ElementCost.simple)
    }
    self[.gelu] = { $0.unary($0[Gelu.approximate] == "tanh" ? FXK_UNARY_GELU_TANH : FXK_UNARY_GELU) }
    self[.elu] = { $0.unary(FXK_UNARY_ELU, alpha: $0[Elu.alpha]) }
    self[.selu] = { $0.unary(FXK_UNARY_SELU, alpha: $0[Selu.alpha], beta: $0[Selu.gamma]) }
    self[.celu] = { $0.unary(FXK_UNARY_CELU, alpha: $0[Celu.alpha]) }
    self[.hardSigmoid] = { $0.unary(FXK_UNARY_HARD_SIGMOID, alpha: $0[HardSigmoid.alpha], beta: $0[HardSigmoid.beta]) }
    self[.quickGelu] = { $0.unary(FXK_UNARY_SILU, alpha: $0[QuickGelu.alpha]) }
    self[.silu] = { $0.unary(FXK_UNARY_SILU, alpha: $0[Silu.alpha]) }
    self[.softmax] = { $0.softmax(log: false) }
    self[.logSoftmax] = { $0.softmax(log: true) }
  }
}

/// An activation as the C kernels name it.
struct FusedFunction: Sendable {
  var function = FXK_UNARY_IDENTITY
  var alpha: Float = 0
  var beta: Float = 0
}

extension KernelRequest {
  /// The activation that a fused operator applies last; `nil` for one that has no C kernel.
  func fusedFunction() -> FusedFunction? {
    let name = self[FusedActivation.activation]
    if name.isEmpty { return FusedFunction() }
    guard let function = FusedActivation.function(named: name) else { return nil }
    let given = self[FusedActivation.parameters]
    let p = given.isEmpty ? function.defaults : given
    guard p.count == function.parameterNames.count else { return nil }
    let functions: [String: fxk_unary] = [
      "relu": FXK_UNARY_RELU, "leaky_relu": FXK_UNARY_LEAKY_RELU, "sigmoid": FXK_UNARY_SIGMOID, "tanh": FXK_UNARY_TANH,
      "gelu": FXK_UNARY_GELU, "gelu_tanh": FXK_UNARY_GELU_TANH, "silu": FXK_UNARY_SILU, "hard_swish": FXK_UNARY_HARD_SWISH,
      "hard_sigmoid": FXK_UNARY_HARD_SIGMOID, "clip": FXK_UNARY_CLIP, "elu": FXK_UNARY_ELU,
      "softplus": FXK_UNARY_SOFTPLUS, "mish": FXK_UNARY_MISH,
    ]
    return functions[name].map { FusedFunction(function: $0, alpha: p.first ?? 0, beta: p.count > 1 ? p[1] : 0) }
  }

  /// The sizes before, at and after an axis.
  func split(at axis: Int, _ shape: [Int]) -> (outer: Int, columns: Int, inner: Int)? {
    guard let axis = KernelRequest.axis(axis, rank: shape.count) else { return nil }
    return (shape[..<axis].reduce(1, *), shape[axis], shape[(axis + 1)...].reduce(1, *))
  }

  fileprivate func softmax(log: Bool) -> KernelChoice? {
    guard isAll(.float32), let (outer, columns, inner) = split(at: self[Softmax.axis], shape(0)) else { return nil }
    if inner == 1 {
      let division = WorkDivision(outer, nanosecondsEach: Double(columns) + 10, threads: threads)
      return .kernel(SoftmaxKernel(columns: columns, log: log, division: division), inPlace: [0])
    }
    let division = InnerDivision(outer: outer, inner: inner, nanosecondsEach: 2 * Double(columns), threads: threads)
    return .kernel(
      InnerSoftmaxKernel(columns: columns, log: log, division: division),
      scratch: threads * 2 * inner * MemoryLayout<Float>.stride, inPlace: [0])
  }
}

/// Softmax along the last axis.
private struct SoftmaxKernel: Kernel {
  let columns: Int
  let log: Bool
  let division: WorkDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    division.run(on: arguments.pool) { range, _ in
      let start = range.lowerBound * columns
      if log {
        fxk_log_softmax_f32(x + start, y + start, range.count, columns)
      } else {
        fxk_softmax_f32(x + start, y + start, range.count, columns, 1, nil, 0)
      }
    }
  }
}

/// Softmax along an axis before the last.
private struct InnerSoftmaxKernel: Kernel {
  let columns: Int
  let log: Bool
  let division: InnerDivision

  func run(_ arguments: borrowing KernelArguments) {
    let (x, y) = (arguments.operand(0, as: Float.self), arguments.result(as: Float.self))
    let scratch = arguments.scratch.assumingMemoryBound(to: Float.self)
    let inner = division.inner
    division.run(on: arguments.pool) { blocks, positions, worker in
      let start = blocks.lowerBound * columns * inner
      fxk_softmax_inner_f32(
        x + start, y + start, blocks.count, columns, inner, positions.lowerBound, positions.upperBound, log,
        scratch + worker * 2 * inner)
    }
  }
}
