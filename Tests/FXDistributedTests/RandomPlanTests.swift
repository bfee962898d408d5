import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTestSupport
import Foundation
import Testing

/// Random graphs on random meshes: simulated ranks compute what one rank computes. `make fuzz-distributed` tries more.
@Suite struct RandomPlanTests {
  static let count = ProcessInfo.processInfo.environment["FX_DISTRIBUTED_COUNT"].flatMap { Int($0) } ?? 40
  static let first = ProcessInfo.processInfo.environment["FX_DISTRIBUTED_SEED"].flatMap { UInt64($0) } ?? 1

  @Test func randomPlansEqualOneRank() throws {
    var (planned, divided) = (0, 0)
    // Graphs that the generator does not make, or one rank cannot run either.
    var unrunnable: [UInt64] = []
    for seed in Self.first..<Self.first + UInt64(Self.count) {
      var program = RandomProgram(seed: seed)
      guard let graph = try? program.make() else {
        unrunnable.append(seed)
        continue
      }
      // Sizes of 4 fall into parts; the generator promises a run for sizes of 2 only.
      let wide = try InputSampler(seed: seed, defaultSize: 4).inputs(of: graph)
      let small = try InputSampler(seed: seed).inputs(of: graph)
      let runnable = [wide, small].lazy.compactMap { values in
        (try? ReferenceExecutor().run(graph, inputs: values)).map { (inputs: values, expected: $0) }
      }
      guard let (inputs, expected) = runnable.first else {
        unrunnable.append(seed)
        continue
      }
      var random = RandomSource(seed: seed)
      let mesh = try Mesh(
        text: random.pick([
          "data=2", "tensor=2", "pipeline=2", "data=2,tensor=2", "data=2,pipeline=2", "pipeline=2,tensor=2", "data=4",
          "tensor=4", "pipeline=3", "data=2,pipeline=2,tensor=2",
        ]))
      var config = DistributedConfig(
        worldSize: mesh.size, strategy: random.pick([.hybrid, .model]), mesh: mesh, sizes: try Self.sizes(of: graph, inputs))
      config.schedule = random.pick(PipelineSchedule.allCases)
      config.bucketBytes = random.pick([0, 64, 1 << 20])
      // Any lay of the inputs is right, not only one by their first size.
      for (input, value) in zip(graph.inputs, inputs) where random.oneIn(2) {
        guard let shape = value.tensor?.shape else { continue }
        var spec = ShardingSpec.replicated(rank: shape.count)
        for axis in mesh.axes where axis.name != "pipeline" {
          let fitting = shape.indices.filter { shape[$0] % axis.size == 0 && spec.dimensions[$0].isEmpty }
          if !fitting.isEmpty { spec.dimensions[random.pick(fitting)].append(axis.name) }
        }
        config.shardings[graph.name(of: input)] = spec
      }
      let plan: ExecutionPlan
      do {
        plan = try ExecutionPlan(graph, config)
      } catch PlanError.stages {
        continue
      } catch PlanError.unsendable {
        continue
      } catch {
        Issue.record("seed \(seed) on \(mesh): no plan: \(error)")
        continue
      }
      try plan.check()
      planned += 1
      if try (0..<mesh.size).contains(where: { try !plan.actions(of: $0).isEmpty }) { divided += 1 }
      let world = try LocalWorld(size: mesh.size, timeout: .seconds(60))
      let all: [[RuntimeValue]]
      do {
        all = try world.run { communicator in
          try DistributedExecutor(communicator: communicator, backend: ReferenceExecutor()).execute(plan, inputs: inputs)
        }
      } catch {
        Issue.record("seed \(seed) on \(mesh): \(error)")
        continue
      }
      for (rank, results) in all.enumerated() {
        try #require(results.count == expected.count)
        for (index, (result, wanted)) in zip(results, expected).enumerated() {
          let isEqual = try Self.areNear(result, wanted)
          #expect(isEqual, "seed \(seed) on \(mesh), rank \(rank), output \(index)")
        }
      }
    }
    #expect(unrunnable.count <= Self.count / 100, "\(unrunnable)")
    if !unrunnable.isEmpty { print("no graph, or one that one rank cannot run, for the seeds \(unrunnable)") }
    #expect(planned > Self.count / 2 && divided > planned / 4, "\(planned) planned, \(divided) divided")
  }

  /// The symbols' sizes by the inputs at hand.
  static func sizes(of graph: Graph, _ inputs: [RuntimeValue]) throws -> [String: Int] {
    var sizes: [String: Int] = [:]
    for (input, value) in zip(graph.inputs, inputs) {
      guard let shape = try graph.type(of: input).shape, let tensor = value.tensor else { continue }
      for (dimension, size) in zip(shape, tensor.shape) { if let symbol = dimension.symbol { sizes[symbol] = size } }
    }
    return sizes
  }

  static func areNear(_ a: RuntimeValue, _ b: RuntimeValue) throws -> Bool {
    guard let x = a.tensor, let y = b.tensor, x != y else { return a == b }
    guard x.elementType.isFloatingPoint, y.elementType == x.elementType, x.shape == y.shape else { return false }
    let (p, q) = (try x.converted(to: .float64).elements(Double.self), try y.converted(to: .float64).elements(Double.self))
    let scale = q.filter(\.isFinite).map(abs).max() ?? 1
    let tolerance = (x.elementType == .float64 ? 1e-9 : x.elementType == .float32 ? 1e-4 : 0.05) * max(1, scale)
    return zip(p, q).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) || abs($0 - $1) <= tolerance }
  }
}
