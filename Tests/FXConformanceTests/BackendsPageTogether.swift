import FXCore
import FXRuntime

/// Runs `relu`, and leaves the rest to others.
struct MyBackend: CustomBackend {
  var info: BackendInfo { BackendInfo(name: "mine", version: "1", capabilities: [.graphExecution], deviceTypes: ["cpu"]) }

  func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    (try? graph[node].op) == .relu ? .supported : .unsupported(reason: "relu only")
  }

  func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
    try ReferenceExecutor().run(graph, inputs: inputs)
  }
}

/// Runs a graph on it, and on the CPU backend what it leaves.
func runTogether(_ graph: Graph, _ inputs: [RuntimeValue]) throws -> [RuntimeValue] {
  let mixed = try PartitionedBackend([MyBackend(), CPUBackend()]).compiled(graph)
  for part in mixed.split.parts { print(part.target, part.graph.nodeCount) }
  return try mixed.run(inputs)
}
