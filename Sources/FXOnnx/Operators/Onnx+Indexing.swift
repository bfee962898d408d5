import FXCore

extension OnnxForm {
  static let indexing: [OnnxForm] = [
    OnnxForm("TopK", former: [FormerAttribute("k", operand: 1, before: 10, .index)]),
    OnnxForm("ScatterElements", later: ["reduction": 16]),
    OnnxForm("ScatterND", later: ["reduction": 16]),
    OnnxForm("Range", later: ["stash_type": 27]),
    OnnxForm("TensorScatter", since: 24),
  ]

  /// `Scatter` was renamed in operator set 11.
  static let readAsIndexing: [(op: String, form: OnnxForm)] = [("scatter_elements", OnnxForm("Scatter"))]
}
