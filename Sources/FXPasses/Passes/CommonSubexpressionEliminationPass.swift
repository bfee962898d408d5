import FXCore

/// Computes equal things once: calls of one operator with equal operands, attributes and types, and constants with equal
/// contents.
///
/// The first two operands of commutative operators match in either order. Each region is looked at by itself. Calls
/// with effects, random ones, those of unregistered operators and those that own regions stay apart, and so do
/// weights: two weights may be trained apart though they start equal. O(graph), and constants of equal types are read.
///
/// Before:
/// ```
/// graph @main(%x: f32[4], %y: f32[4]) {
///   %a = add(%x, %y)
///   %b = add(%y, %x)
///   %c = mul(%a, %b)
///   return %c
/// }
/// ```
/// After:
/// ```
/// graph @main(%x: f32[4], %y: f32[4]) {
///   %a = add(%x, %y)
///   %c = mul(%a, %a)
///   return %c
/// }
/// ```
///
/// Declines: nothing. Calls with effects, random ones and weights are never equal.
public struct CommonSubexpressionEliminationPass: Pass {
  public let name = "common-subexpression-elimination"

  /// There is nothing to set. Of equal calls the first of a region stays.
  public init() {}

  @discardableResult
  public func apply(to graph: inout Graph) throws -> PassOutcome {
    var outcome = PassOutcome()
    try mergeConstants(in: &graph, &outcome)
    // There equal calls are meant: the later one is made again so that the earlier one's result need not be kept.
    guard graph.metadata[RecomputationPass.mark] == nil else { return outcome }
    for region in graph.allRegions {
      let nodes = try graph.nodes(in: region)
      var calls = CallTable(capacity: nodes.count)
      for id in nodes {
        let node = try graph[id]
        guard node.op.isPure, node.regions.isEmpty else { continue }
        if let first = try calls.find(node, in: graph) {
          try graph.replace(id, with: first.results.map(Operand.value))
          outcome.change("calls merged")
        }
      }
    }
    return outcome
  }

  /// Makes operands that are equal constants one operand.
  private func mergeConstants(in graph: inout Graph, _ outcome: inout PassOutcome) throws {
    let twins = ConstantTwins(of: graph)
    guard !twins.isEmpty else { return }
    var merged: Set<ParameterID> = []
    for region in graph.allRegions {
      for id in try graph.nodes(in: region) {
        for (index, operand) in try graph[id].operands.enumerated() {
          guard let parameter = operand.parameter, let first = twins[parameter] else { continue }
          try graph.setOperand(index, of: id, to: .parameter(first))
          merged.insert(parameter)
        }
      }
    }
    outcome.change("constants merged", merged.count)
  }
}

/// The calls of a region so far, by what they compute. Only hashes are kept, since keys of a whole call each would be
/// most of what a large graph needs.
private struct CallTable {
  private var firsts: [Int: NodeID] = [:]
  /// Calls that share their hash with another.
  private var others: [Int: [NodeID]] = [:]

  init(capacity: Int) { firsts.reserveCapacity(capacity) }

  /// The first call equal to `node`; if there is none, the node is remembered.
  mutating func find(_ node: Node, in graph: Graph) throws -> Node? {
    let call = try Call(node, in: graph)
    let hash = call.hashValue
    guard let first = firsts[hash] else {
      firsts[hash] = node.id
      return nil
    }
    for id in [first] + others[hash, default: []] {
      let candidate = try graph[id]
      if try Call(candidate, in: graph) == call { return candidate }
    }
    others[hash, default: []].append(node.id)
    return nil
  }
}

/// A call by what it computes.
private struct Call: Hashable {
  let op: Operator
  let operands: [Operand]
  let attributes: Attributes
  let types: [ValueType]

  init(_ node: Node, in graph: Graph) throws {
    op = node.op
    attributes = node.attributes
    types = try node.results.map { try graph.type(of: $0) }
    var operands = node.operands
    if operands.count >= 2, op.has(.commutative), operands[1].precedes(operands[0]) { operands.swapAt(0, 1) }
    self.operands = operands
  }

  /// Leaves out what equal calls rarely differ in.
  func hash(into hasher: inout Hasher) {
    hasher.combine(op)
    hasher.combine(operands)
    for entry in attributes {
      switch entry.value {
      case .int(let value): hasher.combine(value)
      case .ints(let values): hasher.combine(values)
      case .float(let value): hasher.combine(value.bitPattern)
      case .string(let value): hasher.combine(value)
      case .elementType(let value): hasher.combine(value)
      default: break
      }
    }
  }
}

extension Operand {
  /// An order of values and parameters, so that swapped operands look alike.
  fileprivate func precedes(_ other: Operand) -> Bool {
    switch (self, other) {
    case (.value(let a), .value(let b)): a.index < b.index
    case (.parameter(let a), .parameter(let b)): a.index < b.index
    default: rank < other.rank
    }
  }

  private var rank: Int {
    switch self {
    case .value: 0
    case .parameter: 1
    case .literal: 2
    case .none: 3
    }
  }
}

/// Constants that hold the same as an earlier one. Only those that share their type with another are read.
private struct ConstantTwins {
  private var firsts: [ParameterID: ParameterID] = [:]
  /// How many bytes at either end of a large tensor tell it from others; equality is always checked in full.
  private static let sampledBytes = 4096

  var isEmpty: Bool { firsts.isEmpty }
  subscript(id: ParameterID) -> ParameterID? { firsts[id] }

  init(of graph: Graph) {
    var byType: [TensorType: [(id: ParameterID, tensor: Tensor)]] = [:]
    for id in graph.parameterIDs {
      guard let parameter = try? graph[id], parameter.role == .constant, let tensor = parameter.tensor else { continue }
      byType[parameter.type, default: []].append((id, tensor))
    }
    for group in byType.values where group.count > 1 {
      var byContents: [Int: [(id: ParameterID, tensor: Tensor)]] = [:]
      for member in group {
        let digest = ConstantTwins.digest(member.tensor)
        if let first = byContents[digest]?.first(where: { $0.tensor == member.tensor }) {
          firsts[member.id] = first.id
        } else {
          byContents[digest, default: []].append(member)
        }
      }
    }
  }

  private static func digest(_ tensor: Tensor) -> Int {
    var hasher = Hasher()
    if let strings = tensor.strings { hasher.combine(strings) }
    tensor.withUnsafeBytes { bytes in
      hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.prefix(sampledBytes)))
      hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: bytes.suffix(sampledBytes)))
    }
    return hasher.finalize()
  }
}
