import FXCore
import FXShapes
import Synchronization

/// How a node is executed where its operands are so: the part of planning that asks shape rules and kernels.
enum NodeDecision: Sendable {
  /// The results follow from sizes and constants. `bytes` is what computing them may have taken.
  case constants([Tensor], bytes: Int)
  /// - Parameter inBlocks: by operand, whether it has to be in blocks of channels.
  case kernel(KernelChoice, results: [TensorFacts], inBlocks: [Bool])
  /// Operands are handed over as values.
  case evaluation([ValueType])
}

/// What a decision depends on.
struct NodeOperands: Sendable, Equatable {
  let facts: [TensorFacts?]
  /// Of operands without facts.
  let types: [ValueType?]
  /// The elements, where they are the same on every run.
  let constants: [Tensor?]
}

/// The decision made last for each node of a region. Plans for other sizes share what does not depend on them: where a
/// model decodes token by token, all but attention.
final class NodeDecisions: Sendable {
  private let latest = Mutex<[NodeID: (operands: NodeOperands, decision: NodeDecision)]>([:])

  func decision(
    for node: NodeID, _ operands: NodeOperands, _ decide: () throws -> NodeDecision
  ) rethrows -> NodeDecision {
    if let known = latest.withLock({ $0[node] }), known.operands == operands { return known.decision }
    let decision = try decide()
    latest.withLock { $0[node] = (operands, decision) }
    return decision
  }
}
