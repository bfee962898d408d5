import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import Testing

/// GPipe and 1F1B: the same training, with activations of as many micro-batches as the papers say.
@Suite struct PipelineTrainingTests {
  @Test func schedulesAreThoseOfThePapers() {
    func text(_ schedule: PipelineSchedule, _ stage: Int) -> String {
      schedule.passes(stage: stage, of: 3, microBatches: 4).map { "\($0.isForward ? "F" : "B")\($0.microBatch)" }
        .joined(separator: " ")
    }
    for stage in 0..<3 { #expect(text(.gpipe, stage) == "F0 F1 F2 F3 B0 B1 B2 B3") }
    #expect(text(.oneForwardOneBackward, 0) == "F0 F1 F2 B0 F3 B1 B2 B3")
    #expect(text(.oneForwardOneBackward, 1) == "F0 F1 B0 F2 B1 F3 B2 B3")
    #expect(text(.oneForwardOneBackward, 2) == "F0 B0 F1 B1 F2 B2 F3 B3")
    for schedule in PipelineSchedule.allCases {
      for (stage, batches) in [(3, 4), (5, 4), (-1, 4), (0, 0), (0, -1)] {
        #expect(schedule.passes(stage: stage, of: 3, microBatches: batches).isEmpty)
      }
    }
    for stages in 1...6 {
      for batches in 1...9 {
        for stage in 0..<stages {
          #expect(PipelineSchedule.gpipe.mostHeld(stage: stage, of: stages, microBatches: batches) == batches)
          #expect(
            PipelineSchedule.oneForwardOneBackward.mostHeld(stage: stage, of: stages, microBatches: batches)
              == min(batches, stages - stage))
        }
      }
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var model: String
    var mesh: String
    var microBatches: Int
    var schedule: PipelineSchedule
    var testDescription: String { "\(model) \(mesh) \(microBatches) \(schedule.rawValue)" }
  }

  static let cases = PipelineSchedule.allCases.flatMap { schedule in
    [
      ("mlp", "pipeline=2", 4), ("mlp", "pipeline=3", 8), ("mlp", "data=2,pipeline=2", 4), ("mlp", "pipeline=2,tensor=2", 2),
      ("mlp", "data=2,pipeline=2,tensor=2", 2), ("cnn", "pipeline=2", 4), ("cnn", "pipeline=4", 8),
      ("cnn", "data=2,pipeline=2", 4),
      ("tokens", "pipeline=3", 4), ("tokens", "data=2,pipeline=2", 2), ("mlp", "pipeline=2", 1),
    ].map { Case(model: $0.0, mesh: $0.1, microBatches: $0.2, schedule: schedule) }
  }

  @Test(arguments: cases) func twentyStepsAreThoseOfOneRank(_ test: Case) throws {
    let step = try DistributedModels.step(test.model)
    let mesh = try Mesh(text: test.mesh)
    let config = DistributedConfig(
      worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 8], microBatches: test.microBatches,
      schedule: test.schedule)
    let plan = try DistributedTrainer.plan(step, config)
    try plan.check()
    #expect(plan.microBatches == test.microBatches)
    var trainer = try Trainer(step, on: CPUBackend(.init(threads: 1)))
    let expected = try (0..<20).map {
      try trainer.train(DistributedModels.batch(test.model, $0)[0], DistributedModels.batch(test.model, $0)[1])
    }
    let runs = try LocalWorld(size: mesh.size, timeout: .seconds(30)).run { communicator in
      let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
      var trainer = try DistributedTrainer(step, plan: plan, on: executor)
      var losses = try (0..<10).map { try trainer.train(DistributedModels.batch(test.model, $0)) }
      let saved = (try trainer.checkpoint(), trainer.stepCount)
      var again = try DistributedTrainer(step, plan: plan, on: executor, from: saved)
      losses += try (10..<20).map { try again.train(DistributedModels.batch(test.model, $0)) }
      return (losses: losses, state: try again.checkpoint(), held: again.clock.heldBytes)
    }
    for (rank, run) in runs.enumerated() {
      for (loss, wanted) in zip(run.losses, expected) {
        #expect(abs(loss - wanted) <= 1e-5 * max(1, abs(wanted)), "rank \(rank)")
      }
      for (name, tensor) in trainer.tensors { #expect(try distance(#require(run.state[name]), tensor) <= 1e-4, "\(name)") }
    }
    #expect(expected[19] < expected[0])
    // Weights are on the stages that use them, and nowhere else.
    let whole = step.state.reduce(0) { $0 + $1.tensor.byteCount }
    #expect(plan.partitions.allSatisfy { $0.weightBytes < whole }, "\(plan.partitions.map(\.weightBytes)) of \(whole)")
  }

  /// What the first stage holds: all micro-batches' activations, or as many as there are stages.
  @Test(arguments: [2, 4]) func activationsAreHeldAsThePapersSay(stages: Int) throws {
    let step = try DistributedModels.step("cnn")
    let mesh = try Mesh([("pipeline", stages)])
    func held(_ schedule: PipelineSchedule) throws -> (planned: [Int], measured: [Int]) {
      let config = DistributedConfig(
        worldSize: stages, strategy: .pipeline, mesh: mesh, sizes: ["batch": 8], microBatches: 8, schedule: schedule)
      let plan = try DistributedTrainer.plan(step, config)
      let measured = try LocalWorld(size: stages, timeout: .seconds(30)).run { communicator in
        let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
        var trainer = try DistributedTrainer(step, plan: plan, on: executor)
        try trainer.train(DistributedModels.batch("cnn", 0))
        return trainer.clock.heldBytes
      }
      return (plan.partitions.map(\.heldBytes), measured)
    }
    let (all, few) = (try held(.gpipe), try held(.oneForwardOneBackward))
    for stage in 0..<stages {
      let batches = stages - stage
      #expect(all.planned[stage] * batches == few.planned[stage] * 8, "stage \(stage)")
      // A loss of four bytes for each micro-batch is kept beside the activations.
      #expect(abs(all.measured[stage] * batches - few.measured[stage] * 8) <= 8 * 8 * 8, "stage \(stage): \(all) \(few)")
    }
    #expect(all.planned[0] > 0 && few.measured[0] < all.measured[0])
  }

  /// Gradients of many parameters go in few calls, and training is the same.
  @Test func gradientsAreSentTogether() throws {
    let step = try DistributedModels.step("cnn")
    func run(_ bucketBytes: Int) throws -> (calls: Int, losses: [Double]) {
      let config = DistributedConfig(worldSize: 2, strategy: .data, sizes: ["batch": 8], bucketBytes: bucketBytes)
      let plan = try DistributedTrainer.plan(step, config)
      try plan.check()
      let losses = try LocalWorld(size: 2, timeout: .seconds(30)).run { communicator in
        let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
        var trainer = try DistributedTrainer(step, plan: plan, on: executor)
        return try (0..<5).map { try trainer.train(DistributedModels.batch("cnn", $0)) }
      }
      return (try plan.actions(of: 0).filter { $0.op == "all_reduce" }.count, losses[0])
    }
    let (apart, some, together) = (try run(0), try run(2000), try run(1 << 20))
    // Six parameters and the loss; the loss is of the forward pass.
    #expect(apart.calls == 7)
    #expect(together.calls == 2)
    #expect((3...6).contains(some.calls), "\(some.calls)")
    #expect(apart.losses == together.losses && apart.losses == some.losses)
  }
}
