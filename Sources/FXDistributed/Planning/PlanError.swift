import FXCore

/// Why there is no plan, or why a plan is wrong, as facts; the wording is in `description`.
public enum PlanError: Error, Sendable, Equatable {
  /// A mesh that makes no sense.
  case mesh(String, String)
  /// The mesh has another number of ranks than the configuration.
  case worldSize(mesh: String, worldSize: Int)
  /// There is no such rank among `worldSize`, which are counted from 0.
  case rank(Int, worldSize: Int)
  /// A plan is for certain sizes: these symbols have none.
  case unboundSymbols([String])
  /// A sharding names an axis that the mesh lacks, or does not fall into equal parts.
  case sharding(value: String, spec: String, reason: String)
  /// The batch does not come apart into micro-batches here.
  case microBatches(Int, node: String, reason: String)
  /// The batch is to come apart into this many micro-batches, which is less than one.
  case microBatchCount(Int)
  /// The batch is to come apart into this many micro-batches, and no stages follow each other on them.
  case noPipeline(Int)
  /// A tensor of these sizes has more bytes than any rank could hold.
  case tooLarge(value: String, TensorType)
  /// There are not as many stretches of nodes between which every value is a tensor of known sizes.
  case stages(Int, nodes: Int)
  /// An output of one stage that the others cannot be given: no tensor, or one whose size only the run tells.
  case unsendable(String)
  /// The graph talks to other ranks already, or to the world.
  case effect(node: String, op: String)
  /// A part's sizes are not what the plan says.
  case inconsistent(node: String, expected: String, actual: String)
  /// Ranks wait for each other: for each of them what it waits for.
  case deadlock([String])
  /// Two ranks do not make the same call.
  case unmatched(String)
  /// Nodes of the graph are in no part, or in two.
  case coverage([String])
  /// A plan's file says something impossible.
  case file(String)
}

extension PlanError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .mesh("", let reason): "no mesh serves: \(reason)"
    case .mesh(let text, let reason): "the mesh '\(text)' is none: \(reason)"
    case .worldSize(let mesh, let size): "the mesh \(mesh) does not have \(size) ranks"
    case .rank(let rank, let size): "there is no rank \(rank) among \(size)"
    case .unboundSymbols(let names):
      "a plan is for certain sizes: give one for \(names.joined(separator: ", ")) (`sizes: [\"\(names.first ?? "n")\": 8]`)"
    case .sharding(let value, let spec, let reason): "'\(value)' cannot lie as \(spec): \(reason)"
    case .microBatches(let count, let node, let reason):
      "the batch does not come apart into \(count) equal micro-batches: '\(node)' \(reason)"
    case .microBatchCount(let count): "a batch comes apart into at least one micro-batch, not \(count)"
    case .noPipeline(let count):
      "\(count) micro-batches are for a pipeline, which this plan has none of: a strategy `pipeline`, or a mesh with that axis"
    case .tooLarge(let name, let type): "'\(name)' would be \(type), which no rank can hold"
    case .stages(let count, let nodes): "\(nodes) nodes do not make \(count) stages between which everything can be sent"
    case .unsendable(let name): "output '\(name)' of one stage cannot be given to the others: its size is not known"
    case .effect(let node, let op): "node '\(node)' (\(op)) has effects that ranks would repeat"
    case .inconsistent(let node, let expected, let actual): "the part of '\(node)' is \(actual), the plan says \(expected)"
    case .deadlock(let ranks): "ranks wait for each other: \(ranks.joined(separator: "; "))"
    case .unmatched(let reason): "calls do not match: \(reason)"
    case .coverage(let names): "nodes that are not in exactly one part: \(names.joined(separator: ", "))"
    case .file(let reason): "this is no plan: \(reason)"
    }
  }
}
