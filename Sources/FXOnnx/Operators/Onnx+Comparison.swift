import FXCore

extension OnnxForm {
  static let comparison: [OnnxForm] =
    ["And", "Or", "Xor", "Equal", "Greater", "Less"].map {
      OnnxForm($0, normalize: alignSecondOperand)
    } + [
      OnnxForm("GreaterOrEqual", since: 12), OnnxForm("LessOrEqual", since: 12), OnnxForm("IsNaN", since: 9),
      OnnxForm("IsInf", since: 10), OnnxForm("BitShift", since: 11), OnnxForm("BitwiseAnd", since: 18),
      OnnxForm("BitwiseOr", since: 18), OnnxForm("BitwiseXor", since: 18),
      OnnxForm("BitwiseNot", since: 18),
    ]

  static let writtenComparison: [(op: String, form: OnnxForm)] = [
    (
      "not_equal",
      OnnxForm(
        "Equal",
        exporting: { call throws(OnnxError) in
          let equal = try call.emit("Equal", try call.operandNames())
          try call.emit("Not", [equal], outputs: call.results)
        })
    )
  ]
}
