import FXCore

extension OnnxForm {
  static let attention: [OnnxForm] = [
    OnnxForm(
      "Attention", since: 23, later: ["left_window_size": 25, "right_window_size": 25], laterOperands: [6: 24]),
    OnnxForm("RotaryEmbedding", since: 23),
    OnnxForm("LinearAttention", since: 27),
    OnnxForm("CausalConvWithState", since: 27),
  ]
}
