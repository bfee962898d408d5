import Embeddings
import FXTrace
import Foundation
import Testing

/// What `transformers` 5.23 gives for the same weights: tokens, and the first eight numbers of the vectors.
struct Expected: Decodable, CustomStringConvertible {
  let text: String
  let tokens: [Int]
  let embedding: [Float]
  var description: String { text }

  static let all: [Expected] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("expected.json")
    return (try? JSONDecoder().decode([Expected].self, from: Data(contentsOf: file))) ?? []
  }()
}

/// The folder of all-MiniLM-L6-v2.
let folder = ProcessInfo.processInfo.environment["FX_SENTENCE_MODEL"]

@Suite(.enabled(if: folder != nil, "FX_SENTENCE_MODEL names no folder"))
struct TrainedEncoderTests {
  @Test func thereAreExpectations() { #expect(Expected.all.count > 10) }

  @Test(arguments: Expected.all) func tokens(_ expected: Expected) throws {
    #expect(try WordPiece(vocabulary: "\(folder ?? "")/vocab.txt").tokens(expected.text) == expected.tokens)
  }

  /// All in one batch, so that most are filled up.
  @Test func vectors() throws {
    let vectors = try SentenceEncoder(folder: folder ?? "").encode(Expected.all.map(\.text))
    for (vector, expected) in zip(vectors, Expected.all) {
      #expect(vector.count == 384)
      #expect((similarity(vector, vector) - 1).magnitude < 1e-5)
      for (a, b) in zip(vector, expected.embedding) { #expect((a - b).magnitude < 2e-5, "\(expected.text)") }
    }
  }
}

@Suite struct EncoderTests {
  static func encoder() throws -> SentenceEncoder {
    let pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "un", "##able", "##know", "a", "b", "c", "!", "é", "e"]
    let bert = Bert(Bert.Size())
    try bert.initializeParameters(seed: 1)
    return try SentenceEncoder(bert, width: 32, tokenizer: WordPiece(pieces: pieces, limit: 8))
  }

  @Test(arguments: [
    ("a b", [2, 7, 8, 3]), ("UNKNOWABLE", [2, 4, 6, 5, 3]), ("unknowing", [2, 1, 3]), ("unable", [2, 4, 5, 3]),
    ("unknowable!", [2, 4, 6, 5, 10, 3]), ("unknowable unknow", [2, 4, 6, 5, 4, 6, 3]), ("É", [2, 12, 3]), ("", [2, 3]),
    ("a!b", [2, 7, 10, 8, 3]), ("a a a a a a a a", [2, 7, 7, 7, 7, 7, 7, 3]), ("x", [2, 1, 3]), (" \t\n", [2, 3]),
  ]) func pieces(text: String, tokens: [Int]) throws {
    #expect(try Self.encoder().tokenizer.tokens(text) == tokens)
  }

  /// A sentence's vector does not depend on what runs beside it.
  @Test func batches() throws {
    let encoder = try Self.encoder()
    let sentences = ["a", "a b c a b c", "", "unable!", "a b"]
    let together = try encoder.encode(sentences)
    for (sentence, vector) in zip(sentences, together) {
      let alone = try #require(encoder.encode([sentence]).first)
      #expect(zip(vector, alone).allSatisfy { ($0 - $1).magnitude < 1e-5 })
    }
    #expect(try encoder.encode([]).isEmpty)
  }

  @Test func vocabularyMustHaveMarks() {
    #expect(throws: WordPiece.MissingPiece.self) { try WordPiece(pieces: ["a", "[UNK]", "[CLS]"]) }
  }
}
