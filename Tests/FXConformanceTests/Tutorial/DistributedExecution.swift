import FXCore
import FXDistributed
import FXRuntime
import Testing

extension TutorialTests {
  @Suite struct DistributedExecution {
    static func rows() throws -> Tensor { try Tensor([8, 3], (0..<24).map { Float($0 % 7) - 3 }) }

    @Test func plans() throws {
      let graph = try TutorialTests.model()
      let inputs: [RuntimeValue] = [.tensor(try Self.rows())]

      // Configure distributed execution
      let config = DistributedConfig(
        worldSize: 4,
        rank: 0,
        backend: .mpi,
        strategy: .data,
        sizes: ["batch": 8]
      )

      // Create execution plan
      let plan = try createExecutionPlan(graph, config)
      print(plan.summary)

      // Execute distributed: here the ranks are threads of this process
      let results = try LocalWorld(size: 4).run { communicator in
        try DistributedExecutor(communicator: communicator, backend: CPUBackend()).execute(plan, inputs: inputs)
      }

      let expected = try #require(try CPUBackend().run(graph, inputs: inputs)[0].tensor?.elements(Float.self))
      #expect(results.count == 4)
      for result in results {
        let values = try #require(try result[0].tensor?.elements(Float.self))
        #expect(areNear(values, expected))
      }
      #expect(plan.partitions.allSatisfy { $0.bytesSent > 0 })
    }

    @Test(.enabled(if: !MPICommunicator.isBuilt, "without mpirun there is one rank"))
    func processes() throws {
      let graph = try TutorialTests.model()
      let inputs: [RuntimeValue] = [.tensor(try Self.rows())]
      func execute() throws {
        let config = DistributedConfig(worldSize: 4, backend: .mpi, strategy: .data, sizes: ["batch": 8])
        let plan = try createExecutionPlan(graph, config)

        // Execute distributed
        let executor = try DistributedExecutor(config, backend: CPUBackend())
        let results = try executor.execute(plan, inputs: inputs)

        print("Distributed execution completed")
        #expect(results.count == 1)
      }
      #expect { try execute() } throws: {
        "\($0)".contains("the engine 'mpi' is not there") && "\($0)".contains("available: none")
      }
    }

    @Test func modelParallelism() throws {
      let graph = try TutorialTests.model()

      let config = DistributedConfig(
        worldSize: 2,
        rank: 0,
        backend: .mpi,
        strategy: .model,
        sizes: ["batch": 8]
      )

      let plan = try createExecutionPlan(graph, config)
      print("Model parallel plan created with \(plan.partitions.count) partitions")

      #expect(plan.partitions.map(\.stage) == [0, 1])
    }
  }
}
