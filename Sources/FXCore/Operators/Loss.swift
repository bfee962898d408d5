/// Losses. Source of semantics: the ONNX operators of the same names.
extension Operator {
  /// `nll_loss`: −weight × the log-probability of the target class: [n, c, d…] and [n, d…] to [n, d…] or one number.
  public static let nllLoss = Operator(
    "nll_loss", .loss, "−weight × the log-probability of the target class: [n, c, d…] and [n, d…] to [n, d…] or one number.",
    operands: ["input", "target: I", "weight?"], types: ["T": .floating, "I": .index],
    attributes: [Loss.ignoreIndex.specification, Loss.reduction.specification], traits: .composite,
    aliases: ["negative_log_likelihood_loss"], onnx: "NegativeLogLikelihoodLoss", torch: "torch.nn.functional.nll_loss")
  /// `softmax_cross_entropy_loss`: The negative log-likelihood of softmax(scores), and the log-probabilities.
  public static let softmaxCrossEntropyLoss = Operator(
    "softmax_cross_entropy_loss", .loss, "The negative log-likelihood of softmax(scores), and the log-probabilities.",
    operands: ["scores", "labels: I", "weights?"], results: ["y", "log_prob?"], types: ["T": .floating, "I": .index],
    attributes: [Loss.ignoreIndex.specification, Loss.reduction.specification], traits: .composite,
    aliases: ["cross_entropy"], onnx: "SoftmaxCrossEntropyLoss", torch: "torch.nn.functional.cross_entropy")

  package static let losses: [Operator] = [.nllLoss, .softmaxCrossEntropyLoss]
}

/// The attributes of losses.
public enum Loss {
  /// The target that counts for nothing.
  public static let ignoreIndex = AttributeKey<Int?>("ignore_index")
  /// `mean` divides by the sum of the weights.
  public static let reduction = AttributeKey<String>("reduction", default: "mean", allowed: ["none", "sum", "mean"])
}
