import FXCore
import FXRuntime
import FXTrace
import Testing

extension TutorialTests {
  @Suite struct SymbolicTracing {
    static let executors: [any GraphExecutor] = [ReferenceExecutor(), CPUBackend()]

    // Example module implementation
    struct LinearModule: Module {
      let linear: Linear

      init(inputSize: Int, outputSize: Int) { linear = Linear(inputSize, outputSize) }

      func forward(_ input: SymbolicTensor) -> SymbolicTensor { linear(input) }
    }

    // Trace a module
    func traceModule() throws -> Graph {
      let module = LinearModule(inputSize: 784, outputSize: 10)
      try module.initializeParameters(seed: 42)

      // Create tracer and trace the module
      return try trace(module, .tensor(.float32, ["batch", 784]))
    }

    @Test func moduleTracing() throws {
      let graph = try traceModule()
      try graph.verify(.executable)
      #expect(try graph.parameterIDs.map { try graph[$0].name } == ["linear.weight", "linear.bias"])
      #expect(graph.type(of: graph.outputs[0]).description == "f32[batch, 10]")
      let module = LinearModule(inputSize: 784, outputSize: 10)
      try module.initializeParameters(seed: 42)
      let x = try Tensor([3, 784], (0..<(3 * 784)).map { Float($0 % 17) / 17 - 0.5 })
      let eager = try module.callEagerly(x, executor: ReferenceExecutor())[0]
      #expect(eager.shape == [3, 10])
      for executor in Self.executors { #expect(try areNear(executor.run(graph, x)[0].elements(), eager.elements())) }
    }

    struct ReluAsMaximum: TracingProxy {
      func call(_ call: OperatorCall) throws -> [SymbolicTensor] {
        call.op == .relu ? [maximum(call.tensors[0], 0)] : call.proceed()
      }
    }

    @Test func proxies() throws {
      var options = TraceOptions()
      options.proxy = ReluAsMaximum()
      let traced = try trace(Sequential(Linear(3, 3), ReLU()), .tensor(.float32, ["batch", 3]), options: options)

      #expect(try traced.bodyNodes.map { try traced[$0].op } == [.linear, .maximum])
    }

    func traceWithControlFlow() throws -> Graph {
      var tracer = ModuleTracer()

      // Input
      try tracer.addInput("x")

      // Condition: x > 0
      try tracer.addCall("gt", ["x", 0])

      // Then branch: relu(x)
      try tracer.addCall("relu", ["x"])

      // Else branch: sigmoid(x)
      try tracer.addCall("sigmoid", ["x"])

      // Conditional node
      try tracer.addConditional("node_0", then: ["node_1"], else: ["node_2"])

      // Output
      try tracer.addOutput("node_3")

      return try tracer.finalize()
    }

    struct Gate: Module {
      func forward(_ x: SymbolicTensor) -> SymbolicTensor {
        cond(x .> 0) {
          relu(x)
        } else: {
          sigmoid(x)
        }
      }
    }

    @Test func controlFlow() throws {
      let flat = try traceWithControlFlow()
      #expect(flat.nodeCount == 6)
      for graph in [flat, try trace(Gate(), .tensor(.float32, []))] {
        try graph.verify()
        for executor in Self.executors {
          #expect(try executor.run(graph, Tensor(Float(2)))[0] == Tensor(Float(2)))
          #expect(try executor.run(graph, Tensor(Float(0)))[0] == Tensor(Float(0.5)))
        }
      }
      let typed = try trace(Gate(), .tensor(.float32, []))
      for value in [Float(2), 0] {
        guard let theirs = try OnnxRuntime.run(typed, Tensor(value)) else { continue }
        #expect(try theirs == CPUBackend().run(typed, Tensor(value)))
      }
      #expect(try Gate().callEagerly(Tensor(Float(0)), executor: ReferenceExecutor()) == [Tensor(Float(0.5))])
    }

    func traceWithLoop() throws -> Graph {
      var tracer = ModuleTracer()

      // Input and initial state
      try tracer.addInput("x")
      try tracer.addInput("counter")

      // Loop condition: counter < 10
      try tracer.addCall("lt", ["counter", 10])

      // Loop body: x = x + 1, counter = counter + 1
      try tracer.addCall("add", ["x", 1])
      try tracer.addCall("add", ["counter", 1])

      // Loop node
      try tracer.addLoop("node_0", body: ["node_1", "node_2"], state: ["x", "counter"])

      // Output
      try tracer.addOutput("node_3")

      return try tracer.finalize()
    }

    struct CountToTen: Module {
      func forward(_ state: Tuple<SymbolicTensor, SymbolicTensor>) -> SymbolicTensor {
        let final = whileLoop(state) { state in
          state.members.1 .< 10
        } body: { state in
          Tuple(state.members.0 + 1, state.members.1 + 1)
        }
        return final.members.0
      }
    }

    @Test func loop() throws {
      let flat = try traceWithLoop()
      #expect(flat.nodeCount == 7)
      for graph in [flat, try trace(CountToTen(), .tensor(.float32, []), .tensor(.int64, []))] {
        try graph.verify()
        for executor in Self.executors {
          #expect(try executor.run(graph, Tensor(Float(0)), Tensor(0))[0] == Tensor(Float(10)))
          #expect(try executor.run(graph, Tensor(Float(5)), Tensor(10))[0] == Tensor(Float(5)))
        }
      }
      let guarded = CPUBackend(.init(reference: .standard.limitingTurns(to: 1000)))
      #expect(try guarded.run(flat, Tensor(Float(0)), Tensor(0))[0] == Tensor(Float(10)))
      #expect(throws: ExecutionError.self) { try guarded.run(flat, Tensor(Float(0)), Tensor(-1000)) }
      let typed = try trace(CountToTen(), .tensor(.float32, []), .tensor(.int64, []))
      for (x, counter) in [(Float(0), 0), (5, 10)] {
        guard let theirs = try OnnxRuntime.run(typed, Tensor(x), Tensor(counter)) else { continue }
        #expect(try theirs == CPUBackend().run(typed, Tensor(x), Tensor(counter)))
      }
    }
  }
}
