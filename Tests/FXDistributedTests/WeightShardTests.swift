import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTrace
import Foundation
import Testing

/// Ranks read what they need of weights: files, parts of them, and no more.
@Suite struct WeightShardTests {
  /// A folder that is gone afterwards.
  static func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fx-shards-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
  }

  @Test func filesAreThoseOfTheIndex() throws {
    try Self.withFolder { folder in
      let tensors = try Dictionary(
        uniqueKeysWithValues: (0..<7).map { ("w\($0)", try Tensor([4, 4], (0..<16).map { Float($0) })) })
      let written = try WeightShards.write(tensors, to: folder, bytesPerFile: 130)
      #expect(Set(written.files.values).count == 4)
      #expect(written.files["w0"] == "model-00001-of-00004.safetensors")
      let read = try WeightShards(folder: folder)
      #expect(read.openedFiles.isEmpty)
      #expect(try read.tensor(named: "w6") == tensors["w6"])
      #expect(read.openedFiles == ["model-00004-of-00004.safetensors"])
      #expect(try read.tensor(named: "w9") == nil)
      for (name, tensor) in tensors { #expect(try read.tensor(named: name) == tensor) }
      // An index that lies.
      let index = "{\"weight_map\": {\"w0\": \"model-00002-of-00004.safetensors\", \"w1\": \"there.safetensors\"}}"
      try index.write(toFile: "\(folder)/\(WeightShards.indexName)", atomically: true, encoding: .utf8)
      let wrong = try WeightShards(folder: folder)
      #expect(throws: PlanError.self) { try wrong.tensor(named: "w0") }
      #expect(throws: (any Error).self) { try wrong.tensor(named: "w1") }
      for text in ["{}", "{\"weight_map\": {\"w\": \"../x\"}}", "nonsense"] {
        try text.write(toFile: "\(folder)/\(WeightShards.indexName)", atomically: true, encoding: .utf8)
        #expect(throws: PlanError.self) { try WeightShards(folder: folder) }
      }
    }
  }

  /// Convolutions by channels, tables by the width of their vectors, attention by heads, stages by weights.
  @Test(arguments: [
    ("cnn", "tensor=2"), ("cnn", "tensor=4"), ("embedding", "tensor=2"), ("embedding", "tensor=4"), ("transformer", "tensor=4"),
    ("transformer", "pipeline=2"), ("mlp", "pipeline=2,tensor=2"), ("mlp", "data=2"),
  ]) func ranksTakeTheirPartsFromFiles(_ model: String, _ text: String) throws {
    try Self.withFolder { folder in
      let bound = try DistributedModels.model(model)
      var tensors: [String: Tensor] = [:]
      for id in bound.parameterIDs where try bound[id].role != .constant { tensors[try bound[id].name] = try bound[id].tensor }
      let shards = try WeightShards.write(tensors, to: folder, bytesPerFile: 1)
      // The plan is made without weights.
      let mesh = try Mesh(text: text)
      let config = DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 8])
      let plan = try createExecutionPlan(DistributedModels.model(model, isBound: false), config)
      let inputs = try InputSampler(sizes: ["batch": 8], integerLimit: 20).inputs(of: bound)
      let expected = try ReferenceExecutor().run(bound, inputs: inputs)
      let all = try LocalWorld(size: mesh.size, timeout: .seconds(20)).run { communicator in
        let own = try WeightShards(folder: folder)
        let executor = DistributedExecutor(communicator: communicator, backend: ReferenceExecutor())
        let results = try executor.prepare(plan, weights: own).run(inputs)
        return (results: results, opened: own.openedFiles)
      }
      let whole = tensors.values.reduce(0) { $0 + $1.byteCount }
      for (rank, found) in all.enumerated() {
        #expect(try distance(#require(found.results[0].tensor), #require(expected[0].tensor)) <= 1e-5)
        let program = try plan.rankProgram(rank, weights: shards).graph
        let weights = program.parameterIDs.compactMap { try? program[$0] }.filter { $0.role != .constant }
        #expect(weights.allSatisfy { $0.tensor != nil })
        let bytes = weights.reduce(0) { $0 + ($1.tensor?.byteCount ?? 0) }
        // Norms and last biases are whole; all else is a share of the tensor axis.
        let share = Double(bytes) / Double(whole) * Double(mesh.size(of: "tensor"))
        if mesh.size(of: "tensor") > 1 { #expect(share < 1.5, "rank \(rank): \(bytes) of \(whole)") }
        if mesh.size(of: "pipeline") > 1 { #expect(found.opened.count < tensors.count, "rank \(rank): \(found.opened)") }
      }
      if mesh.size(of: "pipeline") > 1 {
        #expect(Set(all.flatMap(\.opened)).count == tensors.count)
        #expect(all[0].opened != all[mesh.size - 1].opened)
      }
    }
  }

  @Test(arguments: [("data=2", "pipeline=2"), ("data=2,tensor=2", "data=2"), ("data=2,pipeline=2", "tensor=2")])
  func trainingGoesOnFromFilesOnAnotherMesh(_ first: String, _ second: String) throws {
    try Self.withFolder { folder in
      let step = try DistributedModels.step("mlp")
      var alone = try Trainer(step, on: CPUBackend(.init(threads: 1)))
      let expected = try (0..<10).map {
        try alone.train(DistributedModels.batch("mlp", $0)[0], DistributedModels.batch("mlp", $0)[1])
      }
      func train(_ text: String, _ steps: Range<Int>, from shards: Bool) throws -> [Double] {
        let mesh = try Mesh(text: text)
        let config = DistributedConfig(worldSize: mesh.size, strategy: .hybrid, mesh: mesh, sizes: ["batch": 8])
        let plan = try DistributedTrainer.plan(step, config)
        return try LocalWorld(size: mesh.size, timeout: .seconds(20)).run { communicator in
          let executor = DistributedExecutor(communicator: communicator, backend: CPUBackend(.init(threads: 1)))
          var trainer =
            try shards
            ? DistributedTrainer(step, plan: plan, on: executor, from: WeightShards(folder: folder))
            : DistributedTrainer(step, plan: plan, on: executor)
          let losses = try steps.map { try trainer.train(DistributedModels.batch("mlp", $0)) }
          if !shards { try trainer.write(to: folder) }
          return losses
        }[0]
      }
      let losses = try train(first, 0..<5, from: false) + train(second, 5..<10, from: true)
      for (loss, wanted) in zip(losses, expected) { #expect(abs(loss - wanted) <= 1e-5 * max(1, abs(wanted))) }
    }
  }
}
