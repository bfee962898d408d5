import FXCore

/// Where the nodes of a transformed graph come from, and what became of those that it had before.
///
/// Nothing that passes must say: it follows from the graphs before and after each pass, and from the journal of what
/// replaced what, which the graph keeps meanwhile.
public struct Provenance: Sendable {
  /// A node at one time.
  public struct Label: Sendable, Equatable {
    /// The node's name when it first was part of an event.
    public let name: String
    /// The node's operator, such as `conv`.
    public let op: String
    /// The source line that made the node, if it is known.
    public let location: Location?
  }

  /// What a pass did to, or with, a node.
  public struct Event: Sendable {
    /// What can happen to a node; the raw value is the word that stories use.
    public enum Kind: String, Sendable {
      /// The pass added the node.
      case made
      /// The node's operator, attributes, operands or weights are others.
      case changed
      /// Another node, or an operand that was there, has its place.
      case replaced
      /// Nothing has the node's place: nothing needed it any more.
      case removed
    }
    /// What happened to the node whose event this is.
    public let kind: Kind
    /// The name of the pass that did it.
    public let pass: String
    /// Counts from 1.
    public let round: Int
    /// For what is made or changed, the nodes that went into it; for what is replaced, the node in its place, if it is one.
    public let nodes: [NodeID]
  }

  /// What every node that was part of an event is called.
  public private(set) var labels: [NodeID: Label] = [:]
  private var events: [NodeID: [Event]] = [:]

  /// A record without events: `PassManager` makes one, and fills it, where it tracks provenance.
  public init() {}

  /// What happened to a node, first things first.
  public func events(of node: NodeID) -> [Event] { events[node] ?? [] }

  /// Notes what a pass did.
  /// - Parameter after: with the journal of the pass.
  mutating func record(pass: String, round: Int, before: Graph, after: Graph) {
    let step = Step(before, after)
    func note(_ node: NodeID, _ kind: Event.Kind, _ nodes: [NodeID]) {
      events[node, default: []].append(Event(kind: kind, pass: pass, round: round, nodes: nodes))
      for id in [node] + nodes where labels[id] == nil { labels[id] = Label(id, before) ?? Label(id, after) }
    }
    var successors: [NodeID: NodeID] = [:]
    for (node, sources) in step.made() {
      note(node, .made, sources)
      for source in sources { successors[source] = node }
    }
    for node in after.allNodes where before.contains(node) {
      guard let sources = step.sources(ofChanged: node) else { continue }
      note(node, .changed, sources)
      for source in sources { successors[source] = node }
    }
    for node in before.allNodes where !after.contains(node) {
      switch step.fate(of: node) {
      case .replaced(let other): note(node, .replaced, other.map { [$0] } ?? [])
      case .removed: note(node, successors[node] == nil ? .removed : .replaced, successors[node].map { [$0] } ?? [])
      }
    }
  }

  // MARK: Text

  /// The story of a node of the transformed graph: each node's line, and indented below it what it was made from.
  public func story(of node: NodeID, in graph: Graph) -> String {
    var lines: [String] = []
    var told: Set<NodeID> = []
    tell(node, graph, depth: 0, &told, &lines)
    return lines.joined(separator: "\n")
  }

  private func tell(
    _ node: NodeID, _ graph: Graph, depth: Int, _ told: inout Set<NodeID>, _ lines: inout [String]
  ) {
    let margin = String(repeating: "  ", count: depth)
    guard let label = Label(node, graph) ?? labels[node] else { return }
    let origins = events(of: node).filter { $0.kind == .made || $0.kind == .changed }
    guard told.insert(node).inserted else {
      lines.append("\(margin)\(label), as above")
      return
    }
    lines.append(margin + label.description)
    for event in origins.reversed() {
      let round = event.round > 1 ? " in round \(event.round)" : ""
      let sources = event.nodes.filter { $0 != node }
      lines.append("\(margin)  \(event.kind.rawValue) by \(event.pass)\(round)" + (sources.isEmpty ? "" : " from"))
      for source in sources { tell(source, graph, depth: depth + 2, &told, &lines) }
    }
    if origins.isEmpty { lines.append("\(margin)  as the model has it") }
  }

  /// What became of a node of the graph as it was handed in: the events in order, and the node that has its place now.
  public func fate(of node: NodeID, in graph: Graph) -> (text: String, successor: NodeID?) {
    var lines: [String] = []
    var current = node
    while !graph.contains(current) {
      guard let end = events(of: current).last(where: { $0.kind == .replaced || $0.kind == .removed }) else { return ("", nil) }
      let name = labels[current]?.description ?? "\(current)"
      let round = end.round > 1 ? " in round \(end.round)" : ""
      guard end.kind == .replaced else {
        lines.append("\(name) was removed by \(end.pass)\(round): nothing needed it any more")
        return (lines.joined(separator: "\n"), nil)
      }
      guard let next = end.nodes.first else {
        lines.append("\(name) was replaced by \(end.pass)\(round) by an operand that is no call's result")
        return (lines.joined(separator: "\n"), nil)
      }
      lines.append("\(name) was replaced by \(end.pass)\(round) by \(labels[next]?.description ?? graph.name(of: next))")
      current = next
    }
    return (lines.joined(separator: "\n"), current)
  }
}

