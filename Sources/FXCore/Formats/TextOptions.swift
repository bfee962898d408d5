/// What `Graph.text` writes.
public struct TextOptions: Sendable, Hashable {
  /// Which weights are written.
  public enum Weights: Sendable, Hashable {
    /// All, so that the text reads back to the same graph.
    case all
    /// Those of at most so many elements; the others as `…`, which does not read back.
    case upTo(Int)
  }
  /// Which weights are written; all unless said.
  public var weights: Weights
  /// Whether the source line of each node is written.
  public var locations: Bool

  /// With all weights and the locations of nodes, unless said otherwise.
  public init(weights: Weights = .all, locations: Bool = true) {
    self.weights = weights
    self.locations = locations
  }

  /// Everything: what reads back to the same graph.
  public static let full = TextOptions()
  /// What people want to see: weights of up to 8 elements, no locations.
  public static let readable = TextOptions(weights: .upTo(8), locations: false)
}

extension Graph {
  /// The version of the text format that is written; older ones are read too.
  static let textVersion = 1

  /// The graph in the canonical text format, which `docs/TextFormat.md` specifies.
  ///
  /// With all weights, `Graph(text:)` gives an equal graph back. O(nodes + weights written).
  public func text(_ options: TextOptions = .full) -> String {
    var printer = TextPrinter(self, options)
    printer.printGraph()
    return String(decoding: printer.output.bytes, as: UTF8.self)
  }

  /// Reads a graph from the canonical text format.
  ///
  /// The result keeps every invariant that editing keeps; whether values are defined before they are used, and types
  /// fit, is for `verify` to say. O(text).
  /// - Parameter operators: what operator names mean.
  /// - Throws: `TextError` with line and column.
  public init(text: String, operators: OperatorTable = .standard) throws(TextError) {
    var parser = TextParser(text, operators: operators)
    self = try parser.parseGraph()
  }
}

extension Graph: CustomStringConvertible {
  /// The text format without locations and big weights.
  public var description: String { text(.readable) }
}
