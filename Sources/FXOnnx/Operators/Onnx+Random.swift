import FXCore

extension OnnxForm {
  static let random: [OnnxForm] = [
    // Models are read to be run: the training flag of operator set 6 and before is not heeded.
    OnnxForm("Dropout", former: [FormerAttribute("ratio", operand: 1, before: 12, .scalar)], ignored: ["is_test"]),
    OnnxForm("Bernoulli", since: 15),
  ]
}
