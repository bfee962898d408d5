import FXCore

extension OnnxForm {
  static let sequence: [OnnxForm] =
    [
      "SequenceEmpty", "SequenceConstruct", "SequenceAt", "SequenceErase", "SequenceInsert", "SequenceLength",
      "ConcatFromSequence", "SplitToSequence",
    ].map { OnnxForm($0, since: 11) } + [
      OnnxForm("SequenceMap", since: 17, importing: importMap, exporting: exportMap), OnnxForm("Optional", since: 15),
      OnnxForm("OptionalGetElement", since: 15), OnnxForm("OptionalHasElement", since: 15),
    ]

  private static let inputCount = "input_count"

  private static func importMap(_ call: inout OnnxImportCall) throws(OnnxError) -> [Operand] {
    call.attributes[inputCount] = .int(call.operands.count)
    return try call.callWithRegions(call.operands, named: ["body"])
  }

  private static func exportMap(_ call: inout OnnxExportCall) throws(OnnxError) {
    let operands = try call.operandNames()
    var own = operands.count
    if case .int(let count)? = call.node.attributes[inputCount] { own = min(count, own) }
    try call.emit("SequenceMap", Array(operands.prefix(own)), named: ["body"], captured: operands.count - own)
  }
}
