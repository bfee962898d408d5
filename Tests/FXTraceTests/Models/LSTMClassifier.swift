import FXTrace

/// Words in, a class out: the last states of two layers that read the sentence in both directions.
struct LSTMClassifier: Module {
  let embedding: Embedding
  let lstm: LSTMLayer
  let classifier: Linear

  init(vocabulary: Int, width: Int, hidden: Int, classes: Int) {
    embedding = Embedding(count: vocabulary, size: width)
    lstm = LSTMLayer(width, hidden, layers: 2, batchFirst: true, bidirectional: true)
    classifier = Linear(2 * hidden, classes)
  }

  func forward(_ words: SymbolicTensor) -> [String: SymbolicTensor] {
    let read = lstm(embedding(words))
    // Of the last layer: forward, then backward.
    let last = read.state.hidden
    return ["scores": classifier(concat(last[-2], last[-1], axis: 1)), "states": read.output]
  }
}
