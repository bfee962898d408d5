import FXCore

/// Source of the formulas: the function bodies of the ONNX operators of the same names.
extension Decompositions {
  mutating func addLoss() {
    define(.nllLoss) { context in try context.negativeLogLikelihood(of: context.term(0)) }
    self[.softmaxCrossEntropyLoss] = { context in
      let logs = try logSoftmax(context.term(0), axis: 1)
      return context.results(try context.negativeLogLikelihood(of: logs), logs)
    }
  }
}

extension DecompositionContext {
  /// −weight × the log-probability of each target, reduced.
  fileprivate func negativeLogLikelihood(of logs: Term) throws -> Term {
    let targets = try term(1)
    let ignored = self[Loss.ignoreIndex].map { Literal.int(Int64($0)) }
    let isIgnored = try ignored.map { try targets .== $0 }
    // A target that counts for nothing may be no class at all.
    let classes = try isIgnored.map { try select($0, 0, targets) } ?? targets
    var losses = try -logs.gatheredElements(classes.unsqueezed([1]), axis: 1).squeezed([1])
    var weights: Term?
    if let given = try optionalTerm(2) {
      let own = try given.gathered(classes, axis: 0)
      losses = try losses * own
      weights = own
    }
    if let isIgnored {
      losses = try select(isIgnored, 0, losses)
      weights = try weights.map { try select(isIgnored, 0, $0) } ?? (.!isIgnored).cast(to: logs.elementType)
    }
    let axes = try Array(0..<losses.rank)
    switch self[Loss.reduction] {
    case "none": return losses
    case "sum": return try losses.sum(axes, keepDims: false)
    default:
      guard let weights else { return try losses.mean(axes, keepDims: false) }
      return try losses.sum(axes, keepDims: false) / weights.sum(axes, keepDims: false)
    }
  }
}
