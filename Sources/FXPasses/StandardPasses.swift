import FXCore

/// The passes of this library that work on every graph, and whose results every executor runs, each as its initializer makes
/// it: what tests and fuzzers walk over. `RewritePass` and `RecomputationPass`, which are told what to do, and
/// `ContribFusionPass`, whose operators only files have, are not among them.
public enum StandardPasses {
  /// - Parameter executor: what folds constants.
  public static func all(executor: any GraphExecutor) -> [any Pass] {
    [
      ShapeInferencePass(), ControlFlowSimplificationPass(), IdentityEliminationPass(), TransposeEliminationPass(),
      ConstantFoldingPass(executor: executor), ShapeSimplificationPass(), AlgebraicSimplificationPass(),
      LoopInvariantMotionPass(), BatchNormFoldingPass(), ReshapeSimplificationPass(), SliceMergingPass(),
      CommonSubexpressionEliminationPass(), RecompositionPass(), SelectMergingPass(), ProductUnfoldingPass(), RotaryFusionPass(),
      AttentionFusionPass(), RearrangementPass(), TransposeSinkingPass(), OperationFusionPass(), DeadCodeEliminationPass(),
      ProductBatchingPass(), GradientExpansionPass(), DecompositionPass(), DecompositionPass.defusion,
    ]
  }
}
