extension OperatorTable {
  /// Every operator of this framework, family by family.
  public static let standard = OperatorTable(
    [
      [.output],
      Operator.reshaping,
      Operator.indexing,
      Operator.convolutions,
      Operator.poolings,
      Operator.controlFlow,
      Operator.recurrents,
      Operator.sequences,
      Operator.images,
      Operator.losses,
      Operator.signals,
      Operator.texts,
      Operator.elementwise,
      Operator.comparisons,
      Operator.activations,
      Operator.reductions,
      Operator.linearAlgebra,
      Operator.contribLinearAlgebra,
      Operator.normalizations,
      Operator.attentions,
      Operator.contribAttentions,
      Operator.randoms,
      Operator.quantizations,
      Operator.trees,
      Operator.training,
      Operator.collectives,
    ].flatMap(\.self))
}
