import FXCore

/// The reference executor as a backend, for comparing any other with.
extension ReferenceExecutor: CustomBackend {
  /// `reference`, version 1.
  public var info: BackendInfo {
    BackendInfo(
      name: "reference", version: "1", capabilities: [.graphExecution, .dynamicShapes, .controlFlow], deviceTypes: ["cpu"])
  }

  public func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    guard let op = try? graph[node].op else { return .unsupported(reason: "the node is not in the graph") }
    return kernels[op] == nil ? .unsupported(reason: "no reference kernel for \(op)") : .supported
  }

  public func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] { try run(graph, inputs: inputs) }
}
