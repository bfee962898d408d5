/// What a corpus of models is made of: the material for mutations.
public struct ModelVocabulary: Sendable {
  public let models: [WireMessage]
  public let attributes: [WireMessage]
  public let nodes: [WireMessage]
  public let subgraphs: [WireMessage]
  public let types: [WireMessage]

  /// - Parameter models: from their bytes; those that are no protobuf count as empty.
  public init(_ models: [[UInt8]]) {
    self.models = models.map { WireMessage(.model, $0[...]) ?? WireMessage(.model) }
    var attributes: Set<WireMessage> = []
    var nodes: Set<WireMessage> = []
    var subgraphs: Set<WireMessage> = []
    var types: Set<WireMessage> = []
    for model in self.models {
      for node in model.all(.node) where node.size < 4096 {
        var copy = node
        for field in [1, 2, 3, 6, 9] { copy.remove(field) }
        for (index, _) in node.texts(1).enumerated() { copy.append(1, .text("i\(index)")) }
        for (index, _) in node.texts(2).enumerated() { copy.append(2, .text("o\(index)")) }
        nodes.insert(copy)
        for attribute in node.messages(5) where attribute.size < 1024 {
          attributes.insert(attribute)
          subgraphs.formUnion(attribute.messages(6) + attribute.messages(11))
        }
      }
      types.formUnion(model.all(.type))
    }
    // Sets have another order in every process; the same seed is to give the same files.
    self.attributes = ModelVocabulary.sorted(attributes)
    self.nodes = ModelVocabulary.sorted(nodes)
    self.subgraphs = ModelVocabulary.sorted(subgraphs)
    self.types = ModelVocabulary.sorted(types)
  }

  private static func sorted(_ messages: Set<WireMessage>) -> [WireMessage] {
    messages.map { (message: $0, bytes: $0.bytes) }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.message)
  }
}

extension ModelVocabulary {
  /// Integers where sizes, counts and signs change.
  static let integers: [Int64] = [
    0, 1, -1, 2, -2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 63, 64, 65, 127, 128, 255, 256, 1000, 32767, 65535, 65536, 1 << 20,
    1_000_000, 1 << 24, 1 << 28, 1 << 30, 1 << 31, (1 << 31) - 1, -(1 << 31), 1 << 32, 1 << 33, 1 << 40, 1 << 53, 1 << 60,
    1 << 61, 1 << 62, .max, .max - 1, .min, .min + 1,
  ]

  static let floats: [Float] = [
    0, -0.0, 1, -1, 0.5, 1e-30, 1e30, -1e30, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity, .nan,
    1e9, 3e18,
  ]

  static let texts: [[UInt8]] =
    [
      "", " ", "x", "y", "NOTSET", "SAME_UPPER", "VALID", "linear", "cubic", "bidirectional", "floor", "a,b->ab", "ij,jk->ik",
      "...i->i", "i->", "->", ",", "Relu", "If", "Loop", "no.such.domain", "ai.onnx", "ai.onnx.ml", "com.microsoft", "a\nb",
      "\"'{}%s\\", "node_0", "../x", "é\u{301}\u{1F600}", "u0", "%p",
    ].map { Array($0.utf8) } + [
      [0xff, 0xfe], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x61, 0, 0x62], [0xf4, 0x90, 0x80, 0x80],
      Array(repeating: UInt8(ascii: "n"), count: 10_000),
    ]
}
