import FXCore

/// What a pipeline did, pass by pass.
public struct PassReport: Sendable {
  /// What one pass did in one round.
  public struct Entry: Sendable {
    /// The name of the pass, such as `constant-folding`.
    public let pass: String
    /// Counts from 1; above 1 only for pipelines that run to a fixed point.
    public let round: Int
    /// The time that the pass took, without verification and validation.
    public let duration: Duration
    /// Inputs, calls and outputs before the pass; calls inside regions count.
    public let nodesBefore: Int
    /// Inputs, calls and outputs after the pass; calls inside regions count.
    public let nodesAfter: Int
    /// What the pass did, and what it left alone.
    public let outcome: PassOutcome
    /// The largest difference between outputs before and after, relative to each tensor's largest magnitude; `nil` if
    /// nothing was compared.
    public let deviation: Double?
  }

  /// One entry per pass and round, in the order in which they ran.
  public internal(set) var entries: [Entry] = []

  /// Whether the last round changed nothing: the graph is a fixed point of the pipeline.
  public internal(set) var isStable = false

  /// Where the nodes come from, if the manager tracked it.
  public internal(set) var provenance: Provenance?

  /// The edits of all passes.
  public var changes: Int { entries.reduce(0) { $0 + $1.outcome.changes } }
  /// How often the list of passes was run; 0 for an empty list.
  public var rounds: Int { entries.last?.round ?? 0 }
  /// `nodesBefore` of the first entry; 0 without entries.
  public var nodesBefore: Int { entries.first?.nodesBefore ?? 0 }
  /// `nodesAfter` of the last entry; 0 without entries.
  public var nodesAfter: Int { entries.last?.nodesAfter ?? 0 }
}

extension PassReport: CustomStringConvertible {
  /// A line per pass: name, nodes before and after, milliseconds, what was done.
  public var description: String {
    let width = entries.map(\.pass.count).max() ?? 0
    return entries.map { entry in
      let round = rounds > 1 ? "\(entry.round). " : ""
      let name = entry.pass.padded(to: width)
      let nodes = "\(entry.nodesBefore) → \(entry.nodesAfter) nodes".padded(to: 22)
      let deviation = entry.deviation.map { ", outputs agree to \($0)" } ?? ""
      return "\(round)\(name)  \(nodes)  \(entry.duration.milliseconds) ms  \(entry.outcome)\(deviation)"
    }.joined(separator: "\n")
  }
}

extension PassReport {
  /// What looked right and was left alone, pass by pass, each place once with the last reason.
  public var declined: [(pass: String, refusals: [PassOutcome.Refusal])] {
    var found: [(pass: String, refusals: [PassOutcome.Refusal])] = []
    for entry in entries {
      if let index = found.firstIndex(where: { $0.pass == entry.pass }) {
        found[index].refusals = entry.outcome.declined
      } else {
        found.append((entry.pass, entry.outcome.declined))
      }
    }
    return found.filter { !$0.refusals.isEmpty }
  }

  /// A line per place that a pass left alone, with the reason.
  public var explanation: String {
    declined.map { pass, refusals in
      (["\(pass) left alone"] + refusals.map { "  \($0)" }).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}

extension Duration {
  /// Milliseconds with two decimals, as reports print them.
  fileprivate var milliseconds: String {
    let hundredths = Int((self / .microseconds(10)).rounded())
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction)"
  }
}
