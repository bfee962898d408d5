/// Fourier transforms and windows. Source of semantics: the ONNX operators of the same names.
///
/// The last axis of a signal has one number per element for real signals, two (real, imaginary) for complex ones.
extension Operator {
  /// `dft`: The discrete Fourier transform along an axis, cut or filled with zeros to a length.
  public static let dft = Operator(
    "dft", .signal, "The discrete Fourier transform along an axis, cut or filled with zeros to a length.",
    operands: ["x", "dft_length?: L", "axis?: A"], types: ["T": .floating, "L": .index, "A": .int64],
    attributes: [DFT.inverse.specification, DFT.onesided.specification], traits: .composite, onnx: "DFT",
    torch: "torch.fft.fft")
  /// `stft`: Transforms of overlapping frames: [n, length, 1 or 2] to [n, frames, bins, 2].
  public static let stft = Operator(
    "stft", .signal, "Transforms of overlapping frames: [n, length, 1 or 2] to [n, frames, bins, 2].",
    operands: ["signal", "frame_step: L", "window?", "frame_length?: L"], types: ["T": .floating, "L": .index],
    attributes: [STFT.onesided.specification], traits: .composite, onnx: "STFT", torch: "torch.stft")
  /// `hann_window`: sin²(πi ÷ n)
  public static let hannWindow = window("hann_window", "sin²(πi ÷ n)", onnx: "HannWindow")
  /// `hamming_window`: 25/46 − 21/46 cos(2πi ÷ n)
  public static let hammingWindow = window("hamming_window", "25/46 − 21/46 cos(2πi ÷ n)", onnx: "HammingWindow")
  /// `blackman_window`: 0.42 − 0.5 cos(2πi ÷ n) + 0.08 cos(4πi ÷ n)
  public static let blackmanWindow = window(
    "blackman_window", "0.42 − 0.5 cos(2πi ÷ n) + 0.08 cos(4πi ÷ n)", onnx: "BlackmanWindow")
  /// `mel_weight_matrix`: What turns a spectrogram's frequencies into bins of the mel scale when multiplied.
  public static let melWeightMatrix = Operator(
    "mel_weight_matrix", .signal, "What turns a spectrogram's frequencies into bins of the mel scale when multiplied.",
    operands: ["num_mel_bins: I", "dft_length: I", "sample_rate: I", "lower_edge_hertz: F", "upper_edge_hertz: F"],
    types: ["I": .index, "F": .floating], attributes: [SignalWindow.outputType.specification], traits: .composite,
    onnx: "MelWeightMatrix")

  private static func window(_ name: String, _ summary: String, onnx: String) -> Operator {
    Operator(
      name, .signal, "\(summary), of the given size.", operands: ["size: I"], types: ["I": .index],
      attributes: [SignalWindow.outputType.specification, SignalWindow.periodic.specification], traits: .composite, onnx: onnx,
      torch: "torch.\(name)")
  }

  package static let signals: [Operator] = [
    .dft, .stft, .hannWindow, .hammingWindow, .blackmanWindow, .melWeightMatrix,
  ]
}

/// The attributes of `dft`.
public enum DFT {
  /// ONNX's `inverse`.
  public static let inverse = AttributeKey<Bool>("inverse", default: false)
  /// Whether only the first half of a real signal's symmetric spectrum is given, or taken by the inverse.
  public static let onesided = AttributeKey<Bool>("onesided", default: false)
}

/// The attributes of `stft`.
public enum STFT {
  /// Whether only the first half of a real signal's symmetric spectra is given.
  public static let onesided = AttributeKey<Bool>("onesided", default: true)
}

/// The attributes of windows of signals.
public enum SignalWindow {
  /// ONNX's `output_datatype`.
  public static let outputType = AttributeKey<ElementType>("output_datatype", default: .float32)
  /// Whether the window is one period, rather than symmetric.
  public static let periodic = AttributeKey<Bool>("periodic", default: true)
}
