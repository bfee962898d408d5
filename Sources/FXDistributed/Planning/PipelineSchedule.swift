/// What of a step a node belongs to.
enum Phase: Int, Sendable, Hashable, Codable, CaseIterable {
  /// From the inputs to the model's outputs; once for each micro-batch.
  case forward
  /// What only the next values of weights need; once for each micro-batch.
  case backward
  /// What needs all micro-batches: once, when they are done.
  case update
}

/// In which order the ranks of a pipeline take the micro-batches of a training step.
///
/// Both fill and drain alike, so that a step takes as long; they differ in how many micro-batches' activations a rank holds.
public enum PipelineSchedule: String, Sendable, Hashable, Codable, CaseIterable {
  /// All forward passes, then all backward passes: every stage holds the activations of all micro-batches.
  /// Source: Huang et al. 2019, "GPipe: Efficient Training of Giant Neural Networks using Pipeline Parallelism".
  case gpipe
  /// As many forward passes as there are stages from here on, then one backward and one forward pass in turn: stage s of p
  /// holds the activations of p − s micro-batches at most. Source: Narayanan et al. 2021, "Efficient Large-Scale Language
  /// Model Training on GPU Clusters Using Megatron-LM", section 2.2 (PipeDream-Flush).
  case oneForwardOneBackward = "1f1b"

  /// One way of one micro-batch through a stage.
  public struct Pass: Sendable, Hashable {
    /// Whether it goes from inputs to outputs; if not, it is the backward pass.
    public let isForward: Bool
    /// Which micro-batch, from 0.
    public let microBatch: Int
  }

  /// What a stage does, in order: nothing if there is no such stage or no micro-batch.
  public func passes(stage: Int, of stages: Int, microBatches: Int) -> [Pass] {
    guard stage >= 0, stage < stages, microBatches > 0 else { return [] }
    let ahead =
      switch self {
      case .gpipe: microBatches
      case .oneForwardOneBackward: min(microBatches, stages - stage)
      }
    var passes = (0..<ahead).map { Pass(isForward: true, microBatch: $0) }
    for batch in 0..<microBatches {
      passes.append(Pass(isForward: false, microBatch: batch))
      if ahead + batch < microBatches { passes.append(Pass(isForward: true, microBatch: ahead + batch)) }
    }
    return passes
  }

  /// Of how many micro-batches a stage holds activations at a time: forward passes that are ahead of their backward passes.
  public func mostHeld(stage: Int, of stages: Int, microBatches: Int) -> Int {
    var (held, most) = (0, 0)
    for pass in passes(stage: stage, of: stages, microBatches: microBatches) {
      held += pass.isForward ? 1 : -1
      most = max(most, held)
    }
    return most
  }
}
