import FXCore
import FXPasses
import FXRuntime
import FXTrace
import Foundation
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

  /// Those that are whole files are files of this target.
  @Test func everyBlockStandsInAFile() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let files = ["BackendsPageTests", "BackendsPageTogether", "BackendsPageMismatches"].map {
      folder.appendingPathComponent("\($0).swift").path
    }
    try expectProgramsOfPage("docs/Backends.md", in: files)
  }

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
    #expect(try PartitionedBackend([MyBackend(), CPUBackend()]).compiled(graph).split.parts.map(\.target) == ["cpu", "mine"])
    let outputs = try runTogether(graph, inputs)
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
    for size in [0, 1, 7] { #expect(try mismatches(of: MyBackend(), on: graph, sizes: ["n": size]).isEmpty) }
    let wrong = try Graph(text: "fx 1\ngraph @wrong(%x: f32[n]) {\n%y: f32[n] = neg(%x)\nreturn %y\n}")
    #expect(try mismatches(of: Wrong(graph: wrong), on: graph, sizes: ["n": 7]).count == 1)
  }

  /// Runs another graph.
  struct Wrong: CustomBackend {
    let graph: Graph
    var info: BackendInfo { MyBackend().info }
    func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
      try ReferenceExecutor().run(self.graph, inputs: inputs)
    }
  }
}
