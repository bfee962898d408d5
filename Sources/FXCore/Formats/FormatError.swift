/// What is wrong with a graph in the binary format or in JSON and where, as facts; `FormatError+Description.swift` has
/// the wording. The text format has `TextError`.
public struct FormatError: Error, Sendable, Equatable {
  /// Which format was read: `binary` or `json`.
  public let format: GraphFormat
  /// `byte 1234` of a binary file, `regions[0].nodes[3]` in JSON; empty for the whole.
  public let place: String
  /// What is wrong there.
  public let fault: Fault

  /// What is wrong.
  public enum Fault: Sendable, Equatable {
    /// The beginning is that of something else.
    case notThisFormat
    /// The version `found` cannot be read; the newest that can is `supported`.
    case version(found: Int, supported: Int)
    /// The bytes end before what they announce.
    case truncated
    /// More follows than what was announced.
    case trailing
    /// The part named does not have the checksum that was stored with it.
    case checksum(String)
    /// There is no such element of the kind named.
    case index(String, Int, count: Int)
    /// What was expected is not there.
    case expected(String)
    /// A type is nested deeper than `limit` levels.
    case tooDeep(limit: Int)
    /// The graph that is described would break a rule of graphs: a name taken, a value of another region, a wrong count, …
    case graph(GraphError)
    /// A tensor's shape and bytes do not make a tensor.
    case tensor(TensorError)
    /// A type or dimension does not read; the error's position is within its text.
    case text(TextError)
  }

  /// An error at a place.
  public init(_ format: GraphFormat, at place: String = "", _ fault: Fault) {
    self.format = format
    self.place = place
    self.fault = fault
  }
}

/// The formats that hold everything a graph holds.
public enum GraphFormat: String, Sendable, Hashable, CaseIterable {
  /// For people, and the canonical one: `docs/TextFormat.md`, read by `Graph(text:)`.
  case text
  /// The fast one, whose weights can be mapped: versioned, with checksums.
  case binary
  /// For tools in other languages: `docs/JSONFormat.md`, read by `Graph(json:)`.
  case json

  /// What files in the format are called.
  public var fileExtension: String {
    switch self {
    case .text: "fxt"
    case .binary: "fxb"
    case .json: "json"
    }
  }

  /// The format of files called so; `nil` if it is none of these.
  public init?(path: String) {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."),
      let format = GraphFormat.allCases.first(where: { $0.fileExtension == name[name.index(after: dot)...].lowercased() })
    else { return nil }
    self = format
  }
}
