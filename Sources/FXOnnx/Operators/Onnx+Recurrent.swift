import FXCore

extension OnnxForm {
  static let recurrent: [OnnxForm] = ["RNN", "GRU", "LSTM"].map {
    // `output_sequence` asked for an output that later versions give whenever it is named.
    OnnxForm($0, later: ["layout": 14], ignored: ["output_sequence"])
  }
}
