/// Names a slot of one kind in a graph. The generation tells a slot's present owner from those before it,
/// so that an id that outlived what it named is an error and never another node.
public protocol GraphID: Hashable, Sendable, CustomStringConvertible {
  /// The id of a slot. Graphs make ids; one made by hand is stale unless it equals one of theirs.
  init(index: UInt32, generation: UInt32)
  /// The slot's number within its kind, from 0; slots of what was erased are used again.
  var index: UInt32 { get }
  /// How many owners the slot had before this one.
  var generation: UInt32 { get }
  /// What it names, for messages: "node", "value", …
  static var kind: String { get }
}

extension GraphID {
  public var description: String { "\(Self.kind) #\(index).\(generation)" }
}

/// A call of an operator.
public struct NodeID: GraphID {
  /// The node's slot.
  public let index: UInt32
  /// How many nodes had the slot before.
  public let generation: UInt32
  public static var kind: String { "node" }
  /// The id of a node's slot, as graphs make it.
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A result of a node, or an argument of a region.
public struct ValueID: GraphID {
  /// The value's slot.
  public let index: UInt32
  /// How many values had the slot before.
  public let generation: UInt32
  public static var kind: String { "value" }
  /// The id of a value's slot, as graphs make it.
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A list of nodes with arguments and results: the graph's body, or a branch or loop body that a node owns.
public struct RegionID: GraphID {
  /// The region's slot; the body's is 0.
  public let index: UInt32
  /// How many regions had the slot before.
  public let generation: UInt32
  public static var kind: String { "region" }
  /// The id of a region's slot, as graphs make it.
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A weight or constant that lives beside the nodes.
public struct ParameterID: GraphID {
  /// The parameter's slot.
  public let index: UInt32
  /// How many parameters had the slot before.
  public let generation: UInt32
  public static var kind: String { "parameter" }
  /// The id of a parameter's slot, as graphs make it.
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}
