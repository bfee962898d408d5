import FXCore

extension OnnxForm {
  static let indexing: [OnnxForm] = [
    OnnxForm(
      "TopK", former: [FormerAttribute("k", operand: 1, before: 10, .index)], later: ["largest": 11, "sorted": 11]),
    OnnxForm("GatherElements", since: 11), OnnxForm("GatherND", since: 11, later: ["batch_dims": 12]),
    OnnxForm("ScatterElements", since: 11, later: ["reduction": 16]),
    OnnxForm("ScatterND", since: 11, later: ["reduction": 16]),
    OnnxForm("Range", since: 11, later: ["stash_type": 27]),
    OnnxForm("NonZero", since: 9), OnnxForm("OneHot", since: 9), OnnxForm("Compress", since: 9),
    OnnxForm("ConstantOfShape", since: 9), OnnxForm("EyeLike", since: 9), OnnxForm("Unique", since: 11),
    OnnxForm("TensorScatter", since: 24),
  ]

  /// `Scatter` was renamed in operator set 11.
  static let readAsIndexing: [(op: String, form: OnnxForm)] = [("scatter_elements", OnnxForm("Scatter"))]
}
