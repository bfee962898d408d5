/// Recurrent layers over whole sequences. Source of semantics: the ONNX operators of the same names.
///
/// With `layout` 0, x is [time, batch, input], y [time, direction, batch, hidden], states [direction, batch, hidden]; with
/// `layout` 1 the batch comes first everywhere. Gates are stacked in the order of ONNX: i, o, f, c and z, r, h. A bias
/// holds those of the input weights, then those of the recurrent weights. Beyond a sequence's length y is zero.
extension Operator {
  private static func recurrent(
    _ name: String, _ summary: String, operands: [OperandSpecification], results: [OperandSpecification],
    attributes: [AttributeSpecification] = [], onnx: String, torch: String
  ) -> Operator {
    Operator(
      name, .recurrent, summary, operands: operands, results: results, types: ["T": .floating, "L": .init(.int32)],
      attributes: attributes + [
        Recurrent.activationAlpha.specification, Recurrent.activationBeta.specification, Recurrent.activations.specification,
        Recurrent.clip.specification, Recurrent.direction.specification, Recurrent.hiddenSize.specification,
        Recurrent.layout.specification,
      ], traits: .composite, onnx: onnx, torch: torch)
  }

  /// `lstm`: Long short-term memory: y, the last hidden state and the last cell state.
  public static let lstm = recurrent(
    "lstm", "Long short-term memory: y, the last hidden state and the last cell state.",
    operands: ["x", "w", "r", "b?", "sequence_lens?: L", "initial_h?", "initial_c?", "p?"],
    results: ["y?", "y_h?", "y_c?"], attributes: [LSTM.inputForget.specification], onnx: "LSTM", torch: "torch.nn.LSTM")
  /// `gru`: Gated recurrent unit: y and the last hidden state.
  public static let gru = recurrent(
    "gru", "Gated recurrent unit: y and the last hidden state.",
    operands: ["x", "w", "r", "b?", "sequence_lens?: L", "initial_h?"], results: ["y?", "y_h?"],
    attributes: [GRU.linearBeforeReset.specification], onnx: "GRU", torch: "torch.nn.GRU")
  /// `rnn`: Simple recurrent layer: y and the last hidden state.
  public static let rnn = recurrent(
    "rnn", "Simple recurrent layer: y and the last hidden state.",
    operands: ["x", "w", "r", "b?", "sequence_lens?: L", "initial_h?"], results: ["y?", "y_h?"], onnx: "RNN",
    torch: "torch.nn.RNN")

  package static let recurrents: [Operator] = [.lstm, .gru, .rnn]
}

/// Attributes of all recurrent layers.
public enum Recurrent {
  /// Parameters α of the activations that have one, in their order; ONNX's defaults if absent.
  public static let activationAlpha = AttributeKey<[Float]?>("activation_alpha")
  /// Parameters β of the activations that have one, in their order; ONNX's defaults if absent.
  public static let activationBeta = AttributeKey<[Float]?>("activation_beta")
  /// ONNX's names of the activations, direction by direction; `Sigmoid` for gates and `Tanh` for the rest if absent.
  public static let activations = AttributeKey<[String]?>("activations")
  /// What the activations' operands are limited to in magnitude.
  public static let clip = AttributeKey<Float?>("clip")
  /// ONNX's `direction`.
  public static let direction = AttributeKey<String>(
    "direction", default: "forward", allowed: ["forward", "reverse", "bidirectional"])
  /// The recurrent weights' if absent.
  public static let hiddenSize = AttributeKey<Int?>("hidden_size")
  /// Whether time (0) or the batch (1) comes first.
  public static let layout = AttributeKey<Int>("layout", default: 0)
}

/// The attributes of `lstm`.
public enum LSTM {
  /// Whether the forget gate is 1 − the input gate.
  public static let inputForget = AttributeKey<Bool>("input_forget", default: false)
}

/// The attributes of `gru`.
public enum GRU {
  /// Whether the reset gate multiplies the recurrent product rather than the state in it.
  public static let linearBeforeReset = AttributeKey<Bool>("linear_before_reset", default: false)
}
