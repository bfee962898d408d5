import FXCore

/// The passes of this library, each as its initializer makes it: what tests walk over, so that none is forgotten.
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
