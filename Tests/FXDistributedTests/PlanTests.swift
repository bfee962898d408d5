import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import Foundation
import Testing

/// Plans without running them: large worlds, what they send, and plans that are wrong.
@Suite struct PlanTests {
  /// Layers of one width, so that stages can be even.
  static func tower(layers: Int, width: Int, batch: Int) throws -> Graph {
    var graph = Graph()
    var x = try graph.addInput("x", .tensor(.float32, Shape([batch, width])))
    for layer in 0..<layers {
      let weight = try graph.addParameter("w\(layer)", unbound: TensorType(.float32, Shape([width, width])))
      x = try graph.call(.matmul, [.value(x), .parameter(weight)])
      x = try graph.call(.relu, [.value(x)])
    }
    try graph.addOutput(x, name: "y")
    return graph
  }

  static let worlds: [(mesh: String, strategy: DistributionStrategy)] = [
    ("data=8", .data), ("data=64", .data), ("data=1024", .data), ("tensor=8", .tensor), ("tensor=64", .tensor),
    ("pipeline=8", .pipeline), ("pipeline=64", .pipeline), ("data=4,tensor=2", .hybrid), ("data=4,pipeline=4,tensor=4", .hybrid),
    ("data=16,pipeline=8,tensor=8", .hybrid),
  ]

  @Test(arguments: worlds.indices) func largeWorldsAreEvenAndEnd(index: Int) throws {
    let (text, strategy) = Self.worlds[index]
    let mesh = try Mesh(text: text)
    let (batch, width, layers) = (2048, 256, 64)
    let graph = try Self.tower(layers: layers, width: width, batch: batch)
    let plan = try ExecutionPlan(graph, DistributedConfig(worldSize: mesh.size, strategy: strategy, mesh: mesh))
    try plan.check()
    #expect(plan.partitions.count == mesh.size)
    #expect(plan.imbalance <= 0.1, "\(plan.imbalance)")
    let (data, tensor, pipeline) = (mesh.size(of: "data"), mesh.size(of: "tensor"), mesh.size(of: "pipeline"))
    // Every stage holds as many layers, and of each its part.
    let weights = layers / pipeline * width * width * 4 / tensor
    #expect(plan.partitions.allSatisfy { $0.weightBytes == weights }, "\(plan.summary)")
    // Two layers need one sum of the rank's rows: 2 (n − 1) / n of their bytes.
    let rows = batch / data * width * 4
    for rank in plan.partitions {
      let said = try plan.actions(of: rank.rank)
      let sums = said.filter { $0.op == "all_reduce" }.reduce(0) { $0 + 2 * $1.bytes * ($1.group.count - 1) / $1.group.count }
      if tensor > 1 {
        #expect(sums == layers / 2 / pipeline * 2 * rows * (tensor - 1) / tensor)
      }
      // Each stage sends its rows on once.
      let sent = said.filter { $0.op == "send" }.reduce(0) { $0 + $1.bytes }
      #expect(sent == (rank.stage + 1 < pipeline ? rows : 0), "rank \(rank.rank)")
    }
  }

