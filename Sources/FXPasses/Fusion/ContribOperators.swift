import FXCore

/// Operators of ONNX Runtime's domain `com.microsoft` by which a file says in one node what graphs say in several.
///
/// They are known by name only: reading a file gives the several calls back, so that nothing else needs to know them.
/// Source: ONNX Runtime, docs/ContribOperators.md.
enum ContribOperator {
  static let domain = "com.microsoft"
  static let fusedConv = Operator(unregistered: "FusedConv", domain: domain)
  static let fusedGemm = Operator(unregistered: "FusedGemm", domain: domain)
  static let biasGelu = Operator(unregistered: "BiasGelu", domain: domain)
  static let fastGelu = Operator(unregistered: "FastGelu", domain: domain)
  static let skipLayerNormalization = Operator(unregistered: "SkipLayerNormalization", domain: domain)
  static let skipRmsNormalization = Operator(unregistered: "SkipSimplifiedLayerNormalization", domain: domain)

  /// What `FusedConv` can apply, by our names of activations.
  static let convActivations = [
    "relu": "Relu", "leaky_relu": "LeakyRelu", "sigmoid": "Sigmoid", "tanh": "Tanh", "clip": "Clip",
    "hard_sigmoid": "HardSigmoid",
  ]
  /// What `FusedGemm` can apply, by our names of activations.
  static let gemmActivations = [
    "relu": "Relu", "leaky_relu": "LeakyRelu", "sigmoid": "Sigmoid", "tanh": "Tanh", "hard_sigmoid": "HardSigmoid",
    "elu": "Elu", "softplus": "Softplus",
  ]
}
