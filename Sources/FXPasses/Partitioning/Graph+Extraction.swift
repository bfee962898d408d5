import FXCore

/// Nodes of a graph as a graph of their own.
public struct ExtractedGraph: Sendable {
  /// The nodes; what they use from elsewhere are its inputs.
  public var graph: Graph
  /// The values of the original graph that the extracted one takes, in the order of its inputs.
  public let inputs: [ValueID]
  /// The values of the original graph that the extracted one gives, in the order of its outputs.
  public let outputs: [ValueID]
}

extension Graph {
  /// Body nodes as a graph of their own, with all that their regions hold.
  ///
  /// What they use from elsewhere becomes inputs, in the order of first use; what others use of them, or the graph
  /// returns, becomes outputs. Values keep their names, weights share their bytes, symbols keep their bounds. O(nodes).
  /// - Parameter nodes: in any order; they are put in that of the body.
  /// - Throws: `GraphError.stale`; `.notVisible` for a node inside a region.
  public func extracting(_ nodes: [NodeID], name: String? = nil) throws -> ExtractedGraph {
    let members = Set(nodes)
    for id in members where try self[id].region != body { throw GraphError.notVisible(self.name(of: id)) }
    return try extracting(ordered: bodyNodes.filter(members.contains), name: name)
  }

  /// Extracts body nodes that are given once each, in the order of the body. O(what they hold).
  func extracting(ordered: [NodeID], name: String?) throws -> ExtractedGraph {
    let members = Set(ordered)
    var copier = GraphCopier(self, into: emptyCopy(name: name ?? self.name))
    var inputs: [ValueID] = []
    var outputs: [ValueID] = []
    for id in ordered {
      let node = try self[id]
      for operand in node.operands {
        guard let value = operand.value, copier.values[value] == nil else { continue }
        if let producer = try producer(of: value), members.contains(producer) { continue }
        inputs.append(value)
        copier.values[value] = .value(try copier.target.addInput(self.name(of: value), type(of: value)))
      }
    }
    for id in ordered {
      try copier.copy(id, to: copier.target.body)
      for result in try self[id].results where try uses(of: result).contains(where: { !members.contains($0.node) }) {
        outputs.append(result)
      }
    }
    try copier.target.setResults(of: copier.target.body, outputs.map { try copier.operand(.value($0)) })
    return ExtractedGraph(graph: copier.target, inputs: inputs, outputs: outputs)
  }

  /// A graph without nodes that knows the same symbols, operator sets and facts.
  package func emptyCopy(name: String) -> Graph {
    var copy = Graph(name: name)
    (copy.symbols, copy.constraints, copy.operatorSets) = (symbols, constraints, operatorSets)
    return copy
  }
}

/// Copies nodes from one graph to another.
package struct GraphCopier {
  package let source: Graph
  package var target: Graph
  /// What stands in the target for a value of the source.
  package var values: [ValueID: Operand] = [:]
  private var parameters: [ParameterID: ParameterID] = [:]

  package init(_ source: Graph, into target: Graph) {
    self.source = source
    self.target = target
  }

  /// What stands in the target for an operand of the source. Parameters are copied when they are first met.
  package mutating func operand(_ operand: Operand) throws -> Operand {
    switch operand {
    case .literal, .none: return operand
    case .value(let value):
      guard let copy = values[value] else { throw GraphError.notVisible(source.name(of: value)) }
      return copy
    case .parameter(let id):
      if let copy = parameters[id] { return .parameter(copy) }
      let copy = try copyParameter(id)
      parameters[id] = copy
      return .parameter(copy)
    }
  }

  private mutating func copyParameter(_ id: ParameterID) throws -> ParameterID {
    let parameter = try source[id]
    if let same = target.parameter(named: parameter.name), try target[same] == parameter { return same }
    if let tensor = parameter.tensor, parameter.role == .constant { return target.addConstant(tensor, name: parameter.name) }
    var name = parameter.name
    var suffix = 1
    while target.parameter(named: name) != nil {
      name = "\(parameter.name)_\(suffix)"
      suffix += 1
    }
    guard let tensor = parameter.tensor else {
      return try target.addParameter(name, unbound: parameter.type, role: parameter.role)
    }
    return try target.addParameter(name, tensor, role: parameter.role)
  }

  /// Copies a node with its regions to the end of a region of the target; its operands must have been copied.
  package mutating func copy(_ id: NodeID, to region: RegionID) throws {
    let node = try source[id]
    var operands: [Operand] = []
    for operand in node.operands { operands.append(try self.operand(operand)) }
    let copy = try target.append(
      node.op, operands, attributes: node.attributes, results: try node.results.map { try source.type(of: $0) },
      at: .end(of: region), name: node.name, location: node.location, regionCount: node.regions.count)
    let results = try target[copy].results
    for (value, result) in zip(node.results, results) {
      values[value] = .value(result)
      // In the body numbers become labels, so that a part's `node_7` is the whole's.
      if region == target.body {
        try target.setUniqueName(source.name(of: value), of: result)
      } else if let label = source.label(of: value) {
        try target.setUniqueName(label, of: result)
      }
    }
    for (inner, copied) in zip(node.regions, try target[copy].regions) { try copyContents(of: inner, to: copied) }
  }

  /// Copies the arguments, nodes and results of a region into an empty region.
  mutating func copyContents(of inner: RegionID, to copied: RegionID) throws {
    for argument in try source.arguments(of: inner) {
      values[argument] = .value(
        try target.addArgument(to: copied, name: source.label(of: argument), source.type(of: argument)))
    }
    for node in try source.nodes(in: inner) { try copy(node, to: copied) }
    var results: [Operand] = []
    for result in source.results(of: inner) { results.append(try operand(result)) }
    try target.setResults(of: copied, results, names: source.resultNames(of: inner))
  }
}
