/// Names a slot of one kind in a graph. The generation tells a slot's present owner from those before it,
/// so that an id that outlived what it named is an error and never another node.
public protocol GraphID: Hashable, Sendable, CustomStringConvertible {
  init(index: UInt32, generation: UInt32)
  var index: UInt32 { get }
  var generation: UInt32 { get }
  /// What it names, for messages: "node", "value", …
  static var kind: String { get }
}

extension GraphID {
  public var description: String { "\(Self.kind) #\(index).\(generation)" }
}

/// A call of an operator.
public struct NodeID: GraphID {
  public let index: UInt32
  public let generation: UInt32
  public static var kind: String { "node" }
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A result of a node, or an argument of a region.
public struct ValueID: GraphID {
  public let index: UInt32
  public let generation: UInt32
  public static var kind: String { "value" }
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A list of nodes with arguments and results: the graph's body, or a branch or loop body that a node owns.
public struct RegionID: GraphID {
  public let index: UInt32
  public let generation: UInt32
  public static var kind: String { "region" }
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}

/// A weight or constant that lives beside the nodes.
public struct ParameterID: GraphID {
  public let index: UInt32
  public let generation: UInt32
  public static var kind: String { "parameter" }
  public init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }
}
