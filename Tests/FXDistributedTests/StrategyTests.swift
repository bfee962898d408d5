import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import Foundation
import Testing

/// Ranks that are threads compute what one rank computes.
@Suite struct StrategyTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var model: String
    var strategy: DistributionStrategy
    var mesh: String
    var testDescription: String { "\(model) \(strategy.rawValue) \(mesh)" }
  }

  static let cases: [Case] = DistributedModels.names.flatMap { model in
    [
      Case(model: model, strategy: .data, mesh: "data=2"), Case(model: model, strategy: .data, mesh: "data=4"),
      Case(model: model, strategy: .tensor, mesh: "tensor=2"), Case(model: model, strategy: .tensor, mesh: "tensor=4"),
      Case(model: model, strategy: .model, mesh: "pipeline=2"), Case(model: model, strategy: .model, mesh: "pipeline=4"),
      Case(model: model, strategy: .pipeline, mesh: "pipeline=2"), Case(model: model, strategy: .pipeline, mesh: "pipeline=4"),
      Case(model: model, strategy: .hybrid, mesh: "data=2,tensor=2"),
      Case(model: model, strategy: .hybrid, mesh: "data=2,pipeline=2"),
      Case(model: model, strategy: .hybrid, mesh: "pipeline=2,tensor=2"),
      Case(model: model, strategy: .hybrid, mesh: "data=2,pipeline=2,tensor=2"),
    ]
  }

  @Test(arguments: cases) func equalsOneRank(_ test: Case) throws {
    let graph = try DistributedModels.model(test.model)
    let mesh = try Mesh(text: test.mesh)
    let config = DistributedConfig(
      worldSize: mesh.size, strategy: test.strategy, mesh: mesh, sizes: ["batch": 8])
    let plan = try ExecutionPlan(graph, config)
    try plan.check()
    #expect(plan.partitions.count == mesh.size)
    let inputs = try InputSampler(sizes: ["batch": 8], integerLimit: 20).inputs(of: graph)
    let expected = try ReferenceExecutor().run(graph, inputs: inputs)
    let world = try LocalWorld(size: mesh.size, timeout: .seconds(20))
    let all = try world.run { communicator in
      try DistributedExecutor(communicator: communicator, backend: ReferenceExecutor()).execute(plan, inputs: inputs)
    }
    for (rank, results) in all.enumerated() {
      #expect(results.count == expected.count)
      for (result, wanted) in zip(results, expected) {
        let (a, b) = (try #require(result.tensor), try #require(wanted.tensor))
        if try Self.splitsAReduction(plan) {
          #expect(try distance(a, b) <= 1e-5, "rank \(rank)")
        } else {
          #expect(a == b, "rank \(rank)")
        }
      }
    }
    // What the ranks' graphs say is what the plan says of them.
    for rank in 0..<mesh.size {
      let program = try plan.rankProgram(rank)
      try program.graph.verify(.typed)
      let said = try program.graph.bodyNodes.compactMap { id -> String? in
        let node = try program.graph[id]
        return node.op.schema?.effect == .collective ? node.op.name : nil
      }
      #expect(try said == plan.actions(of: rank).prefix(said.count).map(\.op))
    }
  }

  static func splitsAReduction(_ plan: ExecutionPlan) throws -> Bool {
    try (0..<plan.worldSize).contains { try plan.actions(of: $0).contains { $0.op == "all_reduce" } }
  }

  /// Convolutions come apart by channels, tables by the width of their vectors, heads by the columns of their products.
  @Test func weightsAreDividedAsTheirUsesAre() throws {
    func parts(_ model: String) throws -> [String: [Int]] {
      let config = DistributedConfig(worldSize: 2, strategy: .tensor, sizes: ["batch": 8])
      let graph = try createExecutionPlan(DistributedModels.model(model), config).rankProgram(1).graph
      return try Dictionary(
        uniqueKeysWithValues: graph.parameterIDs.map { (try graph[$0].name, try graph[$0].tensor?.shape ?? []) })
    }
    let channels = try parts("cnn")
    #expect(channels["first.weight[tensor, _, _, _]"] == [4, 4, 3, 3], "\(channels.keys.sorted())")
    #expect(channels["second.weight[_, tensor, _, _]"] == [8, 4, 3, 3], "\(channels.keys.sorted())")
    let tables = try parts("embedding")
    #expect(tables["table.weight[_, tensor]"] == [20, 8], "\(tables.keys.sorted())")
    let heads = try parts("transformer")
    for name in ["query", "key", "value"] { #expect(heads["\(name).weight[tensor, _]"] == [8, 16], "\(heads.keys.sorted())") }
    #expect(heads["mixed.weight[_, tensor]"] == [16, 8], "\(heads.keys.sorted())")
  }

  /// Tensor parallelism divides what it is for.
  @Test func transformerIsDividedByHeads() throws {
    let graph = try DistributedModels.model("transformer")
    let plan = try ExecutionPlan(graph, DistributedConfig(worldSize: 4, strategy: .tensor, sizes: ["batch": 8]))
    let ops = try plan.actions(of: 0).map(\.op)
    // One sum after attention and one after the wide layers, nothing else.
    #expect(ops == ["all_reduce", "all_reduce"], "\(plan.summary)")
    let whole = graph.parameterIDs.reduce(0) { $0 + ((try? graph[$1].tensor?.byteCount) ?? 0) }
    let most = try #require(plan.partitions.map(\.weightBytes).max())
    #expect(Double(most) < Double(whole) / 3)
    #expect(plan.notes.isEmpty, "\(plan.notes)")
  }
}

/// The largest difference relative to the largest number.
func distance(_ a: Tensor, _ b: Tensor) throws -> Double {
  guard a.shape == b.shape, a.elementType == b.elementType else { return .infinity }
  let (x, y) = (try a.converted(to: .float64).elements(Double.self), try b.converted(to: .float64).elements(Double.self))
  let scale = max(1, y.map(abs).max() ?? 1)
  return zip(x, y).map { abs($0 - $1) / scale }.max() ?? 0
}
