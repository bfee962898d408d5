import FXCore
import FXRuntime
import FXTrace
import Foundation

/// Sentences as vectors of length 1, whose products say how alike the sentences are.
public struct SentenceEncoder: Sendable {
  public let tokenizer: WordPiece
  /// How many numbers a vector has.
  public let width: Int
  private let model: CompiledGraph

  /// - Parameter folder: `config.json`, `vocab.txt` and `model.safetensors`, as published with a model.
  /// - Throws: `SafetensorsError`, `TraceError` for weights that are missing, and what reading files throws.
  public init(folder: String, on backend: CPUBackend = CPUBackend()) throws {
    let size = try JSONDecoder().decode(Bert.Size.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/config.json")))
    let bert = Bert(size)
    // Mapped: weights stay in the file. What the network has no use for, such as the pooler, is left out.
    let names = Set(bert.parameters.map(\.path))
    try bert.load(Safetensors.read("\(folder)/model.safetensors").filter { names.contains($0.key) })
    try self.init(bert, width: size.hidden_size, tokenizer: WordPiece(vocabulary: "\(folder)/vocab.txt"), on: backend)
  }

  package init(_ bert: Bert, width: Int, tokenizer: WordPiece, on backend: CPUBackend = CPUBackend()) throws {
    let inputs = [TraceInput.tensor(.int64, ["batch", "n"], name: "ids"), .tensor(.bool, ["batch", "n"], name: "is_token")]
    model = try backend.compiled(try trace(bert, inputs))
    (self.width, self.tokenizer) = (width, tokenizer)
  }

  /// A vector for each sentence. All run at once, short ones filled up to the length of the longest.
  /// - Throws: `ExecutionError`.
  public func encode(_ sentences: [String]) throws -> [[Float]] {
    guard !sentences.isEmpty else { return [] }
    let tokens = sentences.map(tokenizer.tokens)
    let longest = tokens.map(\.count).max() ?? 0
    let ids = tokens.flatMap { $0 + Array(repeating: 0, count: longest - $0.count) }
    let isToken = tokens.flatMap { row in (0..<longest).map { $0 < row.count } }
    let shape = [sentences.count, longest]
    let results = try model.run([.tensor(try Tensor(shape, ids)), .tensor(try Tensor(shape, isToken))])
    let numbers: [Float] = try results.first?.tensor?.elements() ?? []
    return sentences.indices.map { Array(numbers[$0 * width..<($0 + 1) * width]) }
  }
}

/// The cosine of the angle between two vectors of length 1.
public func similarity(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
