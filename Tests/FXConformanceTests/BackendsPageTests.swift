import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Testing

/// The programs of `docs/Backends.md`, the first of which is the tutorial's "Custom Backend Integration".
@Suite(.serialized) struct BackendsPageTests {
  // Implement custom backend
  struct MyCustomBackend: CustomBackend {
    func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
      // Custom execution logic
      print("Executing on custom backend")
      return try ReferenceExecutor().run(graph, inputs: inputs)
    }

    var info: BackendInfo {
      BackendInfo(
        name: "my_backend",
        version: "1.0.0",
        capabilities: [
          .graphExecution,
          .optimization,
        ],
        deviceTypes: ["custom_device"]
      )
    }
  }

  /// Runs `relu` only.
  struct MyBackend: CustomBackend {
    var info: BackendInfo { BackendInfo(name: "mine", version: "1", capabilities: [.graphExecution], deviceTypes: ["cpu"]) }

    func support(for node: NodeID, in graph: Graph) -> BackendSupport {
      (try? graph[node].op) == .relu ? .supported : .unsupported(reason: "relu only")
    }

    func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
      try ReferenceExecutor().run(graph, inputs: inputs)
    }
  }

  func createSimpleGraph() throws -> Graph {
    var tracer = ModuleTracer()
    try tracer.addInput("x", .tensor(.float32, ["batch", 3]))
    try tracer.addCall("linear", ["x"])
    try tracer.addCall("relu", ["node_0"])
    try tracer.addOutput("node_1")
    var graph = try tracer.finalize()
    try graph.initializeParameters(seed: 42)
    return graph
  }

  @Test func everyBlockStandsInThisFile() throws { try expectProgramsOfPage("docs/Backends.md", in: [#filePath]) }

  @Test func customBackend() throws {
    let graph = try createSimpleGraph()
    let inputs: [RuntimeValue] = [.tensor(try Tensor([2, 3], [1, -2, 3, -4, 5, -6] as [Float]))]

    // Register custom backend
    registerBackendFactory("my_backend") {
      MyCustomBackend()
    }

    // Execute on custom backend
    let results = try executeWithBackend(graph, "my_backend", inputs: inputs)
    print("Custom backend results: \(results)")

    #expect(try results == ReferenceExecutor().run(graph, inputs: inputs))
    #expect {
      try executeWithBackend(graph, "my_backent", inputs: inputs)
    } throws: { "\($0)".contains("there is no backend 'my_backent'; registered: ") && "\($0)".contains("my_backend") }

    BackendRegistry.shared.registerCPU()
    let sameOutputs = try executeWithBackend(graph, ["my_backend", "cpu"], inputs: inputs)
    #expect(sameOutputs == results)
  }

  @Test func severalTogether() throws {
    let graph = try createSimpleGraph()
    let inputs: [RuntimeValue] = [.tensor(try Tensor([2, 3], [1, -2, 3, -4, 5, -6] as [Float]))]
    let mixed = try PartitionedBackend([MyBackend(), CPUBackend()]).compiled(graph)
    let outputs = try mixed.run(inputs)
    for part in mixed.split.parts { print(part.target, part.graph.nodeCount) }
    #expect(mixed.split.parts.map(\.target) == ["cpu", "mine"])
    let whole = try CPUBackend().run(graph, inputs: inputs)
    if case .differ(let mismatch) = OutputComparison(.reassociates).compare(outputs[0], whole[0]) { Issue.record("\(mismatch)") }

    let partitioner = Partitioner([
      PartitionTarget("matrix-unit") { node, graph in
        (try? graph[node].op) == .linear ? .supported : .unsupported(reason: "not a product")
      },
      PartitionTarget("host") { _, _ in .supported },
    ])
    let split = try splitModule(graph, partitioner.partition(graph))
    #expect(split.parts.map(\.target) == ["matrix-unit", "host"])
  }

  @Test func testingOne() throws {
    let graph = try Graph(text: "fx 1\ngraph @main(%x: f32[n]) {\n%y: f32[n] = relu(%x)\nreturn %y\n}")
    for size in [0, 1, 7] {
      let inputs = try InputSampler(seed: 1, sizes: ["n": size]).inputs(of: graph)
      let (ours, reference) = (try MyBackend().compile(graph).run(inputs), try ReferenceExecutor().run(graph, inputs: inputs))
      for (a, b) in zip(ours, reference) {
        if case .differ(let mismatch) = OutputComparison(.reassociates).compare(a, b) { print(mismatch) }
      }
      #expect(ours == reference)
    }
  }
}