  @Test func checksFindWhatIsWrong() throws {
    let a = RankAction(op: "all_reduce", group: [0, 1], bytes: 8, label: "a")
    let b = RankAction(op: "all_reduce", group: [0, 1, 2], bytes: 8, label: "b")
    try ExecutionPlan.check([[a, b], [a, b], [b]])
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[a, b], [b, a], [b]]) }
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[a], []]) }
    #expect(throws: PlanError.self) {
      try ExecutionPlan.check([[a], [RankAction(op: "all_gather", group: [0, 1], bytes: 8, label: "a")]])
    }
    let (send, recv) = ("send", "recv")
    func pair(_ op: String, _ from: Int, _ to: Int, tag: Int = 0, bytes: Int = 8) -> RankAction {
      RankAction(op: op, group: [from, to], tag: tag, bytes: bytes, label: "x")
    }
    try ExecutionPlan.check([[pair(send, 0, 1), pair(recv, 1, 0)], [pair(recv, 0, 1), pair(send, 1, 0)]])
    // Sends are begun, not waited for: both may be first. Receives may not.
    try ExecutionPlan.check([[pair(send, 0, 1), pair(recv, 1, 0)], [pair(send, 1, 0), pair(recv, 0, 1)]])
    #expect {
      try ExecutionPlan.check([[pair(recv, 1, 0), pair(send, 0, 1)], [pair(recv, 0, 1), pair(send, 1, 0)]])
    } throws: { if case PlanError.deadlock(let ranks)? = $0 as? PlanError { ranks.count == 2 } else { false } }
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[pair(send, 0, 1), pair(send, 0, 1)], [pair(recv, 0, 1)]]) }
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[pair(send, 1, 0)], [pair(recv, 1, 0)]]) }
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[pair(send, 0, 1)], [pair(recv, 0, 1, tag: 1)]]) }
    #expect(throws: PlanError.self) { try ExecutionPlan.check([[pair(send, 0, 1)], [pair(recv, 0, 1, bytes: 4)]]) }
  }

  @Test func whatIsNotAskedForSensiblyIsRefused() throws {
    let graph = try DistributedModels.model("mlp")
    func plan(_ change: (inout DistributedConfig) throws -> Void) throws -> ExecutionPlan {
      var config = DistributedConfig(worldSize: 2, strategy: .data, sizes: ["batch": 8])
      try change(&config)
      return try ExecutionPlan(graph, config)
    }
    for count in [0, -1] {
      #expect { try plan { ($0.strategy, $0.microBatches) = (.pipeline, count) } } throws: {
        "\($0)" == "a batch comes apart into at least one micro-batch, not \(count)"
      }
    }
    #expect {
      try plan { ($0.strategy, $0.microBatches) = (.pipeline, 3) }
    } throws: {
      "\($0)" == "the batch does not come apart into 3 equal micro-batches: 'x' has 8 rows, no multiple of 3"
    }
    for strategy in [DistributionStrategy.data, .tensor, .model] {
      #expect {
        try plan { ($0.strategy, $0.microBatches) = (strategy, 2) }
      } throws: {
        "\($0)"
          == "2 micro-batches are for a pipeline, which this plan has none of: a strategy `pipeline`, or a mesh with that axis"
      }
    }
    #expect(try plan { ($0.strategy, $0.microBatches) = (.automatic, 2) }.mesh.size(of: "pipeline") == 2)
    for (size, strategy) in [(Int.max, DistributionStrategy.data), (1 << 50, .automatic), (1 << 40, .tensor)] {
      #expect {
        try plan { ($0.strategy, $0.sizes) = (strategy, ["batch": size]) }
      } throws: {
        "\($0)".hasSuffix(", which no rank can hold") && "\($0)".hasPrefix("'x' would be f32[\(size), ")
      }
    }
    // What fits is estimated without an overflow, however long it would take.
    let cost = CostModel()
    #expect(CostModel.bytesSent("all_gather", operandBytes: 1 << 60, ranks: 1 << 10) == .max)
    #expect(CostModel.bytesSent("all_reduce", operandBytes: 1 << 60, ranks: 1 << 10) == (1 << 61) - (1 << 51))
    #expect(cost.seconds("all_gather", operandBytes: 1 << 60, ranks: 1 << 10).isFinite)
    for rank in [-1, 2] {
      #expect(throws: PlanError.rank(rank, worldSize: 2)) { try plan { _ in }.actions(of: rank) }
    }
    #expect(throws: PlanError.unboundSymbols(["batch"])) { try plan { $0.sizes = [:] } }
    #expect(throws: PlanError.rank(2, worldSize: 2)) { try plan { $0.rank = 2 } }
    #expect(throws: PlanError.self) { try plan { $0.worldSize = 0 } }
    #expect(throws: PlanError.worldSize(mesh: "data=4", worldSize: 2)) { try plan { $0.mesh = try Mesh(text: "data=4") } }
    #expect(throws: PlanError.self) { try plan { $0.mesh = try Mesh(text: "rows=2") } }
    #expect(throws: PlanError.self) { try plan { $0.shardings = ["x": ShardingSpec([["model"], []])] } }
    #expect(throws: PlanError.self) { try plan { ($0.strategy, $0.worldSize) = (.pipeline, 64) } }
    #expect(throws: PlanError.self) { try Mesh(text: "data=0") }
    let huge = "data=4611686018427387904,tensor=4"
    #expect(throws: PlanError.mesh(huge, "more than 1048576 ranks")) { try Mesh(text: huge) }
    #expect(throws: PlanError.self) { try Mesh(text: "data=1048576,tensor=2") }
    #expect(throws: PlanError.self) { try Mesh(text: "data") }
    // Three rows do not fall into two parts: every rank computes all, and the plan says so.
    let whole = try plan { $0.sizes = ["batch": 3] }
    #expect(whole.notes == ["nothing is divided along data: its ranks do the same"])
  }

  @Test func automaticChoosesTheFastestAndSaysWhy() throws {
    // Many rows and small weights: the batch is divided. One row and large weights: the weights are.
    let rows = try ExecutionPlan(
      Self.tower(layers: 4, width: 64, batch: 65536), DistributedConfig(worldSize: 4, strategy: .automatic))
    #expect(rows.mesh.size(of: "data") == 4, "\(rows.summary)")
    let weights = try ExecutionPlan(
      Self.tower(layers: 4, width: 4096, batch: 1), DistributedConfig(worldSize: 4, strategy: .automatic))
    #expect(weights.mesh.size(of: "tensor") == 4, "\(weights.summary)")
    #expect(weights.notes.contains { $0.hasPrefix("data=4,pipeline=1,tensor=1: ") })
  }

  @Test func foldersHoldWhatRanksRun() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-plan-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let graph = try DistributedModels.model("transformer")
    let inputs = try InputSampler(sizes: ["batch": 4]).inputs(of: graph)
    let expected = try ReferenceExecutor().run(graph, inputs: inputs)
    for (mesh, files) in [("data=4", 1), ("data=2,tensor=2", 4), ("pipeline=2", 2)] {
      let mesh = try Mesh(text: mesh)
      let config = DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 4])
      try PlanFolder.write(ExecutionPlan(graph, config), to: folder)
      let plan = try PlanFolder(folder)
      let results = try LocalWorld(size: mesh.size).run { communicator in
        try DistributedExecutor(communicator: communicator, backend: ReferenceExecutor()).prepare(plan).run(inputs)
      }
      for result in results { #expect(try distance(#require(result[0].tensor), #require(expected[0].tensor)) < 1e-5) }
      let written = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".fxb") }
      #expect(written.count == files, "\(written)")
      try FileManager.default.removeItem(atPath: folder)
    }
    #expect(throws: PlanError.self) { try PlanFolder(folder) }
  }
}
