import FXCore

/// What a rank needs of a plan to run its own graph: all that is not in the graph.
struct PreparedPlan: Sendable, Codable {
  /// An input or output of the whole graph.
  struct Value: Sendable, Codable {
    var name: String
    /// Of the whole; `nil` for what is no tensor of known sizes.
    var sizes: [Int]?
    var elementType: ElementType?
    var spec: ShardingSpec
    var stage = 0
    /// Whether a node computes it.
    var isComputed = true
    /// Whether the ranks of other stages get it.
    var isDelivered = false
  }

  var mesh: Mesh
  var strategy: DistributionStrategy
  var microBatches: Int
  var schedule: PipelineSchedule
  var inputs: [Value]
  var outputs: [Value]
  var groups: [[Int]]
  /// Of the plan and the model: what all ranks must agree on.
  var digest: UInt64

  /// The mesh with micro-batches as its slowest axis.
  var fullMesh: Mesh { microBatches > 1 ? mesh.preceded(by: Mesh.micro, microBatches) : mesh }

  init(_ plan: ExecutionPlan) {
    let graph = plan.graph
    (mesh, strategy, microBatches) = (plan.mesh, plan.strategy, plan.microBatches)
    (schedule, groups) = (plan.schedule, plan.groups)
    inputs = zip(graph.inputs, plan.inputs).map { input, about in
      let type = graph.sizedType(of: .value(input))
      return Value(name: about.name, sizes: type?.shape?.sizes, elementType: type?.elementType, spec: about.sharding)
    }
    outputs = graph.outputs.indices.map { index in
      let operand = graph.outputs[index]
      let type = graph.sizedType(of: operand)
      let isComputed = operand.value.flatMap { try? graph.producer(of: $0) } != nil
      return Value(
        name: plan.outputs[index].name, sizes: type?.shape?.sizes, elementType: type?.elementType,
        spec: plan.outputs[index].sharding, stage: plan.outputs[index].stage, isComputed: isComputed,
        isDelivered: plan.deliveredOutputs.contains(index))
    }
    digest = plan.digest
  }
}

extension Mesh {
  /// This mesh with one more axis, which counts slowest.
  func preceded(by name: String, _ size: Int) -> Mesh { Mesh(unchecked: [Axis(name: name, size: size)] + axes) }
}

extension ExecutionPlan {
  /// A number for the plan and the model: calls, sizes, lays, and samples of the weights.
  var digest: UInt64 {
    var digest = Digest()
    digest.add("\(mesh) \(strategy.rawValue) \(microBatches) \(schedule.rawValue) \(gathersOutputs)")
    for id in graph.bodyNodes {
      guard let node = try? graph[id] else { continue }
      digest.add("\(node.op) \(node.results.map { graph.type(of: .value($0)).description }) \(node.attributes)")
    }
    for stage in patterns { for pattern in stage { digest.add("\(pattern)") } }
    for id in graph.parameterIDs {
      guard let parameter = try? graph[id] else { continue }
      digest.add("\(parameter.name) \(parameter.type)")
      // Enough to tell models apart without reading all of them.
      parameter.tensor?.withUnsafeBytes { bytes in
        digest.add(UnsafeRawBufferPointer(rebasing: bytes.prefix(256)))
        digest.add(UnsafeRawBufferPointer(rebasing: bytes.suffix(256)))
      }
    }
    return digest.value
  }
}

/// The 64-bit FNV-1a hash. Source: Fowler, Noll and Vo, RFC 9923.
private struct Digest {
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  mutating func add(_ bytes: some Sequence<UInt8>) {
    for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
  }

  mutating func add(_ text: String) { add(text.utf8) }
}
