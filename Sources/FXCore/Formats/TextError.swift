/// What is wrong with a text and where, as facts; `TextError+Description.swift` has the wording.
public struct TextError: Error, Sendable, Equatable {
  /// Counted from 1.
  public let line: Int
  /// Counted from 1, in Unicode scalars.
  public let column: Int
  public let fault: Fault

  /// What is wrong.
  public enum Fault: Sendable, Equatable {
    /// `found` is the offending token, empty at the end of the text.
    case expected(String, found: String)
    case version(found: Int, supported: Int)
    /// The text was printed without its weights.
    case elidedWeights
    /// Nothing in the region (or, with `@`, in the graph) is called so.
    case undefined(String, suggestions: [String])
    case duplicate(String)
    /// The number does not fit what it stands for.
    case outOfRange(String)
    case tooDeep(limit: Int)
    case graph(GraphError)
    case tensor(TensorError)
  }

  /// An error at a place.
  public init(line: Int, column: Int, fault: Fault) {
    self.line = line
    self.column = column
    self.fault = fault
  }
}
