import FXCore

extension PassManager {
  /// The passes that every graph gains from: each once, none that trades memory or accuracy for speed.
  /// - Parameter executor: what folds constants; without one they are not folded.
  public static func defaultOptimizationPasses(executor: (any GraphExecutor)? = nil) -> PassManager {
    PassManager(
      // Transposes go before folding, which would copy the weights they read. Heads are found before transposes move on
      // from them, and before sums are taken into products.
      [ShapeInferencePass(), ControlFlowSimplificationPass(), IdentityEliminationPass(), TransposeEliminationPass()]
        + folding(executor, sizeBudget: 1 << 20) + [
          ShapeSimplificationPass(), AlgebraicSimplificationPass(), LoopInvariantMotionPass(), BatchNormFoldingPass(),
          ReshapeSimplificationPass(), SliceMergingPass(), CommonSubexpressionEliminationPass(), RecompositionPass(),
          SelectMergingPass(), ProductUnfoldingPass(), RotaryFusionPass(), AttentionFusionPass(), RearrangementPass(),
          TransposeSinkingPass(), OperationFusionPass(), DeadCodeEliminationPass(),
        ])
  }

  /// The default passes until none finds anything more, with constants of up to 16 MB folded.
  /// - Parameter executor: what folds constants; without one they are not folded.
  public static func aggressiveOptimizationPasses(executor: (any GraphExecutor)? = nil) -> PassManager {
    var manager = defaultOptimizationPasses(executor: executor)
    manager.passes = manager.passes.map { pass in
      guard var folding = pass as? ConstantFoldingPass else { return pass }
      folding.sizeBudget = 16 << 20
      return folding
    }
    manager.maximumRounds = 10
    return manager
  }

  private static func folding(_ executor: (any GraphExecutor)?, sizeBudget: Int) -> [any Pass] {
    executor.map { [ConstantFoldingPass(executor: $0, sizeBudget: sizeBudget)] } ?? []
  }
}
