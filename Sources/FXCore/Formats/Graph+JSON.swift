#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// What `Graph.json` writes.
public struct JSONOptions: Sendable, Hashable {
  /// Whether the parameters' tensors are written, in base 64; parameters read back unbound otherwise.
  public var weights: Bool
  /// Whether the text is broken into indented lines.
  public var isPretty: Bool

  /// With weights and on one line, unless said otherwise.
  public init(weights: Bool = true, isPretty: Bool = false) {
    self.weights = weights
    self.isPretty = isPretty
  }
}

extension Graph {
  /// The graph as JSON, which `docs/JSONFormat.md` specifies: for tools in other languages. Keys are sorted, so that
  /// equal graphs give equal text. O(nodes + bytes of weights); the binary format is the fast one.
  public func json(_ options: JSONOptions = JSONOptions()) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      options.isPretty ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
    let data = try encoder.encode(GraphDocument(self, weights: options.weights))
    return String(decoding: data, as: UTF8.self)
  }

  /// Reads a graph from JSON: what `json` writes, or what the `to_json` of ToRSh's `FxGraph` writes.
  ///
  /// The result keeps every invariant that editing keeps; whether values are defined before they are used, and types
  /// fit, is for `verify` to say.
  /// - Parameter operators: what operator names mean.
  /// - Throws: `FormatError`.
  public init(json: String, operators: OperatorTable = .standard) throws(FormatError) {
    let data = Data(json.utf8)
    let document: GraphDocument
    do {
      document = try JSONDecoder().decode(GraphDocument.self, from: data)
    } catch DecodingError.keyNotFound(let key, let context) where key.stringValue == "format" && context.codingPath.isEmpty {
      guard let torsh = try? JSONDecoder().decode(ToRShDocument.self, from: data) else {
        throw FormatError(.json, .notThisFormat)
      }
      self = try torsh.graph(operators: operators)
      return
    } catch {
      throw Graph.formatError(error)
    }
    self = try document.graph(operators: operators)
  }

  /// As `json`, under the name that the tutorial uses.
  public func toJSON() throws -> String { try json(JSONOptions(isPretty: true)) }

  /// As `init(json:)`, under the name that the tutorial uses.
  public static func fromJSON(_ json: String, operators: OperatorTable = .standard) throws(FormatError) -> Graph {
    try Graph(json: json, operators: operators)
  }

  private static func formatError(_ error: any Error) -> FormatError {
    switch error {
    case let error as FormatError: return error
    case let error as TextError: return FormatError(.json, .text(error))
    case let error as DecodingError:
      let (place, what) = error.expectation
      return FormatError(.json, at: place, .expected(what))
    default: return FormatError(.json, .expected("well-formed JSON"))
    }
  }
}
