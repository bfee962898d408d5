import FXCore

/// What a loss makes of the losses of the elements.
public enum LossReduction: String, Sendable {
  /// Leaves them as they are.
  case none
  /// Their mean; over all elements where the loss does not weigh them.
  case mean
  /// Their sum, over all elements.
  case sum
}

/// (x − target)²
public func mseLoss(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, reduction: LossReduction = .mean, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let difference = x - x.lift(target)
  return (difference * difference).reduced(reduction)
}

/// |x − target|
public func l1Loss(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, reduction: LossReduction = .mean, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  return (x - x.lift(target)).apply(.abs).reduced(reduction)
}

/// d²/2β where d = |x − target| < β, else d − β/2.
public func smoothL1Loss(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, beta: Double = 1, reduction: LossReduction = .mean,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  guard beta > 0 else { return l1Loss(x, target, reduction: reduction, fileID: fileID, line: line) }
  let x = x.at(fileID, line)
  let distance = (x - x.lift(target)).apply(.abs)
  return (distance .< beta).choose(distance * distance * (0.5 / beta), distance - beta / 2).reduced(reduction)
}

/// d²/2 where d = |x − target| ≤ δ, else δ(d − δ/2).
public func huberLoss(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, delta: Double = 1, reduction: LossReduction = .mean,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let distance = (x - x.lift(target)).apply(.abs)
  return (distance .<= delta).choose(distance * distance / 2, (distance - delta / 2) * delta).reduced(reduction)
}

/// −log softmax(scores) at the target class: scores [n, c, d…] and classes [n, d…], or probabilities of the scores' shape.
/// - Parameters:
///   - weight: of each class, [c]; `mean` divides by the sum of the targets' weights.
///   - ignoreIndex: the class that counts for nothing.
///   - labelSmoothing: how much of the target's probability goes to all classes alike.
public func crossEntropy(
  _ scores: SymbolicTensor, _ target: SymbolicTensor, weight: (any SymbolicOperand)? = nil, ignoreIndex: Int = -100,
  labelSmoothing: Double = 0, reduction: LossReduction = .mean, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let scores = scores.at(fileID, line)
  let isProbability = target.elementType?.isFloatingPoint ?? false
  if !isProbability, labelSmoothing == 0 {
    var attributes = Attributes()
    attributes[Loss.reduction] = reduction.rawValue
    attributes[Loss.ignoreIndex] = ignoreIndex
    return scores.apply(
      .softmaxCrossEntropyLoss, [target] + (weight.map { [$0] } ?? []), attributes: attributes)
  }
  guard weight == nil else {
    return scores.mistake(
      "crossEntropy", "weight is not taken together with label smoothing or probabilities as target", operands: [target])
  }
  var attributes = Attributes()
  attributes[Softmax.axis] = 1
  let logs = scores.apply(.logSoftmax, attributes: attributes)
  if isProbability {
    let classes = scores.dimension(1).size.map(Double.init) ?? 0
    guard labelSmoothing == 0 || classes > 0 else {
      return scores.mistake("crossEntropy", "label smoothing needs a known number of classes", operands: [target])
    }
    let goal = labelSmoothing == 0 ? target : target * (1 - labelSmoothing) + labelSmoothing / classes
    let losses = -(goal * logs).reduce(.reduceSum, [1])
    return losses.reduced(reduction)
  }
  let counts = target .!= ignoreIndex
  var picked = Attributes()
  picked[GatherElements.axis] = 1
  let index = counts.choose(target, 0).apply(.unsqueeze, [Tensor(vector: [1])])
  let hit = logs.apply(.gatherElements, [index], attributes: picked).apply(.squeeze, [Tensor(vector: [1])])
  let even = logs.reduce(.reduceMean, [1])
  let losses = counts.choose(-(hit * (1 - labelSmoothing) + even * labelSmoothing), 0.0)
  guard reduction == .mean else { return losses.reduced(reduction) }
  var cast = Attributes()
  cast[Cast.to] = scores.elementType ?? .float32
  return losses.reduce(.reduceSum) / counts.apply(.cast, attributes: cast).reduce(.reduceSum)
}

/// −x at the target class: log-probabilities [n, c, d…] and classes [n, d…].
/// - Parameters:
///   - weight: of each class, [c]; `mean` divides by the sum of the targets' weights.
///   - ignoreIndex: the class that counts for nothing.
public func nllLoss(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, weight: (any SymbolicOperand)? = nil, ignoreIndex: Int = -100,
  reduction: LossReduction = .mean, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  var attributes = Attributes()
  attributes[Loss.reduction] = reduction.rawValue
  attributes[Loss.ignoreIndex] = ignoreIndex
  return x.apply(.nllLoss, [target] + (weight.map { [$0] } ?? []), attributes: attributes, fileID, line)
}

/// −t ln p − (1 − t) ln(1 − p) of probabilities p, logarithms being at least −100.
public func binaryCrossEntropy(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, reduction: LossReduction = .mean, fileID: String = #fileID,
  line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let goal = x.lift(target)
  let (yes, no) = (x.apply(.log).apply(.maximum, [-100.0]), (1 - x).apply(.log).apply(.maximum, [-100.0]))
  return (-(goal * yes) - (1 - goal) * no).reduced(reduction)
}

/// `binaryCrossEntropy` of sigmoid(x), without the loss of precision: (1 − t)x + (1 + (w − 1)t) ln(1 + e⁻ˣ).
/// - Parameter positiveWeight: w, what targets of 1 count.
public func binaryCrossEntropyWithLogits(
  _ x: SymbolicTensor, _ target: any SymbolicOperand, positiveWeight: (any SymbolicOperand)? = nil,
  reduction: LossReduction = .mean, fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  let goal = x.lift(target)
  let softplus = (-x).apply(.softplus)
  guard let positiveWeight else { return ((1 - goal) * x + softplus).reduced(reduction) }
  return ((1 - goal) * x + (goal.apply(.mul, [positiveWeight]) - goal + 1) * softplus).reduced(reduction)
}

/// t (ln t − x) of log-probabilities x, 0 where t is 0. `mean` is over all elements; divide `sum` by the batch for the
/// divergence of distributions.
/// - Parameter logTarget: whether the target too is in logarithms.
public func klDivergence(
  _ x: SymbolicTensor, _ target: SymbolicTensor, logTarget: Bool = false, reduction: LossReduction = .mean,
  fileID: String = #fileID, line: Int = #line
) -> SymbolicTensor {
  let x = x.at(fileID, line)
  if logTarget { return (target.apply(.exp) * (target - x)).reduced(reduction) }
  return (target .> 0).choose(target * (target.apply(.log) - x), 0.0).reduced(reduction)
}

extension SymbolicTensor {
  fileprivate func reduced(_ reduction: LossReduction) -> SymbolicTensor {
    switch reduction {
    case .none: self
    case .mean: reduce(.reduceMean)
    case .sum: reduce(.reduceSum)
    }
  }
}
