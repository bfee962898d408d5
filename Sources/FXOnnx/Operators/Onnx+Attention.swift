import FXCore

extension OnnxForm {
  static let attention: [OnnxForm] = [
    OnnxForm(
      "Attention", since: 23, later: ["left_window_size": 25, "right_window_size": 25], laterOperands: [6: 24]),
    OnnxForm("RotaryEmbedding", since: 23),
    OnnxForm("LinearAttention", since: 27),
    OnnxForm("CausalConvWithState", since: 27),
    OnnxForm(
      "FlexAttention", domain: "ai.onnx.preview", importing: importFlexAttention, exporting: exportFlexAttention),
  ]

  private static let modifiers = ["score_mod", "prob_mod"]

  private static func importFlexAttention(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    var precision: ElementType?
    if case .int(let code) = call.attributes["softmax_precision"] {
      precision = OnnxElementType.type(Int32(clamping: code))
    }
    let element = call.type(of: call.operand(0)).elementType
    let scores = element.map { ValueType.tensor(FlexAttention.scoreType(precision, operand: $0), nil) }
    return try call.callWithOptionalRegions(call.operands, named: modifiers, argument: scores ?? .unknown)
  }

  private static func exportFlexAttention(_ call: inout OnnxExportCall) throws(OnnxError) {
    var names: [String?] = []
    for (name, region) in zip(modifiers, call.node.regions) { names.append(try call.isIdentity(region) ? nil : name) }
    try call.emit(
      "FlexAttention", domain: "ai.onnx.preview", Array(try call.operandNames().prefix(3)), named: names,
      captured: call.node.operands.count - 3, attributes: try call.describedAttributes())
  }
}
