/// What is wrong with a text and where, as facts; `TextError+Description.swift` has the wording.
public struct TextError: Error, Sendable, Equatable {
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in Unicode scalars.
  public let column: Int
  /// What is wrong there.
  public let fault: Fault

  /// What is wrong.
  public enum Fault: Sendable, Equatable {
    /// `found` is the offending token, empty at the end of the text.
    case expected(String, found: String)
    /// The text's version is `found`; versions from 1 to `supported` can be read.
    case version(found: Int, supported: Int)
    /// The text was printed without its weights.
    case elidedWeights
    /// Nothing in the region (or, with `@`, in the graph) is called so.
    case undefined(String, suggestions: [String])
    /// Named twice where once is allowed: a value (with its `%`), an attribute, a symbol, a key of metadata, a domain.
    case duplicate(String)
    /// The number does not fit what it stands for.
    case outOfRange(String)
    /// A type or dimension is nested deeper than `limit` levels.
    case tooDeep(limit: Int)
    /// The graph that is described would break a rule of graphs: a name taken, an unknown operator, a wrong count, …
    case graph(GraphError)
    /// A tensor's shape and elements do not make a tensor.
    case tensor(TensorError)
  }

  /// An error at a place.
  public init(line: Int, column: Int, fault: Fault) {
    self.line = line
    self.column = column
    self.fault = fault
  }
}
