import FXCore

extension OnnxForm {
  static let linearAlgebra: [OnnxForm] = [
    OnnxForm("Gemm", ignored: ["broadcast"], adjust: needsAddend),
    OnnxForm("Einsum", since: 12), OnnxForm("Det", since: 11), OnnxForm("MatMulInteger", since: 10),
  ]

  static let writtenLinearAlgebra: [(op: String, form: OnnxForm)] = [
    ("linear", OnnxForm("Gemm", exporting: linear))
  ]

  private static func needsAddend(
    _ call: OnnxExportCall, _ inputs: inout [String], _ attributes: inout Attributes
  ) throws(OnnxError) {
    guard call.version < 11, inputs.count < 3 || inputs[2].isEmpty else { return }
    throw OnnxError(.unsupported("Gemm without a third operand needs operator set 11"))
  }

  /// A Gemm where x is a matrix, else a product with the transposed weight.
  private static func linear(_ call: inout OnnxExportCall) throws(OnnxError) {
    let names = try call.operandNames()
    let bias = names.count > 2 && !names[2].isEmpty ? [names[2]] : []
    if call.type(of: call.node.operand(0)).shape?.rank == 2 {
      try call.emit("Gemm", Array(names.prefix(2)) + bias, attributes: ["transB": 1], outputs: call.results)
      return
    }
    let transposed = try call.emit("Transpose", [names[1]], attributes: ["perm": .ints([1, 0])])
    if bias.isEmpty {
      try call.emit("MatMul", [names[0], transposed], outputs: call.results)
    } else {
      try call.emit("Add", [try call.emit("MatMul", [names[0], transposed])] + bias, outputs: call.results)
    }
  }
}
