/// A neural-network graph: a list of operator calls with inputs, outputs, and the weights beside them.
///
/// A value with copy-on-write storage: keeping the old graph is how an edit is undone, compared or checked.
///
/// The body is a region: arguments (the inputs), nodes in execution order, and results (the outputs). Nodes such as
/// `cond` own regions of their own. A region sees its arguments, its own nodes and the graph's parameters, nothing else:
/// what a branch uses from outside is an operand of the owning node and an argument inside.
public struct Graph: Sendable {
  /// The graph's name, as ONNX carries it.
  public var name: String
  /// Facts for people and tools, kept by every format.
  public var metadata: [String: String] = [:]
  /// The operator set versions a read model asked for, by domain.
  public var operatorSets: [String: Int] = [:]
  /// What is known of dimension symbols.
  public var symbols: [String: SymbolBounds] = [:]
  /// Facts about dimensions beyond bounds.
  public var constraints: [DimensionConstraint] = []

  var nodes = Slots<NodeID, NodeRecord>()
  var values = Slots<ValueID, ValueRecord>()
  var regions = Slots<RegionID, RegionRecord>()
  var parameters = Slots<ParameterID, Parameter>()
  var parameterNames: [String: ParameterID] = [:]
  var operatorIndex: [Operator: [NodeID]] = [:]
  /// The number that the next unnamed node is called by: `node_0`, `node_1`, …
  var nextSerial: UInt32 = 0
  /// Calls of all regions, terminators excluded.
  var callCount = 0
  /// What edits put in the place of what, in order; `nil` unless somebody asks where nodes come from. No part of what the
  /// graph says.
  package var journal: [EditRecord]?

  /// The graph's body.
  public let body: RegionID

  /// An empty graph.
  public init(name: String = "main") {
    self.name = name
    body = RegionID(index: 0, generation: 0)
    makeRegion(owner: nil)
  }
}

/// An edit that says what became of something.
package enum EditRecord: Sendable {
  /// All uses of a value became uses of an operand.
  case replaced(ValueID, by: Operand)
  /// A node was made as a copy of another.
  case copied(NodeID, as: NodeID)
}

/// What the graph stores of a node.
struct NodeRecord: Sendable {
  var op: Operator
  var operands: [Operand]
  /// For each value operand, where its use stands in the value's list, so that a use is removed in O(1).
  var usePositions: [UInt32]
  var results: [ValueID]
  var attributes: Attributes
  var regions: [RegionID] = []
  var name: String?
  var serial: UInt32
  var location: Location?
  var parent: RegionID
  var previous: NodeID?
  var next: NodeID?
  /// Where the node stands in `operatorIndex[op]`.
  var operatorPosition = 0
}

struct ValueRecord: Sendable {
  var type: ValueType
  var name: String?
  var definition: ValueDefinition
  var uses: [Use] = []
}

struct RegionRecord: Sendable {
  var owner: NodeID?
  var arguments: [ValueID] = []
  var first: NodeID?
  var last: NodeID?
  /// The pseudo-node whose operands are the region's results.
  var terminator: NodeID
  /// Names of the results where they differ from the values' names.
  var resultNames: [String?] = []
  /// Values by the names users gave them.
  var labels: [String: ValueID] = [:]
  /// Numbers unnamed arguments.
  var nextArgument: UInt32 = 0
}

/// Where a value comes from.
public enum ValueDefinition: Sendable, Hashable {
  /// Result `index` of a node.
  case result(of: NodeID, index: Int)
  /// Argument `index` of a region; of the body, the graph's input `index`.
  case argument(of: RegionID, index: Int)
}

/// One place where a value is an operand.
public struct Use: Sendable, Hashable {
  /// The node that takes the value; a region's terminator where the value is a result of the region.
  public let node: NodeID
  /// Which of the node's operands it is, counted from 0.
  public let operand: Int
}

/// A node as it is now: a snapshot, not changed by later edits.
public struct Node: Sendable {
  /// The id it was read by, for editing.
  public let id: NodeID
  /// What it calls.
  public let op: Operator
  /// What it is applied to, in the schema's order. An optional operand that is left out is `.none`, or missing at the end.
  public let operands: [Operand]
  /// The values it makes, in the schema's order; their types and names are the graph's to say.
  public let results: [ValueID]
  /// Its attributes, the schema's defaults filled in.
  public let attributes: Attributes
  /// The regions it owns, in the schema's order: a branch each of `cond`, the body of a loop; none for most operators.
  public let regions: [RegionID]
  /// The label that was given to the node itself, if any.
  public let name: String?
  /// Where it comes from, if that is known.
  public let location: Location?
  /// The region that holds the node.
  public let region: RegionID

  init(_ id: NodeID, _ record: NodeRecord) {
    self.id = id
    op = record.op
    operands = record.operands
    results = record.results
    attributes = record.attributes
    regions = record.regions
    name = record.name
    location = record.location
    region = record.parent
  }

  /// The value of a typed attribute, such as `node[Softmax.axis]`.
  public subscript<Value>(key: AttributeKey<Value>) -> Value { attributes[key] }
  /// Operand `index`, or `.none` where there is none of that number.
  public func operand(_ index: Int) -> Operand { operands.indices.contains(index) ? operands[index] : .none }
}

/// A place in a region's list of nodes.
public enum InsertionPoint: Sendable, Hashable {
  /// After the region's last node.
  case end(of: RegionID)
  /// Right before a node, in its region.
  case before(NodeID)
  /// Right after a node, in its region.
  case after(NodeID)
}

