import FXCore
import Foundation

/// A plan as files: `plan.json` and a graph for each rank with its parts of the weights, so that a rank reads nothing else.
/// Ranks whose graphs are equal share one file.
public struct PlanFolder: Sendable {
  struct Rank: Sendable, Codable {
    var stage: Int
    var outputs: [Int]
    var file: String
    /// Of the graph's nodes those that run forward and backward for each micro-batch.
    var forward: Int
    var backward: Int
    var combined: [Int: Reduction]
  }

  struct Contents: Sendable, Codable {
    var version = 2
    var plan: PreparedPlan
    var ranks: [Rank]
  }

  /// The folder.
  public let path: String
  let contents: Contents

  /// The ranks as a grid.
  public var mesh: Mesh { contents.plan.mesh }
  /// The names of the whole graph's outputs, in order.
  public var outputNames: [String] { contents.plan.outputs.map(\.name) }

  /// A graph without nodes whose inputs are those of the plan's whole graph: what tools need that find or draw inputs.
  /// - Throws: `GraphError`.
  public func inputs() throws -> Graph {
    var graph = Graph()
    for input in contents.plan.inputs {
      let type = input.elementType.map { ValueType.tensor($0, input.sizes.map(Shape.init(_:))) }
      try graph.addInput(input.name, type ?? .unknown)
    }
    return graph
  }

  /// Writes a plan into a folder, which is made if it is not there.
  /// - Throws: an error of the file system; `PlanError`.
  @discardableResult
  public static func write(_ plan: ExecutionPlan, to path: String) throws -> PlanFolder {
    try Folder.make(path)
    var ranks: [Rank] = []
    // Of each stage the graphs written so far. Weights are compared only where everything else is equal.
    var written: [Int: [(file: String, graph: Graph)]] = [:]
    for rank in 0..<plan.worldSize {
      let program = try plan.rankProgram(rank)
      var file = written[program.stage]?.first { $0.graph == program.graph }?.file
      if file == nil {
        file = "rank-\(rank).fxb"
        try program.graph.writeBinary(to: "\(path)/rank-\(rank).fxb")
        // A few to compare with: worlds of a thousand different parts would be compared for long.
        if written[program.stage, default: []].count < 16 {
          written[program.stage, default: []].append(("rank-\(rank).fxb", program.graph))
        }
      }
      ranks.append(
        Rank(
          stage: program.stage, outputs: program.outputs, file: file ?? "", forward: program.passes.forward,
          backward: program.passes.backward, combined: program.combined))
    }
    let contents = Contents(plan: PreparedPlan(plan), ranks: ranks)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    try AtomicFile.write([UInt8](encoder.encode(contents)), to: "\(path)/plan.json")
    return PlanFolder(path: path, contents: contents)
  }

  /// - Throws: `PlanError.file` for a folder that holds no plan.
  public init(_ path: String) throws {
    let file = "\(path)/plan.json"
    do {
      let mapped = try MappedFile(path: file)
      contents = try withExtendedLifetime(mapped) { try JSONDecoder().decode(Contents.self, from: Data(mapped.bytes)) }
    } catch let error as FileError {
      throw PlanError.file("\(error)")
    } catch let error as DecodingError {
      throw PlanError.file("\(file): \(error.reason)")
    } catch {
      throw PlanError.file("\(file): \(error)")
    }
    self.path = path
    try validate()
  }

  private init(path: String, contents: Contents) { (self.path, self.contents) = (path, contents) }

  private func validate() throws {
    let plan = contents.plan
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw PlanError.file("\(path): \(reason)") }
    }
    try require(contents.version == 2, "version \(contents.version) is not known")
    _ = try Mesh(plan.mesh.axes.map { ($0.name, $0.size) })
    try require(contents.ranks.count == plan.mesh.size, "\(contents.ranks.count) ranks for the mesh \(plan.mesh)")
    try require((1...1 << 20).contains(plan.microBatches), "\(plan.microBatches) micro-batches")
    let stages = plan.mesh.size(of: Mesh.pipeline)
    for value in plan.inputs + plan.outputs {
      try require((0..<stages).contains(value.stage), "'\(value.name)' is of stage \(value.stage)")
      guard let sizes = value.sizes else { continue }
      try require(sizes.allSatisfy { $0 >= 0 }, "'\(value.name)' has sizes \(sizes)")
      try require(
        value.spec.dimensions.count == sizes.count && value.spec.divides(sizes, on: plan.fullMesh),
        "'\(value.name)' lies as \(value.spec)")
    }
    for (index, rank) in contents.ranks.enumerated() {
      try require(rank.outputs.allSatisfy(plan.outputs.indices.contains), "rank \(index) gives outputs that are none")
      try require(!rank.file.contains("/"), "rank \(index) is in \(rank.file)")
      try require((0..<stages).contains(rank.stage), "rank \(index) is of stage \(rank.stage)")
    }
    for group in plan.groups {
      try require(group.allSatisfy { (0..<plan.mesh.size).contains($0) }, "the group \(group) has other ranks")
    }
  }

  /// What a rank runs: its file is mapped, and weights are read when they are used.
  /// - Throws: `PlanError.rank`, `.file`; an error of the file's format.
  func program(_ rank: Int) throws -> RankProgram {
    guard contents.ranks.indices.contains(rank) else { throw PlanError.rank(rank, worldSize: contents.ranks.count) }
    let about = contents.ranks[rank]
    let graph = try Graph(mapping: "\(path)/\(about.file)")
    guard graph.inputs.count == contents.plan.inputs.count, graph.outputs.count == about.outputs.count else {
      throw PlanError.file("\(path)/\(about.file) has other inputs or outputs")
    }
    return RankProgram(
      rank: rank, stage: about.stage, graph: graph, outputs: about.outputs, passes: (about.forward, about.backward),
      combined: about.combined)
  }
}

extension DistributedExecutor {
  /// Makes this rank's part of a written plan ready: see `prepare(_:)`.
  public func prepare(_ folder: PlanFolder) throws -> DistributedExecutable {
    try prepare(folder.contents.plan, folder.program(communicator.rank))
  }
}
