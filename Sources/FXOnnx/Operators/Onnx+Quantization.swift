import FXCore

extension OnnxForm {
  static let quantization: [OnnxForm] = [
    OnnxForm("QuantizeLinear", later: ["saturate": 19, "block_size": 21, "output_dtype": 21, "precision": 23]),
    OnnxForm("DequantizeLinear", later: ["block_size": 21, "output_dtype": 23]),
  ]
}
