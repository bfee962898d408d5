extension OperatorTable {
  /// Every operator of this framework, family by family.
  public static let standard = OperatorTable(
    [
      [.output], Operator.elementwise,
    ].flatMap(\.self))
}
