/// A value on its way from where it is made to one of the places that use it.
public struct Edge: Sendable, Hashable {
  /// The value that travels; one with several uses has an edge for each.
  public let value: ValueID
  /// The node whose result the value is; `nil` for inputs of the graph and arguments of regions.
  public let source: NodeID?
  /// The node that takes the value; `nil` if it is an output of the graph.
  public let target: NodeID?
  /// Which of the target's operands it is, or which of the graph's outputs.
  public let position: Int
}

extension Graph {
  /// The edges in the order of their targets, outputs last: `edgeCount` of them. O(nodes).
  public var edges: [Edge] {
    func edges(to target: NodeID?, _ operands: [Operand]) -> [Edge] {
      operands.enumerated().compactMap { position, operand in
        guard let value = operand.value else { return nil }
        let source: NodeID? = if case .result(let node, _)? = values.find(value)?.definition { node } else { nil }
        return Edge(value: value, source: source, target: target, position: position)
      }
    }
    return allNodes.flatMap { edges(to: $0, nodes[$0].operands) } + edges(to: nil, outputs)
  }
}