extension Provenance.Label: CustomStringConvertible {
  fileprivate init?(_ id: NodeID, _ graph: Graph) {
    guard let node = try? graph[id] else { return nil }
    (name, op, location) = (graph.name(of: id), node.op.description, node.location)
  }

  /// `'relu1' (relu, Model.swift:12 in layers.0)`
  public var description: String { "'\(name)' (\(op)" + (location.map { ", \($0)" } ?? "") + ")" }
}

/// A graph before and after a pass.
private struct Step {
  private let before: Graph
  private let after: Graph
  private var replacements: [ValueID: Operand] = [:]
  private var copies: [NodeID: NodeID] = [:]

  init(_ before: Graph, _ after: Graph) {
    (self.before, self.after) = (before, after)
    for record in after.journal ?? [] {
      switch record {
      case .replaced(let value, let operand): replacements[value] = operand
      case .copied(let node, let copy): copies[copy] = node
      }
    }
  }

  /// What a value is in the end.
  private func final(_ operand: Operand) -> Operand {
    var operand = operand
    // A value may be given back to itself by later edits: then it stays what it is.
    var seen: Set<ValueID> = []
    while let value = operand.value, let next = replacements[value], seen.insert(value).inserted { operand = next }
    return operand
  }

  /// The nodes that the pass made, with what each stands for.
  func made() -> [(NodeID, [NodeID])] {
    var roots: [NodeID: [NodeID]] = [:]
    for node in before.allNodes {
      for result in (try? before[node].results) ?? [] {
        guard let value = final(.value(result)).value, value != result,
          let maker = try? after.producer(of: value), !before.contains(maker), roots[maker]?.last != node
        else { continue }
        roots[maker, default: []].append(node)
      }
    }
    let nodes = after.allNodes.filter { !before.contains($0) }
    var sources: [NodeID: [NodeID]] = [:]
    for node in nodes.reversed() {
      if let roots = roots[node] {
        sources[node] = absorbed(from: roots)
      } else if let original = copies[node] {
        sources[node] = [original]
      } else {
        // A step on the way to what has a name: it stands for the same.
        let users = ((try? after[node].results) ?? []).flatMap { ((try? after.uses(of: $0)) ?? []).map(\.node) }
        sources[node] = users.lazy.compactMap { sources[$0] }.first { !$0.isEmpty } ?? []
      }
    }
    // What regions hold that nothing ties to the outside stands for what their owner stands for.
    for node in nodes where sources[node]?.isEmpty ?? true {
      guard let region = try? after[node].region, let owner = try? after.owner(of: region) else { continue }
      sources[node] = sources[owner] ?? [owner]
    }
    return nodes.map { ($0, sources[$0] ?? []) }
  }

  /// Nodes, and those before them that went with them and were replaced by nothing.
  private func absorbed(from roots: [NodeID]) -> [NodeID] {
    var found = roots
    var position = 0
    while position < found.count {
      for operand in (try? before[found[position]].operands) ?? [] {
        guard let value = operand.value, replacements[value] == nil, let node = try? before.producer(of: value),
          !after.contains(node), !found.contains(node)
        else { continue }
        found.append(node)
      }
      position += 1
    }
    return found
  }

  /// What went into a node that is there before and after; `nil` if it does the same on the same operands.
  func sources(ofChanged node: NodeID) -> [NodeID]? {
    guard let old = try? before[node], let new = try? after[node] else { return nil }
    let kept = old.operands.map(final)
    let hasNewWeights = new.operands.contains { operand in
      guard let id = operand.parameter, let old = try? before[id] else { return false }
      return (try? after[id].tensor) != old.tensor
    }
    if old.op == new.op, old.attributes == new.attributes, kept == new.operands, !hasNewWeights { return nil }
    let gone = zip(old.operands, kept).compactMap { original, operand -> NodeID? in
      guard operand == original, let value = operand.value, let producer = try? before.producer(of: value),
        !after.contains(producer)
      else { return nil }
      return producer
    }
    // What the node has taken the place of went into it too.
    let taken = new.results.flatMap { value in
      replacements.compactMap { old, _ -> NodeID? in
        guard final(.value(old)) == .value(value), let producer = try? before.producer(of: old), !after.contains(producer) else {
          return nil
        }
        return producer
      }
    }.sorted { before.name(of: $0) < before.name(of: $1) }
    return [node] + absorbed(from: taken + gone.filter { !taken.contains($0) })
  }

  enum Fate {
    case replaced(NodeID?)
    case removed
  }

  func fate(of node: NodeID) -> Fate {
    for result in (try? before[node].results) ?? [] {
      let operand = final(.value(result))
      guard operand != .value(result) else { continue }
      return .replaced(operand.value.flatMap { try? after.producer(of: $0) })
    }
    return .removed
  }
}
