import FXCore

/// What a pass did to a graph.
public struct PassOutcome: Sendable, Equatable {
  /// Something that the pass counted, such as `nodes removed`.
  public struct Fact: Sendable, Equatable {
    /// What was counted, worded so that a number can stand before it.
    public let label: String
    /// How often it was counted; at least 1.
    public var count: Int
  }

  /// A place that looked right and was left alone.
  public struct Refusal: Sendable, Equatable {
    /// The name of the node that was left alone, as it was then.
    public let node: String
    /// The node's operator, such as `softmax`.
    public let op: String
    /// The source line that made the node, if it is known.
    public let location: Location?
    /// Why the node was left alone, in words.
    public let reason: String
  }

  /// How many edits were made; 0 if the graph is as it was.
  public private(set) var changes = 0
  /// What was counted, in the order in which it first happened.
  public private(set) var facts: [Fact] = []
  /// What was left alone and why.
  public private(set) var declined: [Refusal] = []

  /// The outcome of a pass that has done nothing yet.
  public init() {}

  /// Counts `count` edits under `label`; nothing if `count` is 0.
  public mutating func change(_ label: String, _ count: Int = 1) {
    guard count > 0 else { return }
    changes += count
    note(label, count)
  }

  /// Counts something that is no edit.
  public mutating func note(_ label: String, _ count: Int = 1) {
    guard count > 0 else { return }
    if let index = facts.firstIndex(where: { $0.label == label }) {
      facts[index].count += count
    } else {
      facts.append(Fact(label: label, count: count))
    }
  }

  /// Records that `node` was left alone.
  public mutating func decline(_ node: NodeID, in graph: Graph, _ reason: String) {
    guard let found = try? graph[node] else { return }
    declined.append(
      Refusal(node: graph.name(of: node), op: found.op.description, location: found.location, reason: reason))
  }

  /// The count under `label`, 0 if there is none.
  public subscript(label: String) -> Int { facts.first { $0.label == label }?.count ?? 0 }

  /// What applying a pass again and again does until it finds nothing more: for passes whose changes let others follow.
  static func untilStable(_ apply: (inout PassOutcome) throws -> Void) rethrows -> PassOutcome {
    var (whole, round) = (PassOutcome(), PassOutcome())
    repeat {
      round = PassOutcome()
      try apply(&round)
      whole.add(round)
    } while round.changes > 0
    return whole
  }

  /// Adds what another application of the pass did. Its refusals replace the earlier ones, which they repeat.
  mutating func add(_ later: PassOutcome) {
    changes += later.changes
    for fact in later.facts { note(fact.label, fact.count) }
    declined = later.declined
  }
}

extension PassOutcome: CustomStringConvertible {
  /// `3 nodes removed, 1 parameters removed`, or `nothing to do`
  public var description: String {
    facts.isEmpty ? "nothing to do" : facts.map { "\($0.count) \($0.label)" }.joined(separator: ", ")
  }
}

extension PassOutcome.Refusal: CustomStringConvertible {
  public var description: String { "'\(node)' (\(op)" + (location.map { ", \($0)" } ?? "") + "): \(reason)" }
}
