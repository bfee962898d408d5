import FXCore

/// A graph divided among ranks: what each computes, what it says to whom, and what that takes.
public struct ExecutionPlan: Sendable {
  /// What one rank has to do.
  public struct Partition: Sendable, Hashable, Codable {
    /// The rank, from 0.
    public let rank: Int
    /// Which stretch of the program the rank runs; 0 without a pipeline.
    public let stage: Int
    /// Calls of the rank's graph, those between ranks included.
    public let nodes: Int
    /// Bytes of the weights and constants that the rank holds; in training with the optimizer's memory.
    public let weightBytes: Int
    /// The most bytes of inputs, results and weights that are alive at a time.
    public let peakBytes: Int
    /// The most bytes of activations that wait for their backward pass: those of `PipelineSchedule.mostHeld` micro-batches.
    public let heldBytes: Int
    /// Multiplications and additions of one run.
    public let operations: Int
    /// Bytes that the rank sends in one run, by `CostModel.bytesSent`.
    public let bytesSent: Int
    /// Seconds of one run's arithmetic, by the configuration's cost model.
    public let computeSeconds: Double
    /// Seconds of one run's communication, by the configuration's cost model, as if nothing were computed meanwhile.
    public let communicationSeconds: Double
  }

  /// The ranks as a grid; the stages lie along `pipeline`.
  public let mesh: Mesh
  /// What is divided, as the configuration says; `automatic` stays so, whatever mesh was chosen.
  public let strategy: DistributionStrategy
  /// Into how many parts the batch is cut; one run does them one after the other.
  public let microBatches: Int
  /// In which order a pipeline takes their forward and backward passes.
  public let schedule: PipelineSchedule
  /// One for each rank, in order.
  public internal(set) var partitions: [Partition] = []
  /// How the inputs lie on the ranks.
  public let inputs: [(name: String, sharding: ShardingSpec)]
  /// How the outputs lie on the ranks of their stage.
  public let outputs: [(name: String, sharding: ShardingSpec, stage: Int)]
  /// Whether every rank gets all outputs whole.
  public let gathersOutputs: Bool
  /// What could not be divided and why the plan is as it is, a line each.
  public internal(set) var notes: [String]
  /// Seconds of one run by the cost model, with the pipeline's filling and draining.
  public internal(set) var estimatedSeconds = 0.0

  let program: ShardedProgram
  let stages: StageCut
  let outputSpecs: [ShardingSpec?]
  /// What the ranks of each stage say, for one micro-batch.
  let patterns: [[ExchangePattern]]
  let bucketBytes: Int
  let groupTable: GroupTable
  /// Positions of outputs that every rank gets whole.
  let deliveredOutputs: Set<Int>

  /// The graph as it is divided: with sizes in place of symbols.
  public var graph: Graph { program.graph }
  /// The number of ranks.
  public var worldSize: Int { mesh.size }
  /// How far the rank with most arithmetic is above the mean: 0 is even.
  public var imbalance: Double {
    let seconds = partitions.map(\.computeSeconds)
    let mean = seconds.reduce(0, +) / Double(max(1, seconds.count))
    return mean > 0 ? (seconds.max() ?? 0) / mean - 1 : 0
  }

  /// What a rank runs.
  /// - Parameter bindsWeights: whether the rank's parts of the weights are there; parts that are one stretch of the weight
  ///   share its bytes.
  /// - Throws: `PlanError.rank`, `.inconsistent`.
  public func rankProgram(_ rank: Int, bindsWeights: Bool = true) throws -> RankProgram {
    try rankProgram(rank, binding: bindsWeights ? nil : { _ in nil })
  }

  func rankProgram(_ rank: Int, binding weights: ((Parameter) throws -> Tensor?)?) throws -> RankProgram {
    guard (0..<worldSize).contains(rank) else { throw PlanError.rank(rank, worldSize: worldSize) }
    var builder = RankGraphBuilder(program, stages, rank: rank, bucketBytes: bucketBytes, weights: weights)
    return try builder.build(outputSpecs: outputSpecs)
  }

  /// All groups of ranks that talk, in one order for all.
  public var groups: [[Int]] {
    var found: Set<[Int]> = []
    for (stage, patterns) in patterns.enumerated() {
      var lists: Set<[String]> = []
      for case .along(let axes) in patterns.map(\.partners) { lists.insert(axes) }
      for axes in lists {
        for group in groupTable.groups(along: axes) where group.count > 1 {
          if stages.axis.map({ mesh.coordinate(of: group[0], along: $0) == stage }) ?? true { found.insert(group) }
        }
      }
    }
    if let axis = stages.axis, !deliveries.isEmpty { found.formUnion(groupTable.groups(along: [axis])) }
    return found.sorted { $0.lexicographicallyPrecedes($1) }
  }

  /// A few lines for people.
  public var summary: String {
    var lines = [
      "\(strategy.rawValue) on \(mesh) (\(worldSize) ranks), \(microBatches) micro-batch\(microBatches == 1 ? "" : "es")"
    ]
    if let least = partitions.min(by: { $0.weightBytes < $1.weightBytes }),
      let most = partitions.max(by: { $0.weightBytes < $1.weightBytes })
    {
      lines.append("weights per rank: \(least.weightBytes)…\(most.weightBytes) bytes")
    }
    lines.append("most alive on a rank: \(partitions.map(\.peakBytes).max() ?? 0) bytes")
    lines.append("sent per rank: at most \(partitions.map(\.bytesSent).max() ?? 0) bytes")
    lines.append("the busiest rank is \(Int((imbalance * 100).rounded())) % above the mean")
    return (lines + notes).joined(separator: "\n")
  }

  /// Which stretch of the program a rank runs.
  func stage(of rank: Int) -> Int { stages.axis.map { mesh.coordinate(of: rank, along: $0) } ?? 0 }

  /// The stages that have a weight's parts, the weight being an input.
  func holders(of weight: String) throws -> [Int] {
    guard let input = graph.inputs.first(where: { graph.name(of: $0) == weight }) else {
      throw GraphError.unknownName(weight, suggestions: [])
    }
    return stages.holders[input] ?? [0]
  }
}
