/// A graph as the `FxGraph::to_json` of ToRSh (crate `torsh-fx`) writes it: nodes with their indices, edges between the
/// indices, and the indices of inputs and outputs.
///
/// Calls name their operands: inputs by name, other nodes as `node_0`, `node_1`, … in the order in which they were made.
/// What a call needs beyond the operands it names becomes unbound parameters, as when tracing `linear("x")`.
struct ToRShDocument: Decodable {
  let nodes: [Indexed]
  let edges: [Edge]
  let inputs: [Int]
  let outputs: [Int]

  struct Indexed: Decodable {
    let index: Int
    let node: Node

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      index = try list.decode(Int.self)
      node = try list.decode(Node.self)
    }
  }

  struct Edge: Decodable {
    let source: Int
    let target: Int

    init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      source = try list.decode(Int.self)
      target = try list.decode(Int.self)
    }
  }

  enum Node: Decodable {
    case input(String)
    case call(String, [String])
    case output
    /// A node that records the names of others and not what it computes from them.
    case other(String, [String: Names])

    private enum Key: String, CodingKey, CaseIterable {
      case Input, Call, Conditional, Loop, Merge, GetAttr
    }

    init(from decoder: any Decoder) throws {
      if let name = try? decoder.singleValueContainer().decode(String.self) {
        guard name == "Output" else {
          throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "unknown node \(name)"))
        }
        self = .output
        return
      }
      let container = try decoder.container(keyedBy: Key.self)
      if let name = try container.decodeIfPresent(String.self, forKey: .Input) {
        self = .input(name)
      } else if container.contains(.Call) {
        var parts = try container.nestedUnkeyedContainer(forKey: .Call)
        let op = try parts.decode(String.self)
        self = .call(op, try parts.decode([String].self))
      } else if let key = container.allKeys.first {
        self = .other(key.stringValue, try container.decode([String: Names].self, forKey: key))
      } else {
        throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: "unknown node"))
      }
    }
  }

  /// One name or a list of names.
  struct Names: Decodable {
    let names: [String]

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let name = try? container.decode(String.self) { names = [name] } else { names = try container.decode([String].self) }
    }
  }

  /// - Throws: `FormatError` for a name or index that nothing has, or an operator called with too many operands.
  func graph(operators: OperatorTable) throws(FormatError) -> Graph {
    var graph = Graph()
    var byName: [String: ValueID] = [:]
    var byIndex: [Int: ValueID] = [:]
    for (position, entry) in nodes.enumerated() {
      let place = "nodes[\(position)]"
      do throws(GraphError) {
        switch entry.node {
        case .output: continue
        case .input(let name):
          let value = try graph.addInput(name)
          byName[name] = value
          byIndex[entry.index] = value
        case .call(let name, let arguments):
          let value = try ToRShDocument.addCall(name, arguments, byName, operators, to: &graph)
          byName[graph.name(of: value)] = value
          byIndex[entry.index] = value
        case .other(let kind, let fields):
          let attributes = Attributes(fields.map { ($0.key, .strings($0.value.names)) })
          let op = Operator(unregistered: kind, domain: "torsh")
          let value = try graph.call(op, [], attributes: attributes)
          byName[graph.name(of: value)] = value
          byIndex[entry.index] = value
        }
      } catch {
        throw FormatError(.json, at: place, .graph(error))
      }
    }
    var sources: [Int: Int] = [:]
    for edge in edges where sources[edge.target] == nil { sources[edge.target] = edge.source }
    for (position, output) in outputs.enumerated() {
      guard let source = sources[output], let value = byIndex[source] else {
        throw FormatError(.json, at: "outputs[\(position)]", .expected("an edge from a node to this output"))
      }
      do {
        try graph.addOutput(value)
      } catch {
        throw FormatError(.json, at: "outputs[\(position)]", .graph(error))
      }
    }
    return graph
  }

  private static func addCall(
    _ name: String, _ arguments: [String], _ values: [String: ValueID], _ operators: OperatorTable, to graph: inout Graph
  ) throws(GraphError) -> ValueID {
    var operands: [Operand] = []
    for argument in arguments {
      guard let value = values[argument] else {
        throw .unknownName(argument, suggestions: values.keys.nearest(to: argument))
      }
      operands.append(.value(value))
    }
    guard let op = operators[name], let schema = op.schema, schema.regions.isEmpty else {
      return try graph.call(Operator(unregistered: name, domain: "torsh"), operands)
    }
    for specification in schema.operands.dropFirst(operands.count) where specification.arity != .variadic {
      if specification.arity == .required || specification.name == "bias" {
        let parameter = "node_\(graph.nextSerial).\(specification.name)"
        operands.append(.parameter(try graph.addParameter(parameter, unbound: TensorType(.float32, nil))))
      } else {
        operands.append(.none)
      }
    }
    while operands.last == Operand.none { operands.removeLast() }
    return try graph.call(op, operands)
  }
}
