import FXCore

extension OnnxForm {
  static let signal: [OnnxForm] = [
    OnnxForm("DFT", since: 17, former: [FormerAttribute("axis", operand: 2, before: 20, .integer)], normalize: oldAxis),
    OnnxForm("STFT", since: 17), OnnxForm("BlackmanWindow", since: 17), OnnxForm("HammingWindow", since: 17),
    OnnxForm("HannWindow", since: 17), OnnxForm("MelWeightMatrix", since: 17),
  ]

  /// The default axis was the second from the front, and became the second from the back.
  private static func oldAxis(_ call: inout OnnxImportCall) throws(OnnxError) {
    guard call.version < 20, call.operand(2) == .none else { return }
    call.setOperand(2, call.constant(Tensor(Int64(1)), name: "\(call.name)_axis"))
  }
}
