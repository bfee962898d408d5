import FXCore
import FXPasses
import FXRuntime
import Synchronization
import Testing

@Suite struct PartitionedBackendTests {
  /// Runs some operators by the reference kernels and counts its calls.
  private final class Picky: CustomBackend {
    let info: BackendInfo
    let operators: Set<String>
    let calls = Mutex<[Int]>([])

    init(_ name: String, _ operators: Set<String>) {
      info = BackendInfo(name: name, version: "1", capabilities: [.graphExecution], deviceTypes: [name])
      self.operators = operators
    }

    func support(for node: NodeID, in graph: Graph) -> BackendSupport {
      let op = (try? graph[node].op.description) ?? ""
      return operators.contains(op) ? .supported : .unsupported(reason: "\(info.name) has no \(op)")
    }

    func execute(_ graph: Graph, inputs: [RuntimeValue]) throws -> [RuntimeValue] {
      calls.withLock { $0.append(graph.nodeCount) }
      return try ReferenceExecutor().run(graph, inputs: inputs)
    }
  }

  private static func graph() throws -> Graph {
    try Graph(
      text: """
        fx 1
        graph @main(%x: f32[n, 2], %p: bool[]) {
          parameter @w: f32[2, 2] weight = [1.0, -1.0, 0.5, 2.0]
          %a: f32[n, 2] = matmul(%x, @w)
          %b: f32[n, 2] = relu(%a)
          %c: f32[n, 2] = exp(%b)
          %d: f32[n, 2] = cond(%p, %c) then(%s: f32[n, 2]) {
            %t: f32[n, 2] = relu(%s)
            %u: f32[n, 2] = tanh(%t)
            return %u
          } else(%s: f32[n, 2]) {
            return %s
          }
          %e: f32[n, 2] = add(%d, %x)
          return %e, %b, @w
        }
        """)
  }

  @Test func partsGoWhereTheyAreSupported() throws {
    let (first, second) = (Picky("first", ["matmul", "relu"]), Picky("second", ["exp", "relu"]))
    let backend = PartitionedBackend([first, second, CPUBackend()])
    let graph = try Self.graph()
    let compiled = try backend.compiled(graph)
    #expect(compiled.split.parts.map(\.target) == ["first", "second", "cpu"])
    for rows in [1, 3] {
      for taken in [true, false] {
        let x = try Tensor([rows, 2], (0..<rows * 2).map { Float($0) - 1.5 })
        let inputs: [RuntimeValue] = [.tensor(x), .tensor(Tensor(taken))]
        let (mixed, whole) = (try compiled.run(inputs), try CPUBackend().run(graph, inputs: inputs))
        for (a, b) in zip(mixed, whole) {
          guard case .differ(let mismatch) = OutputComparison(.reassociates).compare(a, b) else { continue }
          Issue.record("\(mismatch)")
        }
        #expect(mixed.count == 3)
      }
    }
    #expect(first.calls.withLock { $0.count } == 4 && second.calls.withLock { $0.count } == 4)
    #expect(backend.info.name == "first+second+cpu" && backend.info.deviceTypes == ["first", "second", "cpu"])
    #expect(backend.info.capabilities.contains(.controlFlow))
  }

  @Test func mistakesAreNamed() throws {
    let graph = try Self.graph()
    let picky = Picky("picky", ["relu"])
    #expect {
      try PartitionedBackend([picky]).compile(graph)
    } throws: { error in
      "\(error)" == "no target takes add (picky: picky has no add); cond (picky: picky has no cond); "
        + "exp (picky: picky has no exp); matmul (picky: picky has no matmul)"
    }
    let compiled = try PartitionedBackend([picky, CPUBackend()]).compiled(graph)
    #expect(throws: ExecutionError.inputCount(expected: ["x", "p"], actual: 0)) { try compiled.run([]) }
    #expect(
      PartitionedBackend([picky]).support(for: graph.bodyNodes[0], in: graph)
        == .unsupported(reason: "picky: picky has no matmul"))
  }

  /// One compiled graph runs from many threads at once.
  @Test func concurrentRuns() async throws {
    let compiled = try PartitionedBackend([Picky("picky", ["relu", "exp"]), CPUBackend()]).compiled(Self.graph())
    let results = try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<16 {
        group.addTask {
          let x = try Tensor([task % 3 + 1, 2], (0..<(task % 3 + 1) * 2).map { Float($0) + Float(task) })
          let inputs: [RuntimeValue] = [.tensor(x), .tensor(Tensor(task % 2 == 0))]
          let once = try compiled.run(inputs)
          return try (0..<20).allSatisfy { _ in try compiled.run(inputs) == once }
        }
      }
      return try await group.reduce(true) { $0 && $1 }
    }
    #expect(results)
  }

  @Test func byNamesOfTheRegistry() throws {
    BackendRegistry.shared.registerCPU()
    registerBackendFactory("partitioned-test") { Picky("partitioned-test", ["relu"]) }
    defer { BackendRegistry.shared.unregister("partitioned-test") }
    let inputs: [RuntimeValue] = [.tensor(try Tensor([1, 2], [1, 2] as [Float])), .tensor(Tensor(true))]
    let graph = try Self.graph()
    let whole = try executeWithBackend(graph, "reference", inputs: inputs)
    for (a, b) in zip(try executeWithBackend(graph, ["partitioned-test", "cpu"], inputs: inputs), whole) {
      if case .differ(let mismatch) = OutputComparison(.reassociates).compare(a, b) { Issue.record("\(mismatch)") }
    }
    #expect(throws: BackendError.self) { try executeWithBackend(graph, ["partitioned-test", "nobody"], inputs: inputs) }
    #expect(throws: ExecutionError.self) { try executeWithBackend(graph, "partitioned-test", inputs: inputs) }
  }
}
