import FXCore

/// What is divided among ranks.
public enum DistributionStrategy: String, Sendable, Hashable, Codable, CaseIterable {
  /// The batch: every rank has all weights.
  case data
  /// The program: each rank has a stretch of it, and they take turns.
  case model
  /// The weights of products, convolutions and tables: ranks compute parts of each.
  case tensor
  /// The program, with the batch in micro-batches that follow each other through the stretches.
  case pipeline
  /// Several of these at once, as the mesh says.
  case hybrid
  /// What the cost model finds fastest.
  case automatic
}

/// How a graph is to run on several ranks.
public struct DistributedConfig: Sendable {
  /// The number of ranks.
  public var worldSize: Int
  /// This process's rank.
  public var rank: Int
  /// What ranks talk through.
  public var backend: CommunicationBackendType
  /// What is divided. It makes the mesh where `mesh` is `nil`; `automatic` then plans for every mesh of data, pipeline and tensor
  /// axes, and takes the plan that the cost model finds fastest.
  public var strategy: DistributionStrategy
  /// Ranks as a grid; the axes `data`, `tensor` and `pipeline` are what these strategies divide. By default one axis of the
  /// strategy, and for `hybrid` the two factors of the world size that are nearest to each other as `data` and `tensor`.
  public var mesh: Mesh?
  /// Sizes for the graph's symbols.
  public var sizes: [String: Int]
  /// Into how many parts a pipeline cuts the batch; by default as many as stages, where the batch allows.
  public var microBatches: Int?
  /// In which order a pipeline takes the forward and backward passes of a training step's micro-batches.
  public var schedule: PipelineSchedule
  /// Sums of gradients over the ranks of data parallelism are put together up to this many bytes; 0 sends each by itself.
  public var bucketBytes: Int
  /// How inputs lie; by default the inputs whose first size is that of the first input's are cut along `data`.
  public var shardings: [String: ShardingSpec]
  /// Inputs that are weights, such as the state of a training step: they lie as their first use wants them, and so does the
  /// output called `next.` and the input's name.
  public var weights: Set<String>
  /// Whether every rank gets all outputs whole. Otherwise they stay where they are computed, as `ExecutionPlan.outputs` says.
  public var gathersOutputs: Bool
  /// Names of outputs that every rank gets whole in any case.
  var wholeOutputs: Set<String> = []
  /// What times are estimated by: stages are cut to take equally long, and `automatic` compares plans.
  public var cost: CostModel
  /// How operators may be divided; those without a rule run whole on every rank.
  public var rules: ShardingRules

  /// A configuration of which only the number of ranks and the strategy have no default.
  public init(
    worldSize: Int, rank: Int = 0, backend: CommunicationBackendType = .mpi, strategy: DistributionStrategy,
    mesh: Mesh? = nil, sizes: [String: Int] = [:], microBatches: Int? = nil,
    schedule: PipelineSchedule = .oneForwardOneBackward, bucketBytes: Int = 1 << 20, shardings: [String: ShardingSpec] = [:],
    weights: Set<String> = [], gathersOutputs: Bool = true, cost: CostModel = CostModel(), rules: ShardingRules = .standard
  ) {
    (self.schedule, self.bucketBytes) = (schedule, bucketBytes)
    (self.worldSize, self.rank, self.backend, self.strategy, self.mesh) = (worldSize, rank, backend, strategy, mesh)
    (self.sizes, self.microBatches, self.shardings, self.weights) = (sizes, microBatches, shardings, weights)
    (self.gathersOutputs, self.cost, self.rules) = (gathersOutputs, cost, rules)
  }

  /// The mesh that is meant.
  /// - Throws: `PlanError.mesh`, `.worldSize`, `.rank`.
  func resolvedMesh() throws(PlanError) -> Mesh {
    guard worldSize >= 1 else { throw .mesh("", "there is no rank") }
    guard (0..<worldSize).contains(rank) else { throw .rank(rank, worldSize: worldSize) }
    if let mesh {
      guard mesh.size == worldSize else { throw .worldSize(mesh: mesh.description, worldSize: worldSize) }
      let known = [Mesh.data, Mesh.tensor, Mesh.pipeline]
      for axis in mesh.axes where !known.contains(axis.name) {
        throw .mesh(mesh.description, "axes are \(known.joined(separator: ", "))")
      }
      return mesh
    }
    switch strategy {
    case .data, .automatic: return try Mesh([(Mesh.data, worldSize)])
    case .tensor: return try Mesh([(Mesh.tensor, worldSize)])
    case .model, .pipeline: return try Mesh([(Mesh.pipeline, worldSize)])
    case .hybrid:
      let tensor = (1...worldSize).filter { worldSize % $0 == 0 && $0 * $0 <= worldSize }.max() ?? 1
      return try Mesh([(Mesh.data, worldSize / tensor), (Mesh.tensor, tensor)])
    }
  }
}

extension Mesh {
  static let data = "data"
  static let tensor = "tensor"
  static let pipeline = "pipeline"
  /// Parts of the batch that follow each other on the same ranks.
  static let micro = "micro-batch"
}
