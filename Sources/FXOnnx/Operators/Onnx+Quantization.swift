import FXCore

extension OnnxForm {
  static let quantization: [OnnxForm] = [
    OnnxForm(
      "QuantizeLinear", since: 10,
      later: ["axis": 13, "saturate": 19, "block_size": 21, "output_dtype": 21, "precision": 23]),
    OnnxForm("DequantizeLinear", since: 10, later: ["axis": 13, "block_size": 21, "output_dtype": 23]),
    OnnxForm("DynamicQuantizeLinear", since: 11), OnnxForm("QLinearMatMul", since: 10),
    OnnxForm("QLinearConv", since: 10), OnnxForm("ConvInteger", since: 10),
  ]
}
