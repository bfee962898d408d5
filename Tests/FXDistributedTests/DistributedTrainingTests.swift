import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTestSupport
import Foundation
import Testing

/// Training divided among ranks is training on one.
@Suite struct DistributedTrainingTests {
  static let cases: [(model: String, mesh: String)] = ["mlp", "cnn"].flatMap { model in
    ["data=2", "data=4", "tensor=2", "data=2,tensor=2"].map { (model, $0) }
  }

  @Test(arguments: cases.indices) func twentyStepsAreThoseOfOneRank(index: Int) throws {
    let (model, text) = Self.cases[index]
    let step = try DistributedModels.step(model)
    let mesh = try Mesh(text: text)
    let config = DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 8])
    let plan = try DistributedTrainer.plan(step, config)
    try plan.check()
    var trainer = try Trainer(step, on: CPUBackend(.init(threads: 1)))
    let expected = try (0..<20).map {
      try trainer.train(DistributedModels.batch(model, $0)[0], DistributedModels.batch(model, $0)[1])
    }
    let runs = try LocalWorld(size: mesh.size, timeout: .seconds(30)).run { communicator in
      let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
      var trainer = try DistributedTrainer(step, plan: plan, on: executor)
      var losses = try (0..<10).map { try trainer.train(DistributedModels.batch(model, $0)) }
      // Killed here and started again.
      let saved = (try trainer.checkpoint(), trainer.stepCount)
      var again = try DistributedTrainer(step, plan: plan, on: executor, from: saved)
      losses += try (10..<20).map { try again.train(DistributedModels.batch(model, $0)) }
      return (losses: losses, state: try again.checkpoint())
    }
    for run in runs {
      for (loss, wanted) in zip(run.losses, expected) { #expect(abs(loss - wanted) <= 1e-5 * max(1, abs(wanted))) }
      for (name, tensor) in trainer.tensors { #expect(try distance(#require(run.state[name]), tensor) <= 1e-4, "\(name)") }
    }
    #expect(expected[19] < expected[0])
    // Gradients are summed, and data parallelism gathers nothing.
    let ops = try plan.actions(of: 0).map(\.op)
    #expect(ops.contains("all_reduce"))
    if mesh.size(of: "tensor") == 1, model == "mlp" { #expect(Set(ops) == ["all_reduce"], "\(ops)") }
  }
}