// MARK: - Reading

extension Graph {
  /// The node now.
  /// - Throws: `GraphError.stale` if it was erased.
  public subscript(id: NodeID) -> Node {
    get throws(GraphError) {
      guard let record = nodes.find(id) else { throw .stale(id) }
      return Node(id, record)
    }
  }

  /// Whether the node is still in the graph; regions' terminators count. O(1).
  public func contains(_ id: NodeID) -> Bool { nodes.contains(id) }
  /// Whether the value is still in the graph. O(1).
  public func contains(_ id: ValueID) -> Bool { values.contains(id) }

  /// The nodes of a region in execution order, without those inside nested regions. A snapshot: editing while
  /// iterating is safe; check `contains` if the loop erases nodes other than the current one. O(nodes).
  /// - Throws: `GraphError.stale`.
  public func nodes(in region: RegionID) throws(GraphError) -> [NodeID] {
    guard let record = regions.find(region) else { throw .stale(region) }
    return list(record)
  }

  private func list(_ record: RegionRecord) -> [NodeID] {
    var result: [NodeID] = []
    var next = record.first
    while let id = next {
      result.append(id)
      next = nodes[id].next
    }
    return result
  }

  /// The nodes of the body in execution order. O(nodes).
  public var bodyNodes: [NodeID] { list(regions[body]) }

  /// All nodes, those of nested regions after their owner. O(nodes).
  public var allNodes: [NodeID] {
    var result: [NodeID] = []
    result.reserveCapacity(callCount)
    // An explicit stack: regions may be nested deeper than the machine's.
    var pending: [NodeID] = []
    var next = regions[body].first
    while true {
      if let id = next {
        result.append(id)
        next = nodes[id].next
        if !nodes[id].regions.isEmpty {
          if let next { pending.append(next) }
          for region in nodes[id].regions.reversed() { if let first = regions[region].first { pending.append(first) } }
          next = nil
        }
      } else if let id = pending.popLast() {
        next = id
      } else {
        return result
      }
    }
  }

  /// The nodes that call `op`, in no particular order. O(result).
  public func nodes(calling op: Operator) -> [NodeID] { operatorIndex[op] ?? [] }

  /// The operators called and how often. O(operators).
  public var operatorCounts: [(op: Operator, count: Int)] {
    operatorIndex.filter { !$0.value.isEmpty }.map { ($0.key, $0.value.count) }
      .sorted { ($1.count, $0.op.description) < ($0.count, $1.op.description) }
  }

  /// The values that stand for the graph's inputs.
  public var inputs: [ValueID] { regions[body].arguments }
  /// What the graph returns.
  public var outputs: [Operand] { results(of: body) }

  /// A region's arguments.
  /// - Throws: `GraphError.stale`.
  public func arguments(of region: RegionID) throws(GraphError) -> [ValueID] {
    guard let record = regions.find(region) else { throw .stale(region) }
    return record.arguments
  }

  /// What a region returns; empty for a stale id.
  public func results(of region: RegionID) -> [Operand] {
    regions.find(region).map { nodes[$0.terminator].operands } ?? []
  }

  /// The node that owns the region; `nil` for the body.
  /// - Throws: `GraphError.stale`.
  public func owner(of region: RegionID) throws(GraphError) -> NodeID? {
    guard let record = regions.find(region) else { throw .stale(region) }
    return record.owner
  }

  /// The node whose operands are the region's results. It is no node of the list and only `setResults` changes it.
  package func terminator(of region: RegionID) throws(GraphError) -> NodeID {
    guard let record = regions.find(region) else { throw .stale(region) }
    return record.terminator
  }

  /// The value's type.
  /// - Throws: `GraphError.stale`.
  public func type(of value: ValueID) throws(GraphError) -> ValueType {
    guard let record = values.find(value) else { throw .stale(value) }
    return record.type
  }

  /// Where the value comes from.
  /// - Throws: `GraphError.stale`.
  public func definition(of value: ValueID) throws(GraphError) -> ValueDefinition {
    guard let record = values.find(value) else { throw .stale(value) }
    return record.definition
  }

  /// The node whose result the value is; `nil` for arguments.
  /// - Throws: `GraphError.stale`.
  public func producer(of value: ValueID) throws(GraphError) -> NodeID? {
    if case .result(let node, _) = try definition(of: value) { node } else { nil }
  }

  /// The region a value lives in.
  /// - Throws: `GraphError.stale`.
  public func region(of value: ValueID) throws(GraphError) -> RegionID {
    switch try definition(of: value) {
    case .result(let node, _): nodes[node].parent
    case .argument(let region, _): region
    }
  }

  /// Where the value is used, region results included (their node is the region's terminator), in no particular order.
  /// - Throws: `GraphError.stale`.
  public func uses(of value: ValueID) throws(GraphError) -> [Use] {
    guard let record = values.find(value) else { throw .stale(value) }
    return record.uses
  }

  /// Whether the node ends a region: its operands are the region's results.
  public func isTerminator(_ node: NodeID) -> Bool { nodes.find(node)?.op === Operator.output }

  /// Inputs, calls and outputs: calls inside regions count, their arguments and results do not.
  public var nodeCount: Int { inputs.count + callCount + outputs.count }

  /// Operands that are values, of all nodes and of the body's outputs, so that a chain of n nodes has n − 1 edges. O(nodes).
  public var edgeCount: Int {
    allNodes.reduce(outputs.count { $0.value != nil }) { $0 + nodes[$1].operands.count { $0.value != nil } }
  }
}
