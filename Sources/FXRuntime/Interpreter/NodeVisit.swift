import FXCore

/// One run of a region that a node owns.
public struct RegionInstance: Sendable, Hashable, CustomStringConvertible {
  /// The node that runs the region.
  public let owner: NodeID
  /// The region that runs.
  public let region: RegionID
  /// What the owner is called.
  public let ownerName: String
  /// What the schema calls the region: `then`, `body`, …
  public let regionName: String
  /// How often the owner ran the region before, in this run of the owner.
  public let turn: Int

  init(_ region: RegionID, of node: Node, named name: String, turn: Int) {
    owner = node.id
    self.region = region
    ownerName = name
    let index = node.regions.firstIndex(of: region) ?? 0
    let names = node.op.schema?.regions ?? []
    regionName = index < names.count ? names[index] : "region\(index)"
    self.turn = turn
  }

  /// `loop.body[3]`
  public var description: String { "\(ownerName).\(regionName)[\(turn)]" }
}

/// A node that is about to run, with its operands.
public struct NodeVisit: Sendable {
  /// The node, with its operator, attributes and ids.
  public let node: Node
  /// What the node is called.
  public let name: String
  /// The regions that are running, outermost first; empty in the graph's body.
  public let path: [RegionInstance]
  /// `nil` where an optional operand is left out.
  public let operands: [RuntimeValue?]

  /// The path and the name: `conv1`, `loop.body[3]/node_7`.
  public var qualifiedName: String { NodeVisit.qualified(name, in: path) }

  static func qualified(_ name: String, in path: [RegionInstance]) -> String {
    path.map { "\($0)/" }.joined() + name
  }
}

/// A node that ran.
public struct NodeResult: Sendable {
  /// The node and the operands that it was given.
  public let visit: NodeVisit
  /// One value per result of the node.
  public let results: [RuntimeValue]
  /// How long the node took; for one that owns regions with all that ran inside, hooks included.
  public let duration: Duration
}

/// What the reference executor asks to run nodes in its place.
protocol NodeObserver: AnyObject {
  /// The results of a node that need not run.
  func known(_ node: Node, in path: [RegionInstance]) -> [RuntimeValue]?
  /// Runs a node by `compute`, or gives results of its own.
  func run(
    _ node: Node, in path: [RegionInstance], _ operands: [RuntimeValue?], compute: () throws -> [RuntimeValue]
  ) throws -> [RuntimeValue]
}

/// An error that a hook threw, on its way to the caller without being taken for the node's.
struct HookFailure: Error {
  let error: any Error
}
