import FXCore
import Foundation

/// A backend that compiles each graph to a shared library with the machine's C++ compiler, and loads it.
///
/// Compiling takes seconds; sizes must be fixed. For graphs that run often, on machines that lack nothing but a runtime.
public struct CompiledBackend: Backend {
  /// What makes a library of each graph.
  public var compiler: NativeCompiler

  /// A backend that compiles with `g++ -O3 -march=native`, unless told otherwise.
  public init(_ compiler: NativeCompiler = NativeCompiler()) { self.compiler = compiler }

  /// Called `compiled`; takes whole graphs and control flow, on the processor.
  public var info: BackendInfo {
    BackendInfo(name: "compiled", version: "1", capabilities: [.graphExecution, .controlFlow], deviceTypes: ["cpu"])
  }

  /// Composite operators count as supported: they are decomposed, and `compile` says what cannot be written then.
  public func support(for node: NodeID, in graph: Graph) -> BackendSupport {
    guard let node = try? graph[node] else { return .unsupported(reason: "the node is not in the graph") }
    if node.op.has(.composite) { return .supported }
    return compiler.target.refusal(of: node, in: graph).map { .unsupported(reason: $0) } ?? .supported
  }

  /// - Throws: as `NativeCompiler.compile` and `CompiledModel.init`.
  public func compile(_ graph: Graph) throws -> any Executable {
    let path = NSTemporaryDirectory() + "fx-\(ProcessInfo.processInfo.globallyUniqueString).so"
    // A loaded library needs its file no more.
    defer { try? FileManager.default.removeItem(atPath: path) }
    try compiler.compile(graph, to: path)
    return try CompiledModel(path: path)
  }
}
