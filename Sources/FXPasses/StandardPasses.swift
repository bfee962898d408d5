import FXCore

/// The passes of this library, each as its initializer makes it: what tests walk over, so that none is forgotten.
public enum StandardPasses {
  /// - Parameter executor: what folds constants.
  public static func all(executor: any GraphExecutor) -> [any Pass] {
    [
      ShapeInferencePass(), IdentityEliminationPass(), TransposeEliminationPass(), ConstantFoldingPass(executor: executor),
      BatchNormFoldingPass(), ReshapeSimplificationPass(), CommonSubexpressionEliminationPass(), RecompositionPass(),
      OperationFusionPass(), DeadCodeEliminationPass(), GradientExpansionPass(), DecompositionPass(), DecompositionPass.defusion,
    ]
  }
}
