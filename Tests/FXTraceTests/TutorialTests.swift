import FXCore
import FXRuntime
import FXTrace
import Testing

/// The tutorial's programs of "Basic Graph Construction" and "Symbolic Tracing", with what they must give.
@Suite struct TutorialTests {
  static let executors: [any GraphExecutor] = [ReferenceExecutor(), CPUBackend()]

  func createSimpleGraph() throws -> Graph {
    var tracer = ModuleTracer()

    // Add input node
    try tracer.addInput("x")

    // Add operations
    try tracer.addCall("linear", ["x"])
    try tracer.addCall("relu", ["node_0"])

    // Add output
    try tracer.addOutput("node_1")

    return try tracer.finalize()
  }

  @Test func simpleGraph() throws {
    var graph = try createSimpleGraph()
    try graph.verify()
    #expect((graph.nodeCount, graph.edgeCount) == (4, 3))
    try graph.initializeParameters(seed: 42, inputTypes: [.tensor(.float32, [2, 3])])
    try graph.verify(.executable)
    let x = try Tensor([2, 3], [1, -2, 3, -4, 5, -6] as [Float])
    let results = try Self.executors.map { try $0.run(graph, x)[0] }
    #expect(try largestDifference(results[0], results[1]) <= 1e-6)
  }

  @Test func serialization() throws {
    let graph = try createSimpleGraph()
    let json = try graph.toJSON()
    let binary = graph.binary()
    #expect(try Graph.fromJSON(json).nodeCount == graph.nodeCount)
    #expect(try Graph.fromJSON(json) == graph)
    #expect(try Graph(binary: binary) == graph)
    #expect(try Graph(text: graph.text()) == graph)
  }

  struct LinearModule: Module {
    let linear: Linear

    init(inputSize: Int, outputSize: Int) { linear = Linear(inputSize, outputSize) }

    func forward(_ input: SymbolicTensor) -> SymbolicTensor { linear(input) }
  }

  @Test func moduleTracing() throws {
    let module = LinearModule(inputSize: 784, outputSize: 10)
    try module.initializeParameters(seed: 1)
    let graph = try trace(module, .tensor(.float32, ["batch", 784]))
    try graph.verify(.executable)
    #expect(try graph.parameterIDs.map { try graph[$0].name } == ["linear.weight", "linear.bias"])
    let x = try Tensor([3, 784], (0..<(3 * 784)).map { Float($0 % 17) / 17 - 0.5 })
    let eager = try module.callEagerly(x, executor: ReferenceExecutor())[0]
    #expect(eager.shape == [3, 10])
    for executor in Self.executors { #expect(try largestDifference(executor.run(graph, x)[0], eager) <= 1e-6) }
  }

  @Test func controlFlow() throws {
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

    let graph = try tracer.finalize()
    try graph.verify()
    #expect(graph.nodeCount == 6)
    for executor in Self.executors {
      #expect(try executor.run(graph, Tensor(Float(2)))[0] == Tensor(Float(2)))
      #expect(try executor.run(graph, Tensor(Float(0)))[0] == Tensor(Float(0.5)))
    }
  }

  @Test func loop() throws {
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

    let graph = try tracer.finalize()
    try graph.verify()
    #expect(graph.nodeCount == 7)
    for executor in Self.executors {
      #expect(try executor.run(graph, Tensor(Float(0)), Tensor(0))[0] == Tensor(Float(10)))
      #expect(try executor.run(graph, Tensor(Float(5)), Tensor(10))[0] == Tensor(Float(5)))
    }
  }
}
