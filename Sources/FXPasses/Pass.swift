import FXCore

/// A transformation of graphs.
///
/// A pass keeps what the graph computes, within its numeric contract, keeps inputs, outputs and their names, and leaves a
/// graph that verifies. Applied twice in a row, it changes nothing the second time.
public protocol Pass: Sendable {
  /// What reports and errors call the pass, such as `dead-code-elimination`.
  var name: String { get }
  /// What the pass promises of the numbers; `.exact` unless it says otherwise.
  var contract: NumericContract { get }
  /// Transforms the graph in place.
  /// - Returns: what was done, and what was left alone for which reason.
  /// - Throws: an error that names the node; the graph may be half transformed then, `PassManager` restores it.
  @discardableResult
  func apply(to graph: inout Graph) throws -> PassOutcome
}

extension Pass {
  public var contract: NumericContract { .exact }
}

/// What a pass promises of the numbers that a graph computes.
public enum NumericContract: Sendable, Hashable {
  /// The same bits.
  case exact
  /// The same value in real arithmetic: operations are regrouped, so that roundings differ.
  case reassociates
  /// Every output element is off by at most `bound` times the largest magnitude of its tensor.
  case approximates(bound: Double)

  /// The promise of two passes after each other.
  public func followed(by other: NumericContract) -> NumericContract {
    switch (self, other) {
    case (.approximates(let a), .approximates(let b)): .approximates(bound: a + b)
    case (.approximates, _): self
    case (_, .approximates): other
    case (.reassociates, _), (_, .reassociates): .reassociates
    case (.exact, .exact): .exact
    }
  }
}

extension NumericContract: CustomStringConvertible {
  public var description: String {
    switch self {
    case .exact: "exact"
    case .reassociates: "equal up to rounding"
    case .approximates(let bound): "approximate to \(bound)"
    }
  }
}
