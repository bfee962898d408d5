import FXCore

extension OnnxForm {
  static let reduction: [OnnxForm] =
    [
      "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
      "ReduceSumSquare",
    ].map { reduce($0, operandSince: 18) }
    + [
      reduce("ReduceSum", operandSince: 13),
      OnnxForm("ArgMax", later: ["select_last_index": 12]), OnnxForm("ArgMin", later: ["select_last_index": 12]),
      OnnxForm("CumSum", since: 11), OnnxForm("CumProd", since: 26),
    ]

  private static func reduce(_ opType: String, operandSince version: Int) -> OnnxForm {
    OnnxForm(
      opType, former: [FormerAttribute("axes", operand: 1, before: version)], later: ["noop_with_empty_axes": version])
  }
}
