/// Damage to ONNX models that keeps their structure: what is changed are fields, names, types, sizes and graphs, and
/// lengths stay right, except where they are the damage.
///
/// Everything follows from the seed: the same corpus, seed and index give the same file.
public struct ModelMutation {
  var model: WireMessage
  var random: RandomSource
  let vocabulary: ModelVocabulary

  /// A mutated model.
  public struct Outcome: Sendable {
    public let bytes: [UInt8]
    /// The number of the model in the corpus.
    public let source: Int
    /// What was done to it.
    public let steps: [String]
  }

  struct Step: Sendable {
    let name: String
    let weight: Int
    /// Returns false where the model has nothing to apply it to.
    let apply: @Sendable (inout ModelMutation) -> Bool

    init(_ name: String, _ weight: Int, _ apply: @escaping @Sendable (inout ModelMutation) -> Bool) {
      self.name = name
      self.weight = weight
      self.apply = apply
    }
  }

  /// Mutation `index` of the corpus.
  public static func make(of vocabulary: ModelVocabulary, seed: UInt64, index: Int) -> Outcome {
    var random = RandomSource(seed: seed &* 0x9E37_79B9 &+ UInt64(bitPattern: Int64(index)))
    let source = random.below(vocabulary.models.count)
    var mutation = ModelMutation(model: vocabulary.models[source], random: random, vocabulary: vocabulary)
    return mutation.run(source: source)
  }

  private mutating func run(source: Int) -> Outcome {
    var steps: [String] = []
    let wanted = [1, 1, 1, 1, 2, 2, 3, 4, 6, 12][random.below(10)]
    let limit = 2 * model.size + 65_536
    var attempts = 0
    while steps.count < wanted, attempts < 4 * wanted, model.size < limit {
      attempts += 1
      let step = pick()
      if step.apply(&self) { steps.append(step.name) }
    }
    var bytes: [UInt8]
    if random.oneIn(24) {
      steps.append("wrong length")
      let error = random.pick([-2, -1, 1, 2, 100, 1 << 20, Int(UInt32.max)])
      bytes = model.bytes(lengthError: error, atPiece: random.below(64))
    } else {
      bytes = model.bytes
    }
    if random.oneIn(12) { damage(&bytes, &steps) }
    return Outcome(bytes: bytes, source: source, steps: steps)
  }

  private static let steps = fieldSteps + nodeSteps + attributeSteps + tensorSteps + typeSteps + graphSteps + modelSteps
  private static let totalWeight = steps.reduce(0) { $0 + $1.weight }

  private mutating func pick() -> Step {
    var left = random.below(ModelMutation.totalWeight)
    for step in ModelMutation.steps {
      if left < step.weight { return step }
      left -= step.weight
    }
    return ModelMutation.steps[0]
  }

  /// Damage that knows nothing of the structure.
  private mutating func damage(_ bytes: inout [UInt8], _ steps: inout [String]) {
    guard !bytes.isEmpty else { return }
    switch random.below(4) {
    case 0:
      steps.append("bits flipped")
      for _ in 0...random.below(8) { bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8)) }
    case 1:
      steps.append("bytes set")
      for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = random.pick([0, 1, 0x7f, 0x80, 0xff]) }
    case 2:
      steps.append("cut off")
      bytes.removeLast(random.below(bytes.count))
    default:
      steps.append("piece doubled")
      let start = random.below(bytes.count)
      let piece = Array(bytes[start..<min(bytes.count, start + 1 + random.below(200))])
      bytes.insert(contentsOf: piece, at: random.below(bytes.count))
    }
  }
}

// MARK: What steps are made of

extension ModelMutation {
  /// Edits one of the messages of the kind; false where there is none.
  mutating func edit(_ kind: MessageKind?, _ body: (inout WireMessage, inout RandomSource) -> Void) -> Bool {
    let count = model.count(kind)
    guard count > 0 else { return false }
    var source = random
    let index = source.below(count)
    model.edit(kind, index) { body(&$0, &source) }
    random = source
    return true
  }

  /// One of the messages of the kind.
  mutating func find(_ kind: MessageKind) -> WireMessage? {
    let found = model.all(kind)
    return found.isEmpty ? nil : random.pick(found)
  }

  /// Names of values of the model, the first thousand or so.
  func valueNames() -> [String] {
    var names: [String] = []
    for node in model.all(.node).prefix(500) { names += node.texts(2) }
    for info in model.all(.valueInfo).prefix(200) { names.append(info.text(1)) }
    for graph in model.all(.graph).prefix(20) { names += graph.messages(5).prefix(100).map { $0.text(8) } }
    return names.isEmpty ? ["x"] : names
  }
}

extension ModelMutation {
  /// Names of inputs and initializers, which every node may use without a cycle.
  func sourceNames() -> [String] {
    guard let graph = model.messages(7).first else { return ["x"] }
    let names = graph.messages(11).prefix(200).map { $0.text(1) } + graph.messages(5).prefix(200).map { $0.text(8) }
    return names.isEmpty ? valueNames() : names
  }
}

extension RandomSource {
  mutating func integer() -> Int64 {
    switch below(8) {
    case 0: Int64(truncatingIfNeeded: next())
    case 1: Int64(below(100)) - 20
    default: pick(ModelVocabulary.integers)
    }
  }

  mutating func float() -> Float { pick(ModelVocabulary.floats) }
  mutating func text() -> [UInt8] { pick(ModelVocabulary.texts) }
}
