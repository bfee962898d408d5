import FXCore

/// The nodes of a graph's body in parts, each for one target, in an order in which they can run.
///
/// A node that owns regions is in a part with all that its regions hold. Every body node is in exactly one part, and what
/// a part uses comes from the graph's inputs, its parameters, itself or earlier parts.
public struct Partition: Sendable, Equatable {
  /// Nodes that run together, on one target.
  public struct Part: Sendable, Equatable {
    /// What the part is for: a backend's name, a device, a rank.
    public var target: String
    /// In the order of the body.
    public var nodes: [NodeID]

    /// A part as it is given: `Partition.check` says whether it fits a graph.
    public init(target: String, nodes: [NodeID]) {
      self.target = target
      self.nodes = nodes
    }
  }

  /// In execution order.
  public var parts: [Part]

  /// A partition as it is given: `check` says whether it is one of a graph.
  public init(parts: [Part]) { self.parts = parts }

  /// - Throws: `PartitionError.misplaced` for a node that is in no part, in two, or in no body; `.cyclic` for a node
  ///   that uses what a later part computes, or has effects that are to follow those of a node in a later part.
  public func check(_ graph: Graph) throws(PartitionError) {
    var places: [NodeID: Int] = [:]
    for (index, part) in parts.enumerated() {
      for node in part.nodes {
        guard (try? graph[node].region) == graph.body, places[node] == nil else { throw .misplaced(graph.name(of: node)) }
        places[node] = index
      }
    }
    let dependencies = BodyDependencies(graph)
    for (id, others) in zip(dependencies.nodes, dependencies.predecessors) {
      guard let place = places[id] else { throw .misplaced(graph.name(of: id)) }
      for other in others.map({ dependencies.nodes[$0] }) {
        guard let before = places[other], before <= place else {
          throw .cyclic([graph.name(of: other), graph.name(of: id)])
        }
      }
    }
  }
}

/// Why a graph is not partitioned, as facts.
public enum PartitionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A `Partitioner` was asked that has no targets.
  case noTargets
  /// No target takes these operators; the reasons are the targets'.
  case unsupported([String])
  /// A node is in no part or in two.
  case misplaced(String)
  /// The parts depend on each other in a circle.
  case cyclic([String])

  public var description: String {
    switch self {
    case .noTargets: "there is nothing to partition the graph for"
    case .unsupported(let operators): "no target takes \(operators.joined(separator: "; "))"
    case .misplaced(let node): "node '\(node)' must be in exactly one part, and in the graph's body"
    case .cyclic(let names): "the parts depend on each other in a circle: \(names.joined(separator: " → "))"
    }
  }
}
