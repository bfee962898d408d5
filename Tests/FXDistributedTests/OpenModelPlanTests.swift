import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import Foundation
import Testing

/// Plans of 8, 64 and 1,024 ranks for networks of the sizes people use.
@Suite struct OpenModelPlanTests {
  struct World: Sendable, CustomTestStringConvertible {
    var model: String
    var mesh: String
    var batch: Int
    var testDescription: String { "\(model) \(mesh)" }
  }

  /// Heads and channels decide how far tensors come apart.
  static let worlds: [World] = OpenModels.names.flatMap { model in
    let tensor = ["mlp": 8, "resnet18": 8, "bert_mini": 4, "gpt2": 4][model] ?? 1
    return [
      World(model: model, mesh: "data=8", batch: 8), World(model: model, mesh: "data=\(8 / tensor),tensor=\(tensor)", batch: 8),
      World(model: model, mesh: "data=64", batch: 64),
      World(model: model, mesh: "data=\(64 / tensor),tensor=\(tensor)", batch: 64),
      World(model: model, mesh: "data=1024", batch: 1024),
      World(model: model, mesh: "data=\(1024 / tensor),tensor=\(tensor)", batch: 1024),
    ]
  }

  @Test(arguments: worlds) func plansAreEvenAndEnd(_ world: World) throws {
    let (graph, mesh) = (try OpenModels.graph(world.model), try Mesh(text: world.mesh))
    let plan = try createExecutionPlan(
      graph, DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": world.batch]))
    #expect(plan.partitions.count == mesh.size)
    #expect(plan.imbalance <= 0.1, "\(plan.imbalance)")
    // What the plan says a rank sends is what the calls of the rank's own graph send.
    for rank in [0, mesh.size - 1] {
      let program = try plan.rankProgram(rank, bindsWeights: false).graph
      #expect(try Self.bytesSent(program) == plan.partitions[rank].bytesSent)
    }
    if let formula = Self.formula(world, mesh) {
      #expect(
        plan.partitions.allSatisfy { $0.bytesSent == formula }, "\(plan.partitions[0].bytesSent), by the formula \(formula)")
    }
  }

  /// Of the ring algorithms: 2 (n − 1) / n of an operand that is summed, n − 1 times one that is gathered.
  static func bytesSent(_ graph: Graph) throws -> Int {
    try graph.bodyNodes.reduce(0) { sum, id in
      let node = try graph[id]
      guard node.op.schema?.family == .collective, let type = graph.type(of: node.operand(0)).tensorType else { return sum }
      let (ranks, bytes) = (node.attributes[Collective.group].count, (type.shape?.sizes ?? []).reduce(4, *))
      switch node.op.name {
      case "all_reduce": return sum + 2 * bytes * (ranks - 1) / ranks
      case "all_gather": return sum + bytes * (ranks - 1)
      case "all_to_all": return sum + bytes * (ranks - 1) / ranks
      default: throw ExecutionError.unsupported([node.op.description])
      }
    }
  }

  /// What a rank sends for one batch, in closed form; `nil` where no form is short.
  static func formula(_ world: World, _ mesh: Mesh) -> Int? {
    let (data, tensor) = (mesh.size(of: "data"), mesh.size(of: "tensor"))
    let rows = world.batch / data
    // Each rank gives its rows of the output to the others.
    func gathered(_ width: Int) -> Int { rows * width * 4 * (data - 1) }
    func summed(_ width: Int) -> Int { 2 * rows * width * 4 * (tensor - 1) / tensor }
    /// Vectors that lie cut over the ranks of tensor parallelism, made whole.
    func joined(_ width: Int) -> Int { rows * width * 4 / tensor * (tensor - 1) }
    switch (world.model, tensor) {
    case ("mlp", 1): return gathered(16)
    // The first layer by columns, the second by rows, the third by columns again: its parts are joined.
    case ("mlp", _): return summed(256) + rows * 16 * 4 / tensor * (data * tensor - 1)
    case ("resnet18", 1): return gathered(1000)
    case ("bert_mini", 1): return gathered(128 * 256)
    // The embeddings' vectors are joined for the first norm; each layer sums after attention and after its wide part.
    case ("bert_mini", _): return joined(128 * 256) + 4 * 2 * summed(128 * 256) + gathered(128 * 256)
    case ("gpt2", 1): return gathered(64 * 50_257)
    // The vocabulary does not fall into equal parts: each rank computes all scores.
    case ("gpt2", _): return joined(64 * 768) + 12 * 2 * summed(64 * 768) + gathered(64 * 50_257)
    default: return nil
    }
  }

  /// Stretches of a program are as even as its nodes allow.
  @Test(arguments: [("bert_mini", "data=2,pipeline=4"), ("gpt2", "data=16,pipeline=4"), ("resnet18", "data=16,pipeline=4")])
  func stagesAreAsEvenAsNodesAllow(_ model: String, _ text: String) throws {
    let (graph, mesh) = (try OpenModels.graph(model), try Mesh(text: text))
    let plan = try createExecutionPlan(
      graph, DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 64], microBatches: 4))
    let single = try ExecutionPlan(graph, DistributedConfig(worldSize: 1, strategy: .data, sizes: ["batch": 64]))
    let total = single.partitions[0].computeSeconds
    let mean = total / Double(mesh.size)
    // A stretch is at most a share and the longest node too long.
    let longest = try Self.longestNode(single, rows: 64 / mesh.size(of: "data")) * 1.05
    let most = try #require(plan.partitions.map(\.computeSeconds).max())
    #expect(most <= max(mean * 1.1, mean + longest), "\(most) of \(mean) on average, the longest node \(longest)")
  }

  private static func longestNode(_ plan: ExecutionPlan, rows: Int) throws -> Double {
    let operations = try plan.graph.bodyNodes.map { id -> Double in
      let node = try plan.graph[id]
      func bytes(_ operand: Operand) -> Double {
        Double((plan.graph.type(of: operand).tensorType?.shape?.sizes ?? []).reduce(4, *))
      }
      let result = bytes(.value(node.results[0]))
      let weight = node.operands.count > 1 ? bytes(node.operand(1)) : 0
      let columns = (plan.graph.type(of: node.operand(1)).tensorType?.shape?.sizes ?? [1]).first ?? 1
      // A product takes two operations for each element of the result and of a row of the weights; 5e10 a second.
      let arithmetic = 2 * result / 4 * weight / 4 / Double(max(1, columns)) / 5e10
      return max(arithmetic, (result + weight + bytes(node.operand(0))) / 8e9)
    }
    return (operations.max() ?? 0) * Double(rows) / 64
  }

  /// A training step of a thousand ranks: each parameter's gradient is summed once.
  @Test(arguments: [8, 64, 1024]) func gradientsAreSummedOnce(ranks: Int) throws {
    let step = try DistributedModels.step("mlp")
    let config = DistributedConfig(worldSize: ranks, strategy: .data, sizes: ["batch": ranks])
    let plan = try DistributedTrainer.plan(step, config)
    try plan.check()
    #expect(plan.imbalance <= 0.1)
    let parameters = step.state.filter { !$0.name.hasSuffix(".momentum") }.reduce(0) { $0 + $1.tensor.byteCount }
    // Those, and the loss; every call is rounded down.
    let calls = try plan.actions(of: 0)
    let formula = 2 * (parameters + 4) * (ranks - 1) / ranks
    for rank in plan.partitions { #expect((0...calls.count).contains(formula - rank.bytesSent)) }
    #expect(Set(calls.map(\.op)) == ["all_reduce"])
  }
}
